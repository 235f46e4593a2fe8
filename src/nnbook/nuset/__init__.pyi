from .segmenter import Nuset, segment_nuset
from .training import NusetSettings, make_example, train_nuset
from .weights import read_networks, write_networks

__all__ = [
    "Nuset",
    "NusetSettings",
    "make_example",
    "read_networks",
    "segment_nuset",
    "train_nuset",
    "write_networks",
]
