from .edition import Edition, read_edition, read_layers
from .images import read_image, read_mask, write_image, write_mask
from .inputs import list_images
from .manifest import Panorama, read_manifest, write_manifest
from .planes import Plane
from .results import read_results, write_results

__all__ = [
    "Edition",
    "Panorama",
    "Plane",
    "list_images",
    "read_edition",
    "read_image",
    "read_layers",
    "read_manifest",
    "read_mask",
    "read_results",
    "write_image",
    "write_manifest",
    "write_mask",
    "write_results",
]
