"""The primer: what its live figures show, computed from crops of panoramas, and their static stand-ins."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
