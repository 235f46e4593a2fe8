from .adapter import Method, NeedsDownloadError, Setting
from .comparison import Comparison, compare_folder
from .linked import Shown, write_linked
from .registry import choose_methods, list_methods

__all__ = [
    "Comparison",
    "Method",
    "NeedsDownloadError",
    "Setting",
    "Shown",
    "choose_methods",
    "compare_folder",
    "list_methods",
    "write_linked",
]
