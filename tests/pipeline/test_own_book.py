"""A book of one's own, from a folder of small images to what its notebooks draw, without a kernel and without MyST."""

import ast
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnbook.book.new import About, write_book
from nnbook.io.edition import FOLDER_VARIABLE, read_edition
from nnbook.io.images import read_mask, write_image, write_mask
from nnbook.io.listing import list_panoramas
from nnbook.io.manifest import write_manifest
from nnbook.pipeline import editions
from nnbook.provenance.dependencies import code_cells
from nnbook.values.computed import Numbers
from nnbook.values.table import Table

SIDE = 160
Y, X = np.mgrid[:SIDE, :SIDE]
NOISE = np.random.default_rng(3)


def draw(folder: Path, name: str, brightness: int) -> None:
    """Draw six nuclei 26 px across, two of which the edge cuts, and outline all but one."""
    labels = np.zeros((SIDE, SIDE), np.int32)
    for label, (y, x) in enumerate([(40, 40), (40, 90), (90, 42), (95, 100), (0, 130), (140, 159)], start=1):
        labels[(Y - y) ** 2 / 12**2 + (X - x) ** 2 / 14**2 <= 1] = label
    grey = np.where(labels > 0, brightness, 12) + NOISE.normal(0, 3, labels.shape)
    write_image(folder / "images" / f"{name}.tif", np.clip(grey, 0, 255).astype(np.uint8), px_per_um=2.0)
    write_mask(folder / "truth" / f"{name}.tif", np.where(labels == 4, 0, labels))


def run_notebook(path: Path) -> list[Any]:
    """Run the code of a notebook in this process; return what its cells show."""
    names: dict[str, Any] = {}
    shown = []
    for cell in code_cells(path.read_text(encoding="utf-8")):
        *rest, last = ast.parse(cell).body
        exec(compile(ast.Module(rest, []), str(path), "exec"), names)  # noqa: S102 - our own notebooks
        if isinstance(last, ast.Expr):
            shown.append(eval(compile(ast.Expression(last.value), str(path), "eval"), names))  # noqa: S307
        else:
            exec(compile(ast.Module([last], []), str(path), "exec"), names)  # noqa: S102
    return shown


def test_what_chapters_refer_to_is_computed_and_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, brightness in (("control_1", 100), ("control_2", 120), ("drug_1", 180)):
        draw(tmp_path, name, brightness)
    listing = list_panoramas(tmp_path / "images", pattern="{condition}_{replicate}", truth=tmp_path / "truth")
    rows = [row.__class__(**{**vars(row), "diameter_px": 26.0}) for row in listing.rows]
    book = write_book(tmp_path / "book", rows, listing.folder, About("Ours"))
    manifest = book / "data" / "manifest.csv"
    monkeypatch.setattr(editions, "execute_notebooks", lambda *_, **__: [])
    folder = book / "build" / "lab"
    editions.run(manifest, folder, book / "notebooks", images=listing.folder)

    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    shown = [one for path in sorted(book.glob("notebooks/*.md")) for one in run_notebook(path)]
    numbers = {number.key: number for one in shown if isinstance(one, Numbers) for number in one.numbers}
    text = "".join(path.read_text(encoding="utf-8") for path in book.glob("chapters/*.md"))
    assert set(re.findall(r"\{number\}`([^`]+)`", text)) <= numbers.keys()
    assert set(re.findall(r"book/figures/([\w-]+\.png)", text)) <= {path.name for path in folder.glob("figures/*.png")}
    assert not [key for key, number in numbers.items() if number.value is None]
    tables = repr([one for one in shown if isinstance(one, Table)])
    assert not re.findall(r"–|nan|None", tables)
    assert "drug has one replicate" in tables
    assert (numbers["rois.count"].value, numbers["rois.at_border"].value) == (18, 6)
    assert numbers["accuracy.nuclei"].value == 15
    assert numbers["accuracy.matched"].value == 100
    assert (numbers["conditions.count"].value, numbers["replicates.count"].value) == (2, 3)
    assert numbers["nuclei.area"].value == pytest.approx(np.pi * 12 * 14 / 4, rel=0.05)
    assert numbers["accuracy.f1"].value == pytest.approx(2 * 15 / (2 * 15 + 3))

    mask = folder / "masks" / "drug_1_cp_masks.tif"
    corrected = read_mask(mask)
    corrected[corrected == corrected[40, 40]] = 0
    write_mask(mask, corrected)
    capsys.readouterr()
    write_manifest(manifest, rows)
    editions.run(manifest, folder, book / "notebooks", images=listing.folder)
    edition = read_edition(folder)
    assert read_mask(mask).max() == corrected.max()
    assert not read_mask(mask)[40, 40], "a mask that was corrected by hand is kept"
    assert "1" in {
        row[4] for one in run_notebook(book / "notebooks" / "masks.md") if isinstance(one, Table) for row in one.rows
    }
    assert (edition.accuracy / "scores.csv").read_text().count("\n") == 3
