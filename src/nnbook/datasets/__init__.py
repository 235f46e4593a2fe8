"""Data sets of others: fetched, checked, and converted from the layouts that they come in."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
