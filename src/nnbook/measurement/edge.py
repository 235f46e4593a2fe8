"""What the edge of an image costs: nuclei that it cuts, and those too close to it for a window round them."""

from __future__ import annotations

import math

from nnbook.errors import InvalidValueError


def share_cut_at_edge(extent_px: float, side_px: float) -> float:
    """Return which share of the nuclei in a square image its edge cuts.

    A nucleus of extent d whose centre may be anywhere is seen in a square of side s if its centre is in one of side
    s + d, and is cut there unless its centre is in one of side s - d: a share of 4sd/(s + d)^2.

    Parameters
    ----------
    extent_px : float
        How large a nucleus is, in px.
    side_px : float
        Side of the image in px.

    Returns
    -------
    float
        From 0 to 1.

    Examples
    --------
    >>> from nnbook.measurement import share_cut_at_edge
    >>> round(100 * share_cut_at_edge(141, 12_275), 1)
    4.5
    """
    if not 0 <= extent_px <= side_px:
        raise InvalidValueError(f"extent_px is {extent_px:g}; give 0 to the side of the image", parameter="extent_px")
    ratio = extent_px / side_px
    return 4 * ratio / (1 + ratio) ** 2


def extent_cut_at_edge(share: float, side_px: float) -> float:
    """Return the extent in px of nuclei of which the edge of a square image cuts a share: see `share_cut_at_edge`.

    Parameters
    ----------
    share : float
        From 0 to 1.
    side_px : float
        Side of the image in px.

    Examples
    --------
    >>> from nnbook.measurement import extent_cut_at_edge
    >>> round(extent_cut_at_edge(0.0449, 12_275))
    141
    """
    if not 0 <= share <= 1:
        raise InvalidValueError(f"share is {share:g}; give 0 to 1", parameter="share")
    return side_px * (2 - share - 2 * math.sqrt(1 - share)) / share if share else 0.0


def share_without_window(window_px: float, side_px: float) -> float:
    """Return which share of the nuclei with their centre in a square image have no room for a square window round it.

    Parameters
    ----------
    window_px : float
        Side of the window in px.
    side_px : float
        Side of the image in px.

    Examples
    --------
    >>> from nnbook.measurement import share_without_window
    >>> round(100 * share_without_window(364, 12_275), 1)
    5.8
    """
    if not 0 <= window_px <= side_px:
        raise InvalidValueError(f"window_px is {window_px:g}; give 0 to the side of the image", parameter="window_px")
    return 1 - (1 - window_px / side_px) ** 2
