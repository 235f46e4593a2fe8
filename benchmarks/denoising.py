"""What denoising gains, loses and invents: `python benchmarks/denoising.py DATA OUT.json`.

A panorama of the twin is drawn without noise (`clean_panorama`), with small discs planted in its background, and gets
Poisson noise of so many photons and the read noise of a camera, in 16 bits. Denoised images are compared with the image
without noise, and segmented by the shipped model. Fields of DATA/isbi2009_u2os, whose own noise is small, get noise as
well. Filters have an advantage that no user has: the parameter of each is the one that comes nearest the truth. The
network has none of it: it is trained on the noisy images alone, with the default settings. All takes 6 minutes on one
thread, and 10 where the machine does other work as well. The crops of the book's figure go to OUT.png.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from measured_on import heading
from PIL import Image as PillowImage
from scipy.ndimage import binary_dilation, binary_erosion, find_objects, gaussian_filter, label, median_filter
from skimage.metrics import structural_similarity
from skimage.restoration import denoise_nl_means

from nnbook.denoising.denoiser import DenoisingSettings, train_denoiser
from nnbook.evaluation.metrics import evaluate
from nnbook.io.files import write_json
from nnbook.io.images import read_image, read_mask
from nnbook.io.inputs import pair_files
from nnbook.segmentation.diameter import median_diameter
from nnbook.segmentation.model import load_model
from nnbook.segmentation.workflow import segment_image
from nnbook.simulation.grid import GRID_PX, Frame
from nnbook.simulation.imaging import draw_haze, draw_shading, expose, stain
from nnbook.simulation.placement import place_nuclei, scatter_debris
from nnbook.simulation.population import draw_imaging_conditions, random_stream
from nnbook.simulation.rendering import draw_components
from nnbook.values.published import DIAMETER_PX

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.segmentation.model import Model

PLACE: Final = (12, 12, "BR", "top_left")
SIDE_PX: Final = 2048
EXPOSURES: Final = 32
PHOTONS: Final = (100.0, 10.0, 2.0, 0.5)
"""Photons that a pixel of a nucleus gets on average."""

CORRELATED: Final = 10.0
CORRELATION_SD_PX: Final = 0.8
"""At how many photons noise is also tried that is blurred, so that neighbours have it in common; its SD is the same."""

READ_NOISE: Final = 2.0
GAIN, OFFSET = 20.0, 500.0
"""Read noise in grey levels of the twin; levels of the 16-bit camera for one of the twin, and at no light."""

SPOT_PX: Final = (4, 8, 16)
SPOTS: Final = 12
SPOT_CONTRAST: Final = 0.5
SPOT_BLUR_PX: Final = 1.2
"""Discs planted in the background: their diameters, how many of each, and how bright, as a share of nuclei."""

FROM_NUCLEI_PX: Final = 40
SPECK: Final = 0.1
SPECK_PX: Final = 4
"""Pure background is so far from all that was drawn. A speck is at least so large there, and brighter than the truth by
more than this share of a nucleus."""

TUNING_PX: Final = 512
SSIM_PX: Final = 1024
FIELDS: Final = 3
FIELD_PHOTONS: Final = 2.0
CROP_PX: Final = 256
CROP_PHOTONS: Final = 2.0


def clean_panorama() -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Draw the panorama of `PLACE` without shot noise: the mean of exposures, whose read noise averages out."""
    conditions = draw_imaging_conditions(*PLACE)
    rng = random_stream(*PLACE, 1)
    frame = Frame(SIDE_PX, SIDE_PX, 1.0)
    components, table = place_nuclei(rng, conditions, frame)
    drawn = np.concatenate([components, scatter_debris(rng, len(table), frame)])
    haze = draw_haze(rng, table, conditions, frame)
    brightness = stain(rng, components, table, conditions, haze, frame=frame)
    shading = draw_shading(rng, conditions, frame)
    signal, labels = np.zeros((SIDE_PX, SIDE_PX), np.float32), np.zeros((SIDE_PX, SIDE_PX), np.int32)
    draw_components(signal, labels, np.full_like(signal, -np.inf), 0, drawn, brightness)
    total, one = np.zeros(signal.shape), np.empty(signal.shape, np.uint8)
    for seed in range(EXPOSURES):
        expose(one, signal, 0, haze, GRID_PX, *shading, conditions.dark_grey, 0.0, seed)
        total += one
    return total / EXPOSURES, labels


def background(truth: NDArray[np.float64], labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return where there is neither a nucleus nor debris near."""
    drawn = (labels > 0) | (gaussian_filter(truth, 2) > 0.1 * truth[labels > 0].mean())
    small = binary_dilation(drawn[::4, ::4], iterations=FROM_NUCLEI_PX // 4)
    return np.asarray(~np.kron(small, np.ones((4, 4), bool)))


def plant_spots(
    truth: NDArray[np.float64], empty: NDArray[np.bool_], contrast: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], list[tuple[int, int, int]]]:
    """Return the image with discs in its background, and where: row, column and diameter."""
    free = empty.copy()
    free[:32], free[-32:], free[:, :32], free[:, -32:] = False, False, False, False
    planted, spots = np.zeros_like(truth), []
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    for diameter in np.repeat(SPOT_PX, SPOTS):
        row, column = (int(axis) for axis in rng.choice(np.argwhere(free[::8, ::8])) * 8)
        near = np.s_[row - 32 : row + 32, column - 32 : column + 32]
        planted[near][(y[near] - row) ** 2 + (x[near] - column) ** 2 <= (diameter / 2) ** 2] = contrast
        free[max(0, row - 80) : row + 80, max(0, column - 80) : column + 80] = False
        spots.append((row, column, int(diameter)))
    return truth + gaussian_filter(planted, SPOT_BLUR_PX), spots


def add_noise(
    truth: NDArray[np.float64], photons_per_grey: float, rng: np.random.Generator, blur_px: float = 0.0
) -> NDArray[np.uint16]:
    """Return what a 16-bit camera makes of an image: Poisson and read noise, not cut off at 0."""
    noise = rng.poisson(truth * photons_per_grey) / photons_per_grey - truth + rng.normal(0, READ_NOISE, truth.shape)
    if blur_px:
        blurred = gaussian_filter(noise, blur_px)
        noise = blurred * (noise.std() / blurred.std())
    camera: NDArray[np.uint16] = np.clip(np.rint(GAIN * (truth + noise) + OFFSET), 0, 65535).astype(np.uint16)
    return camera


def grey(camera: NDArray[Any]) -> NDArray[np.float64]:
    """Return levels of the camera as grey levels of the image without noise."""
    return (camera.astype(np.float64) - OFFSET) / GAIN


FILTERS: Final[dict[str, tuple[Any, tuple[float, ...]]]] = {
    "Gaussian": (gaussian_filter, (0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)),
    "Median": (lambda image, size: median_filter(image, int(size)), (3, 5, 7, 9, 13, 17)),
    "Non-local means": (
        lambda image, share: denoise_nl_means(
            image, patch_size=5, patch_distance=6, h=share * noise_sd(image), sigma=noise_sd(image), fast_mode=True
        ),
        (0.8, 1.5, 2.5, 4.0, 6.0, 9.0),
    ),
}
"""Each with the parameters that are tried: SD in px, side in px, and strength as a share of the noise's SD."""


def noise_sd(image: NDArray[np.float64]) -> float:
    """Estimate the noise's SD from differences of neighbours."""
    return float(np.sqrt(np.mean(np.diff(image, axis=1) ** 2) / 2))


def psnr(image: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Return the peak signal-to-noise ratio in dB for a peak of 255."""
    return float(10 * np.log10(255**2 / np.mean((image - truth) ** 2)))


def denoised_images(
    noisy: dict[str, NDArray[np.uint16]], truths: dict[str, NDArray[np.float64]]
) -> tuple[dict[str, dict[str, NDArray[np.float64]]], dict[str, dict[str, float]]]:
    """Return images by method and name, and of each method its parameter and seconds a megapixel."""
    first = next(iter(noisy))
    size = sum(image.size for image in noisy.values()) / 1e6
    made: dict[str, dict[str, NDArray[np.float64]]] = {"Noisy": {name: grey(image) for name, image in noisy.items()}}
    about: dict[str, dict[str, float]] = {"Noisy": {}}
    middle = tuple(slice((side - TUNING_PX) // 2, (side + TUNING_PX) // 2) for side in noisy[first].shape)
    for method, (function, parameters) in FILTERS.items():
        crop, true = made["Noisy"][first][middle], truths[first][middle]
        best = max(parameters, key=lambda one: psnr(function(crop, one), true))
        start = time.perf_counter()
        made[method] = {name: function(image, best) for name, image in made["Noisy"].items()}
        about[method] = {"parameter": best, "seconds_per_megapixel": (time.perf_counter() - start) / size}
    start = time.perf_counter()
    denoiser = train_denoiser(noisy)
    trained = time.perf_counter()
    made["nnbook denoise"] = {name: grey(denoiser.denoise(image).image) for name, image in noisy.items()}
    about["nnbook denoise"] = {
        "training_seconds": trained - start,
        "seconds_per_megapixel": (time.perf_counter() - trained) / size,
    }
    made["Truth"], about["Truth"] = truths, {}
    return made, about


def f1(image: NDArray[np.float64], true: NDArray[np.int32], model: Model, diameter: float) -> float:
    """Segment an image and return the F1 at an IoU of 0.5."""
    camera = np.clip(np.rint(GAIN * image + OFFSET), 0, 65535).astype(np.uint16)
    return float(evaluate(segment_image(camera, model, diameter_px=diameter), true)["f1_0.50"])


def contents(
    image: NDArray[np.float64],
    truth: NDArray[np.float64],
    labels: NDArray[np.int32],
    empty: NDArray[np.bool_],
    spots: list[tuple[int, int, int]],
) -> dict[str, Any]:
    """Return what an image has of true structure, and what it has that is not there."""
    brightness, texture, likeness = [], [], []
    for number, box in enumerate(find_objects(labels), start=1):
        own = labels[box] == number
        inside = binary_erosion(own, iterations=8)
        if np.count_nonzero(inside) < 1000:
            continue
        made, true = image[box], truth[box]
        brightness.append(made[own].mean() / true[own].mean() - 1)
        texture.append(made[inside].std() / true[inside].std())
        likeness.append(np.corrcoef(made[inside], true[inside])[0, 1])
    level = truth[labels > 0].mean()
    error = np.where(empty, image - truth, 0)
    components, count = label(error > SPECK * level)
    large = np.count_nonzero(np.bincount(components.ravel())[1:] >= SPECK_PX) if count else 0
    kept: dict[str, list[float]] = {f"spot_{diameter}px": [] for diameter in SPOT_PX}
    for row, column, diameter in spots:
        contrasts = []
        for one in (image, truth):
            near = one[row - 24 : row + 25, column - 24 : column + 25]
            distance = np.hypot(*np.mgrid[-24:25, -24:25])
            contrasts.append(near[distance <= diameter / 2].mean() - near[distance > 16].mean())
        kept[f"spot_{diameter}px"].append(contrasts[0] / contrasts[1])
    return {
        "brightness_error_median": float(np.median(brightness)),
        "brightness_error_most": float(np.max(np.abs(brightness))),
        "texture_sd_ratio": float(np.median(texture)),
        "texture_correlation": float(np.median(likeness)),
        "background_sd_of_nucleus": float(error[empty].std() / level),
        "background_most_of_nucleus": float(error[empty].max() / level),
        "specks_per_megapixel": large / (np.count_nonzero(empty) / 1e6),
        **{name: float(np.mean(values)) for name, values in kept.items()},
        **{f"{name}_sd": float(np.std(values)) for name, values in kept.items()},
    }


def rounded(value: Any) -> Any:
    """Round what is in a report to four digits behind the point."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def measure_twin(model: Model, out: Path) -> list[dict[str, Any]]:
    """Measure all levels of noise on the twin."""
    truth, labels = clean_panorama()
    empty = background(truth, labels)
    level = float(truth[labels > 0].mean())
    truth, spots = plant_spots(truth, empty, SPOT_CONTRAST * level, np.random.default_rng(3))
    for y, x, _ in spots:
        empty[y - 24 : y + 25, x - 24 : x + 25] = False
    middle = np.s_[(SIDE_PX - SSIM_PX) // 2 : (SIDE_PX + SSIM_PX) // 2]
    rows = []
    for photons, blur_px in [*((photons, 0.0) for photons in PHOTONS), (CORRELATED, CORRELATION_SD_PX)]:
        noisy = add_noise(truth, photons / level, np.random.default_rng(4), blur_px)
        made, about = denoised_images({"twin": noisy}, {"twin": truth})
        if photons == CROP_PHOTONS:
            write_crops(out, [made[name]["twin"] for name in ("Noisy", "nnbook denoise", "Gaussian", "Truth")], labels)
        for method, images in made.items():
            image = images["twin"]
            row: dict[str, Any] = {"photons": photons, "noise_blur_px": blur_px, "method": method, **about[method]}
            if method != "Truth":
                row |= {
                    "psnr_db": psnr(image, truth),
                    "ssim": float(structural_similarity(image[middle, middle], truth[middle, middle], data_range=255)),
                    **contents(image, truth, labels, empty, spots),
                }
            rows.append(rounded({**row, "f1": f1(image, labels, model, DIAMETER_PX)}))
            print(rows[-1], file=sys.stderr)
    return rows


def measure_fields(folder: Path, model: Model) -> list[dict[str, Any]]:
    """Measure real fields: as they are, they stand for the truth, and noise is added."""
    truths, labels, noisy = {}, {}, {}
    for number, (name, (image, mask)) in enumerate(pair_files(folder / "images", folder / "labels").items()):
        if number == FIELDS:
            break
        labels[name] = read_mask(mask)
        field = read_image(image).astype(np.float64)
        nuclei, dark = field[labels[name] > 0].mean(), np.percentile(field, 1)
        truths[name] = np.maximum(field - dark, 0) * (85 / (nuclei - dark))
        noisy[name] = add_noise(truths[name], FIELD_PHOTONS / 85, np.random.default_rng(number))
    made, about = denoised_images(noisy, truths)
    rows = []
    for method, images in made.items():
        row: dict[str, Any] = {"photons": FIELD_PHOTONS, "method": method, **about[method]}
        if method != "Truth":
            pairs = [(image, truths[name]) for name, image in images.items()]
            row["psnr_db"] = float(np.mean([psnr(*pair) for pair in pairs]))
            row["ssim"] = float(np.mean([structural_similarity(*pair, data_range=255) for pair in pairs]))
        scores = [f1(image, labels[name], model, median_diameter(labels[name])) for name, image in images.items()]
        rows.append(rounded({**row, "f1": float(np.mean(scores))}))
        print(rows[-1], file=sys.stderr)
    return rows


def write_crops(out: Path, images: list[NDArray[np.float64]], labels: NDArray[np.int32]) -> None:
    """Write crops of images around one nucleus, side by side in 8 bits, for the figure of the book."""
    numbers, counts = np.unique(labels[512:-512, 512:-512], return_counts=True)
    own = np.argwhere(labels == numbers[1:][np.argsort(counts[1:])[len(counts) // 2]])
    row, column = (int(np.clip(side, CROP_PX // 2, SIDE_PX - CROP_PX // 2)) for side in own.mean(axis=0))
    place = np.s_[row - CROP_PX // 2 : row + CROP_PX // 2, column - CROP_PX // 2 : column + CROP_PX // 2]
    crops = np.concatenate([np.clip(np.rint(image[place]), 0, 255) for image in images], axis=1)
    PillowImage.fromarray(crops.astype(np.uint8)).save(out.with_suffix(".png"), optimize=True)


def main(data: Path, out: Path) -> None:
    """Measure everything and write it with what it depends on."""
    torch.set_num_threads(1)
    model = load_model()
    head = heading("torch", "scikit-image", "scipy")
    settings = DenoisingSettings()
    start = time.perf_counter()
    report = {
        **head,
        "model_sha256": model.sha256,
        "steps": settings.steps,
        "read_noise_grey": READ_NOISE,
        "spot_contrast": SPOT_CONTRAST,
        "speck": SPECK,
        "fields": FIELDS,
        "twin": measure_twin(model, out),
        "isbi2009_u2os": measure_fields(data / "isbi2009_u2os", model),
    }
    write_json(out, {**report, "seconds": round(time.perf_counter() - start)})


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:3]))
