import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from nnbook.cli import main
from nnbook.denoising.workflow import denoise_files
from nnbook.errors import NnbookError
from nnbook.io.files import sha256
from nnbook.io.images import write_image
from nnbook.provenance.mask_origin import DENOISES, SEGMENTS, check_mask_origins
from nnbook.provenance.stage import Stage, make
from nnbook.segmentation.masks import ConfidentMasks
from nnbook.segmentation.model import Model, load_model
from nnbook.segmentation.workflow import segment_files

NAME = "Run1TL_top_left"


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


@pytest.fixture
def pair(tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """An image and the mask that was made from it, by a network that finds one square."""

    def square(*_: object) -> tuple[ConfidentMasks, float]:
        labels = np.zeros((64, 64), np.int32)
        labels[20:40, 20:40] = 1
        return ConfidentMasks(labels, np.ones(1), np.array([[400, 20, 20, 20, 20]])), 20.0

    monkeypatch.setattr("nnbook.segmentation.workflow._masks_of_image", square)
    image = tmp_path / "images" / f"{NAME}.tif"
    write_image(image, np.full((64, 64), 9, np.uint8))
    (mask,) = segment_files({NAME: image}, tmp_path / "masks", model)
    return image, mask


def other_image(image: Path) -> None:
    """Replace an image by another of the same size and time."""
    status = image.stat()
    write_image(image.with_name("other.tif"), np.full((64, 64), 7, np.uint8))
    os.utime(image.with_name("other.tif"), ns=(status.st_atime_ns, status.st_mtime_ns))
    image.with_name("other.tif").replace(image)


def test_the_record_is_found_by_the_name_of_its_stage(pair: tuple[Path, Path]) -> None:
    assert json.loads(pair[1].with_suffix(".json").read_text())["stage"] == SEGMENTS


def test_a_mask_belongs_to_its_image_and_to_copies_of_it(pair: tuple[Path, Path], tmp_path: Path) -> None:
    image, mask = pair
    check_mask_origins([pair])
    shutil.copy(image, tmp_path / "copy.tif")
    check_mask_origins([(tmp_path / "copy.tif", mask)])
    mask.write_bytes(mask.read_bytes() + b"\0")
    check_mask_origins([pair])


def test_a_mask_of_another_image_is_refused_also_through_a_link(pair: tuple[Path, Path], tmp_path: Path) -> None:
    image, mask = pair
    (tmp_path / "linked_cp_masks.tif").symlink_to(mask)
    other_image(image)
    for one in (mask, tmp_path / "linked_cp_masks.tif"):
        with pytest.raises(NnbookError, match=rf"{one.name}: was made from another image than .*; segment it again"):
            check_mask_origins([(image, one)])


def test_a_mask_without_a_record_or_beside_another_file_of_json_is_not_checked(pair: tuple[Path, Path]) -> None:
    image, mask = pair
    other_image(image)
    for text in ("{}", "no JSON", None):
        record = mask.with_suffix(".json")
        record.unlink() if text is None else record.write_text(text)
        check_mask_origins([pair])


def test_measure_and_cells_refuse_a_mask_of_another_image(
    pair: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, mask = pair
    measured = ["measure", str(image), "--masks", str(mask.parent), "--out", str(tmp_path / "results")]
    measured += ["--px-per-um", "4"]
    cut = ["cells", str(image), "--masks", str(mask.parent), "--rois", str(tmp_path / "results" / "rois.parquet")]
    cut += ["--out", str(tmp_path / "cells"), "--px-per-um", "4"]
    assert [main(measured), main(cut)] == [0, 0]
    other_image(image)
    capsys.readouterr()
    for call in (measured, cut):
        assert main(call) == 1
        (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("nnbook")]
        assert line.startswith(f"nnbook {call[0]}: {mask}: was made from another image")


def test_a_corrected_mask_stays_and_the_others_are_made(
    pair: tuple[Path, Path], tmp_path: Path, model: Model, capsys: pytest.CaptureFixture[str]
) -> None:
    image, mask = pair
    other = tmp_path / "images" / "Run1TR_top_left.tif"
    write_image(other, np.full((64, 64), 8, np.uint8))
    mask.write_bytes(b"corrected")
    call = ["segment", str(image), str(other), "--out", str(mask.parent)]
    assert main(call) == 0, "it is up to date"
    other_image(image)
    assert main(call) == 1
    assert f"{mask}: was changed since nnbook wrote it, and is out of date" in capsys.readouterr().err
    assert mask.read_bytes() == b"corrected"
    assert (mask.parent / f"{other.stem}_cp_masks.tif").is_file()
    assert main([*call, "--overwrite"]) == 0
    assert mask.read_bytes() != b"corrected"
    with pytest.raises(NnbookError, match="was changed since nnbook wrote it"):
        mask.write_bytes(b"again")
        segment_files({NAME: image}, mask.parent, model, cellprob_threshold=0.0)


def test_masks_of_a_denoised_copy_belong_to_its_noisy_image(
    pair: tuple[Path, Path], tmp_path: Path, model: Model
) -> None:
    copy, _ = pair
    noisy = tmp_path / "noisy" / f"{NAME}.tif"
    write_image(noisy, np.full((64, 64), 5, np.uint8))
    stage = Stage(DENOISES, copy.parent, f"{NAME}.json", [copy.name], code={}, settings={}, reads=[noisy])
    held = copy.read_bytes()

    def write(folder: Path) -> None:
        (folder / copy.name).write_bytes(held)

    make(stage, write)
    (mask,) = segment_files({NAME: copy}, tmp_path / "denoised masks", model)
    check_mask_origins([(noisy, mask)])
    other_image(noisy)
    with pytest.raises(NnbookError, match="was made from another image"):
        check_mask_origins([(noisy, mask)])
    # A record of another copy says nothing of this one.
    write_image(noisy, np.full((64, 64), 5, np.uint8))
    record = copy.with_suffix(".json")
    record.write_text(record.read_text().replace(sha256(copy), sha256(noisy)))
    with pytest.raises(NnbookError, match="was made from another image"):
        check_mask_origins([(noisy, mask)])


def test_the_name_of_the_stage_that_denoises_is_its_own() -> None:
    assert f"{denoise_files.__module__}.{denoise_files.__qualname__}" == DENOISES
