from .mosaic import read_grid, write_mosaic
from .pyramid import write_pyramid
from .widgets import CellBrowser, Mosaic, PanoramaViewer, Scatter

__all__ = [
    "CellBrowser",
    "Mosaic",
    "PanoramaViewer",
    "Scatter",
    "read_grid",
    "write_mosaic",
    "write_pyramid",
]
