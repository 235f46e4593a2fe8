"""Simulation: the virtual microscope that draws panoramas with their true masks."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
