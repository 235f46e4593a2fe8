from .imaged_area import area
from .rim import widen
from .rois import measure, measure_files, measure_panorama, summarise, write_measurements
from .selection import centroid, measured, representatives

__all__ = [
    "area",
    "centroid",
    "measure",
    "measure_files",
    "measure_panorama",
    "measured",
    "representatives",
    "summarise",
    "widen",
    "write_measurements",
]
