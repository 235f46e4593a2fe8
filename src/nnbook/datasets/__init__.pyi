from .acquisition import get_dataset
from .layouts import read_layout
from .links import Link, check_links
from .sample import Sample

__all__ = ["Link", "Sample", "check_links", "get_dataset", "read_layout"]
