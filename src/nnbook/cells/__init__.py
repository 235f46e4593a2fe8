"""Cells: single-cell images, from the cut to the store, the sample and the export."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
