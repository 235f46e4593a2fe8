from .crops import Crop, Crops, read_crops
from .filters import convolution, pooling
from .learning import augmentation, descent, overfitting
from .live import Live, write_live
from .network import receptive_field, skips
from .separation import difficulties, tasks, ways
from .sheets import (
    augmentation_sheet,
    convolution_sheet,
    descent_sheet,
    difficulties_sheet,
    overfitting_sheet,
    pooling_sheet,
    receptive_sheet,
    skips_sheet,
    tasks_sheet,
    ways_sheet,
)

__all__ = [
    "Crop",
    "Crops",
    "Live",
    "augmentation",
    "augmentation_sheet",
    "convolution",
    "convolution_sheet",
    "descent",
    "descent_sheet",
    "difficulties",
    "difficulties_sheet",
    "overfitting",
    "overfitting_sheet",
    "pooling",
    "pooling_sheet",
    "read_crops",
    "receptive_field",
    "receptive_sheet",
    "skips",
    "skips_sheet",
    "tasks",
    "tasks_sheet",
    "ways",
    "ways_sheet",
    "write_live",
]
