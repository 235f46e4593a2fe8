import json
import re
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nnbook.cli import main
from nnbook.errors import NnbookError
from nnbook.figures import read_panels, representatives_table
from nnbook.io.edition import DATA, Edition, read_edition, read_layers
from nnbook.io.files import locked
from nnbook.io.images import read_mask, write_image, write_mask
from nnbook.io.manifest import Panorama, write_manifest
from nnbook.io.results import read_results
from nnbook.measurement.selection import representatives
from nnbook.pipeline import editions
from nnbook.pipeline.editions import make_published, run
from nnbook.pipeline.measured import MaskedImage, measure_file, measure_files
from nnbook.pipeline.sources import fetch_panoramas
from nnbook.pipeline.stages import measure_panoramas, write_previews, write_pyramids
from nnbook.simulation.dataset import simulate_manifest
from nnbook.simulation.nuclei import CLASSES
from nnbook.values import published
from nnbook.viewers.tables import read_panoramas

NOTEBOOK = """---
kernelspec:
  name: python3
  display_name: Python 3
---

```{code-cell} ipython3
from nnbook.io.edition import read_edition
from nnbook.io.results import read_results
print(len(read_results(read_edition().results)), "rows")
```
"""


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "count.md").write_text(NOTEBOOK)
    return folder


def times(folder: Path) -> dict[Path, int]:
    return {
        path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file() and path.name != "manifest.csv"
    }


CODE = {
    "rois-parts/Run1TL_top_left/record.json": "nnbook.measurement.rois.summarise",
    "records/pyramid-Run1TL_top_left.json": "nnbook.evaluation.metrics.mistakes",
    "records/preview-Run1TL_top_left.json": "nnbook.io.images.read_image",
}
"""Of what each panorama has, a function that it depends on, and that what writes the file does not call itself."""


def test_a_manifest_becomes_an_edition_and_only_what_is_out_of_date_is_made_again(
    tmp_path: Path, notebooks: Path, shared: Path, opened: set[Path]
) -> None:
    edition, local = tmp_path / "build" / "tiny", shared / "data" / "nucleusnet"
    write_manifest(tmp_path / "manifest.csv", simulate_manifest(1, 1, 700)[:3])
    run(tmp_path / "manifest.csv", edition, notebooks, local=local)
    results, rois = read_results(edition / "results.csv"), pd.read_parquet(edition / "rois.parquet")
    assert results["image"].tolist() == ["Run1TL_top_left.tif", "Run1TL_top_right.tif", "Run1TL_bottom_left.tif"]
    assert results["num_rois"].sum() == len(rois) > 0
    assert_viewers_find_everything(edition, rois)
    assert [layer.label for layer in read_layers("panoramas", edition)] == ["Published", "Simulated"]
    assert [layer.name for layer in read_layers("cells", edition)] == ["tiny"]
    assert "3 rows" in (edition / "notebooks" / "count.ipynb").read_text()
    mosaic = json.loads((edition / "mosaic" / "mosaic.json").read_text())
    assert mosaic["columns"] == len(pd.read_parquet(edition / "cells" / "cells.parquet")) > 0
    assert (edition / "mosaic" / mosaic["normalised"]).is_file()

    for record, function in CODE.items():
        assert function in json.loads((edition / record).read_text(encoding="utf-8"))["code"], record

    before, nuclei_before = times(edition), nuclei_of(edition, "Run1TL_top_left")
    opened.clear()
    run(tmp_path / "manifest.csv", edition, notebooks, local=local)
    assert [path for path in opened if path.suffix in {".tif", ".jpg", ".png"}] == [], "no image and no mask"
    again = {path.relative_to(edition).as_posix() for path, time in times(edition).items() if before[path] != time}
    assert again == set()

    mask = edition / "masks" / "Run1TL_top_left_cp_masks.tif"
    corrected = read_mask(mask)
    corrected[corrected == 1] = 0
    write_mask(mask, corrected)
    former = [edition / "pyramids" / "Former", edition / "records" / "pyramid-Former.json"]
    former[0].mkdir()
    former[1].write_text("{}", encoding="utf-8")
    run(tmp_path / "manifest.csv", edition, notebooks, local=local)
    assert read_results(edition / "results.csv")["num_rois"].sum() == len(rois) - 1
    assert nuclei_of(edition, "Run1TL_top_left")["roi"] == nuclei_before["roi"][1:]
    again = {path.relative_to(edition).as_posix() for path, time in times(edition).items() if before.get(path) != time}
    assert "pyramids/Run1TL_top_left/labels.dzi" in again
    assert "pyramids/Run1TL_top_right/labels.dzi" not in again
    assert {"cells/cells.parquet", "sample.parquet", "mosaic/mosaic.json"} <= again, "it is of the corrected cells"
    assert not any(path.exists() for path in former), "a panorama that represents no longer leaves nothing"
    assert not [path for path in again if path.startswith("pyramids/previews/")], "previews show no masks"


def nuclei_of(edition: Path, name: str) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = json.loads((edition / "pyramids" / name / "nuclei.json").read_text())["columns"]
    return columns


def assert_viewers_find_everything(edition: Path, rois: pd.DataFrame) -> None:
    folder = edition / "pyramids"
    shown = read_panoramas(folder / "panoramas.json").to_dict("list")
    assert shown["panorama"] == ["Run1TL_top_left", "Run1TL_top_right", "Run1TL_bottom_left"]
    assert (shown["run"], shown["passage"]) == ([1] * 3, ["P12"] * 3)
    assert sorted(shown["rank"]) == [1, 2, 3]
    assert shown["pyramid"] == [True] * 3
    assert shown["num_rois"] == [(rois["panorama"] == name).sum() for name in shown["panorama"]]
    assert all((folder / preview).is_file() for preview in shown["preview"])
    for entry in json.loads((folder / "index.json").read_text())["panoramas"]:
        assert all((folder / entry[key]).is_file() for key in ("intensity", "labels", "nuclei"))
        mine = rois[rois["panorama"] == entry["panorama"]]
        nuclei = nuclei_of(edition, entry["panorama"])
        assert nuclei["roi"] == mine["roi"].tolist()
        assert nuclei["x_px"] == pytest.approx(mine["x_px"].tolist(), abs=0.005)
        assert nuclei["width_px"] == mine["width_px"].tolist()
        assert set(nuclei["class"]) <= {None, *CLASSES}


def test_panoramas_of_two_scales_are_refused(tmp_path: Path, notebooks: Path) -> None:
    rows = simulate_manifest(1, 1, 256)[:2]
    write_manifest(tmp_path / "manifest.csv", rows)
    text = (tmp_path / "manifest.csv").read_text().replace("8.0453", "4", 1)
    (tmp_path / "manifest.csv").write_text(text)
    with pytest.raises(NnbookError, match="different px_per_um"):
        run(tmp_path / "manifest.csv", tmp_path / "build", notebooks)


def test_the_published_layer_has_its_table_and_no_panorama_to_zoom_into(tmp_path: Path, shared: Path) -> None:
    layer = tmp_path / "published"
    make_published(layer, shared / "data" / "nucleusnet")
    assert len(read_results(layer / "results.csv")) == 1600
    shown = read_panoramas(layer / "pyramids" / "panoramas.json")
    assert len(shown) == 1600
    first = shown[shown["panorama"] == "Run100BL_bottom_left"].iloc[0]
    assert first[["run", "num_rois"]].tolist() == [100, 914]
    assert (first["mean_intensity"], first["std_intensity"]) == (63.3834, 56.2255)
    assert sorted(shown["rank"].dropna()) == list(range(1, 11))
    assert not shown["pyramid"].any()
    assert shown[["passage", "preview"]].isna().all(axis=None)
    edition = read_edition(layer)
    assert [data for data in DATA if edition.has(data)] == ["panoramas"]
    assert edition.label == "Published"


@pytest.mark.parametrize(
    ("code", "told"),
    [("1 / 0", "ZeroDivisionError"), ("import os; os._exit(3)", "killed the kernel"), ("print(", "SyntaxError")],
)
def test_a_failing_cell_is_named_and_nothing_is_written(
    tmp_path: Path, notebooks: Path, black: Panorama, code: str, told: str
) -> None:
    (notebooks / "count.md").write_text(NOTEBOOK + f"\n```{{code-cell}} ipython3\n{code}\n```\n")
    with pytest.raises(NnbookError, match=r"count\.md: code cell 2") as caught:
        run(masked(black, tmp_path), tmp_path / "own", notebooks)
    assert told in str(caught.value)
    assert not (tmp_path / "own" / "notebooks" / "count.ipynb").exists()


@pytest.fixture
def black(tmp_path: Path) -> Panorama:
    """A row of an image without a nucleus, which lies beside the manifest."""
    write_image(tmp_path / "in" / "black.tif", np.zeros((64, 64), np.uint8))
    return Panorama("black", 7, "", "", "", "in/black.tif", "", 64, 64, published.PX_PER_UM, "", "")


def masked(row: Panorama, folder: Path) -> Path:
    """Return a manifest of one panorama that comes with a mask of one nucleus."""
    labels = np.zeros((64, 64), np.int32)
    labels[20:40, 20:40] = 1
    write_mask(folder / "in" / "black_mask.tif", labels)
    write_manifest(folder / "manifest.csv", [replace(row, mask="in/black_mask.tif")])
    return folder / "manifest.csv"


@pytest.fixture
def edition(tmp_path: Path) -> Edition:
    return Edition(tmp_path, "own", "Ours.", simulated=False, px_per_um=published.PX_PER_UM, area_px2=64 * 64)


def test_measures_again_after_a_mask_or_an_image_changed(edition: Edition, black: Panorama) -> None:
    row = replace(black, mask="in/m.tif")
    labels = np.zeros((64, 64), np.int32)
    labels[3:7, 3:8] = 1

    def counted() -> tuple[int, float, int]:
        measure_panoramas(edition, [row])
        table = read_results(edition.results)
        return table["num_rois"][0], table["mean_intensity"][0], edition.results.stat().st_mtime_ns

    write_mask(edition.mask_path(row), labels)
    first = counted()
    assert first[:2] == (1, 0)
    assert counted() == first
    labels[20, 20] = 2
    write_mask(edition.mask_path(row), labels)
    assert counted()[:2] == (2, 0)
    write_image(edition.image_path(row), np.full((64, 64), 9, np.uint8))
    assert counted()[:2] == (2, 9)
    edition.rois.unlink()
    counted()
    assert edition.rois.is_file()


def test_panoramas_that_are_no_representatives_have_their_tiles_and_the_truth_in_a_zip(
    tmp_path: Path,
    edition: Edition,
    black: Panorama,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bright = replace(black, panorama="bright", image="in/bright.tif")
    write_image(tmp_path / bright.image, np.full((64, 64), 90, np.uint8))

    def made(where: Panorama) -> dict[str, Any]:
        for row in (black, bright):
            labels = np.zeros((64, 64), np.int32)
            labels[20:40, 20:40] = row is where
            write_mask(edition.mask_path(row), labels)
        measure_panoramas(edition, [black, bright])
        write_pyramids(edition, [black, bright])
        table = read_panoramas(edition.pyramids / "panoramas.json").to_dict("list")
        return {name: table[name] for name in ("pyramid", "tiles", "nuclei", "truth")}

    true = np.zeros((64, 64), np.int32)
    true[50:60, 50:60] = 4
    edition.truth_path(black).parent.mkdir()
    write_mask(edition.truth_path(black), true)
    files = {"tiles": ["black.zip", "bright"], "nuclei": ["nuclei/black.json", "bright/nuclei.json"]}
    assert made(bright) == {"pyramid": [True, True], "truth": [True, None], **files}
    with zipfile.ZipFile(edition.pyramids / "black.zip") as archive:
        wrong = json.loads(archive.read("mistakes.json"))["columns"]
        assert {"intensity.dzi", "labels.dzi", "truth.dzi"} <= set(archive.namelist())
    assert wrong == {"kind": ["missed"], "label": [4], "x_px": [54.5], "y_px": [54.5]}
    assert made(black)["tiles"] == ["black", "bright.zip"], "another one is the representative now"
    (entry,) = json.loads((edition.pyramids / "index.json").read_text())["panoramas"]
    assert all((edition.pyramids / entry[key]).is_file() for key in ("labels", "nuclei", "truth", "mistakes"))
    kept = {path.relative_to(edition.pyramids).as_posix() for path in edition.pyramids.glob("*")}
    assert kept == {"black", "bright.zip", "nuclei", "previews", "index.json", "panoramas.json"}
    assert [path.name for path in (edition.pyramids / "nuclei").iterdir()] == ["bright.json"]
    monkeypatch.setattr("nnbook.pipeline.stages.MOST_TILED_PX", 2 * 64 * 64 - 1)
    assert made(black)["tiles"] == ["black", None]
    assert "viewers zoom into 1 of 2 panoramas" in capsys.readouterr().err
    assert not (edition.pyramids / "bright.zip").exists()


def test_previews_are_made_again_after_their_image_changed_and_go_with_their_panorama(
    tmp_path: Path, edition: Edition, black: Panorama
) -> None:
    other = replace(black, panorama="other", image="in/other.tif")
    write_image(tmp_path / other.image, np.zeros((50, 60), np.uint8))
    previews = tmp_path / "pyramids" / "previews"

    def written(panoramas: list[Panorama]) -> dict[str, int]:
        write_previews(edition, panoramas)
        return {path.name: path.stat().st_mtime_ns for path in previews.iterdir()}

    first = written([black, other])
    assert sorted(first) == ["black.jpg", "other.jpg"]
    assert written([black, other]) == first
    write_image(tmp_path / other.image, np.full((50, 60), 9, np.uint8))
    changed = written([black, other])
    assert {name for name in changed if changed[name] != first[name]} == {"other.jpg"}
    assert sorted(written([black])) == ["black.jpg"]


def test_a_preview_that_can_not_be_made_is_named_and_the_others_are_there(
    tmp_path: Path, edition: Edition, black: Panorama
) -> None:
    (tmp_path / "in" / "cut.tif").write_bytes((tmp_path / black.image).read_bytes()[:100])
    with pytest.raises(NnbookError, match=r"cut\.tif: can't be read"):
        write_previews(edition, [replace(black, panorama="cut", image="in/cut.tif"), black])
    assert (tmp_path / "pyramids" / "previews" / "black.jpg").is_file()


@pytest.mark.parametrize("name", ["previews", "nuclei", "index.json", "panoramas.json"])
def test_a_panorama_named_as_a_file_of_ours_is_refused(tmp_path: Path, black: Panorama, name: str) -> None:
    write_manifest(tmp_path / "manifest.csv", [replace(black, panorama=name)])
    with pytest.raises(NnbookError, match=f"named {name}"):
        run(tmp_path / "manifest.csv", tmp_path / "build" / "own", tmp_path)


def test_images_of_one_name_are_refused_before_anything_is_made(tmp_path: Path, black: Panorama) -> None:
    # The results table tells panoramas apart by their image's file name.
    other = replace(black, panorama="other", image="there/black.tif", source="https://example.org/black.tif")
    write_manifest(tmp_path / "manifest.csv", [black, other])
    with pytest.raises(NnbookError, match=r"black\.tif"):
        run(tmp_path / "manifest.csv", tmp_path / "build" / "own", tmp_path)
    assert not (tmp_path / "build").exists()


def test_panoramas_may_be_named_otherwise_than_their_files(tmp_path: Path, black: Panorama) -> None:
    labels = np.zeros((64, 64), np.int32)
    labels[20:40, 20:40] = 1
    rows = []
    for name, image in (("control 1", "masks/field.PNG"), ("treated 1", "cells/field.PNG")):
        write_image(tmp_path / image, np.full((64, 64), 9, np.uint8))
        write_mask(tmp_path / f"{name}.tif", labels)
        rows.append(replace(black, panorama=name.replace(" ", "_"), image=image, mask=f"{name}.tif"))
    edition = own_edition(tmp_path / "build" / "own")
    brought = fetch_panoramas(rows, tmp_path, edition.folder)
    write_manifest(edition.manifest, brought)
    measure_panoramas(edition, brought)
    results = read_results(edition.results)
    assert results["image"].tolist() == ["control_1.png", "treated_1.png"]
    panels = read_panels(edition, results["image"].tolist())
    assert [panel.name for panel in panels] == ["control_1", "treated_1"]
    assert representatives_table(representatives(results, 2)).rows[0][1] == "control_1"


def own_edition(folder: Path) -> Edition:
    return Edition(folder, "own", "Ours.", simulated=False, px_per_um=published.PX_PER_UM, area_px2=64 * 64)


def test_a_book_without_a_nucleus_is_one_line(tmp_path: Path, notebooks: Path, black: Panorama) -> None:
    write_manifest(tmp_path / "manifest.csv", [black])
    with pytest.raises(NnbookError, match="no panorama in the table has a nucleus"):
        run(tmp_path / "manifest.csv", tmp_path / "build" / "own", notebooks)


def test_an_image_that_is_renamed_has_its_new_name_in_the_results(tmp_path: Path) -> None:
    edition = Edition(tmp_path, "own", "Ours.", simulated=False, px_per_um=2.0, area_px2=72)
    row = replace(simulate_manifest(1, 1, 256)[0], width_px=9, height_px=8, px_per_um=2.0, source="")
    write_image(tmp_path / "a.tif", np.eye(8, 9, dtype=np.uint8))
    write_mask(edition.mask_path(row), np.eye(8, 9, dtype=np.int32))
    for name in ("a.tif", "b.tif"):
        if name == "b.tif":
            (tmp_path / "a.tif").rename(tmp_path / "b.tif")
        measure_panoramas(edition, [replace(row, image=name)])
        assert read_results(edition.results)["image"].tolist() == [name]


def test_every_pair_that_does_not_fit_is_told(tmp_path: Path) -> None:
    write_image(tmp_path / "a.tif", np.zeros((8, 9), np.uint8))
    write_mask(tmp_path / "a_m.tif", np.zeros((9, 8), np.int32))
    files = {name: MaskedImage(tmp_path / f"{name}.tif", tmp_path / f"{name}_m.tif", 8.0) for name in ("a", "b")}
    with pytest.raises(NnbookError) as caught:
        measure_files(files, tmp_path)
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == [
        str(tmp_path / "a_m.tif"),
        str(tmp_path / "b.tif"),
    ]


def lab(folder: Path, black: Panorama, names: str) -> list[Panorama]:
    """Write small images with masks of three nuclei, and return their rows."""
    rows = []
    rng = np.random.default_rng(5)
    for run_number, name in enumerate(names, 1):
        labels = np.zeros((64, 64), np.int32)
        for label in range(3):
            labels[8 + 18 * label :, 20:][:12, :14] = label + 1
        write_image(folder / f"{name}.tif", rng.integers(5, 250, (64, 64), np.uint8))
        write_mask(folder / f"{name}_m.tif", labels)
        rows.append(replace(black, panorama=name, run=run_number, image=f"{name}.tif", mask=f"{name}_m.tif"))
    write_manifest(folder / "manifest.csv", rows)
    return rows


MADE = ("results.csv", "rois.parquet", "cells/cells.parquet", "cells/cells.json", "manifest.csv")


def made_of(folder: Path) -> dict[str, bytes]:
    files = [*(folder / name for name in MADE), *(folder / "cells" / "cells.zarr").rglob("*")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files if path.is_file()}


def test_parts_of_an_edition_are_made_apart_and_gathered_and_one_that_fails_stops_no_other(
    tmp_path: Path, black: Panorama, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(editions, "execute_notebooks", lambda *_, **__: [])
    rows = lab(tmp_path, black, "abcde")
    manifest, whole, parts = tmp_path / "manifest.csv", tmp_path / "1" / "own", tmp_path / "2" / "own"
    run(manifest, whole, tmp_path)
    image = (tmp_path / "b.tif").read_bytes()
    (tmp_path / "b.tif").write_bytes(b"no image")

    call = ["run", str(manifest), "--build", str(parts.parent), "--edition", "own", "--notebooks", str(tmp_path)]
    assert main([*call, "--part", "1/2"]) == 0  # a, c and e
    assert "nnbook: 3 of 5 panoramas are made; the next call for all gathers them" in capsys.readouterr().err
    assert sorted(path.name for path in (parts / "cells-parts").iterdir()) == ["a", "c", "e"]
    assert not (parts / "cells").exists()
    before = times(parts / "cells-parts")
    assert main(call) == 1  # b fails, and d is made
    said = capsys.readouterr().err
    assert said.splitlines()[-1].startswith(f"nnbook run: b: {tmp_path / 'b.tif'}: is no TIFF")
    assert "nnbook: 4 of 5 panoramas are made" in said
    assert not (parts / "cells").exists(), "gathered without one, the others would be taken for all"
    assert json.loads((parts / "failed.json").read_text()).keys() == {"b"}
    assert main([*call, "--only", "failed"]) == 1

    (tmp_path / "b.tif").write_bytes(image)
    assert main([*call, "--only", "failed"]) == 0
    assert "nnbook: 1 of 5 panoramas are made" in capsys.readouterr().err
    assert not (parts / "failed.json").exists()
    made = times(parts / "cells-parts")
    assert {path.parent.name for path in made.keys() - before.keys() if path.name == "record.json"} == {"b", "d"}
    assert {path: made[path] for path in before} == before
    assert main([*call, "--workers", "2"]) == 0
    assert times(parts / "cells-parts") == made
    assert made_of(parts) == made_of(whole)
    assert len(read_results(parts / "results.csv")) == len(rows)


def test_an_image_that_goes_in_the_middle_costs_its_own_measurements(
    tmp_path: Path, black: Panorama, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab(tmp_path, black, "abc")
    files = {name: MaskedImage(tmp_path / f"{name}.tif", tmp_path / f"{name}_m.tif", 8.0) for name in "abc"}
    whole = measure_files(files, tmp_path / "whole")
    there, measured = measure_file, []

    def goes(name: str, one: MaskedImage, **options: Any) -> pd.DataFrame:
        measured.append(name)
        if len(measured) == 1:
            (tmp_path / "c.tif").rename(tmp_path / "gone")
        return there(name, one, **options)

    monkeypatch.setattr("nnbook.pipeline.measured.measure_file", goes)
    with pytest.raises(NnbookError, match=r"^[^\n]*c\.tif: no such file[^\n]*$"):
        measure_files(files, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "rois-parts" / "failed.json").read_text()).keys() == {"c"}
    (tmp_path / "gone").rename(tmp_path / "c.tif")
    measured.clear()
    measured.append("nothing goes any more")
    pd.testing.assert_frame_equal(measure_files(files, tmp_path / "out"), whole)
    assert measured[1:] == ["c"]
    assert not (tmp_path / "out" / "rois-parts" / "failed.json").exists()


def test_two_builds_of_one_edition_at_once_are_refused(tmp_path: Path, notebooks: Path, black: Panorama) -> None:
    edition = tmp_path / "own"
    with locked(edition), pytest.raises(NnbookError, match="own: another process is writing it; wait"):
        run(masked(black, tmp_path), edition, notebooks)
    assert not edition.exists()


def test_a_book_of_own_images_has_their_layer_alone(tmp_path: Path, notebooks: Path, black: Panorama) -> None:
    (tmp_path / "full-size.csv").write_text("a table of the lab's\n")
    run(masked(black, tmp_path), tmp_path / "own", notebooks)
    assert not (tmp_path / "own" / "published").exists()
    assert not (tmp_path / "own" / "full-size").exists()
    [layer] = read_layers("panoramas", tmp_path / "own")
    assert (layer.name, layer.label) == ("own", "")


def test_without_a_network_the_table_that_is_there_is_used_and_a_missing_one_is_named(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("Network is unreachable")

    make_published(tmp_path / "published", shared / "data" / "nucleusnet")
    monkeypatch.setattr("socket.getaddrinfo", unreachable)
    assert make_published(tmp_path / "published") == []
    [line] = make_published(tmp_path / "other")
    assert re.fullmatch(
        r"the book lacks the published table .*results\.csv: can't be downloaded .*--local FOLDER.*", line
    )
    assert [path for path in (tmp_path / "other").rglob("*") if path.is_file()] == []
    with pytest.raises(NnbookError, match=r"results\.csv: no such file"):
        make_published(tmp_path / "other", tmp_path)


def test_published_cells_that_can_not_be_had_are_named_and_the_book_goes_on(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[Path, Path]] = []

    def unreachable(edition: Edition, pulled: Path) -> None:
        asked.append((edition.folder, pulled))
        raise NnbookError("the published cell images are not here: no network")

    monkeypatch.setattr(editions, "_make_stages", lambda *_, **__: None)
    monkeypatch.setattr(editions, "execute_notebooks", lambda *_, **__: print("notebooks", file=sys.stderr))
    monkeypatch.setattr(editions, "make_published_cells", unreachable)
    write_manifest(tmp_path / "manifest.csv", simulate_manifest(1, 1, 700)[:1])
    book, local = tmp_path / "build" / "tiny", shared / "data" / "nucleusnet"
    run(tmp_path / "manifest.csv", book, tmp_path, local=local)
    assert asked == [], "only where it is asked for"
    run(tmp_path / "manifest.csv", book, tmp_path, local=local, cells10k=True)
    line = "nnbook: the book lacks published cells: the published cell images are not here: no network"
    assert capsys.readouterr().err.splitlines() == ["notebooks", "notebooks", line]
    (book / "published" / "cells").mkdir(parents=True)
    (book / "published" / "cells" / "cells.json").touch()
    run(tmp_path / "manifest.csv", book, tmp_path, local=local)
    where = (book / "published", tmp_path / "build" / ".pulled" / "msa-em-figures")
    assert asked == [where, where], "what is there is kept up to date"


def test_published_cells_are_for_the_book_of_simulated_panoramas(
    tmp_path: Path, black: Panorama, capsys: pytest.CaptureFixture[str]
) -> None:
    write_manifest(tmp_path / "manifest.csv", [black])
    call = ["run", str(tmp_path / "manifest.csv"), "--edition", "mine", "--build", str(tmp_path / "build")]
    assert main([*call, "--cells10k"]) == 1
    assert "--cells10k is for NucleusNet's own book, and " in capsys.readouterr().err
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize(
    "image",
    ["masks/black_cp_masks.tif", "Masks/a.tif", "cells/black.tif", "truth/black.tif", "records/a.tif", ".x/a.tif"],
)
def test_an_image_where_nnbook_writes_is_refused_and_stays(tmp_path: Path, black: Panorama, image: str) -> None:
    (tmp_path / image).parent.mkdir()
    (tmp_path / black.image).rename(tmp_path / image)
    before = (tmp_path / image).read_bytes()
    write_manifest(tmp_path / "manifest.csv", [replace(black, image=image, source="https://example.org/a.tif")])
    with pytest.raises(NnbookError) as caught:
        run(tmp_path / "manifest.csv", tmp_path / "build" / "own", tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'manifest.csv'}, line 2: image {image} would be in the edition's {Path(image).parts[0]}, where "
        "nnbook's own files are; move it to another folder"
    )
    assert (tmp_path / image).read_bytes() == before
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"image": "build/own/masks/black_cp_masks.tif"}, "image build/own/masks/black_cp_masks.tif is in"),
        ({"image": "link.tif"}, "image link.tif is in"),
        ({"mask": "build/own/cells/m.tif"}, "mask build/own/cells/m.tif is in"),
    ],
)
def test_a_file_in_the_editions_own_folders_is_refused_and_stays(
    tmp_path: Path, black: Panorama, change: dict[str, Any], named: str
) -> None:
    inside = tmp_path / "build" / "own" / "masks" / "black_cp_masks.tif"
    inside.parent.mkdir(parents=True)
    (tmp_path / black.image).rename(inside)
    (tmp_path / "link.tif").symlink_to(inside)
    before = inside.read_bytes()
    write_manifest(tmp_path / "manifest.csv", [replace(black, **change)])
    with pytest.raises(NnbookError) as caught:
        run(tmp_path / "manifest.csv", tmp_path / "build" / "own", tmp_path)
    assert f"line 2: {named} {tmp_path / 'build' / 'own'}, among nnbook's own files" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert inside.read_bytes() == before
    assert not inside.is_symlink()


def test_a_manifest_that_the_edition_would_replace_is_refused(tmp_path: Path, black: Panorama) -> None:
    path = tmp_path / "manifest.csv"
    write_manifest(path, [black])
    with pytest.raises(NnbookError, match=r"manifest\.csv: would be replaced by the edition's own manifest"):
        run(path, tmp_path, tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["in", "manifest.csv"]


def test_every_row_that_can_be_in_no_edition_is_a_line(tmp_path: Path, black: Panorama) -> None:
    rows = [black, replace(black, panorama="previews", image="x/black.tif", source="https://a.org/b", px_per_um=2.0)]
    write_manifest(tmp_path / "manifest.csv", rows)
    with pytest.raises(NnbookError) as caught:
        run(tmp_path / "manifest.csv", tmp_path / "build" / "own", tmp_path)
    told = [line.removeprefix(f"{tmp_path / 'manifest.csv'}")[:29] for line in str(caught.value).splitlines()]
    assert told == [
        ", line 3: a panorama can't be", ", line 3: its image is named ", ": panoramas have different px",
    ]  # fmt: skip


def test_a_file_that_contradicts_the_scale_of_its_row_is_named(
    tmp_path: Path, black: Panorama, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise NnbookError("enough")

    write_image(tmp_path / black.image, np.zeros((64, 64), np.uint8), px_per_um=4.0)
    write_manifest(tmp_path / "manifest.csv", [black])
    monkeypatch.setattr("nnbook.pipeline.editions.segment_panoramas", stop)
    with pytest.raises(NnbookError, match="enough"):
        run(tmp_path / "manifest.csv", tmp_path / "build" / "own", tmp_path)
    assert "black.tif: says 4 px/µm itself, but 8.0453 is used, as given" in capsys.readouterr().err
