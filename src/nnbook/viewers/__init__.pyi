from .channels import read_channels, write_channels
from .linking import link
from .mosaic import read_grid, write_mosaic
from .ome import write_ome_tiff, write_ome_zarr
from .pyramid import write_pyramid
from .widgets import CellBrowser, Mosaic, NucleiScatter, PanoramaViewer, Scatter

__all__ = [
    "CellBrowser",
    "Mosaic",
    "NucleiScatter",
    "PanoramaViewer",
    "Scatter",
    "link",
    "read_channels",
    "read_grid",
    "write_channels",
    "write_mosaic",
    "write_ome_tiff",
    "write_ome_zarr",
    "write_pyramid",
]
