"""Provenance: what each output was made from, and whether it is up to date."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
