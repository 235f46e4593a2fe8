"""Denoising: a network that learns what is noise from the noisy images alone."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
