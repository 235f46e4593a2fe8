"""A short path through every view, in browsers that are not Chromium."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from reader import PROJECT, pixels

if TYPE_CHECKING:
    from webdriver import Window

# The views of each page, by the figure that they are in.
PAGES = {
    "/": {"fig-overview": "panorama"},
    "/nucleusnet/": {
        "fig1f": "deepzoom",
        "sfig1a": "scatter",
        "fig1a": "panorama",
        "fig1b": "cells",
        "fig1c": "mosaic",
    },
    "/million-images/": {
        "fig4a": "scatter",
        "fig-chosen": "panorama",
        "fig4c": "cells",
        "fig-nuclei": "nuclei",
    },
    "/segmentation/": {"fig-hard-cases": "panorama"},
    "/primer/": {"fig-convolution": "primer", "fig-augmentation": "primer", "fig-skips": "primer"},
}
# For those who want to see what they look like.
PICTURES = PROJECT / "build" / "browsers"
WIDE, NARROW = 1280, 390
WAIT_SECONDS = 30
# A view of a layer is replaced while it comes up, so it is looked for anew each time.
FIND = """const host = document.querySelector(FIGURE)?.querySelector('.widget-host');
    const view = host?.shadowRoot?.querySelector('.nn-view');
    const shown = (selector) => [...view.querySelectorAll(selector)].filter((one) => one.checkVisibility());"""
CENTRE = "view.scrollIntoView({ block: 'center', behavior: 'instant' });"
DRAWN = """(canvas) => canvas.width > 0 && canvas.getContext('2d')
    .getImageData(0, 0, canvas.width, canvas.height).data.some((level, at) => at % 4 < 3 && level > 100)"""
# The names of controls, which are at their left where there is room.
LABELS = """return shown('.nn-toolbar .nn-label').flatMap((label) => {
    const control = label.nextElementSibling;
    if (!control?.checkVisibility()) return [];
    const [a, b] = [label.getBoundingClientRect(), control.getBoundingClientRect()];
    return a.right <= b.left + 1 && a.top < b.bottom && b.top < a.bottom ? [] : [label.textContent];
});"""


class View:
    """A view in the window."""

    def __init__(self, window: Window, figure: str, kind: str) -> None:
        self.window, self.figure, self.kind = window, figure, kind

    def run(self, script: str) -> Any:
        found = FIND.replace("FIGURE", json.dumps(f"#{self.figure}"))
        return self.window.run(f"{found}\n{script}")

    def until(self, condition: str) -> None:
        """Wait until a condition holds of `view`; `shown` lists what can be seen of it."""
        end = time.monotonic() + WAIT_SECONDS
        while not self.run(f"return Boolean({condition});"):
            if time.monotonic() > end:
                state = self.run("return view?.dataset.state + ' ' + view?.innerText;")
                pytest.fail(f"{self.figure}: it never became true that {condition}; the view is {state}")
            time.sleep(0.1)

    def come_up(self) -> None:
        """Scroll to the view, as long as it takes to come up, and wait for what it shows."""
        find = f"document.querySelector({json.dumps(f'#{self.figure}')})"
        scroll = f"{find}.scrollIntoView({{ block: 'center', behavior: 'instant' }})"
        self.until(f"({scroll}, view?.matches('.nn-{self.kind}') && view.dataset.state !== 'loading')")
        assert self.run("return view.dataset.state;") == "ready", (
            f"{self.figure} is {self.run('return view.innerText')}"
        )
        if self.kind in {"panorama", "mosaic"}:
            self.until("![view.dataset.masks, view.dataset.names].includes('loading')")
        if self.kind == "cells":
            self.until(f"shown('.nn-row canvas').some({DRAWN})")

    def place(self, selector: str, x: float = 0.5, y: float = 0.5) -> tuple[int, int]:
        """Bring a part of the view into view, and return where in the window a place in it is, given by shares."""
        self.until(f"shown({json.dumps(selector)}).length > 0")
        left, top = self.run(
            f"""const part = shown({json.dumps(selector)})[0];
            part.scrollIntoView({{ block: 'center', behavior: 'instant' }});
            for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
            const box = part.getBoundingClientRect();
            return [box.x + {x} * box.width, box.y + {y} * box.height];"""
        )
        return round(left), round(top)

    def click(self, selector: str, x: float = 0.5, y: float = 0.5) -> None:
        self.drag([self.place(selector, x, y)])

    def drag(self, places: list[tuple[int, int]]) -> None:
        moves: list[dict[str, Any]] = [
            {"type": "pointerMove", "duration": 60, "x": x, "y": y, "origin": "viewport"} for x, y in places
        ]
        moves.insert(1, {"type": "pointerDown", "button": 0})
        moves.append({"type": "pointerUp", "button": 0})
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": moves}
        self.window.act([mouse])

    def lasso(self) -> None:
        self.click("[aria-label^='Lasso']")
        left, top = self.place(".nn-area", 0, 0)
        right, bottom = self.place(".nn-area", 1, 1)
        shares = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8), (0.2, 0.25)]
        self.drag([(round(left + x * (right - left)), round(top + y * (bottom - top))) for x, y in shares])


def use_panorama(view: View) -> None:
    before = view.run("return shown('.nn-scale, .nn-scalebar')[0]?.innerText;")
    view.click("[aria-label='Zoom in']")
    view.until(f"shown('.nn-scale, .nn-scalebar')[0]?.innerText !== {json.dumps(before)}")


def use_deepzoom(view: View) -> None:
    view.until("shown('.nn-caption')[0]?.innerText.includes('px')")
    view.click("[aria-label='Zoom in']")


def use_scatter(view: View) -> None:
    view.click("input[value='run']")
    view.until("shown('input[value=run]')[0].checked")
    view.lasso()
    view.until("location.search.includes('lasso=')")


def use_nuclei(view: View) -> None:
    view.lasso()
    view.until("location.search.includes('gate=') && /nuclei selected/.test(shown('.nn-counted')[0]?.innerText)")


def use_cells(view: View) -> None:
    view.click(".nn-cell")
    view.until("view.hasAttribute('data-chosen') && shown('.nn-picture canvas').length === 1")


def use_mosaic(view: View) -> None:
    view.click(".nn-area", 0.3, 0.5)
    view.until("shown('.nn-card-name')[0]?.innerText")


def use_primer(view: View) -> None:
    before = view.run("return view.innerText;")
    view.click("input[type=range], input[type=checkbox]", 0.9)
    view.until(f"view.innerText !== {json.dumps(before)}")


USES = {
    "panorama": use_panorama,
    "deepzoom": use_deepzoom,
    "scatter": use_scatter,
    "nuclei": use_nuclei,
    "cells": use_cells,
    "mosaic": use_mosaic,
    "primer": use_primer,
}


def wide_parts(window: Window) -> Any:
    """List what makes the page wider than the window; none where it is not."""
    return window.run(
        """const room = document.documentElement.clientWidth;
        return document.documentElement.scrollWidth <= room ? [] : [...document.querySelectorAll('main *')]
            .filter((one) => one.getBoundingClientRect().right > room + 1).slice(0, 5)
            .map((one) => `${one.tagName} ${one.className} of #${one.closest('[id]')?.id}`);"""
    )


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("page", PAGES)
def test_each_view_comes_up_and_is_used(window: Window, address: str, page: str, width: int) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    window.open(address + page, width)
    assert window.run("return innerWidth;") == width
    for figure, kind in PAGES[page].items():
        view = View(window, figure, kind)
        view.come_up()
        if kind == "cells":
            right, bottom = view.place(".nn-grid", 1, 0.9)
            bar = pixels(window.picture())[bottom - 60 : bottom, right - 8 : right]
            assert bar.max() < 180, "the scroll bar is as dark as the grid"
        if width == WIDE:
            assert view.run(LABELS) == [], f"labels of {figure} that are not beside their controls"
            USES[kind](view)
        view.run(CENTRE)
        (PICTURES / f"{window.name}-{figure}-{width}.png").write_bytes(window.picture())
        assert window.run("return problems;") == [], figure
    assert wide_parts(window) == []
