from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from simulated_panorama import SEED, SMALL_PX, simulate

from nnbook.errors import NnbookError
from nnbook.io.files import sha256
from nnbook.io.images import Image, Labels, read_image, read_mask
from nnbook.io.manifest import Panorama, read_manifest
from nnbook.simulation import dataset
from nnbook.simulation.dataset import make_panorama, panorama_stage, simulate_manifest, write_dataset
from nnbook.simulation.panorama import simulate_panorama

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Panorama]]:
    out = tmp_path_factory.mktemp("twin")
    return out, write_dataset(out, SEED, runs=1, side_px=SMALL_PX)


class TestWriting:
    def test_manifest_is_valid_and_pinned(self, written: tuple[Path, list[Panorama]]) -> None:
        out, rows = written
        assert read_manifest(out / "manifest.csv") == rows
        assert len(rows) == 16
        for row in rows:
            assert row.image_sha256 == sha256(out / row.image)
            assert row.source == f"twin:{SEED}"

    def test_files_hold_the_panorama_simulated_alone(self, written: tuple[Path, list[Panorama]]) -> None:
        out, rows = written
        row = max(rows, key=lambda row: read_mask(out / f"truth/{row.panorama}.tif").max())
        image, labels, truth = simulate(SEED, row.run, row.quarter, row.crop)
        np.testing.assert_array_equal(read_image(out / row.image), image)
        np.testing.assert_array_equal(read_mask(out / f"truth/{row.panorama}.tif"), labels)
        table = pd.read_csv(out / "truth.csv")
        own = table[table["panorama"] == row.panorama].drop(columns="panorama").reset_index(drop=True)
        pd.testing.assert_frame_equal(own, truth)

    def test_truth_covers_every_panorama(self, written: tuple[Path, list[Panorama]]) -> None:
        out, rows = written
        counts = pd.read_csv(out / "truth.csv").groupby("panorama").size()
        for row in rows:
            assert counts.get(row.panorama, 0) == read_mask(out / f"truth/{row.panorama}.tif").max()

    def test_interrupted_and_run_again_makes_only_what_is_missing(
        self, tmp_path: Path, written: tuple[Path, list[Panorama]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made: list[tuple[Any, ...]] = []

        def interrupted(*place: Any, **size: Any) -> tuple[Image, Labels, pd.DataFrame]:
            if len(made) == 5:
                raise KeyboardInterrupt
            made.append(place)
            return simulate_panorama(*place, **size)

        monkeypatch.setattr(dataset, "simulate_panorama", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_dataset(tmp_path, SEED, runs=1, side_px=SMALL_PX, processes=1)

        def counted(*place: Any, **size: Any) -> tuple[Image, Labels, pd.DataFrame]:
            made.append(place)
            return simulate_panorama(*place, **size)

        monkeypatch.setattr(dataset, "simulate_panorama", counted)
        rows = write_dataset(tmp_path, SEED, runs=1, side_px=SMALL_PX, processes=1)
        assert len(made) == len(set(made)) == 16
        assert rows == written[1]
        for name in ("manifest.csv", "truth.csv", *(f"truth/{row.panorama}.tif" for row in rows)):
            assert (tmp_path / name).read_bytes() == (written[0] / name).read_bytes()

    def test_a_missing_truth_mask_is_made_again(self, tmp_path: Path) -> None:
        panorama = simulate_manifest(SEED, 1, SMALL_PX)[0]
        make_panorama(panorama, panorama_stage(panorama, tmp_path))
        mask = tmp_path / f"truth/{panorama.panorama}.tif"
        before = mask.read_bytes()
        mask.unlink()
        make_panorama(panorama, panorama_stage(panorama, tmp_path))
        assert mask.read_bytes() == before

    def test_another_twin_is_not_written_over(self, written: tuple[Path, list[Panorama]]) -> None:
        out, rows = written
        with pytest.raises(NnbookError, match="another twin"):
            write_dataset(out, SEED + 1, runs=1, side_px=SMALL_PX)
        assert read_manifest(out / "manifest.csv") == rows


class TestManifest:
    def test_names_passages_and_paths(self) -> None:
        rows = simulate_manifest(SEED, 100, 2048)
        assert len(rows) == 1600
        assert rows[0].panorama == "Run1TL_top_left"
        assert rows[-1].panorama == "Run100BR_bottom_right"
        assert len({row.passage for row in rows}) == 21
        assert rows[0].passage == "P12"
        assert all(row.image == f"panoramas/{row.panorama}.tif" and not row.mask for row in rows)

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [((SEED, 0, 2048), "runs is 0"), ((SEED, 1, 100), "side_px is 100"), ((-1, 1, 2048), "seed is -1")],
    )
    def test_bad_sizes_are_named(self, arguments: tuple[int, int, int], named: str) -> None:
        with pytest.raises(NnbookError, match=named) as caught:
            simulate_manifest(*arguments)
        assert "\n" not in str(caught.value)

    def test_rows_of_another_source_are_refused(self, tmp_path: Path) -> None:
        row = replace(simulate_manifest(SEED, 1, SMALL_PX)[0], source="")
        with pytest.raises(NnbookError, match="twin:SEED"):
            panorama_stage(row, tmp_path)
