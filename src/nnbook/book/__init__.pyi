from .article import print_book
from .check import accept, drifts
from .crate import write_crate
from .lint import lint_text
from .website import build_site, serve_site

__all__ = ["accept", "build_site", "drifts", "lint_text", "print_book", "serve_site", "write_crate"]
