"""Masks from panoramas with a Cellpose 3 network, fast and in bounded memory: `nnbook segment`.

The network, and the dynamics that turn its flows into masks, are Cellpose's (Stringer et al. 2021,
doi:10.1038/s41592-020-01018-x). Around them, everything happens at the network's scale, where nuclei have the diameter
that the network was trained with: a panorama of 12,275 px a side is 2408 px there. Bodies of one nucleus are joined
there, too (`nnbook.segmentation.grouping`), and what is hardly a nucleus is dropped. Only the outlines are drawn at full resolution,
along the interpolated edge of the cell probability.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numba import njit, prange

from nnbook.errors import NnbookError
from nnbook.io.files import sha256, write_json
from nnbook.io.images import read_image, write_mask
from nnbook.io.inputs import MASK_SUFFIX
from nnbook.io.manifest import read_manifest
from nnbook.provenance.dependencies import code_of
from nnbook.segmentation.dynamics import fill_holes, flow_errors, follow
from nnbook.segmentation.grouping import join_bodies, labels_at_edge
from nnbook.segmentation.scale import grey_range, median_diameter, rescale
from nnbook.values.published import CELLPROB_THRESHOLD, DIAMETER_PX, FLOW_THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch
    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels

SHIPPED_MODEL: Final = Path(__file__).parents[3] / "models" / "nnbook_nuclei"
"""The model that comes with nnbook; its card is `models/README.md`."""

TILE_PX: Final = 656
"""Largest side of a tile. Larger tiles overlap less, but no longer fit the processor's cache."""

TILE_OVERLAP_PX: Final = 40
TAPER_PX: Final = 7.5
PADDING_PX: Final = 8
NETWORK_STEP_PX: Final = 16
"""Overlap, taper and padding of tiles as in Cellpose."""

MIN_AREA_PX: Final = 15
"""Smaller masks are dropped, at full resolution, as in Cellpose."""

LEAST_CONFIDENCE: Final = 1.5
"""A mask's mean cell probability exceeds the threshold by so much, as a logit: less is debris, blur or noise."""

LEAST_SHARE: Final = 0.35
"""It exceeds it by at least this share, too, of what the median mask of the image does: a sharp image of bright nuclei
has less excuse for a doubtful one. Chosen on DSB2018 and the twin; a larger share drops more debris, but dividing
nuclei as well, of which the network is less sure. Masks that the image's edge cuts are let pass: the rim is the least
certain part of a nucleus, and a sliver is all rim."""

MAX_NETWORK_PX: Final = 400_000_000
"""Most pixels at the network's scale; more means a wrong diameter."""

GUESS_SIDE_PX: Final = 416
"""Side at the network's scale of the part of an image in which an unknown diameter is looked for."""

GUESSES: Final = 3
GUESS_TOLERANCE: Final = 1.25
"""A diameter within this factor of the guess that it was found from stands; else it is the next guess, up to three."""

BLIND_GUESSES_PX: Final = (16.0, 30.0, 60.0, 120.0)
"""First guesses where the image's bright bodies give none; what most of them lead to stands."""

LEAST_DIAMETER_PX: Final = 5.0
"""Smaller bodies are noise to whoever looks for nuclei of unknown diameter."""

OVERVIEW_SIDE_PX: Final = 1024


class Output(NamedTuple):
    """What the network says of an image, at the network's scale.

    Attributes
    ----------
    channels : float32, axes (channel, y, x)
        See `run_network`.
    grey : float32, axes (y, x)
        The image itself: grey levels with the 1st percentile at 0 and the 99th at 1.
    diameter_px : float
        Diameter of a nucleus at this scale.
    """

    channels: NDArray[np.float32]
    grey: NDArray[np.float32]
    diameter_px: float


@dataclass(frozen=True)
class Model:
    """A Cellpose 3 network with its weights.

    Attributes
    ----------
    name, sha256 : str
        Name and SHA-256 of the file.
    network : cellpose.resnet_torch.CPnet
        Takes (image, 0) and gives flow y, flow x and cell probability.
    diam_mean : float
        Diameter in px that nuclei must be brought to.
    diam_labels : float
        Mean diameter of the nuclei that it was trained on, in px of their images.
    device : str
        Where it computes: "cpu" or "cuda".
    """

    name: str
    sha256: str
    network: Any
    diam_mean: float
    diam_labels: float
    device: str = "cpu"

    @cached_property
    def compute(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """The network without its training parts: from a tile, axes (1, channel, y, x), to its output of that size."""
        import torch

        from nnbook.segmentation import fused_network as fused

        dtype: torch.dtype = getattr(torch, network_dtype(self.device))
        if self.device == "cpu" and fused.is_supported():
            return fused.fuse(self.network, dtype)

        def run(tile: torch.Tensor) -> torch.Tensor:
            with torch.inference_mode(), torch.autocast(self.device, dtype=dtype, enabled=dtype != torch.float32):
                moved = tile.to(self.device, memory_format=torch.channels_last)
                result: torch.Tensor = self.network(moved)[0].float().cpu()
                return result

        return run


def new_network(diam_mean: float) -> Any:
    """Return a `CPnet` with random weights: two channels in, three out, as Cellpose 3 builds it.

    Parameters
    ----------
    diam_mean : float
        Diameter in px that nuclei will be brought to.
    """
    from cellpose.resnet_torch import CPnet

    # `mkldnn=False` leaves tensors in torch's own layout; convolutions are oneDNN's either way.
    return CPnet([2, 32, 64, 128, 256], 3, sz=3, mkldnn=False, diam_mean=diam_mean)  # type: ignore[no-untyped-call]


def load_model(path: Path | None = None, *, device: str | None = None) -> Model:
    """Load a Cellpose 3 model from its file. Nothing is ever downloaded.

    Parameters
    ----------
    path : Path, optional
        The weights; the model that comes with nnbook where left out.
    device : str, optional
        Where to compute, "cpu" or "cuda"; a GPU where there is one, if left out.

    Returns
    -------
    Model
        Its diameters are those of the file, never assumed.

    Raises
    ------
    NnbookError
        Where the file is missing or holds no Cellpose 3 model of one network.
    """
    import torch

    path = path or SHIPPED_MODEL
    if not path.is_file():
        raise NnbookError(f"{path}: no such model; give a Cellpose 3 model file, or train one with nnbook train")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NnbookError(f"{path}: can't be read as a model ({reason}); give a Cellpose 3 model file") from error
    if not isinstance(state, dict) or "W2" in state:
        raise NnbookError(f"{path}: is no model of Cellpose 3 (Cellpose 4 models differ); give one of Cellpose 3")
    network = new_network(30.0)
    wanted = network.state_dict()
    # Models older than Cellpose 2 store no diameters; theirs can't be known.
    if wrong := [name for name in wanted if name not in state or state[name].shape != wanted[name].shape]:
        raise NnbookError(
            f"{path}: lacks the weights {wrong[0]} of a Cellpose 3 network, or has them in another shape; give a model "
            "of the default network with two channels, with its diameters"
        )
    network.load_state_dict({name: state[name] for name in wanted})
    network.eval()
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    return Model(
        name=path.name,
        sha256=sha256(path),
        network=network.to(device, memory_format=torch.channels_last),
        diam_mean=float(network.diam_mean.data[0]),
        diam_labels=float(network.diam_labels.data[0]),
        device=device,
    )


@cache
def network_dtype(device: str = "cpu") -> str:
    """Return what the network computes in: bfloat16 on a processor that has it, else float32."""
    import torch

    if device != "cpu":
        return "float32"
    able = torch.cpu.get_capabilities()
    return "bfloat16" if able.get("avx512_bf16") or able.get("amx_bf16") else "float32"


def autocast() -> torch.autocast:
    """Return the context in which the network computes in `network_dtype`."""
    import torch

    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=network_dtype() == "bfloat16")


def segment_image(
    image: Image,
    model: Model,
    *,
    diameter_px: float | None = DIAMETER_PX,
    flow_threshold: float = FLOW_THRESHOLD,
    cellprob_threshold: float = CELLPROB_THRESHOLD,
) -> Labels:
    """Segment the nuclei of one panorama.

    Parameters
    ----------
    image : Image
        Axes (y, x), any grey levels: only their order and relative distance between the 1st and the 99th percentile
        count, so 8 and 16 bits or floats of the same panorama give the same masks.
    model : Model
        See `load_model`.
    diameter_px : float, optional
        Diameter of the nuclei in px; None to look for it, see `estimate_diameter`.
    flow_threshold : float
        Masks whose flows differ by more from the network's (mean squared error of unit vectors) are dropped; 0 keeps
        all.
    cellprob_threshold : float
        Pixels above it, a logit, belong to nuclei.

    Returns
    -------
    Labels
        Axes (y, x), 0 for background and 1..N for nuclei by their first pixel, row by row. The number of threads
        doesn't change it.

    Raises
    ------
    NnbookError
        Where the array is no image or a setting is out of range.
    """
    _check(diameter_px, flow_threshold, cellprob_threshold)
    if image.ndim != 2 or image.size == 0 or image.dtype.kind not in "uif":
        raise NnbookError(f"the image is {image.dtype} of shape {image.shape}; give one channel of grey levels, (y, x)")
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise NnbookError("the image has pixels that are not a number or infinite; replace them, then run again")
    low, high = grey_range(image)
    if low == high:
        return np.zeros(image.shape, dtype=np.int32)
    if diameter_px is None:
        diameter_px = estimate_diameter(image, model)
    if diameter_px == 0:
        return np.zeros(image.shape, dtype=np.int32)
    output = network_output(image, model, diameter_px)
    return full_masks(
        output, (image.shape[0], image.shape[1]), flow_threshold=flow_threshold, cellprob_threshold=cellprob_threshold
    )


def network_output(image: Image, model: Model, diameter_px: float) -> Output:
    """Bring an image to the network's scale and run the network.

    Parameters
    ----------
    image, model
        See `segment_image`.
    diameter_px : float
        Diameter of the nuclei in px.
    """
    shape = _network_shape(image.shape, model.diam_mean / diameter_px)
    grey = rescale(image, shape, *grey_range(image))
    return Output(run_network(grey, model), grey, model.diam_mean)


def full_masks(
    output: Output,
    shape: tuple[int, int],
    *,
    flow_threshold: float,
    cellprob_threshold: float,
    narrow: bool = False,
) -> Labels:
    """Turn the network's output into the masks of an image of this height and width: see `segment_image`.

    Bodies of one nucleus have one label (`nnbook.segmentation.grouping`), and doubtful masks are dropped (`drop_doubtful`).
    With `narrow` they are uint16 where there are few enough, as `write_mask` stores them: half of the memory.
    """
    cellprob = output.channels[2]
    labels = masks_of(output.channels, flow_threshold=flow_threshold, cellprob_threshold=cellprob_threshold)
    count = int(labels.max())
    join_bodies(labels, output.grey, output.diameter_px)
    drop_doubtful(labels, cellprob, cellprob_threshold)
    full = enlarge(labels, cellprob, cellprob_threshold, shape, narrow=narrow and count <= np.iinfo(np.uint16).max)
    _renumber(full, count, MIN_AREA_PX)
    return full


def estimate_diameter(image: Image, model: Model) -> float:
    """Look for the diameter of an image's nuclei.

    The first guess is the diameter of bodies above Otsu's threshold. Where that has no bodies but one over half the
    image, each of `BLIND_GUESSES_PX` is the first, and this one the last. The part of the image with most of that is
    segmented as if the guess were right, and the median diameter of its masks is the answer, or the next guess where
    the two differ by more than `GUESS_TOLERANCE`.

    Parameters
    ----------
    image : Image
        Axes (y, x).
    model : Model
        See `load_model`.

    Returns
    -------
    float
        Median diameter in px of circles of the masks' areas; 0 where no nucleus is found.
    """
    low, high = grey_range(image)
    if low == high:
        return 0.0
    foreground, shrink = _foreground(image, low, high)
    first = _body_diameter(foreground) / shrink
    if first <= min(image.shape) / 2:
        return _settle(image, foreground, (low, high), model, first)
    # Light that varies across the image has joined all bodies into one, which tells nothing; or it is one nucleus.
    settled = [_settle(image, foreground, (low, high), model, guess) for guess in BLIND_GUESSES_PX]
    if any(settled):
        return float(np.median([found for found in settled if found]))
    return _settle(image, foreground, (low, high), model, first)


def _settle(
    image: Image, foreground: NDArray[np.bool_], greys: tuple[float, float], model: Model, guess: float
) -> float:
    """Segment as if a diameter were right, and go on with what that finds until both agree; 0 where it finds none."""
    found = guess
    for _ in range(GUESSES):
        if guess < LEAST_DIAMETER_PX:
            return 0.0
        scale = model.diam_mean / guess
        part = _part_with_most(image, foreground, math.ceil(GUESS_SIDE_PX / scale))
        output = run_network(rescale(part, _network_shape(part.shape, scale), *greys), model)
        labels = masks_of(output, flow_threshold=FLOW_THRESHOLD, cellprob_threshold=CELLPROB_THRESHOLD)
        found = median_diameter(labels) / scale
        if guess / GUESS_TOLERANCE <= found <= guess * GUESS_TOLERANCE:
            break
        guess = found
    return found if found >= LEAST_DIAMETER_PX else 0.0


def _foreground(image: Image, low: float, high: float) -> tuple[NDArray[np.bool_], float]:
    """Return what is above Otsu's threshold in an overview, and how much smaller than the image that is."""
    import cv2
    from skimage.filters import threshold_otsu

    shrink = min(1.0, OVERVIEW_SIDE_PX / max(image.shape))
    overview = rescale(image, _network_shape(image.shape, shrink), low, high)
    overview = np.clip(cv2.GaussianBlur(overview, (0, 0), 1), 0, 1)
    return overview > threshold_otsu(overview), shrink  # type: ignore[no-untyped-call]


def _body_diameter(foreground: NDArray[np.bool_]) -> float:
    """Return the typical diameter in px of connected bodies, of circles of their area; 0 where there is none.

    It is the median of bodies weighted by their diameters: neither specks of noise nor a few clumps decide it.
    """
    import cv2

    areas = cv2.connectedComponentsWithStats(foreground.astype(np.uint8))[2][1:, cv2.CC_STAT_AREA]
    diameters = np.sort(2 * np.sqrt(areas / math.pi))
    diameters = diameters[diameters >= LEAST_DIAMETER_PX]
    sums = np.cumsum(diameters)
    return float(diameters[np.searchsorted(sums, sums[-1] / 2)]) if diameters.size else 0.0


def _part_with_most(image: Image, foreground: NDArray[np.bool_], side: int) -> Image:
    """Cut out the square of this side that holds most foreground."""
    import cv2

    shrink = foreground.shape[0] / image.shape[0]
    width = max(1, min(round(side * shrink), *foreground.shape))
    share = cv2.blur(foreground.astype(np.float32), (width, width), borderType=cv2.BORDER_CONSTANT)
    middle = np.unravel_index(int(np.argmax(share)), foreground.shape)
    box = []
    for place, whole in zip(middle, image.shape, strict=True):
        start = min(max(0, round(int(place) / shrink - side / 2)), max(0, whole - side))
        box.append(slice(start, start + side))
    return image[tuple(box)]


def run_network(image: NDArray[np.float32], model: Model) -> NDArray[np.float32]:
    """Run the network over an image at its scale, in overlapping tiles.

    Parameters
    ----------
    image : float32, axes (y, x)
        Grey levels with the 1st percentile at 0 and the 99th at 1, nuclei with the network's diameter.
    model : Model
        See `load_model`.

    Returns
    -------
    float32, axes (channel, y, x)
        Five times the unit flow's y and x component, and the logit of the cell probability. Where tiles overlap, their
        mean weighted by Cellpose's taper, a logistic function of the distance to the tile's edge.
    """
    import torch

    before, after = zip(*(_padding(side) for side in image.shape), strict=True)
    padded = np.pad(image, tuple(zip(before, after, strict=True)))
    (rows, height), (columns, width) = (_tiles(side) for side in padded.shape)
    taper = np.outer(_taper(height), _taper(width)).astype(np.float32)
    total = np.zeros((3, *padded.shape), dtype=np.float32)
    weight = np.zeros(padded.shape, dtype=np.float32)
    # The network takes two channels; the second, a nuclear stain beside another, stays empty.
    tile = np.zeros((1, 2, height, width), dtype=np.float32)
    for y in rows:
        for x in columns:
            place = np.s_[..., y : y + height, x : x + width]
            tile[0, 0] = padded[place]
            total[place] += model.compute(torch.from_numpy(tile))[0].numpy() * taper
            weight[place] += taper
    total /= weight
    return total[:, before[0] : before[0] + image.shape[0], before[1] : before[1] + image.shape[1]]


def masks_of(output: NDArray[np.float32], *, flow_threshold: float, cellprob_threshold: float) -> Labels:
    """Turn the network's output into masks, by Cellpose's dynamics at the scale of the output.

    Parameters
    ----------
    output : float32, axes (channel, y, x)
        See `run_network`.
    flow_threshold, cellprob_threshold : float
        See `segment_image`.

    Returns
    -------
    Labels
        Axes (y, x). Holes are filled. Masks over 40 % of the image are dropped, as in Cellpose.
    """
    flow = output[:2] / 5
    labels = follow(flow, output[2] > cellprob_threshold)
    if flow_threshold > 0:
        labels[(flow_errors(labels, flow) > flow_threshold)[labels]] = 0
    fill_holes(labels)
    return labels


def drop_doubtful(labels: Labels, cellprob: NDArray[np.float32], threshold: float) -> None:
    """Drop masks that the network hardly believes in, in place: see `LEAST_CONFIDENCE` and `LEAST_SHARE`.

    Parameters
    ----------
    labels : Labels
        Axes (y, x).
    cellprob : float32, axes (y, x)
        Logit of the cell probability.
    threshold : float
        Its threshold.
    """
    areas = np.bincount(labels.ravel())
    sums = np.bincount(labels.ravel(), cellprob.ravel())
    confidence = sums / np.maximum(areas, 1) - threshold
    masks = 1 + np.flatnonzero(areas[1:])
    if not masks.size:
        return
    doubtful = confidence < max(LEAST_CONFIDENCE, LEAST_SHARE * float(np.median(confidence[masks])))
    doubtful[labels_at_edge(labels)] = False
    labels[doubtful[labels]] = 0


def enlarge(
    labels: Labels, cellprob: NDArray[np.float32], threshold: float, shape: tuple[int, int], *, narrow: bool = False
) -> Labels:
    """Bring masks up to full resolution with smooth outlines.

    Parameters
    ----------
    labels : Labels
        Axes (y, x), at the network's scale.
    cellprob : float32, axes (y, x)
        Logit of the cell probability, at the same scale.
    threshold : float
        Where nuclei end against the background: where the logit, interpolated linearly between the four nearest
        pixels, falls below it. Where they end against each other, the label with most weight among the four counts.
    shape : (int, int)
        Height and width at full resolution.
    narrow : bool
        Give uint16.

    Returns
    -------
    Labels
        Axes (y, x).
    """
    out: Any = np.empty(shape, dtype=np.uint16 if narrow else np.int32)
    logit = np.where((labels > 0) & (cellprob <= threshold), np.float32(threshold + 1), cellprob)  # filled holes
    rows, row_parts = _neighbours(labels.shape[0], shape[0])
    columns, column_parts = _neighbours(labels.shape[1], shape[1])
    # -1: above the threshold, but in no mask. It takes its place among the four, and then leaves background.
    ranked = np.where((labels == 0) & (logit > threshold), np.int32(-1), labels)
    _enlarge(ranked, logit, np.float32(threshold), rows, row_parts, columns, column_parts, out)
    return out  # type: ignore[no-any-return]


def segment_files(
    images: Mapping[str, Path],
    out: Path,
    model: Model,
    *,
    diameter_px: float | None = DIAMETER_PX,
    flow_threshold: float = FLOW_THRESHOLD,
    cellprob_threshold: float = CELLPROB_THRESHOLD,
) -> list[Path]:
    """Segment image files, each that isn't up to date, and write `NAME_cp_masks.tif` for each.

    Beside each mask lies `NAME_cp_masks.json`: the image's SHA-256 and everything else that the mask depends on. Where
    that is still the same, the mask stays as it is, corrections by hand included; else it is made again.

    Parameters
    ----------
    images : mapping of str to Path
        Image files by the name that their masks get: see `pairs.image_files` and `manifest_images`.
    out : Path
        The folder to write to.
    model, diameter_px, flow_threshold, cellprob_threshold
        See `segment_image`.

    Returns
    -------
    list of Path
        The masks, in the order of `images`.

    Raises
    ------
    NnbookError
        At the end, with one line for each image that couldn't be segmented; the others are done. At once where a
        setting is wrong.
    """
    from tqdm import tqdm

    _check(diameter_px, flow_threshold, cellprob_threshold)
    thresholds = {"flow_threshold": flow_threshold, "cellprob_threshold": cellprob_threshold}
    settings = {
        "model": model.name,
        "model_sha256": model.sha256,
        "diam_mean_px": model.diam_mean,
        "diameter_px": diameter_px,
        "network_scale": None if diameter_px is None else model.diam_mean / diameter_px,
        **thresholds,
        "device": model.device,
        "dtype": network_dtype(model.device),
        "code": code_of(segment_files),
        "versions": {name: importlib.metadata.version(name) for name in ("nnbook", "cellpose", "torch", "numba")},
    }
    masks: list[Path] = []
    problems: list[str] = []
    for name, path in tqdm(images.items(), desc="segment", unit="panorama"):
        mask_path = out / f"{name}{MASK_SUFFIX}.tif"
        try:
            # A file that is missing has no SHA-256; `read_image` says so below.
            depends = {"image": path.name, "image_sha256": sha256(path) if path.is_file() else "", **settings}
            if not _up_to_date(mask_path, depends):
                labels, found = _segment_file(path, model, diameter_px, thresholds)
                mask_path.with_suffix(".json").unlink(missing_ok=True)
                write_mask(mask_path, labels)
                result = {"found_diameter_px": found, "nuclei": int(labels.max())}
                write_json(mask_path.with_suffix(".json"), {**depends, **result})
            masks.append(mask_path)
        except NnbookError as error:
            text = str(error)
            problems.append(text if str(path) in text else f"{path}: {text}")
        except OSError as error:
            problems.append(f"{path}: can't be read, or its mask not written to {out} ({error}); check both")
    if problems:
        raise NnbookError("\n".join(problems))
    return masks


def _segment_file(
    path: Path, model: Model, diameter_px: float | None, thresholds: dict[str, float]
) -> tuple[Labels, float]:
    """Segment one file: its masks, narrow, and the diameter that its nuclei have."""
    image = read_image(path)
    shape = (image.shape[0], image.shape[1])
    low, high = grey_range(image)
    found = 0.0 if low == high else diameter_px or estimate_diameter(image, model)
    if found == 0:
        return np.zeros(shape, dtype=np.int32), found
    output = network_output(image, model, found)
    del image
    return full_masks(output, shape, **thresholds, narrow=True), found


def manifest_images(manifest: Path) -> dict[str, Path]:
    """List the panoramas of a manifest for `segment_files`: image files by the panorama's name.

    Parameters
    ----------
    manifest : Path
        See `nnbook.io.manifest.read_manifest`, which also says what raises `NnbookError`.
    """
    return {row.panorama: manifest.parent / row.image for row in read_manifest(manifest)}


def _check(diameter_px: float | None, flow_threshold: float, cellprob_threshold: float) -> None:
    if diameter_px is not None and not 1 <= diameter_px <= 100_000:
        raise NnbookError(f"diameter_px is {diameter_px:g}; give the nuclei's diameter, 1 to 100,000 px")
    if not 0 <= flow_threshold < math.inf:
        raise NnbookError(f"flow_threshold is {flow_threshold:g}; give a number from 0, which keeps every mask")
    if not math.isfinite(cellprob_threshold):
        raise NnbookError(f"cellprob_threshold is {cellprob_threshold:g}; give a number, usually from -6 to 6")


def _up_to_date(mask_path: Path, depends: dict[str, Any]) -> bool:
    try:
        record = json.loads(mask_path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return mask_path.is_file() and isinstance(record, dict) and depends.items() <= record.items()


def _network_shape(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    height, width = (max(1, int(side * scale)) for side in shape)
    if height * width > MAX_NETWORK_PX:
        raise NnbookError(
            f"an image of {shape[1]} x {shape[0]} px would be {width} x {height} px at the network's scale; "
            "give the nuclei's true diameter in px"
        )
    return height, width


def _padding(side: int) -> tuple[int, int]:
    """Zeros before and after: at least 8 px a side, up to a multiple of 16 px in all."""
    missing = -side % NETWORK_STEP_PX
    return PADDING_PX + missing // 2, PADDING_PX + missing - missing // 2


def _tiles(side: int) -> tuple[list[int], int]:
    """Return where tiles start along one axis, and their side: as few and as small as will do, spread evenly."""
    count = max(1, math.ceil((side - TILE_OVERLAP_PX) / (TILE_PX - TILE_OVERLAP_PX)))
    needed = math.ceil((side + (count - 1) * TILE_OVERLAP_PX) / count)
    tile = needed + -needed % NETWORK_STEP_PX
    return [int(start) for start in np.linspace(0, side - tile, count)], tile


def _taper(side: int) -> NDArray[np.float64]:
    """Weight of a tile's pixels along one axis: half of it 20 px from the edge."""
    offset = np.abs(np.arange(side) - (side - 1) / 2)
    return np.asarray(1 / (1 + np.exp((offset - (side / 2 - TILE_OVERLAP_PX / 2)) / TAPER_PX)))


def _neighbours(small: int, large: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each pixel at full resolution, the network's pixel before its centre, and how far it is on to the next."""
    places = np.clip((np.arange(large) + 0.5) * (small / large) - 0.5, 0, small - 1)
    first = np.minimum(places.astype(np.int64), max(0, small - 2))
    return first, (places - first).astype(np.float32)


@njit(parallel=True, cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _enlarge(  # noqa: PLR0917 - numba takes no keyword-only arguments
    labels: Any, logit: Any, threshold: Any, rows: Any, row_parts: Any, columns: Any, column_parts: Any, out: Any
) -> None:
    below, beside = min(1, labels.shape[0] - 1), min(1, labels.shape[1] - 1)
    for y in prange(out.shape[0]):
        top, v = rows[y], row_parts[y]
        bottom = top + below
        end = 0
        while end < out.shape[1]:
            # All pixels between the same four of the network's.
            start, left = end, columns[end]
            right = left + beside
            while end < out.shape[1] and columns[end] == left:
                end += 1
            a, b = labels[top, left], labels[top, right]
            c, d = labels[bottom, left], labels[bottom, right]
            if a == b and a == c and a == d:
                out[y, start:end] = max(a, 0)
                continue
            for x in range(start, end):
                u = column_parts[x]
                wa, wb, wc, wd = (1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v
                level = (
                    logit[top, left] * wa
                    + logit[top, right] * wb
                    + logit[bottom, left] * wc
                    + logit[bottom, right] * wd
                )
                if level <= threshold:
                    out[y, x] = 0
                    continue
                best, best_weight = 0, np.float32(0)
                for label in (a, b, c, d):
                    weight = (label == a) * wa + (label == b) * wb + (label == c) * wc + (label == d) * wd
                    if label != 0 and (weight > best_weight or (weight == best_weight and label < best)):
                        best, best_weight = label, weight
                out[y, x] = max(best, 0)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _renumber(labels: Any, count: int, min_area: int) -> None:
    """Drop masks of few pixels and number the others by their first pixel, in place."""
    areas = np.zeros(count + 1, dtype=np.int64)
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            areas[labels[y, x]] += 1
    numbers = np.zeros(count + 1, dtype=np.int32)
    last = 0
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            if label == 0:
                continue
            if areas[label] < min_area:
                labels[y, x] = 0
                continue
            if numbers[label] == 0:
                last += 1
                numbers[label] = last
            labels[y, x] = numbers[label]
