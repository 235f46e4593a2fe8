"""The twin: a virtual microscope that simulates NucleusNet's experiments, images and exact ground truth alike.

Counts, brightness and spread follow the published table of 1600 panoramas (100 runs of 16): the constants below were
estimated from it by nested analysis of variance, on the scales on which runs are closest to normal. The table showed:

- Runs differ most. The root of their count is near to normal; their brightness has a long lower tail, so its
  quantiles are given; and sparse runs are somewhat brighter.
- Within a run, brightness changes with the coverslip's row of panoramas and not with its column: fields were taken in a
  snake by rows, and one profile over the four rows (dim at first, then level) explains 93 % of it, in some runs more
  than in others.
- The spread inside the masks is set by the brightness, up to 0.034 (runs) and 0.016 (panoramas) in log spread / mean.

A panorama is a pure function of seed, run, quarter, crop and size: it can be simulated alone, in any order and process.
"""

from __future__ import annotations

import math
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from nnbook.errors import NnbookError
from nnbook.evaluation.metrics import partners
from nnbook.io.files import aside, sha256
from nnbook.io.images import read_mask, write_image, write_mask
from nnbook.io.manifest import CROPS, MAX_SIDE_PX, QUARTERS, Panorama, name_of, read_manifest, write_manifest
from nnbook.simulation import nuclei
from nnbook.simulation.nuclei import compiled
from nnbook.values import published
from nnbook.values.published import PX_PER_UM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

    from nnbook.io.images import Image, Labels

SIDE_PX: Final = 2048
"""Side of a panorama of the small twin."""

PUBLISHED_SIDE_PX: Final = 12_275
"""Side of the square of the published panoramas' mean area."""

MIN_SIDE_PX: Final = 160
"""A panorama is at least as wide and high as a nucleus."""

FIRST_PASSAGE: Final = 12
PASSAGES_PER_RUN: Final = 0.21
"""The published 100 runs came from 21 passages."""

PUBLISHED_AREA_PX2: Final = published.TOTAL_AREA_PX2 / published.PANORAMAS
"""Mean area of a published panorama."""

# Between runs: the root of the count, the quantiles of the brightness, and what that leaves of log spread / mean.
RUN_ROOT_COUNT: Final = (25.97, 4.19)
RUN_MEAN_GREY: Final = 79.0
RUN_MEAN_GREY_DEVIATES: Final = (-2.58, -1.645, -0.674, 0.0, 0.674, 1.645, 2.58)
RUN_MEAN_GREY_QUANTILES: Final = (25.8, 44.5, 65.6, 81.1, 91.7, 109.6, 117.2)
RUN_COUNT_MEAN_CORRELATION: Final = -0.28
RUN_LOG_SPREAD: Final = (-0.185, 0.0336)
RUN_LOG_SPREAD_PER_GREY: Final = -0.00222

# Within a run, in logarithms: between its quarters, between a quarter's crops, and between the coverslip's four rows.
QUARTER_LOG_COUNT_SD: Final = 0.078
CROP_LOG_COUNT_SD: Final = 0.120
ROW_LOG_MEAN_PROFILES: Final = ((-0.823, 0.046, 0.294, 0.483), (0.268, -0.815, 0.036, 0.512))
ROW_LOG_MEAN_AMPLITUDES: Final = ((0.097, 0.087), (0.0, 0.033))
CROP_LOG_MEAN_SD: Final = 0.023
CROP_LOG_SPREAD_PER_LOG_MEAN: Final = -0.41
CROP_LOG_SPREAD_SD: Final = 0.0164

FIELD_PX: Final = 1024
FIELD_OVERLAP: Final = 0.05
STRIP_PX: Final = 1024
CELL_PX: Final = 32
"""Pitch of the coarse maps of haze and density."""

TOUCHING_SHARE: Final = 0.045
"""Share of nuclei that are laid against another one; twice as many then touch."""

DEBRIS_PER_NUCLEUS: Final = 0.3

TRUTH_COLUMNS: Final = (
    "label", "class", "x_px", "y_px", "area_px", "bodies", "touching", "cut", "dna_content", "defocus_um", "brightness",
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """What a panorama is to look like: the draw that its rendering follows.

    Attributes
    ----------
    per_mpx : float
        Nuclei a million px at `PX_PER_UM`, cut ones included.
    mean_grey, spread_grey : float
        Mean and standard deviation of the 8-bit image inside the masks.
    dark_grey : float
        Level of the detector without light.
    noise_grey : float
        Shot noise: variance in grey levels a grey level.
    contrast, size : float
        Contrast of chromatin and diameter of nuclei, relative to the usual.
    shading : float
        How much dimmer a field's corner is than its centre.
    """

    per_mpx: float
    mean_grey: float
    spread_grey: float
    dark_grey: float
    noise_grey: float
    contrast: float
    size: float
    shading: float


class _Frame(NamedTuple):
    """A panorama's size in px, and its px a px at `PX_PER_UM`."""

    width: int
    height: int
    scale: float

    def coarse(self, pitch_px: float) -> tuple[int, int]:
        """Return the shape of a coarse map (y, x) of a pitch at `PX_PER_UM`, with room to interpolate and look over."""
        pitch = pitch_px * self.scale
        return int(self.height / pitch) + 5, int(self.width / pitch) + 5


class _Laid(NamedTuple):
    """The nuclei in place: points on their outlines about their centres, centres, and the points' largest distances."""

    points: list[NDArray[np.float64]]
    centres: NDArray[np.float64]
    reaches: NDArray[np.float64]

    def and_(self, outline: NDArray[np.float64], place: NDArray[np.float64]) -> _Laid:
        """Return these and one more."""
        reach = np.hypot(*outline.T).max()
        return _Laid([*self.points, outline], np.vstack([self.centres, place]), np.append(self.reaches, reach))


def draw_look(seed: int, run: int, quarter: str, crop: str) -> Look:
    """Draw density, brightness and spread of one panorama: between runs and within them as in the published table.

    Runs are spread evenly over their distribution (Roberts' additive recurrence, shifted by the seed), so that ten of
    them already span it as a hundred do. Neighbours in time are no more alike than others, unlike the published runs.

    Parameters
    ----------
    seed, run : int
        The twin's seed, from 0, and the number of the experiment, from 1.
    quarter, crop : str
        One of `QUARTERS` and one of `CROPS`.

    Raises
    ------
    NnbookError
        Where an argument is out of range.
    """
    _check_place(seed, run, quarter, crop)
    of_seed, of_run = _stream(seed), _stream(seed, run)
    root_count, mean, spread = _run_effects(of_seed.random(3), run)
    amplitudes = [of_run.normal(centre, sd) for centre, sd in ROW_LOG_MEAN_AMPLITUDES]
    quarter_counts = of_run.normal(0, QUARTER_LOG_COUNT_SD, len(QUARTERS))
    look = {
        "dark_grey": of_run.uniform(1.0, 3.5),
        "noise_grey": of_run.uniform(0.35, 0.9),
        "contrast": of_run.uniform(0.85, 1.15),
        "size": of_run.normal(1, 0.025),
        "shading": of_run.uniform(0.03, 0.10),
    }
    of_panorama = _stream(seed, run, quarter, crop)
    log_count = quarter_counts[QUARTERS.index(quarter)] + of_panorama.normal(0, CROP_LOG_COUNT_SD)
    log_count -= (QUARTER_LOG_COUNT_SD**2 + CROP_LOG_COUNT_SD**2) / 2
    row = 2 * (quarter[0] == "B") + crop.startswith("bottom")
    log_mean = sum(a * profile[row] for a, profile in zip(amplitudes, ROW_LOG_MEAN_PROFILES, strict=True))
    log_mean += of_panorama.normal(0, CROP_LOG_MEAN_SD)
    log_spread = spread + CROP_LOG_SPREAD_PER_LOG_MEAN * log_mean + of_panorama.normal(0, CROP_LOG_SPREAD_SD)
    mean_grey = mean * math.exp(log_mean)
    return Look(
        per_mpx=root_count**2 * math.exp(log_count) / (PUBLISHED_AREA_PX2 / 1e6),
        mean_grey=mean_grey,
        spread_grey=mean_grey * math.exp(log_spread),
        **look,
    )


def simulate_results(seed: int, runs: int) -> pd.DataFrame:
    """Draw the results table of a full-size twin without rendering it.

    Parameters
    ----------
    seed, runs : int
        The twin's seed and how many experiments.

    Returns
    -------
    DataFrame
        A row a panorama, in the manifest's order: `image`, `num_rois`, `mean_intensity`, `std_intensity` as published.
    """
    rows = []
    for panorama in simulate_manifest(seed, runs, PUBLISHED_SIDE_PX):
        look = draw_look(seed, panorama.run, panorama.quarter, panorama.crop)
        count = round(look.per_mpx * PUBLISHED_AREA_PX2 / 1e6)
        rows.append((f"{panorama.panorama}.tif", count, look.mean_grey, look.spread_grey))
    return pd.DataFrame(rows, columns=["image", "num_rois", "mean_intensity", "std_intensity"])


def simulate_panorama(
    seed: int,
    run: int,
    quarter: str,
    crop: str,
    *,
    width_px: int,
    height_px: int,
    px_per_um: float = PX_PER_UM,
) -> tuple[Image, Labels, pd.DataFrame]:
    """Simulate one panorama: its image, its truth mask and its table of nuclei.

    Nuclei that the frame cuts are kept as cut objects, and the number of labels (not of centres) is what follows the
    published count an area, whatever the panorama's size.

    Parameters
    ----------
    seed, run : int
        The twin's seed, from 0, and the number of the experiment, from 1.
    quarter, crop : str
        One of `QUARTERS` and one of `CROPS`.
    width_px, height_px : int
        Size, at least `MIN_SIDE_PX` each.
    px_per_um : float
        Pixels a micrometre.

    Returns
    -------
    image : uint8, axes (y, x)
        Grey levels, saturated at 255.
    labels : int32, axes (y, x)
        0 for background, 1..N for nuclei, from the top down. Debris has no label.
    truth : DataFrame
        A row a nucleus: `label`; `class`, one of `nnbook.simulation.nuclei.CLASSES`; `x_px` and `y_px`, the mask's centroid, and
        `area_px`; `bodies`, in how many pieces it was drawn (in the frame or beyond it); `touching`, whether its mask
        meets another nucleus's; `cut`, whether the frame cuts it; `dna_content`, 1 to 2; `defocus_um`;
        `brightness`, its own grey level.

    Raises
    ------
    NnbookError
        Where an argument is out of range.
    """
    _check_place(seed, run, quarter, crop)
    _check_side(width_px)
    _check_side(height_px)
    if not 0.5 <= px_per_um <= 50:
        raise NnbookError(f"px_per_um is {px_per_um:g}; the twin simulates 0.5 to 50 pixels a micrometre")
    look = draw_look(seed, run, quarter, crop)
    rng = _stream(seed, run, quarter, crop, 1)
    frame = _Frame(width_px, height_px, px_per_um / PX_PER_UM)
    bodies, facts = _lay_out(rng, look, frame)
    debris = _scatter_debris(rng, len(facts), frame)
    haze = _haze(rng, facts, look, frame)
    brightness = _stain(rng, bodies, facts, look, haze, frame=frame)
    shade = _shading(rng, look, frame)
    noise = int(rng.integers(2**32))

    drawn = np.concatenate([bodies, debris])
    image = np.empty((height_px, width_px), dtype=np.uint8)
    labels = np.zeros((height_px, width_px), dtype=np.int32)
    for top in range(0, height_px, STRIP_PX):
        rows = slice(top, min(top + STRIP_PX, height_px))
        signal = np.zeros((rows.stop - top, width_px), dtype=np.float32)
        depths = np.full_like(signal, -np.inf)
        near = drawn[(drawn["y"] + drawn["reach"] >= top) & (drawn["y"] - drawn["reach"] <= rows.stop)]
        nuclei.draw_bodies(signal, labels[rows], depths, top, near, brightness)
        _expose(image[rows], signal, top, haze, CELL_PX * frame.scale, *shade, look.dark_grey, look.noise_grey, noise)
    return image, labels, _truth_table(labels, facts, brightness)


def simulate_manifest(seed: int, runs: int, side_px: int) -> list[Panorama]:
    """Return the rows of a twin's manifest: 16 panoramas a run, named as published, without simulating any.

    Raises
    ------
    NnbookError
        Where an argument is out of range.
    """
    if runs < 1:
        raise NnbookError(f"runs is {runs}; a twin has at least 1 experiment")
    _check_side(side_px)
    panoramas = []
    for run in range(1, runs + 1):
        for quarter in QUARTERS:
            for crop in CROPS:
                _check_place(seed, run, quarter, crop)
                name = name_of(run, quarter, crop)
                panoramas.append(
                    Panorama(
                        panorama=name,
                        run=run,
                        quarter=quarter,
                        crop=crop,
                        passage=f"P{FIRST_PASSAGE + int((run - 1) * PASSAGES_PER_RUN)}",
                        image=f"panoramas/{name}.tif",
                        mask="",
                        width_px=side_px,
                        height_px=side_px,
                        px_per_um=PX_PER_UM,
                        image_sha256="",
                        source=f"twin:{seed}",
                    )
                )
    return panoramas


def write_panorama(panorama: Panorama, folder: Path) -> Panorama:
    """Simulate one row of a manifest and write its image, truth mask and truth table, unless all three are there.

    Parameters
    ----------
    panorama : Panorama
        A row whose `source` is `twin:SEED`.
    folder : Path
        The manifest's folder. The image goes to `panorama.image` below it; the mask and the rows of the truth table go
        to `truth/NAME.tif` and `truth/NAME.csv`.

    Returns
    -------
    Panorama
        The row with the image's SHA-256.

    Raises
    ------
    NnbookError
        Where the row isn't the twin's, or asks for what the twin can't simulate.
    """
    if not panorama.simulated:
        raise NnbookError(f"{panorama.panorama}: its source is {panorama.source!r}; the twin simulates twin:SEED only")
    image_path, mask_path, table_path = _paths(panorama, folder)
    if not (image_path.is_file() and mask_path.is_file() and table_path.is_file()):
        image, labels, truth = simulate_panorama(
            int(panorama.source.removeprefix("twin:")),
            panorama.run,
            panorama.quarter,
            panorama.crop,
            width_px=panorama.width_px,
            height_px=panorama.height_px,
            px_per_um=panorama.px_per_um,
        )
        truth.insert(0, "panorama", panorama.panorama)
        write_mask(mask_path, labels)
        with aside(table_path) as written:
            truth.to_csv(written, index=False, lineterminator="\n")
        write_image(image_path, image, px_per_um=panorama.px_per_um)
    return replace(panorama, image_sha256=sha256(image_path))


def true_classes(panorama: Panorama, labels: Labels, folder: Path) -> dict[int, str]:
    """Tell what the nuclei of a mask are, where the truth knows.

    Parameters
    ----------
    panorama : Panorama
        A simulated row that `write_panorama` has written.
    labels : Labels
        Its mask as segmented: axes (y, x).
    folder : Path
        The manifest's folder.

    Returns
    -------
    dict of int to str
        One of `nnbook.simulation.nuclei.CLASSES` by label, for each nucleus that has a partner in the truth: see
        `nnbook.evaluation.metrics.partners`.

    Raises
    ------
    NnbookError
        Where the truth mask can't be read or has another size.
    """
    _, mask, table = _paths(panorama, folder)
    classes = pd.read_csv(table, usecols=["label", "class"]).set_index("label")["class"]
    return {label: str(classes[true]) for label, true in partners(labels, read_mask(mask)).items()}


def write_twin(
    out: Path, seed: int, runs: int = 10, side_px: int = SIDE_PX, *, processes: int = 2, progress: bool = True
) -> list[Panorama]:
    """Simulate a whole twin: `panoramas/`, `truth/`, `truth.csv` and `manifest.csv`, all below one folder.

    What an interrupted call has finished is kept, and the bytes are those of a call that runs through. No more than one
    panorama a process is held in memory.

    Parameters
    ----------
    out : Path
        The folder; made where missing.
    seed : int
        The twin's seed, from 0.
    runs : int
        How many experiments, of 16 panoramas each.
    side_px : int
        Width and height of a panorama; `PUBLISHED_SIDE_PX` is the published size.
    processes : int
        How many panoramas are simulated at a time.
    progress : bool
        Whether to show a bar on standard error.

    Returns
    -------
    list of Panorama
        The manifest's rows, each image pinned by its SHA-256.

    Raises
    ------
    NnbookError
        Where an argument is out of range, or the folder holds another twin.
    """
    from tqdm import tqdm

    planned = simulate_manifest(seed, runs, side_px)
    manifest = out / "manifest.csv"
    _check_same_twin(manifest, planned)
    write_manifest(manifest, planned)
    written: dict[str, Panorama] = {}
    with tqdm(total=len(planned), unit="panorama", desc="twin", disable=not progress) as bar:
        for panorama in _write_all(planned, out, processes):
            written[panorama.panorama] = panorama
            bar.update()
    with aside(out / "truth.csv") as path, path.open("w", encoding="utf-8", newline="") as file:
        for number, panorama in enumerate(planned):
            text = _paths(panorama, out)[2].read_text(encoding="utf-8")
            file.write(text if number == 0 else text.partition("\n")[2])
    rows = [written[panorama.panorama] for panorama in planned]
    write_manifest(manifest, rows)
    return rows


def _write_all(planned: list[Panorama], out: Path, processes: int) -> Iterator[Panorama]:
    missing = [row for row in planned if not all(path.is_file() for path in _paths(row, out))]
    if processes < 2 or len(missing) < 4:  # starting processes takes as long as a few small panoramas
        for panorama in planned:
            yield write_panorama(panorama, out)
        return
    # Spawned, not forked: the caller may run threads.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(write_panorama, panorama, out) for panorama in planned]
        try:
            for job in as_completed(jobs):
                yield job.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _paths(panorama: Panorama, folder: Path) -> tuple[Path, Path, Path]:
    """Return where a panorama's image, truth mask and truth table are."""
    truth = folder / "truth"
    return folder / panorama.image, truth / f"{panorama.panorama}.tif", truth / f"{panorama.panorama}.csv"


def _check_same_twin(manifest: Path, planned: list[Panorama]) -> None:
    if not manifest.is_file():
        return
    there = {row.panorama: replace(row, image_sha256="") for row in read_manifest(manifest)}
    if any(there.get(row.panorama, row) != row for row in planned):
        raise NnbookError(f"{manifest}: is another twin's (seed or size differs); delete its folder or choose another")


def _check_place(seed: int, run: int, quarter: str, crop: str) -> None:
    if seed < 0:
        raise NnbookError(f"seed is {seed}; give a whole number from 0")
    if run < 1:
        raise NnbookError(f"run is {run}; give a whole number from 1")
    if quarter not in QUARTERS:
        raise NnbookError(f"quarter {quarter!r} is unknown; the twin has {', '.join(QUARTERS)}")
    if crop not in CROPS:
        raise NnbookError(f"crop {crop!r} is unknown; the twin has {', '.join(CROPS)}")


def _check_side(side_px: int) -> None:
    if not MIN_SIDE_PX <= side_px <= MAX_SIDE_PX:
        raise NnbookError(f"side is {side_px} px; the twin simulates {MIN_SIDE_PX} to {MAX_SIDE_PX:,} px")


def _stream(seed: int, run: int = 0, quarter: str = "", crop: str = "", purpose: int = 0) -> Generator:
    place = (QUARTERS.index(quarter) + 1 if quarter else 0, CROPS.index(crop) + 1 if crop else 0)
    return np.random.default_rng([seed, run, *place, purpose])


def _run_effects(shift: NDArray[np.float64], run: int) -> tuple[float, float, float]:
    """Return a run's root of the count, its brightness in grey levels and its log spread / mean."""
    from scipy.special import ndtri

    ratio = 1.2207440846057596  # the root of x^4 = x + 1 gives the recurrence in three dimensions
    even = (shift + run / ratio ** np.arange(1, 4)) % 1
    first, second, third = ndtri(np.clip(even, 0.002, 0.998))
    mean = float(np.interp(first, RUN_MEAN_GREY_DEVIATES, RUN_MEAN_GREY_QUANTILES))
    tie = RUN_COUNT_MEAN_CORRELATION
    root_count = RUN_ROOT_COUNT[0] + RUN_ROOT_COUNT[1] * (tie * first + math.sqrt(1 - tie**2) * second)
    log_spread = RUN_LOG_SPREAD[0] + RUN_LOG_SPREAD_PER_GREY * (mean - RUN_MEAN_GREY) + RUN_LOG_SPREAD[1] * third
    return float(root_count), mean, float(log_spread)


def _lay_out(rng: Generator, look: Look, frame: _Frame) -> tuple[NDArray[Any], pd.DataFrame]:
    """Place nuclei: clustered, keeping apart, some laid against each other. Rows go from the top down."""
    expected = look.per_mpx * frame.width * frame.height / frame.scale**2 / 1e6
    count = int(expected) + int(rng.random() < expected % 1)
    crowding = _crowding(rng, frame)
    made: list[NDArray[Any]] = []
    facts: list[dict[str, Any]] = []
    laid = _Laid([], np.empty((0, 2)), np.empty(0))
    for _ in range(count):
        kind = nuclei.draw_class(rng)
        bodies, fact = nuclei.make_nucleus(kind, rng, scale=frame.scale, size=look.size, contrast=look.contrast)
        outline = nuclei.outline_points(bodies)
        against = rng.random() < TOUCHING_SHARE
        place = None
        if made and against and kind not in nuclei.MITOSES:  # a dividing cell rounds up and pushes others away
            place = _against(rng, outline, laid, frame)
        if place is None:
            place = _apart(rng, outline, laid, crowding, frame)
        bodies["x"] += place[0]
        bodies["y"] += place[1]
        made.append(bodies)
        laid = laid.and_(outline, place)
        cut = not _within(outline + place, frame)
        facts.append({"class": kind, "x": place[0], "y": place[1], "bodies": len(bodies), "cut": cut, **fact})
    order = np.argsort(laid.centres[:, 1], kind="stable")
    for row, index in enumerate(order):
        made[index]["nucleus"] = row
    columns = ["class", "x", "y", "bodies", "cut", "dna_content", "defocus_um", "offset"]
    from_top = [np.empty(0, dtype=nuclei.BODY), *(made[index] for index in order)]
    return np.concatenate(from_top), pd.DataFrame([facts[index] for index in order], columns=columns)


def _crowding(rng: Generator, frame: _Frame) -> NDArray[np.float64]:
    """Return a coarse map of where cells settled, from 0 to 1: patches of about 2000 px."""
    smooth = _smooth_noise(rng, frame, 4 * CELL_PX, 7.0)
    dense = np.exp(0.35 * smooth)
    return np.asarray(dense / dense.max())


def _smooth_noise(rng: Generator, frame: _Frame, pitch_px: float, sigma: float) -> NDArray[np.float64]:
    """Return a coarse map of smooth noise of mean 0 and variance 1, its pitch and its smoothness (in pitches) given."""
    noise = rng.standard_normal(frame.coarse(pitch_px))
    return _blur(noise, sigma, "reflect") * (2 * sigma * math.sqrt(math.pi))


def _blur(coarse: NDArray[np.float64], sigma: float, mode: str) -> NDArray[np.float64]:
    from skimage.filters import gaussian

    return np.asarray(gaussian(coarse, sigma, mode=mode))  # type: ignore[no-untyped-call]


def _apart(
    rng: Generator, outline: NDArray[np.float64], laid: _Laid, crowding: NDArray[np.float64], frame: _Frame
) -> NDArray[np.float64]:
    """Find a place in sight of the frame where the nucleus touches no other, and seldom comes near one."""
    pitch = 4 * CELL_PX * frame.scale
    reach = np.hypot(*outline.T).max()
    place = np.zeros(2)
    for attempt in range(400):
        place = rng.uniform((-reach, -reach), (frame.width + reach, frame.height + reach))
        chance = rng.random(2)
        if not _in_sight(outline + place, frame):
            continue
        column, row = (np.maximum(place, 0) / pitch).astype(int)
        if attempt < 200 and chance[0] > crowding[row, column]:
            continue
        gap = _gap(outline, place, laid, 60 * frame.scale) / frame.scale
        # A soft core 25 px deep; on a crowded panorama it gives way, at last even to contact.
        if gap > 4 and (attempt > 200 or chance[1] < 1 - math.exp(-((gap / 25) ** 2))):
            break
    return place


def _against(rng: Generator, outline: NDArray[np.float64], laid: _Laid, frame: _Frame) -> NDArray[np.float64] | None:
    """Find a place in contact with one other nucleus, or overlapping it a little, clear of all the rest."""
    for _ in range(12):
        other = int(rng.integers(len(laid.points)))
        angle = rng.uniform(0, 2 * math.pi)
        wanted = (-rng.uniform(8, 26) if rng.random() < 0.35 else rng.uniform(-4, 1)) * frame.scale
        line = np.array([math.cos(angle), math.sin(angle)])
        far = np.hypot(*outline.T).max() + laid.reaches[other]
        for _ in range(6):  # slide in along the line until the outlines are as far apart as wanted
            shift = far * line
            far += wanted - _clearance(outline + shift, laid.points[other], shift)
        place: NDArray[np.float64] = laid.centres[other] + far * line
        clear = _gap(outline, place, laid, 10 * frame.scale, but=other)
        if _in_sight(outline + place, frame) and clear > 6 * frame.scale:
            return place
    return None


def _in_sight(points: NDArray[np.float64], frame: _Frame) -> bool:
    return bool(((points >= 0) & (points <= (frame.width - 1, frame.height - 1))).all(axis=1).any())


def _within(points: NDArray[np.float64], frame: _Frame) -> bool:
    return bool(((points >= 0) & (points <= (frame.width - 1, frame.height - 1))).all())


def _gap(
    outline: NDArray[np.float64], place: NDArray[np.float64], laid: _Laid, enough: float, *, but: int = -1
) -> float:
    """Return the least distance from a nucleus's outline to the others' in px, `enough` where none is nearer.

    Where outlines overlap, minus how deep. One other, `but`, is left out.
    """
    least = enough
    apart = np.hypot(*(laid.centres - place).T) - laid.reaches - np.hypot(*outline.T).max()
    for index in np.flatnonzero(apart < enough):
        if index != but:
            shift = place - laid.centres[index]
            least = min(least, _clearance(outline + shift, laid.points[index], shift))
    return least


@compiled
def _clearance(a: NDArray[np.float64], b: NDArray[np.float64], shift: NDArray[np.float64]) -> float:
    """Return the distance between two sets of outline points; minus how deep where they overlap along `shift`."""
    best = np.inf
    for i in range(len(a)):
        for j in range(len(b)):
            dx, dy = a[i, 0] - b[j, 0], a[i, 1] - b[j, 1]
            best = min(best, dx * dx + dy * dy)
    length = math.hypot(shift[0], shift[1]) + 1e-9
    ux, uy = shift[0] / length, shift[1] / length
    # How far b has to be left behind along the line of centres before nothing of a lies beside it nearer.
    deepest = -np.inf
    for i in range(len(a)):
        along_a, across_a = a[i, 0] * ux + a[i, 1] * uy, a[i, 1] * ux - a[i, 0] * uy
        for j in range(len(b)):
            across_b = b[j, 1] * ux - b[j, 0] * uy
            if abs(across_a - across_b) < 4.0:
                deepest = max(deepest, b[j, 0] * ux + b[j, 1] * uy - along_a)
    return math.sqrt(best) if deepest < 0 else -deepest


def _scatter_debris(rng: Generator, count: int, frame: _Frame) -> NDArray[Any]:
    parts = [np.empty(0, dtype=nuclei.BODY)]
    for _ in range(int(rng.poisson(DEBRIS_PER_NUCLEUS * max(count, 1)))):
        bodies = nuclei.make_debris(rng, scale=frame.scale)
        bodies["x"] += rng.uniform(0, frame.width)
        bodies["y"] += rng.uniform(0, frame.height)
        parts.append(bodies)
    return np.concatenate(parts)


def _haze(rng: Generator, facts: pd.DataFrame, look: Look, frame: _Frame) -> NDArray[np.float32]:
    """Return a coarse map of background light in grey levels: unbound stain, and light from outside the section."""
    cells = np.zeros(frame.coarse(CELL_PX))
    np.add.at(cells, _cell_of(facts, cells.shape, frame), 1.0)
    # One nucleus spread over a cell body of 25 um has height 1 at its centre.
    glow = _blur(cells, 3.2, "constant") * (2 * math.pi * 3.2**2)
    slow, patchy = _smooth_noise(rng, frame, CELL_PX, 12.0), _smooth_noise(rng, frame, CELL_PX, 2.0)
    level = 0.018 * np.exp(0.35 * slow) + 0.030 * glow * np.exp(0.25 * patchy)
    return np.asarray(look.mean_grey * level, dtype=np.float32)


def _cell_of(facts: pd.DataFrame, shape: tuple[int, ...], frame: _Frame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row and the column of each nucleus's centre in a coarse map of pitch `CELL_PX`."""
    pitch = CELL_PX * frame.scale
    row = np.clip(facts["y"].to_numpy(dtype=np.float64) / pitch, 0, shape[0] - 1).round().astype(np.int64)
    column = np.clip(facts["x"].to_numpy(dtype=np.float64) / pitch, 0, shape[1] - 1).round().astype(np.int64)
    return row, column


def _stain(
    rng: Generator,
    bodies: NDArray[Any],
    facts: pd.DataFrame,
    look: Look,
    haze: NDArray[np.float32],
    *,
    frame: _Frame,
) -> NDArray[np.float64]:
    """Return each nucleus's grey level (and, last, debris's), so that mean and spread in the masks are as drawn.

    Staining follows a gamma distribution over nuclei, its quantiles dealt out evenly. Its level and its width are
    solved for from a sample of the panorama's own masks, saturation and noise included.
    """
    from scipy.special import ndtri

    count = len(facts)
    if not count:
        return np.array([look.mean_grey])
    deviate = ndtri((rng.permutation(count) + rng.random(count)) / count)
    deviate[facts["class"].isin(nuclei.MITOSES)] *= 0.6  # condensed chromatin is bright in every cell
    offset = facts["offset"].to_numpy(dtype=np.float64)
    owner, relative = nuclei.sample_bodies(bodies, frame.width, frame.height, max(2, round(6 * frame.scale)))
    behind = look.dark_grey + haze[_cell_of(facts, haze.shape, frame)].astype(np.float64)
    grey = _fit_staining(owner, relative, deviate, offset, behind, look.mean_grey, look.spread_grey, look.noise_grey)
    return np.append(grey, np.median(grey))


@compiled
def _staining(
    deviate: NDArray[np.float64], offset: NDArray[np.float64], level: float, width: float
) -> NDArray[np.float64]:
    """Return grey levels from normal deviates: about gamma-distributed (Wilson & Hilferty 1931), never quite dark."""
    root = np.maximum(1 - width * width / 9 + width * deviate / 3, 0.44)
    return np.asarray(level * np.exp(offset) * root * root * root)


@compiled
def _fit_staining(  # noqa: PLR0917 - numba takes no keyword-only arguments
    owner: NDArray[np.int32],
    relative: NDArray[np.float32],
    deviate: NDArray[np.float64],
    offset: NDArray[np.float64],
    behind: NDArray[np.float64],
    mean: float,
    spread: float,
    noise: float,
) -> NDArray[np.float64]:
    """Find the staining by bisection: the mean grows with its level, and then the spread with its width."""
    narrow, wide = 0.1, 2.4
    grey = np.empty(len(deviate))
    for _ in range(16):
        width = (narrow + wide) / 2
        low, high = math.log(mean / 20), math.log(mean * 20)
        spread_now = 0.0
        for _ in range(18):
            level = (low + high) / 2
            grey = _staining(deviate, offset, math.exp(level), width)
            total, squares = 0.0, 0.0
            for k in range(len(owner)):
                clean = behind[owner[k]] + grey[owner[k]] * relative[k]
                value = min(clean, 255.0)
                total += value
                squares += value * value + (noise * clean if clean < 255.0 else 0.0)
            mean_now = total / max(len(owner), 1)
            spread_now = math.sqrt(max(squares / max(len(owner), 1) - mean_now * mean_now, 0.0))
            if mean_now < mean:
                low = level
            else:
                high = level
        if spread_now < spread:
            narrow = width
        else:
            wide = width
    return grey


def _shading(
    rng: Generator, look: Look, frame: _Frame
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Return the fields' shading along x and along y, each field's gain, and the place of every column and row in them.

    A place is the field's number plus, in the overlap before the next field, how far blending has gone.
    """
    stride = FIELD_PX * (1 - FIELD_OVERLAP)
    blend = FIELD_PX * FIELD_OVERLAP
    profiles, places = [], []
    for length in (frame.width, frame.height):
        phase = rng.uniform(0, stride)
        tilt = rng.normal(0, 0.25) * look.shading
        at = np.arange(length) + phase
        field = np.floor(at / stride)
        inside = at - field * stride
        weight = np.clip((inside - (stride - blend)) / blend, 0, 1)

        def dimming(u: NDArray[np.float64], tilt: float = tilt) -> NDArray[np.float64]:
            return np.asarray(tilt * u - look.shading / 2 * (u * u - 1 / 3))

        here, there = dimming(2 * inside / FIELD_PX - 1), dimming(2 * (inside - stride) / FIELD_PX - 1)
        profiles.append(((1 - weight) * here + weight * there).astype(np.float32))
        places.append(field + weight)
    gains = rng.normal(1, 0.012, (int(places[1][-1]) + 2, int(places[0][-1]) + 2)).astype(np.float32)
    return profiles[0], profiles[1], gains, places[0], places[1]


@compiled
def _expose(  # noqa: PLR0917 - numba takes no keyword-only arguments
    image: NDArray[np.uint8],
    signal: NDArray[np.float32],
    top: int,
    haze: NDArray[np.float32],
    pitch: float,
    shade_x: NDArray[np.float32],
    shade_y: NDArray[np.float32],
    gains: NDArray[np.float32],
    place_x: NDArray[np.float64],
    place_y: NDArray[np.float64],
    dark: float,
    noise: float,
    seed: int,
) -> None:
    """Expose one strip: haze, shading and gain of the fields, shot and read noise, 8 bits."""
    height, width = signal.shape
    for row in range(height):
        y = row + top
        at_y = y / pitch
        iy = int(at_y)
        wy = at_y - iy
        jy = int(place_y[y])
        vy = place_y[y] - jy
        for column in range(width):
            at_x = column / pitch
            ix = int(at_x)
            wx = at_x - ix
            upper = haze[iy, ix] + wx * (haze[iy, ix + 1] - haze[iy, ix])
            lower = haze[iy + 1, ix] + wx * (haze[iy + 1, ix + 1] - haze[iy + 1, ix])
            jx = int(place_x[column])
            vx = place_x[column] - jx
            left = gains[jy, jx] + vy * (gains[jy + 1, jx] - gains[jy, jx])
            right = gains[jy, jx + 1] + vy * (gains[jy + 1, jx + 1] - gains[jy, jx + 1])
            light = (signal[row, column] + upper + wy * (lower - upper)) * (1 + shade_x[column] + shade_y[y])
            light *= left + vx * (right - left)
            # The sum of the four 16-bit numbers of two hashes is near enough to normal, and the same in any strip.
            a, b = nuclei.scramble(column, y, seed), nuclei.scramble(y, column, seed + 77)
            deviate = ((a & 0xFFFF) + (a >> 16) + (b & 0xFFFF) + (b >> 16)) * (1 / 65535) - 2
            deviate *= math.sqrt(3.0)
            value = dark + light + deviate * math.sqrt(noise * light + 0.8)
            image[row, column] = np.uint8(min(255.0, max(0.0, value + 0.5)))


def _truth_table(labels: Labels, facts: pd.DataFrame, brightness: NDArray[np.float64]) -> pd.DataFrame:
    """Measure the masks; drop a nucleus that lies wholly under others and renumber, in place."""
    sums, touching, cut = _measure(labels, len(facts))
    seen = sums[:, 0] > 0
    if not seen.all():
        number = np.concatenate([[0], np.cumsum(seen) * seen]).astype(np.int32)
        np.take(number, labels, out=labels)
    table = facts[seen]
    area = sums[seen, 0]
    return pd.DataFrame(
        {
            "label": np.arange(1, len(table) + 1),
            "class": table["class"].to_numpy(),
            "x_px": (sums[seen, 1] / area).round(2),
            "y_px": (sums[seen, 2] / area).round(2),
            "area_px": area.astype(np.int64),
            "bodies": table["bodies"].to_numpy(dtype=np.int64),
            "touching": touching[seen],
            "cut": cut[seen] | table["cut"].to_numpy(dtype=bool),
            "dna_content": table["dna_content"].to_numpy(dtype=np.float64).round(3),
            "defocus_um": table["defocus_um"].to_numpy(dtype=np.float64).round(3),
            "brightness": brightness[:-1][seen].round(2),
        },
        columns=list(TRUTH_COLUMNS),
    )


@compiled
def _measure(labels: NDArray[np.int32], count: int) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return area and sums of x and y of each label, whether it meets another, and whether it lies on the frame."""
    height, width = labels.shape
    sums = np.zeros((count, 3))
    touching, cut = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    for y in range(height):
        for x in range(width):
            label = labels[y, x]
            if label == 0:
                continue
            sums[label - 1, 0] += 1
            sums[label - 1, 1] += x
            sums[label - 1, 2] += y
            if x == 0 or x == width - 1 or y == 0 or y == height - 1:
                cut[label - 1] = True
            for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1)):
                if y + dy < height and 0 <= x + dx < width:
                    other = labels[y + dy, x + dx]
                    if other > 0 and other != label:
                        touching[label - 1] = True
                        touching[other - 1] = True
    return sums, touching, cut
