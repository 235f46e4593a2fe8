from .conditions import differences, replicate_values
from .edge import extent_cut_at_edge, share_cut_at_edge, share_without_window
from .imaged_area import area
from .rim import widen
from .rois import measure, measure_panorama, summarise
from .selection import centroid, measured, representatives

__all__ = [
    "area",
    "centroid",
    "differences",
    "extent_cut_at_edge",
    "measure",
    "measure_panorama",
    "measured",
    "replicate_values",
    "representatives",
    "share_cut_at_edge",
    "share_without_window",
    "summarise",
    "widen",
]
