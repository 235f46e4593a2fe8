from .diameter import estimate_diameter
from .export import export_model
from .model import SHIPPED_MODEL, Model, load_model
from .panorama import segment
from .workflow import segment_files, segment_image

__all__ = [
    "SHIPPED_MODEL",
    "Model",
    "estimate_diameter",
    "export_model",
    "load_model",
    "segment",
    "segment_files",
    "segment_image",
]
