"""NuSeT: a U-Net with region proposals, foreground normalisation in two passes, and a seeded watershed."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
