from .crops import Crop, Crops, read_crops
from .filters import convolution
from .live import Live, write_live
from .sheets import convolution_sheet

__all__ = ["Crop", "Crops", "Live", "convolution", "convolution_sheet", "read_crops", "write_live"]
