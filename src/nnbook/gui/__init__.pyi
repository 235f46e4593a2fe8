from .segmenter import Segmenter
from .server import serve

__all__ = ["Segmenter", "serve"]
