"""Figures: each takes a table or arrays and returns a figure in the book's style."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
