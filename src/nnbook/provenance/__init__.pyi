from .dependencies import function_dependencies, notebook_dependencies
from .notebooks import execute_notebooks, stale_notebooks
from .stage import Stage, make, why_stale
from .staleness import status

__all__ = [
    "Stage",
    "execute_notebooks",
    "function_dependencies",
    "make",
    "notebook_dependencies",
    "stale_notebooks",
    "status",
    "why_stale",
]
