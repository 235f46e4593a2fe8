"""Views that show the same choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nnbook.errors import InvalidValueError
from nnbook.viewers.widgets import View

if TYPE_CHECKING:
    from collections.abc import Callable

CHOICE: Final = ("panorama", "roi")


def link(first: View, second: View, *others: View) -> Callable[[], None]:
    """Have several views share what is chosen: the panorama, and the nucleus in it.

    What is chosen in one of them, or set from Python, is chosen in all; at first it is what is chosen in `first`.

    Parameters
    ----------
    first, second, *others : PanoramaViewer, Scatter, CellBrowser or Mosaic
        Two views or more. A view that has no such panorama says so, and shows the one it had.

    Returns
    -------
    callable
        Ends the link when it is called.

    Raises
    ------
    InvalidValueError
        Where one of them is no view, or the same view is there twice.

    Examples
    --------
    >>> import nnbook
    >>> from nnbook.io import read_results
    >>> scatter = nnbook.Scatter(read_results("results.csv"))
    >>> mosaic = nnbook.Mosaic("mosaic")
    >>> end = nnbook.link(scatter, mosaic)
    >>> scatter.panorama = "Run1TL_top_left"
    >>> mosaic.panorama
    'Run1TL_top_left'
    >>> end()
    """
    views = (first, second, *others)
    if other := [type(view).__name__ for view in views if not isinstance(view, View)]:
        raise InvalidValueError(f"link is given something of type {other[0]}; give it views, such as a PanoramaViewer")
    if len({id(view) for view in views}) < len(views):
        raise InvalidValueError("link is given the same view twice; give it different ones")

    def follow(change: Any) -> None:
        for view in views:
            if view is not change["owner"]:
                _choose(view, change["owner"])

    follow({"owner": first})
    for view in views:
        view.observe(follow, CHOICE)

    def end() -> None:
        for view in views:
            view.unobserve(follow, CHOICE)

    return end


def _choose(view: View, like: View) -> None:
    """Choose in a view what another has, in one message: a nucleus alone would be one of the panorama before."""
    with view.hold_sync(), view.hold_trait_notifications():
        view.panorama, view.roi = like.panorama, like.roi
