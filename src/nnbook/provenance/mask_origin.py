"""Whether masks were made from the images that they are used with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nnbook.errors import NnbookError
from nnbook.provenance.stage import is_same, read_record, was_read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nnbook.io.paths import PathLike

SEGMENTS: Final = "nnbook.segmentation.workflow.segment_files"
"""The stage that records, beside each mask, which image it was made from."""


DENOISES: Final = "nnbook.denoising.workflow.denoise_files"
"""The stage that records, beside each denoised image, which image it was made from."""


def check_mask_origins(pairs: Iterable[tuple[PathLike, PathLike]]) -> None:
    """Hold that masks were made from these images, or from denoised copies of them, where that was recorded.

    Parameters
    ----------
    pairs : iterable of (str or Path, str or Path)
        Image and mask files. A mask without a record beside it, which nnbook did not make, is not checked; nor is a
        file that is missing. An image is read only where its size, times or inode are not those recorded.

    Raises
    ------
    NnbookError
        With a line for each mask whose image is another one now.
    """
    problems = [
        f"{mask}: was made from another image than {image} is now; segment it again"
        for image, mask in pairs
        if Path(image).is_file() and not _was_made_from(Path(image), Path(mask))
    ]
    if problems:
        raise NnbookError("\n".join(problems))


def _was_made_from(image: Path, mask: Path) -> bool:
    # A mask that a manifest names is a link in the edition: its record is beside the file itself.
    record = read_record(mask.resolve().with_suffix(".json"))
    if record is None or record["stage"] != SEGMENTS:
        return True
    return any(
        is_same(image, entry) or _is_denoised_copy(mask.resolve().parent / name, entry, image)
        for name, entry in record["files"].items()
    )


def _is_denoised_copy(copy: Path, entry: list[Any], image: Path) -> bool:
    """Return whether the file that a mask's record has as an entry was made from an image by denoising."""
    record = read_record(copy.with_suffix(".json"))
    if record is None or record["stage"] != DENOISES:
        return False
    written = record["outputs"].get(copy.name)
    return written is not None and written[-1] == entry[-1] and was_read(image, record)
