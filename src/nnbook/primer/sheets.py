"""The static stand-ins of the primer's live figures, for paper and for readers without JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from skimage.measure import find_contours

from nnbook.figures.sheets import panel_grid
from nnbook.figures.style import BLUE, NEUTRAL, SHEET_STYLE, SKY_BLUE, STYLE, VERMILION
from nnbook.primer.filters import EDGES, convolve, pool
from nnbook.primer.learning import HIGHEST_DEGREE, fit_polynomial, root_mean_square, threshold_loss

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nnbook.primer.live import Live

YELLOW: Final = "#ffe119"
"""The frame of what is looked at, as in the live figures."""

SIGNED: Final = mpl.colors.LinearSegmentedColormap.from_list("signed", ["#56b4ff", "#000000", "#ffaa28"])
"""Blue below 0, black at 0, orange above, as in the live figures."""

LABEL_COLOURS: Final = ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#7896ff")
"""The colours of labels, as in the live figures."""

SHOWN_LAYERS: Final = (1, 4, 9, 14, 19)
"""The layers whose receptive field is framed: the first, and the last of each level."""

DEGREES: Final = (1, 3, 9)
"""The polynomials that are drawn: too stiff for nothing, the best, and one through every point of the training."""

FLOW_STEP_PX: Final = 4
"""An arrow for every so many pixels."""


def convolution_sheet(live: Live) -> Figure:
    """Show a nucleus, a kernel and their convolution: see `nnbook.primer.filters.convolution`."""
    image, x, y = live.arrays["image"], live.facts["x"], live.facts["y"]
    result = convolve(image, EDGES)
    most = float(np.abs(result).max())
    with mpl.rc_context(SHEET_STYLE):
        figure, grid = panel_grid(1, 3, row_inches=2.3)
        before, middle, after = grid.flat
        _grey(before, image, "Image")
        _frame(before, x - 1, y - 1, 3)
        middle.set(xlim=(-0.5, 2.5), ylim=(2.5, -0.5), aspect="equal")
        for row, weights in enumerate(EDGES):
            for column, weight in enumerate(weights):
                middle.add_patch(mpl.patches.Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, color="#9aa4ae"))
                middle.text(column, row, f"{weight:g}".replace("-", "−"), ha="center", va="center", fontsize=14)
        _title(middle, "Kernel")
        after.imshow(result, cmap=SIGNED, vmin=-most, vmax=most, interpolation="nearest")
        _title(after, "Feature map")
        _frame(after, x, y, 1)
    return figure


def pooling_sheet(live: Live) -> Figure:
    """Show a nucleus after none to three poolings: see `nnbook.primer.filters.pooling`."""
    with mpl.rc_context(SHEET_STYLE):
        figure, grid = panel_grid(1, 4, row_inches=1.8)
        image: NDArray[Any] = live.arrays["image"]
        for axes in grid.flat:
            _grey(axes, image, f"{image.shape[1]} × {image.shape[0]}")
            image = pool(image)
    return figure


def receptive_sheet(live: Live) -> Figure:
    """Show what numbers of some layers depend on: see `nnbook.primer.network.receptive_field`."""
    image, sides = live.arrays["image"], live.facts["sides"]
    with mpl.rc_context(SHEET_STYLE):
        figure, grid = panel_grid(1, 2, row_inches=3.3)
        framed, weighed = grid.flat
        _grey(framed, image, "Frames: layers " + ", ".join(map(str, SHOWN_LAYERS)))
        for layer in SHOWN_LAYERS:
            side = sides[layer - 1]
            _frame(framed, (image.shape[1] - side) / 2, (image.shape[0] - side) / 2, side)
        share = live.arrays["influence"][-1][..., np.newaxis] / 255
        rgb = image[..., np.newaxis] / 255 * (1 - 0.75 * share) + share * 0.75 * np.array([1.0, 0.55, 0.0])
        weighed.imshow(np.clip(rgb, 0, 1), interpolation="nearest")
        _title(weighed, f"What counts in layer {len(sides)}")
    return figure


def descent_sheet(live: Live) -> Figure:
    """Show the loss of a soft threshold over its two parameters, and both ends of a descent: see `descent`."""
    image, true = live.arrays["image"], live.arrays["true"] > 0
    threshold, softness = np.meshgrid(np.linspace(0, 192, 97), np.geomspace(2, 64, 81))
    loss = threshold_loss(image, true, threshold, softness)
    best = np.unravel_index(int(loss.argmin()), loss.shape)
    ends = ((live.facts["threshold"], live.facts["softness"]), (threshold[best], softness[best]))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.0, 3.1), layout="constrained")
        left, *right = figure.subplots(1, 3, width_ratios=(2, 1, 1))
        filled = left.contourf(threshold, softness, np.log(loss), levels=16, cmap="Greys")
        filled.set_rasterized(True)
        for (x, y), marker in zip(ends, ("P", "o"), strict=True):
            left.plot(x, y, marker, color=VERMILION, markersize=9)
        left.set(xlabel="Threshold (grey level)", ylabel="Softness (grey levels)", yscale="log")
        left.set_yticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"], minor=False)
        left.minorticks_off()
        for axes, (x, y), title in zip(right, ends, ("At the start", "At the least loss"), strict=True):
            axes.imshow(1 / (1 + np.exp(-(image.astype(float) - x) / y)), cmap="gray", vmin=0, vmax=1)
            _outline(axes, true.astype(np.uint8), SKY_BLUE)
            axes.set_axis_off()
            _title(axes, title)
    return figure


def overfitting_sheet(live: Live) -> Figure:
    """Show polynomials through few nuclei, and their errors by degree: see `nnbook.primer.learning.overfitting`."""
    points = {
        name: (np.array(live.facts[f"{name}_x"]), np.array(live.facts[f"{name}_y"])) for name in ("train", "valid")
    }
    train, valid = points["train"], points["valid"]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.0, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.plot(*valid, "o", color=VERMILION, markerfacecolor="none", markersize=4, label="validation")
        left.plot(*train, "o", color=BLUE, markersize=6, label="training")
        x = np.linspace(min(train[0].min(), valid[0].min()), max(train[0].max(), valid[0].max()), 300)
        for degree, style in zip(DEGREES, ("dashed", "solid", "dotted"), strict=True):
            left.plot(x, fit_polynomial(*train, degree)(x), color=NEUTRAL, linestyle=style, label=f"degree {degree}")
        left.set(xlabel="Area (µm²)", ylabel="Area × mean grey level (thousands)", ylim=(0, 1.1 * train[1].max()))
        left.legend(frameon=False, fontsize=9)
        degrees = range(HIGHEST_DEGREE + 1)
        curves = [fit_polynomial(*train, degree) for degree in degrees]
        for (name, colour), face in zip((("train", BLUE), ("valid", VERMILION)), (BLUE, "none"), strict=True):
            errors = [max(root_mean_square(curve, *points[name]), 0.1) for curve in curves]
            right.plot(degrees, errors, "o-", color=colour, markerfacecolor=face)
        right.set(xlabel="Degree", ylabel="Error (thousands)", yscale="log")
    return figure


def augmentation_sheet(live: Live) -> Figure:
    """Show a crop as it is and varied, with its truth: see `nnbook.primer.learning.augmentation`."""
    image, true = live.arrays["image"].astype(float), live.arrays["true"]
    noise = np.random.default_rng(1).normal(size=image.shape)
    looks = {
        "As it is": (image, true),
        "Turned": (np.rot90(image), np.rot90(true)),
        "Mirrored": (image[:, ::-1], true[:, ::-1]),
        "Noisy": (image + 4 * noise * np.sqrt(20 + image), true),
        "Truth left behind": (np.rot90(image), true),
    }
    with mpl.rc_context(SHEET_STYLE):
        figure, grid = panel_grid(1, len(looks), row_inches=1.5)
        for axes, (title, (varied, labels)) in zip(grid.flat, looks.items(), strict=True):
            _grey(axes, varied, title)
            axes.title.set_fontsize(9)
            _outline(axes, labels, SKY_BLUE)
    return figure


def tasks_sheet(live: Live) -> Figure:
    """Show the tasks on the first crop: see `nnbook.primer.separation.tasks`."""
    image, true = live.arrays["image0"], live.arrays["true0"]
    numbers = np.unique(true[true > 0])
    places = [np.argwhere(true == number) for number in numbers]
    with mpl.rc_context(SHEET_STYLE):
        figure, grid = panel_grid(2, 3, row_inches=2.2)
        picture, whole, centres, boxes, semantic, instances = grid.flat
        _grey(picture, image, "Image")
        _grey(whole, image // 4, "Class")
        whole.text(0.5, 0.5, live.facts["classes"][0], transform=whole.transAxes, ha="center", va="center", fontsize=13)
        _grey(centres, image, "Centres")
        _grey(boxes, image, "Boxes")
        for place in places:
            y, x = place.mean(axis=0)
            centres.plot(x, y, "+", color=YELLOW, markersize=11, markeredgewidth=2)
            (top, left), (bottom, right) = place.min(axis=0), place.max(axis=0)
            rectangle = mpl.patches.Rectangle((left - 0.5, top - 0.5), right - left + 1, bottom - top + 1, fill=False)
            rectangle.set(color=YELLOW, linewidth=1.4)
            boxes.add_patch(rectangle)
        semantic.imshow(_coloured(np.minimum(true, 1)), interpolation="nearest")
        _title(semantic, "Semantic segmentation")
        instances.imshow(_coloured(true), interpolation="nearest")
        _title(instances, "Instance segmentation")
    return figure


def skips_sheet(live: Live) -> Figure:
    """Show feature maps of the first crop, and masks with and without skips: see `nnbook.primer.network.skips`."""
    true, whole = live.arrays["true0"], live.arrays["probability0"].shape[0] - 1
    with mpl.rc_context(SHEET_STYLE):
        figure, grid = panel_grid(3, 4, row_inches=1.75)
        for level in range(4):
            encoder, decoder = live.arrays[f"encoder0.{level + 1}"], live.arrays[f"decoder0.{level + 1}"][whole]
            _grey(grid[0, level], encoder, f"Encoder {level + 1}: {encoder.shape[1]} × {encoder.shape[0]}")
            _grey(grid[1, level], decoder, f"Decoder {level + 1}: {decoder.shape[1]} × {decoder.shape[0]}")
        for axes in grid[:2].flat:
            axes.title.set_fontsize(9)
        titles = {
            whole: "All skips",
            whole - 1: "Without skip 1",
            whole - 2: "Without skip 2",
            whole - 4: "Without skip 3",
        }
        for axes, (state, title) in zip(grid[2], titles.items(), strict=True):
            axes.imshow(
                _over(live.arrays["probability0"][state], live.arrays["masks0"][state]), interpolation="nearest"
            )
            _title(axes, title)
            axes.title.set_fontsize(9)
            _outline(axes, true, SKY_BLUE)
    return figure


def ways_sheet(live: Live) -> Figure:
    """Show the ways to separate nuclei on the first crop: see `nnbook.primer.separation.ways`."""
    image, true = live.arrays["image0"], live.arrays["true0"]
    with mpl.rc_context(SHEET_STYLE):
        figure, pairs = _pairs()
        for way, (above, below) in enumerate(pairs):
            _step(above, live, way)
            _title(above, f"{way + 1}")
            labels = live.arrays["labels0"][way]
            below.imshow(_over(image, labels), interpolation="nearest")
            _outline(below, true, SKY_BLUE)
    return figure


def difficulties_sheet(live: Live) -> Figure:
    """Show the six difficulties: see `nnbook.primer.separation.difficulties`."""
    with mpl.rc_context(SHEET_STYLE):
        figure, pairs = _pairs()
        shown = (live.arrays[name] for name in ("image", "true", "labels"))
        columns = zip(pairs, live.facts["names"], *shown, strict=True)
        for number, ((above, below), name, image, true, labels) in enumerate(columns, start=1):
            _grey(above, image, f"{number} {name}")
            above.title.set_fontsize(9)
            _outline(above, true, SKY_BLUE)
            below.imshow(_over(image, labels), interpolation="nearest")
    return figure


def _pairs() -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """Return a sheet of six pairs of panels beside one another, one of each pair above the other."""
    figure, grid = panel_grid(2, 6, row_inches=1.08)
    return figure, [(above, below) for above, below in grid.T]


def _step(axes: Axes, live: Live, way: int) -> None:
    """Draw what a way works from."""
    image, probability = live.arrays["image0"], live.arrays["probability0"]
    if way == 0:
        axes.imshow(live.arrays["foreground0"], cmap="gray", interpolation="nearest")
    elif way == 1:
        axes.imshow(live.arrays["distance0"], cmap="gray", interpolation="nearest")
    elif way == 2:
        axes.imshow(_coloured(live.arrays["classes0"]), interpolation="nearest")
    elif way == 4:
        _grey(axes, image, "")
        for left, top, width, height in np.reshape(live.facts["boxes0"], (-1, 4)):
            axes.add_patch(mpl.patches.Rectangle((left - 0.5, top - 0.5), width, height, fill=False, color=YELLOW))
    else:
        axes.imshow(probability, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        if way == 3:
            flow = (live.arrays["flow0"].astype(float) - 128) / 127
            y, x = (grid[::FLOW_STEP_PX, ::FLOW_STEP_PX] for grid in np.mgrid[: image.shape[0], : image.shape[1]])
            inside = probability[y, x] > 127
            step = (flow[1][y, x][inside], flow[0][y, x][inside])
            axes.quiver(
                x[inside], y[inside], *step, color=VERMILION, angles="xy", scale_units="xy", scale=0.3, width=0.01
            )
        else:
            places = np.reshape(live.facts["centres0"], (-1, 2)).T
            axes.plot(*places, "+", color=VERMILION, markersize=8, markeredgewidth=2)
    axes.set_axis_off()


def _grey(axes: Axes, image: NDArray[Any], title: str) -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    _title(axes, title)


def _title(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=11, loc="left", pad=4)


def _frame(axes: Axes, left: float, top: float, side: float) -> None:
    place = (left - 0.5, top - 0.5)
    axes.add_patch(mpl.patches.Rectangle(place, side, side, fill=False, color=YELLOW, linewidth=1.6, clip_on=False))


def _coloured(labels: NDArray[Any]) -> NDArray[np.float64]:
    """Return labels in their colours over black, axes (y, x, red green blue)."""
    table = np.array([(0.0, 0.0, 0.0), *(mpl.colors.to_rgb(colour) for colour in LABEL_COLOURS)])
    return np.asarray(table[np.where(labels > 0, (labels.astype(int) - 1) % len(LABEL_COLOURS) + 1, 0)])


def _over(grey: NDArray[np.uint8], labels: NDArray[Any]) -> NDArray[np.float64]:
    """Return labels in their colours over an image, axes (y, x, red green blue)."""
    under = np.repeat(grey[..., np.newaxis] / 255, 3, axis=2)
    return np.where((labels > 0)[..., np.newaxis], 0.4 * under + 0.6 * _coloured(labels), under)


def _outline(axes: Axes, labels: NDArray[Any], colour: str) -> None:
    for number in np.unique(labels[labels > 0]):
        framed: NDArray[np.uint8] = np.pad((labels == number).astype(np.uint8), 1)
        for contour in find_contours(framed, 0.5):
            axes.plot(contour[:, 1] - 1, contour[:, 0] - 1, color=colour, linewidth=1.2)
