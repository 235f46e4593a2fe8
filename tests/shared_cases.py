"""Cases that the package and the segmentation in the browser (`widgets/segment`) both have to pass.

`python tests/shared_cases.py` computes their results anew with the package and writes `cases.json.gz`. Where
the package is to segment in another way, that is called once, and the browser's tests then fail until it does the same.
"""

from __future__ import annotations

import base64
import gzip
import json
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from nnbook.gui.saving import NAMES
from nnbook.gui.session import DARK_NUCLEI
from nnbook.io.outlines import write_geojson, write_roi_set
from nnbook.measurement.rois import measure_panorama
from nnbook.segmentation.diameter import bright_overview, estimate_diameter
from nnbook.segmentation.grouping import join_components
from nnbook.segmentation.masks import compute_masks, full_masks
from nnbook.segmentation.network import Output, at_network_scale, output_at_scale, run_network
from nnbook.segmentation.polarity import OVERVIEW_SIDE_PX, compact_share, has_dark_nuclei
from nnbook.segmentation.scale import grey_range, rescale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels
    from nnbook.segmentation.model import Model

FILE: Final = Path(__file__).parent / "segmentation" / "cases.json.gz"
DIAMETER_PX: Final = 30.0
SCENE: Final = (96, 128)

N: Final = (70, 34, 15, 15, 0.6)
L: Final = (30, 44, 9, 5, 1.0)
R: Final = (30, 70, 8, 5, 0.95)
SCENES: Final[dict[str, tuple[list[tuple[float, ...]], int | None]]] = {
    "two plates that face each other": ([N, L, R], None),
    "too far apart": ([N, L, (30, 84, 8, 5, 0.95)], None),
    "of unlike area": ([N, L, (30, 70, 4, 2, 0.95)], None),
    "end to end": ([N, (30, 44, 5, 9, 1.0), (30, 70, 5, 9, 0.95)], None),
    "a third between": ([N, L, R, (30, 57, 3, 3, 0.1)], None),
    "cut by the edge": ([N, (4, 44, 9, 5, 1.0), (4, 70, 9, 5, 1.0)], None),
    "a half without a mask": ([N, L, R], 2),
    "no halves with masks": ([N, L, R], 1),
    "round ones without masks": ([N, (30, 44, 6, 6, 1.0), (30, 64, 6, 6, 1.0)], 1),
    "three alike": ([N, L, R, (30, 92, 9, 5, 1.0)], None),
    "a micronucleus with a mask": ([N, (70, 54, 2.6, 2.6, 0.35)], None),
    "a micronucleus without a mask": ([N, (70, 54, 2.6, 2.6, 0.35)], 1),
    "a micronucleus far off": ([N, (70, 64, 2.6, 2.6, 0.35)], 1),
    "debris brighter than a nucleus": ([N, (70, 54, 2.6, 2.6, 0.9)], 1),
}
"""Components (middle y and x, half height and width, grey level) on noise, and how many of them have masks."""


BLOBS: Final = [(40, 50, 14), (60, 130, 12), (120, 60, 16), (130, 150, 13), (90, 95, 12), (20, 165, 12), (150, 20, 13)]


OUTLINED: Final[dict[str, tuple[list[str], float | None]]] = {
    "at the edges, touching, of one pixel": (["11.223", "11.22.", "...24.", "5.6644", "5.....", "5....7"], None),
    "with holes, which touch a side or hold a nucleus": (
        ["11111.222.", "1...11222.", "1.3.1..222", "1...1.2.22", "11111.22.2", "......2222"],
        2.5,
    ),
    "in pieces, one within a hole": (["aaaaa.aa", "a...a.aa", "a.a.a..a", "a...a...", "aaaaa.b.", ".....a.b"], 2.5),
    "none": (["....", "...."], None),
}
"""Nuclei by a letter or digit each, and pixels a micrometre."""

FAR_PX: Final = 61_000
"""More than ImageJ's whole numbers reach."""


def noise(count: int, seed: int) -> NDArray[np.float64]:
    """Return numbers from 0 to 1 that TypeScript can compute, too."""
    bits = (np.arange(count, dtype=np.uint64) + np.uint64(seed * 7919)) * np.uint64(0x9E3779B1) & np.uint64(0xFFFFFFFF)
    bits ^= bits >> np.uint64(15)
    bits = bits * np.uint64(0x85EBCA77) & np.uint64(0xFFFFFFFF)
    bits ^= bits >> np.uint64(13)
    return cast("NDArray[np.float64]", bits / 2**32)


def scene(components: list[tuple[float, ...]], masked: int | None) -> tuple[Labels, NDArray[np.float32]]:
    """Draw components on noise, and masks of the first ones."""
    y, x = np.mgrid[: SCENE[0], : SCENE[1]]
    labels = np.zeros(SCENE, np.int32)
    grey = (0.04 * (noise(labels.size, 5) - 0.5)).reshape(SCENE)
    for number, (v, u, height, width, level) in enumerate(components, start=1):
        at = ((y - v) / height) ** 2 + ((x - u) / width) ** 2 < 1
        grey[at] += level
        if masked is None or number <= masked:
            labels[at] = number
    return labels, grey.astype(np.float32)


def plain_network() -> Model:
    """Return a model whose flows lead to where the image is brightest: what it computes, TypeScript can, too."""
    import torch

    def compute(tile: torch.Tensor) -> torch.Tensor:
        grey = tile[0, 0].numpy()
        edge = np.pad(grey, 1, mode="edge")
        down, across = edge[2:, 1:-1] - edge[:-2, 1:-1], edge[1:-1, 2:] - edge[1:-1, :-2]
        length = np.sqrt(down * down + across * across) + np.float32(1e-6)
        logit = 20 * (grey - np.float32(0.45))
        return torch.from_numpy(np.stack([5 * down / length, 5 * across / length, logit])[None].astype(np.float32))

    return cast("Model", SimpleNamespace(device="cpu", diam_mean=DIAMETER_PX, compute=compute))


def blobs() -> Image:
    """Return an image of bright discs with soft edges on noise."""
    y, x = np.mgrid[:170, :200]
    image: NDArray[np.float64] = 400 + 60 * noise(y.size, 9).reshape(y.shape)
    for v, u, radius in BLOBS:
        image += 9000 / (1 + ((y - v) ** 2 + (x - u) ** 2) / radius**2) ** 2
    return image.astype(np.uint16)


def few_bright() -> Image:
    """Return an image in which nuclei cover less than a hundredth, in uneven light."""
    y, x = np.mgrid[:300, :420]
    image: NDArray[np.float64] = 300 + 0.5 * y + 0.2 * x + 40 * noise(y.size, 3).reshape(y.shape)
    for v, u in ((60, 80), (200, 330)):
        image[(y - v) ** 2 + (x - u) ** 2 < 64] += 8000
    image[100, 100] = 60000
    return image.astype(np.uint16)


FIELDS: Final = [
    (90, 0.0, False),
    (90, 0.0, True),
    (47, 0.0, False),
    (47, 0.0, True),
    (0, 0.0, False),
    (0, 0.1, False),
    (0, 0.1, True),
]
"""Fields of discs: px from one to the next (0 for none), slope of the light a px, and whether it is inverted."""


def field(pitch: int, slope: float, *, inverted: bool) -> Image:
    """Return bright discs on noise in uneven light, or such an image inverted."""
    y, x = np.mgrid[:260, :320]
    image: NDArray[np.float64] = 20 + 8 * noise(y.size, 11).reshape(y.shape) + slope * x
    if pitch:
        image[(y % pitch - pitch // 2) ** 2 + (x % pitch - pitch // 2) ** 2 < 22**2] += 120
    return 255 - image.astype(np.uint8) if inverted else image.astype(np.uint8)


def polarity_of(image: Image) -> dict[str, Any]:
    """Return whether an image's nuclei are dark, and how much of what is dark in it is compact."""
    bright, _ = bright_overview(image, grey_range(image), OVERVIEW_SIDE_PX, blur_px=2)
    return {"dark": has_dark_nuclei(image), "compact": round(compact_share(~bright), 6)}


def outlined(rows: list[str], px_per_um: float | None) -> dict[str, Any]:
    """Return nuclei, and the files of their outlines for other programs."""
    labels = np.array([[0 if one == "." else int(one, 36) for one in row] for row in rows], np.int32)
    return {"rows": rows, **outlines_of(labels, px_per_um)}


def outlines_of(labels: Labels, px_per_um: float | None) -> dict[str, Any]:
    """Return how nuclei are measured, their GeoJSON, and their ROIs by the names of files."""
    image = (200 * noise(labels.size, 7)).astype(np.uint8).reshape(labels.shape)
    nuclei = measure_panorama("outlined", image, labels, 1.0)
    nuclei["confidence"] = np.where(nuclei["roi"] % 2, 0.75, np.nan)
    with tempfile.TemporaryDirectory() as temporary:
        geojson, rois = Path(temporary) / "a.geojson", Path(temporary) / "a.zip"
        write_geojson(geojson, labels, nuclei, px_per_um)
        write_roi_set(rois, labels, nuclei)
        with zipfile.ZipFile(rois) as archive:
            files = {name: base64.b64encode(archive.read(name)).decode() for name in archive.namelist()}
        features = json.loads(geojson.read_text(encoding="utf-8"))
    table = nuclei[[*NAMES, "confidence"]].rename(columns=NAMES).astype(object)
    return {
        "px_per_um": px_per_um,
        "nuclei": table.where(table.notna(), None).to_dict("records"),
        "geojson": features,
        "rois": files,
    }


def far() -> Labels:
    """Return labels of an image that is as wide as few are, with one nucleus at its end."""
    labels = np.zeros((3, FAR_PX), np.int32)
    labels[1:, -3:] = 1
    return labels


def made(*, real: list[dict[str, Any]]) -> dict[str, Any]:
    """Compute all results anew; `real` are outputs of the shipped network, which are kept."""
    image, sparse, network = blobs(), few_bright(), plain_network()
    joined = {}
    for name, (components, masked) in SCENES.items():
        labels, grey = scene(components, masked)
        pairs = join_components(labels, grey, DIAMETER_PX)
        joined[name] = {"components": components, "masked": masked, "pairs": pairs, "labels": stored(labels, np.uint8)}
    masks = [{**case, **results_of(case)} for case in real]
    grey = at_network_scale(image, network, 25.0, grey_range(image))
    tiled = run_network(np.tile(grey, (5, 4)), network)
    overview, shrink = bright_overview(image, grey_range(image), 1024, blur_px=1)
    surround, _ = bright_overview(image, grey_range(image), 1024, blur_px=1, surround_px=16.0)
    whole = output_at_scale(grey, network)
    found = full_masks(whole, image.shape, flow_threshold=0.5, cellprob_threshold=-2.0)  # type: ignore[arg-type]
    return {
        "join": {"scene": SCENE, "cases": joined},
        "masks": masks,
        "blobs": {"size": image.shape, "places": BLOBS, "range": grey_range(image)},
        "sparse": {"size": sparse.shape, "range": grey_range(sparse)},
        "scaled": stored(rescale(image, (37, 41), *grey_range(image)), np.float32),
        "grown": stored(rescale(image[:10, :15], (17, 27), *grey_range(image)), np.float32),
        "tiled": {"times": [5, 4], "diameter": 25.0, "output": stored(tiled[:, ::23, ::23], np.float32)},
        "overview": {"shrink": shrink, "bright": stored(overview, np.uint8), "local": stored(surround, np.uint8)},
        "polarity": {
            "remark": DARK_NUCLEI,
            "fields": [{"field": one, **polarity_of(field(*one[:2], inverted=one[2]))} for one in FIELDS],
        },
        "outlined": {
            "cases": {name: outlined(*case) for name, case in OUTLINED.items()},
            "far": outlines_of(far(), None),
        },
        "diameter": estimate_diameter(image, network),
        "segmented": {"labels": stored(found.labels, np.uint8), "nuclei": found.boxes.tolist()},
    }


def results_of(case: dict[str, Any]) -> dict[str, Any]:
    """Return the masks of an output of the network, as `nnbook.segment` makes them."""
    output, (height, width) = output_of(case), case["shape"]
    found = full_masks(output, (height, width), flow_threshold=case["flow"], cellprob_threshold=case["cellprob"])
    return {
        "labels": stored(found.labels, np.uint8),
        "nuclei": found.boxes.tolist(),
        "confidence": found.confidence.round(6).tolist(),
    }


def output_of(case: dict[str, Any]) -> Output:
    """Return the network's output, kept in steps of a twentieth, and the image, in steps of a hundredth."""
    channels = array(case["output"], np.int8).astype(np.float32) / np.float32(20)
    grey = array(case["grey"], np.uint8).astype(np.float32) / np.float32(100)
    return Output(channels, grey, DIAMETER_PX)


def stored(values: NDArray[Any], kind: Any) -> dict[str, Any]:
    """Return an array as JSON has it."""
    data = np.ascontiguousarray(values).astype(np.dtype(kind).newbyteorder("<"))
    return {"shape": list(data.shape), "data": base64.b64encode(data.tobytes()).decode()}


def array(stored_one: dict[str, Any], kind: Any) -> NDArray[Any]:
    """Return an array that `stored` wrote."""
    data = np.frombuffer(base64.b64decode(stored_one["data"]), np.dtype(kind).newbyteorder("<"))
    return data.reshape(stored_one["shape"])


def read() -> dict[str, Any]:
    """Return the cases."""
    return cast("dict[str, Any]", json.loads(gzip.decompress(FILE.read_bytes())))


def _real() -> list[dict[str, Any]]:
    """Return outputs of the shipped network for the parts of a panorama of hard cases in which most is found."""
    from nnbook.segmentation.model import load_model
    from nnbook.simulation import nuclei
    from nnbook.simulation.panorama import simulate_panorama

    shares = {"interphase": 0.4, "metaphase": 0.1, "anaphase": 0.1, "telophase": 0.2, "micronucleus": 0.2}
    nuclei.CLASS_SHARES = [shares.get(name, 0) for name in nuclei.CLASSES]  # type: ignore[misc, assignment]
    model = load_model()
    image, _, _ = simulate_panorama(21, 5, "TL", "top_left", width_px=4096, height_px=4096)
    grey = at_network_scale(image, model, 152.91, grey_range(image))
    channels = run_network(grey, model)
    parts = [np.s_[..., y : y + 110, x : x + 130] for y in range(0, 690, 40) for x in range(0, 670, 40)]

    def found(box: Any) -> int:
        part = Output(channels[box], grey[box], DIAMETER_PX)
        labels, _ = compute_masks(part.channels, flow_threshold=0.5, cellprob_threshold=-2.0)
        before = int(labels.max())
        pairs = join_components(labels, part.grey, DIAMETER_PX)
        return before + 10 * len(pairs)

    best = max(parts, key=found)
    apart = [box for box in parts if abs(box[1].start - best[1].start) + abs(box[2].start - best[2].start) > 200]
    return [
        {
            "output": stored((channels[box] * 20).round().clip(-127, 127), np.int8),
            "grey": stored((grey[box] * 100).round().clip(0, 255), np.uint8),
            "shape": shape,
            "flow": flow,
            "cellprob": cellprob,
        }
        for box, shape, flow, cellprob in (
            (best, [330, 390], 0.5, -2.0),
            (max(apart, key=found), [441, 521], 0.4, -1.0),
        )
    ]


def write() -> None:
    """Write the cases with results of the package as it is; outputs of the network stay once they are there."""
    real = [
        {key: value for key, value in case.items() if key not in {"labels", "nuclei", "confidence"}}
        for case in (read()["masks"] if FILE.exists() else _real())
    ]
    FILE.write_bytes(gzip.compress(json.dumps(made(real=real), separators=(",", ":")).encode(), mtime=0))


if __name__ == "__main__":
    write()
