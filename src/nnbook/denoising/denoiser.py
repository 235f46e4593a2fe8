"""Training a network on noisy images alone, and what it makes of an image."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from nnbook.denoising.blind_spots import draw_blind_spots, draw_patches, hide
from nnbook.errors import InvalidValueError, MissingFileError, NnbookError, reason
from nnbook.io.files import atomic_write
from nnbook.io.progress import show_progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nnbook.io.images import Image
    from nnbook.io.paths import PathLike

PERCENTILES: Final = (0.1, 99.9)
"""Between these lies the range of an image's grey levels."""

RANGE_TIMES: Final = 30.0
"""A network learns grey levels of one scale: images whose ranges differ by more are refused. Panoramas of one
experiment differ by a few times, those of 8 bits and of 16 by 256 times."""

TILE_PX: Final = 512
LEAST_PATCH_PX: Final = 16
WARM_UP_STEPS: Final = 20
MAX_GRADIENT: Final = 0.5
MODEL_KEYS: Final = {"nnbook_denoiser", "settings", "mean", "sd", "range_grey", "loss", "weights"}


@dataclass(frozen=True)
class DenoisingSettings:
    """How to train.

    Attributes
    ----------
    steps : int
        How many batches.
    batch, patch_px : int
        Patches a batch, and the side of a patch in px, a multiple of 4.
    learning_rate : float
        Its peak, from which it falls to 0 as a cosine.
    seed : int
        Of the network's first weights, of patches and of hidden pixels.
    """

    steps: int = 400
    batch: int = 8
    patch_px: int = 64
    learning_rate: float = 1e-3
    seed: int = 1


@dataclass(frozen=True)
class Denoiser:
    """A network that was trained to denoise, with the grey levels that it knows.

    Attributes
    ----------
    network : nnbook.denoising.network.UNet
        From standardised grey levels to such.
    mean, sd : float
        Of the grey levels of the images that it was trained on: they become 0 and 1.
    range_grey : float
        The widest range of grey levels among these images.
    loss : tuple of float
        Mean squared error of hidden pixels at each step, in units of `sd` squared. It ends at the noise's variance:
        a hidden pixel is compared with a noisy one.
    settings : DenoisingSettings
        How it was trained.
    """

    network: Any
    mean: float
    sd: float
    range_grey: float
    loss: tuple[float, ...]
    settings: DenoisingSettings

    def denoise(self, image: Image) -> Denoised:
        """Denoise one image, in its own type.

        Parameters
        ----------
        image : Image
            Axes (y, x), noisy grey levels on the scale of those that the network was trained on.

        Returns
        -------
        Denoised
            Whole numbers are rounded. What is beyond the type's range is set to its end and counted.

        Raises
        ------
        InvalidValueError
            Where the image has one grey level alone, or grey levels of quite another range.
        """
        check_images({"the image": image}, 1, self.range_grey)
        predicted = self._predict(image)
        if image.dtype.kind == "f":
            return Denoised(predicted.astype(image.dtype), 0)
        info = np.iinfo(image.dtype)
        rounded = np.rint(predicted.astype(np.float64))
        beyond = int(np.count_nonzero((rounded < info.min) | (rounded > info.max)))
        return Denoised(np.clip(rounded, info.min, info.max).astype(image.dtype), beyond)

    def _predict(self, image: Image) -> NDArray[np.float32]:
        """Return unrounded grey levels; tiles overlap by so much that where they are cut does not matter."""
        import torch

        from nnbook.denoising.network import MARGIN_PX, STEP_PX

        height, width = image.shape
        ends = [(MARGIN_PX, MARGIN_PX + -side % STEP_PX) for side in (height, width)]
        # Symmetric padding suits images that are narrower than the margin.
        padded = np.pad(standardised(image, self.mean, self.sd), ends, mode="symmetric")
        out = np.empty((height, width), np.float32)
        self.network.eval()
        with torch.inference_mode():
            for y in range(0, height, TILE_PX):
                for x in range(0, width, TILE_PX):
                    tile = padded[y : y + TILE_PX + 2 * MARGIN_PX, x : x + TILE_PX + 2 * MARGIN_PX]
                    batch = torch.from_numpy(tile[np.newaxis, np.newaxis].copy())
                    made = self.network(batch.contiguous(memory_format=torch.channels_last))[0, 0].numpy()
                    place = out[y : y + TILE_PX, x : x + TILE_PX]
                    place[:] = made[MARGIN_PX:, MARGIN_PX:][: place.shape[0], : place.shape[1]]
        return out * np.float32(self.sd) + np.float32(self.mean)


class Denoised(NamedTuple):
    """A denoised image.

    Attributes
    ----------
    image : Image
        Axes (y, x), of the noisy image's type.
    clipped_px : int
        Pixels whose prediction is beyond the range of that type.
    """

    image: Image
    clipped_px: int


def train_denoiser(images: Mapping[str, Image], settings: DenoisingSettings | None = None) -> Denoiser:
    """Train a network on noisy images alone: it predicts hidden pixels from their surroundings.

    Equal images and settings give equal networks, on one machine with one number of threads.

    Parameters
    ----------
    images : mapping of str to Image
        Axes (y, x), noisy grey levels of one scale, by the names that errors call them.
    settings : DenoisingSettings, optional
        How to train.

    Returns
    -------
    Denoiser

    Raises
    ------
    InvalidValueError
        Where an image is smaller than a patch, has one grey level alone, or has another range than the others; where
        a setting is out of range.
    NnbookError
        Where the loss is no longer a number.
    """
    import torch

    from nnbook.denoising.network import new_network

    settings = settings or DenoisingSettings()
    check_settings(settings)
    widest = check_images(images, settings.patch_px)
    mean, sd = _mean_and_sd(images)
    grey = [standardised(image, mean, sd) for image in images.values()]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = new_network()
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    rng = np.random.default_rng(settings.seed)
    losses: list[float] = []
    network.train()
    for step in show_progress(range(settings.steps), desc="denoise: train", unit="step"):
        for group in optimizer.param_groups:
            group["lr"] = _rate(settings, step)
        losses.append(_advance(network, optimizer, draw_patches(grey, rng, settings.batch, settings.patch_px), rng))
    if not math.isfinite(losses[-1]):
        raise NnbookError(f"the training loss is not a number after {settings.steps} steps; use a lower learning rate")
    return Denoiser(network.eval(), mean, sd, widest, tuple(losses), settings)


def _rate(settings: DenoisingSettings, step: int) -> float:
    rising = min(1.0, (step + 1) / WARM_UP_STEPS)
    return settings.learning_rate * rising * (1 + math.cos(math.pi * step / settings.steps)) / 2


def _advance(network: Any, optimizer: Any, patches: NDArray[np.float32], rng: np.random.Generator) -> float:
    """Train on a batch and return its loss.

    The squared error, because its best prediction is the mean, as the signal of Poisson noise is; that of the absolute
    error would be the median, which is darker.
    """
    import torch

    count, height, width = patches.shape
    places = draw_blind_spots((count, height, width), rng)
    hidden = torch.from_numpy(hide(patches, places)[:, np.newaxis])
    predicted = network(hidden.contiguous(memory_format=torch.channels_last))[:, 0]
    where = tuple(torch.from_numpy(axis) for axis in places)
    loss = torch.mean((predicted[where] - torch.from_numpy(patches[places])) ** 2)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT)
    optimizer.step()
    return float(loss.detach())


def standardised(image: Image, mean: float, sd: float) -> NDArray[np.float32]:
    """Return grey levels in 32 bits, of which `mean` is 0 and `mean + sd` 1."""
    return ((image.astype(np.float64) - mean) / sd).astype(np.float32)


def _mean_and_sd(images: Mapping[str, Image]) -> tuple[float, float]:
    count = sum(image.size for image in images.values())
    mean = sum(float(image.sum(dtype=np.float64)) for image in images.values()) / count
    squares = sum(float(np.sum((image.astype(np.float64) - mean) ** 2)) for image in images.values())
    return mean, math.sqrt(squares / count)


def check_settings(settings: DenoisingSettings) -> None:
    """Refuse settings that are out of range."""
    for name in ("steps", "batch"):
        if getattr(settings, name) < 1:
            raise InvalidValueError(f"{name} is {getattr(settings, name)}; give a whole number from 1", parameter=name)
    if settings.patch_px < LEAST_PATCH_PX or settings.patch_px % 4:
        raise InvalidValueError(
            f"patch_px is {settings.patch_px}; give a multiple of 4 from {LEAST_PATCH_PX}: the network halves it twice",
            parameter="patch_px",
        )
    if not settings.learning_rate > 0:
        raise InvalidValueError(
            f"learning_rate is {settings.learning_rate:g}; give a number above 0", parameter="learning_rate"
        )
    if settings.seed < 0:
        raise InvalidValueError(f"seed is {settings.seed}; give a whole number from 0", parameter="seed")


def check_images(images: Mapping[str, Image], side_px: int, known_range: float | None = None) -> float:
    """Refuse images that no network can be trained on together, or that are on another scale than the trained one's.

    Parameters
    ----------
    images : mapping of str to Image
        Axes (y, x), by the names that errors call them.
    side_px : int
        The least side.
    known_range : float, optional
        The range of the images that a network was trained on.

    Returns
    -------
    float
        The widest range of grey levels.

    Raises
    ------
    InvalidValueError
        With a line for the first image at fault.
    """
    if not images:
        raise InvalidValueError("images is empty; give at least one noisy image", parameter="images")
    ranges: dict[str, float] = {}
    for name, image in images.items():
        if min(image.shape) < side_px:
            raise InvalidValueError(
                f"{name}: has {image.shape[1]} x {image.shape[0]} px; the network learns from patches of {side_px} px, "
                "so give an image of at least that size"
            )
        ranges[name] = _range(image)
        if ranges[name] == 0:
            raise InvalidValueError(f"{name}: has one grey level alone, {image.flat[0]:g}; leave it out")
    narrow, wide = min(ranges, key=ranges.__getitem__), max(ranges, key=ranges.__getitem__)
    if ranges[wide] > RANGE_TIMES * ranges[narrow]:
        raise InvalidValueError(
            f"{wide}: has grey levels over a range of {ranges[wide]:g}, but {narrow} over one of {ranges[narrow]:g}; "
            "denoise images of one exposure and bit depth together, others apart"
        )
    if known_range is not None and not 1 / RANGE_TIMES <= ranges[wide] / known_range <= RANGE_TIMES:
        raise InvalidValueError(
            f"{wide}: has grey levels over a range of {ranges[wide]:g}, but the model was trained on one of "
            f"{known_range:g}; train one on images like this"
        )
    return ranges[wide]


def _range(image: Image) -> float:
    low, high = (float(level) for level in np.percentile(image, PERCENTILES))
    return high - low if high > low else float(image.max()) - float(image.min())


def write_denoiser(path: PathLike, denoiser: Denoiser) -> None:
    """Write a trained network to a file, in one step."""
    import torch

    with atomic_write(Path(path)) as written:
        torch.save(
            {
                "nnbook_denoiser": 1,
                "settings": asdict(denoiser.settings),
                "mean": denoiser.mean,
                "sd": denoiser.sd,
                "range_grey": denoiser.range_grey,
                "loss": list(denoiser.loss),
                "weights": denoiser.network.state_dict(),
            },
            written,
        )


def load_denoiser(path: PathLike) -> Denoiser:
    """Load a network that `nnbook denoise` wrote.

    Parameters
    ----------
    path : str or Path
        Its file, `denoiser.pt`.

    Returns
    -------
    Denoiser

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        Where the file is damaged, or is no such network.
    """
    import torch

    from nnbook.denoising.network import new_network

    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"{path}: no such model; leave it out to train one on the images themselves")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise NnbookError(
            f"{path}: can't be read as a model ({reason(error)[:200]}); give a denoiser.pt that nnbook denoise wrote"
        ) from error
    if not isinstance(state, dict) or state.keys() != MODEL_KEYS:
        raise NnbookError(f"{path}: is no model that denoises; give a denoiser.pt that nnbook denoise wrote")
    network = new_network()
    try:
        network.load_state_dict(state["weights"])
    except RuntimeError as error:
        raise NnbookError(f"{path}: has weights of another network; train it again with nnbook denoise") from error
    if not all(bool(torch.isfinite(weight).all()) for weight in state["weights"].values()):
        raise NnbookError(f"{path}: has weights that are not a number; it is damaged, so train it again")
    return Denoiser(
        network.eval(),
        float(state["mean"]),
        float(state["sd"]),
        float(state["range_grey"]),
        tuple(state["loss"]),
        DenoisingSettings(**state["settings"]),
    )
