"""Every command takes a file for the same, or refuses it: none of them reads in a way of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from image_cases import CASES, LABELS, ending

from nnbook.cli.program import main
from nnbook.io.images import write_image, write_mask
from nnbook.segmentation import workflow
from nnbook.segmentation.masks import ConfidentMasks

if TYPE_CHECKING:
    from pathlib import Path

    from nnbook.io.images import Image

NAME = "Run1TL_top_left"
AS_IMAGE = ("validate", "segment", "measure", "cells", "pyramid")
AS_MASK = ("validate", "measure", "cells", "pyramid")


def statuses(folder: Path, image: Path, mask: Path, names: tuple[str, ...]) -> dict[str, int]:
    """Return the exit status of each command on an image and its mask."""
    masks, size = str(mask.parent), ["--px-per-um", "4"]
    (folder / "manifest.csv").write_text(
        f"image,mask,px_per_um\n{image.relative_to(folder)},{mask.relative_to(folder)},4\n", encoding="utf-8"
    )
    rois = str(folder / "rois" / "rois.parquet")
    calls = {
        "validate": ["validate", str(folder / "manifest.csv")],
        "segment": ["segment", str(image), "--out", str(folder / "segmented")],
        "measure": ["measure", str(image), "--masks", masks, "--out", str(folder / "measured"), *size],
        "cells": ["cells", str(image), "--masks", masks, "--rois", rois, "--out", str(folder / "cells"), *size],
        "pyramid": ["pyramid", str(image), "--mask", str(mask), "--out", str(folder / "tiles")],
    }
    return {name: main(calls[name]) for name in names}


def prepare(folder: Path, shape: tuple[int, ...]) -> tuple[Path, Path]:
    labels = LABELS if LABELS.shape == shape else LABELS.T
    image, mask = folder / "images" / f"{NAME}.tif", folder / "masks" / f"{NAME}_cp_masks.tif"
    write_image(image, np.full(labels.shape, 9, np.uint8))
    write_mask(mask, labels.astype(np.int32))
    out = ["--out", str(folder / "rois"), "--px-per-um", "4"]
    assert main(["measure", str(image), "--masks", str(mask.parent), *out]) == 0
    return image, mask


@pytest.mark.parametrize("case", CASES)
def test_all_commands_take_an_image_or_none_does(
    tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(image: Image, *_: object) -> tuple[ConfidentMasks, float]:
        return ConfidentMasks(np.zeros(image.shape, np.int32), np.zeros(0), np.zeros((0, 5), np.int64)), 0.0

    monkeypatch.setattr(workflow, "_masks_of_image", none)
    expected = CASES[case].image
    image, mask = prepare(tmp_path, LABELS.shape if isinstance(expected, str) else expected.shape)
    image.unlink()
    image = image.with_suffix(f".{ending(case)}")
    CASES[case].write(image)
    capsys.readouterr()
    assert set(statuses(tmp_path, image, mask, AS_IMAGE).values()) == {int(isinstance(expected, str))}
    if isinstance(expected, str):
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("nnbook ")]
        assert len(lines) == len(AS_IMAGE)
        assert [line for line in lines if expected not in line] == []


@pytest.mark.parametrize(
    "case", [name for name, case in CASES.items() if isinstance(case.mask, str) or case.mask.max() == LABELS.max()]
)
def test_all_commands_take_a_mask_or_none_does(tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    expected = CASES[case].mask
    image, mask = prepare(tmp_path, LABELS.shape)
    mask.unlink()
    mask = mask.with_suffix(f".{ending(case)}")
    CASES[case].write(mask)
    capsys.readouterr()
    assert set(statuses(tmp_path, image, mask, AS_MASK).values()) == {int(isinstance(expected, str))}
    if isinstance(expected, str):
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("nnbook ")]
        assert len(lines) == len(AS_MASK)
        assert [line for line in lines if expected not in line] == []
