"""What two reviews of deep learning for nuclei list, as checked data: data sets, methods, and advice."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
