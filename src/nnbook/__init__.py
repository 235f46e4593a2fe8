"""The living publication of NucleusNet: simulate, segment, measure and show panoramas of cell nuclei.

Each name that it hands out is imported when it is used first: `import nnbook` alone loads no torch, pandas or numba.
"""

import lazy_loader as lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
__all__ += ["__version__"]
