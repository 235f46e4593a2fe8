"""Cellpose 3 networks: their weights, the device, and the type they compute in."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nnbook.errors import MissingFileError, NnbookError, reason
from nnbook.io.files import sha256

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from nnbook.io.paths import PathLike


SHIPPED_MODEL: Final = Path(str(resources.files("nnbook.segmentation") / "weights" / "nnbook_nuclei"))
"""The model that comes with nnbook; its card is `models/README.md`."""


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
        Diameter in px to which nuclei are brought.
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
        Diameter in px to which nuclei will be brought.

    Returns
    -------
    cellpose.resnet_torch.CPnet
    """
    from cellpose.resnet_torch import CPnet

    # `mkldnn=False` leaves tensors in torch's own layout; convolutions are oneDNN's either way.
    return CPnet([2, 32, 64, 128, 256], 3, sz=3, mkldnn=False, diam_mean=diam_mean)


def load_model(path: PathLike | None = None, *, device: str | None = None) -> Model:
    """Load a Cellpose 3 model from its file. Nothing is ever downloaded.

    Parameters
    ----------
    path : str or Path, optional
        The weights; the model that comes with nnbook where left out.
    device : str, optional
        Where to compute, "cpu" or "cuda"; a GPU where there is one, if left out.

    Returns
    -------
    Model
        Its diameters are those of the file, never assumed.

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        Where the file is damaged, or holds no Cellpose 3 model of one network.
    """
    import torch

    path = SHIPPED_MODEL if path is None else Path(path)
    if not path.is_file():
        raise MissingFileError(f"{path}: no such model; give a Cellpose 3 model file, or train one with nnbook train")
    try:
        _check_whole(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        why = reason(error)[:200]
        raise NnbookError(f"{path}: can't be read as a model ({why}); give a Cellpose 3 model file") from error
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
    if damaged := [name for name in wanted if not torch.isfinite(state[name]).all()]:
        raise NnbookError(f"{path}: has weights {damaged[0]} that are not a number; it is damaged, so get it again")
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


def _check_whole(path: Path) -> None:
    """Check the checksums of a file's parts, at which torch does not look; models older than PyTorch 1.6 have none."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as parts:
            if damaged := parts.testzip():
                raise ValueError(f"the checksum of its part {damaged} is wrong")


@cache
def shipped_model() -> Model:
    """Return the model that comes with nnbook, which is loaded once."""
    return load_model()


@cache
def network_dtype(device: str = "cpu") -> str:
    """Return what the network computes in: bfloat16 on a processor that has it, else float32.

    On a GPU it is float32, too; those of NVIDIA round it to 10 bits within convolutions, as PyTorch has them do.

    Masks of one panorama agree between the two within a tolerance: a mean intersection over union of at least 0.995,
    and at most one mask in a hundred below 0.99 or in one of them alone. Logits differ by 0.06 on average, and by more
    where the image is dim, so that a mask at a threshold, such as `nnbook.segmentation.masks.LEAST_CONFIDENCE`, can be
    on either side of it, and one beside the frame can be cut by it or not.
    """
    import torch

    if device != "cpu":
        return "float32"
    able = torch.cpu.get_capabilities()
    return "bfloat16" if able.get("avx512_bf16") or able.get("amx_bf16") else "float32"


def autocast() -> torch.autocast:
    """Return the context in which the network computes in `network_dtype`."""
    import torch

    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=network_dtype() == "bfloat16")
