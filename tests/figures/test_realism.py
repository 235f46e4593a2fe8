"""What the published data look like is stated in `published.yml`; here it is computed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from nnbook.figures.readers import read_appearance
from nnbook.figures.realism import TEXTURES, describe_nuclei, look, realism_table
from nnbook.io.edition import Edition
from nnbook.io.images import read_image
from nnbook.io.manifest import write_manifest
from nnbook.io.results import read_results
from nnbook.measurement.appearance import describe_cell
from nnbook.simulation.dataset import simulate_manifest, write_panorama
from nnbook.values.published import CITED, PX_PER_UM, TOTAL_AREA_PX2

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, float]:
    """What `look` finds in the published table and the two published images."""
    results = read_results(shared / "data/nucleusnet/results.csv")
    runs = results["image"].str.extract(r"Run(\d+)")[0].astype(int)
    rows = []
    for kind in ("anaphase", "telophase"):
        found = describe_cell(read_image(shared / f"data/nucleusnet/crops/{kind}.png"))
        assert found is not None
        rows.append({"class": kind, **dict(zip(TEXTURES, found.texture, strict=True)), **found._asdict()})
        assert found.mask_px == CITED[f"look.{'early' if kind == 'anaphase' else 'late'}.mask"].value
    return look(results, runs, TOTAL_AREA_PX2, PX_PER_UM, pd.DataFrame(rows))


def test_the_stated_values_are_those_of_the_published_data(published: Mapping[str, float]) -> None:
    # Of interphase nuclei there are areas alone, and no image.
    stated = {key: value for key, value in published.items() if key not in {"nucleus_area", "mask_ratio"}}
    assert len(stated) == 19
    for key, value in stated.items():
        cited = CITED[f"look.{key}"]
        assert value == pytest.approx(cited.value, abs=0.51 * 10**-cited.digits), key


def test_the_published_data_differ_from_themselves_by_nothing(published: Mapping[str, float]) -> None:
    rows = {row[0]: row[2:] for row in realism_table(published).rows}
    assert len(rows) == len(published)
    assert rows.pop(f"{CITED['look.nucleus_area'].title} (µm²)") == ("–", "–")
    assert rows.pop(CITED["look.mask_ratio"].title) == ("–", "–")
    assert {difference.lstrip("+−") for _, difference in rows.values()} <= {"0%", "1%"}


def test_differences_are_in_per_cent_of_the_published_value() -> None:
    (row,) = realism_table({"mean": CITED["look.mean"].value * 1.1}).rows
    assert row == ("Mean intensity of panoramas (grey levels)", "79.01", "86.91", "+10%")


def test_cells_of_an_edition_are_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnbook.simulation.nuclei.CLASS_SHARES", (0.4, 0, 0, 0.3, 0.3, 0))
    rows = simulate_manifest(1, 1, 1400)[:1]
    edition = Edition(tmp_path, "twin", "", simulated=True, px_per_um=PX_PER_UM, area_px2=1400**2)
    write_manifest(edition.manifest, rows)
    assert read_appearance(edition).empty
    write_panorama(rows[0], tmp_path)
    cells = read_appearance(edition)
    assert set(cells["class"]) == {"interphase", "anaphase", "telophase"}
    interphase = cells[cells["class"] == "interphase"]
    assert (interphase["mask_px"] / interphase["bright_px"]).median() == pytest.approx(1.72, rel=0.15)
    late = cells[cells["class"] == "telophase"]
    np.testing.assert_allclose(late["mask_px"], CITED["look.late.mask"].value, rtol=0.01)
    assert describe_nuclei(np.zeros((9, 9), np.uint8), np.zeros((9, 9), np.int32), _no_truth()).empty


def _no_truth() -> pd.DataFrame:
    return pd.DataFrame({"class": pd.Series(dtype=object), "cut": pd.Series(dtype=bool)})
