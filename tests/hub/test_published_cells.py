"""NucleusNet-10K, as a hub on this machine has it, in an edition: pulled, imported, sampled and laid out."""

import json
from pathlib import Path
from typing import NoReturn

import pytest
from hub_commands import Commands, parquet, tiff
from hub_server import Hub
from published_images import NAMES, published_cell

from nnbook.cells.store import read_cells
from nnbook.errors import NnbookError
from nnbook.hub import download
from nnbook.io.edition import Edition
from nnbook.pipeline.published_cells import DATASET, make_published_cells
from nnbook.values import published

CARD = b"---\nlicense: cc-by-4.0\n---\n# Cells\n"


def published_edition(folder: Path) -> Edition:
    return Edition(folder, "published", "The table.", False, published.PX_PER_UM, published.TOTAL_AREA_PX2)


def written(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def no_hub() -> NoReturn:
    raise AssertionError("the hub was asked")


def test_what_a_hub_serves_becomes_cells_a_sample_and_a_mosaic(
    hub: Hub, nnbook: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [tiff(published_cell(seed)) for seed in range(len(NAMES))]
    commit = hub.add(
        DATASET,
        {"README.md": CARD, "data/train-00000-of-00001.parquet": parquet(images, [f"{name}.tif" for name in NAMES])},
    )
    assert nnbook("pull", DATASET, "--out", tmp_path / "pulled").status == 0
    assert json.loads((tmp_path / "pulled" / "pull.json").read_text())["licence"] == "cc-by-4.0"

    monkeypatch.setattr(download, "connect", no_hub)
    edition = published_edition(tmp_path / "book")
    make_published_cells(edition, tmp_path / "pulled")
    cells = read_cells(edition.cells)
    assert cells.table["cell"].tolist() == list(NAMES)
    assert cells.about["edition"] == "published"
    assert cells.about["source"] == {
        "dataset": DATASET,
        "revision": "main",
        "commit": commit,
        "licence": "cc-by-4.0",
    }
    mosaic = json.loads((edition.mosaic / "mosaic.json").read_text())
    assert [(row["run"], row["cells"]) for row in mosaic["rows"]] == [(2, 5), (100, 1)]
    assert (edition.mosaic / mosaic["normalised"]).is_file()
    assert DATASET in mosaic["note"]
    before = written(tmp_path / "book")
    make_published_cells(edition, tmp_path / "pulled")
    assert written(tmp_path / "book") == before


def test_without_the_hub_one_line_says_what_is_missing_and_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> NoReturn:
        raise NnbookError("huggingface.co: can't be reached (ConnectError); check the network")

    monkeypatch.setattr(download, "pull", unreachable)
    with pytest.raises(NnbookError) as caught:
        make_published_cells(published_edition(tmp_path / "book"), tmp_path / "pulled")
    (line,) = str(caught.value).splitlines()
    assert line == (
        f"the published cell images ({DATASET}) are not here: huggingface.co: can't be reached (ConnectError); check "
        f"the network; 'nnbook pull {DATASET} --out {tmp_path / 'pulled'}' brings them"
    )
    assert not (tmp_path / "book").exists()
