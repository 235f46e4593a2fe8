"""Measurement: ROIs, results, the imaged area, and the panoramas nearest the centroid."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
