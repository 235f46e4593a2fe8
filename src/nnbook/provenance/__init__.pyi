from .dependencies import code_hash
from .notebooks import execute_notebooks, stale_notebooks
from .staleness import status

__all__ = ["code_hash", "execute_notebooks", "stale_notebooks", "status"]
