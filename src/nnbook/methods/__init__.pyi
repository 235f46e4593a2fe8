from .adapter import Method, NeedsDownloadError
from .comparison import Comparison, compare_folder
from .registry import choose_methods, list_methods

__all__ = ["Comparison", "Method", "NeedsDownloadError", "choose_methods", "compare_folder", "list_methods"]
