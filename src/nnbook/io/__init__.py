"""Files: images, masks, the manifest, the results table, and the folder of an edition."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
