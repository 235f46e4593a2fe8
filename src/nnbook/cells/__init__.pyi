from .export import write_dataset, write_tiffs
from .extraction import CELL_PX, THUMBNAIL_PX, extract_cells
from .imported import import_cells
from .sample import write_sample
from .store import Cells, read_cells
from .writer import write_cells

__all__ = [
    "CELL_PX",
    "THUMBNAIL_PX",
    "Cells",
    "extract_cells",
    "import_cells",
    "read_cells",
    "write_cells",
    "write_dataset",
    "write_sample",
    "write_tiffs",
]
