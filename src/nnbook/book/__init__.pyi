from .article import print_book
from .check import accept, compare
from .crate import write_crate
from .lint import lint_text
from .standalone import write_standalone
from .website import build_site, serve_site

__all__ = [
    "accept",
    "build_site",
    "compare",
    "lint_text",
    "print_book",
    "serve_site",
    "write_crate",
    "write_standalone",
]
