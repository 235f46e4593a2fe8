from .cells import read_cells
from .denoising import denoise
from .errors import NnbookError
from .evaluation import evaluate
from .gui import Segmenter
from .io import read_image, read_mask
from .measurement import measure
from .segmentation import segment
from .simulation import simulate
from .training import train
from .viewers import CellBrowser, Mosaic, NucleiScatter, PanoramaViewer, Scatter, link

__version__: str
__all__ = [
    "CellBrowser",
    "Mosaic",
    "NnbookError",
    "NucleiScatter",
    "PanoramaViewer",
    "Scatter",
    "Segmenter",
    "__version__",
    "denoise",
    "evaluate",
    "link",
    "measure",
    "read_cells",
    "read_image",
    "read_mask",
    "segment",
    "simulate",
    "train",
]
