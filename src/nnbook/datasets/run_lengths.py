"""Masks as run lengths: those of the Data Science Bowl, and those of COCO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from nnbook.errors import NnbookError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LETTERS: Final = 48
"""The character that stands for 0 in COCO's compressed run lengths: six bits a character from here on."""


def read_pairs(text: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Decode run lengths as the Data Science Bowl writes them.

    Parameters
    ----------
    text : str
        Pairs of numbers: a run's first pixel, counted from 1 down each column, and its length.
    shape : (int, int)
        Height and width in px.

    Returns
    -------
    numpy.ndarray
        Axes (y, x), bool.

    Raises
    ------
    NnbookError
        Where it has something else than pairs of numbers, or a run that begins before the image or ends beyond it,
        is empty, or overlaps the one before. The message names no file.
    """
    words = text.split()
    if not words or len(words) % 2 or not all(word.isascii() and word.isdigit() for word in words):
        raise NnbookError(f"its run lengths are {text[:40]!r}; they are pairs of a first pixel and a length")
    numbers = [int(word) for word in words]
    flat = np.zeros(shape[0] * shape[1], np.bool_)
    end = 0
    for start, length in zip(numbers[::2], numbers[1::2], strict=True):
        if start < 1 or length < 1 or start + length - 1 > flat.size:
            raise NnbookError(
                f"its run of {length:,} px from {start:,} is not within an image of {shape[1]} x {shape[0]} px"
            )
        if start <= end:
            raise NnbookError(f"its run from {start:,} begins before the one before it ends, at {end:,}")
        end = start + length - 1
        flat[start - 1 : end] = True
    return flat.reshape(shape[::-1]).T


def read_counts(counts: str | Sequence[int], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Decode run lengths as COCO writes them.

    Parameters
    ----------
    counts : str or sequence of int
        Lengths of runs down each column, by turns outside and inside, the first outside; as text, compressed.
    shape : (int, int)
        Height and width in px.

    Returns
    -------
    numpy.ndarray
        Axes (y, x), bool.

    Raises
    ------
    NnbookError
        Where it is no such text, or its runs are not as long together as the image has pixels. The message names no
        file.
    """
    lengths = _expanded(counts) if isinstance(counts, str) else list(counts)
    if not all(isinstance(length, int) and not isinstance(length, bool) and length >= 0 for length in lengths):
        raise NnbookError("its run lengths are no whole numbers from 0")
    if sum(lengths) != shape[0] * shape[1]:
        raise NnbookError(
            f"its runs are {sum(lengths):,} px long together, but its image has {shape[1]} x {shape[0]} px"
        )
    inside = np.arange(len(lengths)) % 2 == 1
    return np.repeat(inside, lengths).reshape(shape[::-1]).T


def _expanded(text: str) -> list[int]:
    """Return the numbers of COCO's compressed run lengths: five bits a character, differences from the third on."""
    lengths: list[int] = []
    value = bits = 0
    for letter in text:
        code = ord(letter) - LETTERS
        if not 0 <= code < 64:
            raise NnbookError(f"its run lengths have the character {letter!r}, which COCO's have not")
        value |= (code & 0x1F) << bits
        bits += 5
        if code & 0x20:
            continue
        if code & 0x10:
            value -= 1 << bits
        lengths.append(value + lengths[-2] if len(lengths) > 2 else value)
        value = bits = 0
    if bits:
        raise NnbookError("its run lengths end within a number; the file may be cut off")
    return lengths
