"""One image without its noise, given as an array or as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnbook.denoising.denoiser import Denoiser, DenoisingSettings, load_denoiser, train_denoiser
from nnbook.io.images import as_image

if TYPE_CHECKING:
    from nnbook.io.images import Image
    from nnbook.io.paths import PathLike


def denoise(
    image: Image | PathLike,
    *,
    model: Denoiser | PathLike | None = None,
    steps: int = DenoisingSettings.steps,
    seed: int = 1,
) -> Image:
    """Denoise one image, by a network that is trained on the image itself, or was trained before.

    The network learns from noise that is independent from pixel to pixel: not from images that were compressed as JPEG,
    resampled or filtered before. Brightness is to be measured in the noisy image, whose means are right.

    Parameters
    ----------
    image : numpy.ndarray, str or Path
        Axes (y, x), one channel of noisy grey levels of any integer or floating-point type, or a TIFF or PNG file of
        one.
    model : Denoiser, str or Path, optional
        A network that was trained before (`nnbook.denoising.train_denoiser`), or its file. By default one is trained on
        the image, which takes a minute or two.
    steps : int
        How many batches it is trained on.
    seed : int
        Of the training: equal seeds give equal images, on one machine with one number of threads.

    Returns
    -------
    Image
        Axes (y, x), in the image's own type, to whose range predictions are limited.

    Raises
    ------
    MissingFileError
        Where the image's or the model's file isn't there.
    InvalidValueError
        Where the array is no image, is smaller than a patch of 64 px, has one grey level alone, or has another range
        than those that the model was trained on; where a setting is out of range.
    NnbookError
        Where a file can't be read as an image or model.

    Examples
    --------
    >>> import nnbook
    >>> image = nnbook.read_image("panorama.tif")
    >>> clean = nnbook.denoise(image[:128, :128], steps=2)  # leave steps out: two are too few
    >>> clean.shape, clean.dtype
    ((128, 128), dtype('uint8'))
    """
    noisy = as_image(image)
    if model is None:
        model = train_denoiser({"the image": noisy}, DenoisingSettings(steps=steps, seed=seed))
    elif not isinstance(model, Denoiser):
        model = load_denoiser(model)
    return model.denoise(noisy).image
