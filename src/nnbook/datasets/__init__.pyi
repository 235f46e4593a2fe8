from .layouts import read_layout
from .sample import Sample

__all__ = ["Sample", "read_layout"]
