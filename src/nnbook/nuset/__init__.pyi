from .mitosis import detect_figures, figure_examples, label_figures, match_figures, precision_recall
from .segmenter import Nuset, segment_nuset
from .training import NusetSettings, make_example, train_nuset
from .weights import read_networks, write_networks

__all__ = [
    "Nuset",
    "NusetSettings",
    "detect_figures",
    "figure_examples",
    "label_figures",
    "make_example",
    "match_figures",
    "precision_recall",
    "read_networks",
    "segment_nuset",
    "train_nuset",
    "write_networks",
]
