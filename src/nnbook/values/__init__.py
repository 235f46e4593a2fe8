"""Values: those that published work states, those that notebooks compute, and how the text writes them."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
