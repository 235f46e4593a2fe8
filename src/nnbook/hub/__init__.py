"""The Hugging Face Hub: cell images from there and to there."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
