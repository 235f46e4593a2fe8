"""The primer's figures: each is changed by keyboard and says what has come of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from playwright.sync_api import expect
from reader import open_page

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from playwright.sync_api import Browser, Locator, Page

FIGURES = ("tasks", "convolution", "pooling", "receptive", "descent", "overfitting", "augmentation", "skips",
           "difficulties", "ways")  # fmt: skip


def shown(page: Page, name: str) -> Locator:
    """Bring a figure into view, and wait until it shows what it is for."""
    page.locator(f"#fig-{name}").evaluate("figure => figure.scrollIntoView({ block: 'start', behavior: 'instant' })")
    ready = page.locator(f"#fig-{name} .nn-primer[data-state='ready']")
    ready.wait_for()
    return ready


def painted(view: Locator, number: int) -> NDArray[np.int64]:
    """Return what one of a figure's pictures holds, whatever is drawn over it."""
    data = (
        view.locator("canvas")
        .nth(number)
        .evaluate(
            """(canvas) => {
            const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
            copy.drawImage(canvas, 0, 0);
            return [...copy.getImageData(0, 0, canvas.width, canvas.height).data];
        }"""
        )
    )
    return np.array(data)


def test_every_figure_answers_to_its_controls(browser: Browser, address: str) -> None:
    with open_page(browser, f"{address}/primer/") as (page, problems):
        views = {name: shown(page, name) for name in FIGURES}
        said = {name: view.locator(".nn-reading") for name, view in views.items()}

        convolution = views["convolution"]
        before = painted(convolution, 1)
        convolution.get_by_role("combobox", name="Kernel").select_option("same")
        assert (before != painted(convolution, 1)).any()
        np.testing.assert_array_equal(painted(convolution, 0), painted(convolution, 1))
        weight = convolution.get_by_role("spinbutton", name="Middle centre")
        weight.fill("0")
        expect(said["convolution"]).to_contain_text("add up to 0.")
        expect(convolution.get_by_role("combobox", name="Kernel")).to_have_value("own")

        views["pooling"].get_by_role("slider", name="Poolings").press("End")
        expect(said["pooling"]).to_contain_text("4 poolings: 9 numbers instead of 2,304")

        views["receptive"].get_by_role("slider", name="Layers").press("End")
        expect(said["receptive"]).to_contain_text("128 × 128 px")

        descent = views["descent"]
        expect(said["descent"]).to_contain_text("After 12 steps")
        descent.get_by_role("button", name="One step").press("Enter")
        expect(said["descent"]).to_contain_text("After 13 steps")
        expect(said["descent"]).not_to_contain_text("rose")
        descent.get_by_role("slider", name="Learning rate").press("End")
        expect(said["descent"]).to_contain_text("the learning rate is too high here")

        degree = views["overfitting"].get_by_role("slider", name="Degree")
        degree.press("Home")
        for _ in range(9):
            degree.press("ArrowRight")
        expect(said["overfitting"]).to_contain_text("error nearly 0 on the nuclei of training")
        expect(said["overfitting"]).to_contain_text("that of validation is least at degree 4")

        views["augmentation"].get_by_role("checkbox", name="The truth follows").press("Space")
        expect(said["augmentation"]).to_contain_text("The truth has stayed behind")

        tasks = views["tasks"]
        expect(said["tasks"]).to_contain_text("finds 1. But there are 3 nuclei")
        tasks.get_by_role("radio", name="Semantic").press("ArrowRight")
        expect(said["tasks"]).to_contain_text("Instance segmentation: each nucleus has its own number, 3 in all")
        tasks.get_by_role("combobox", name="Nuclei").select_option("1")
        expect(said["tasks"]).to_contain_text("its own number, 1 in all")

        expect(said["skips"]).to_contain_text("With all skip connections the network finds 3 masks")
        views["skips"].get_by_role("checkbox", name="Skip 3").press("Space")
        expect(said["skips"]).to_contain_text("Without skip connection 3 the network finds no mask")

        views["difficulties"].get_by_role("radio", name="Nuclei").press("ArrowRight")
        expect(said["difficulties"]).to_contain_text("One threshold for all")

        way = views["ways"].get_by_role("combobox", name="Way")
        for number in range(6):
            way.select_option(str(number))
            expect(said["ways"]).to_contain_text(f"{(0, 2, 3, 3, 3, 3)[number]} of them right")
        assert problems == []


def test_a_figure_fits_the_room_that_is_kept_for_it(browser: Browser, address: str) -> None:
    for width in (1280, 390):
        with open_page(browser, f"{address}/primer/", width=width) as (page, problems):
            too_high = {}
            for name in FIGURES:
                host = shown(page, name).page.locator(f"#fig-{name} .widget-host")
                kept, needed = host.evaluate(
                    "host => [parseFloat(getComputedStyle(host).minHeight), host.offsetHeight]"
                )
                if needed > kept + 1:
                    too_high[name] = (kept, needed)
            assert (width, too_high, problems) == (width, {}, [])
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
