"""The living publication of NucleusNet: simulate, segment, measure and show panoramas of cell nuclei.

Each name that it hands out is imported when it is used first: `import nnbook` alone loads no torch, pandas or numba.
"""

import lazy_loader as lazy

_handed_out, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
__all__ += ["__version__"]


def __getattr__(name: str) -> object:
    """Return a name that the package hands out; its version is the one it was installed as, from the tags of git."""
    if name != "__version__":
        return _handed_out(name)
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("nnbook")
    except PackageNotFoundError:  # a checkout on the path that was never installed
        return "0+unknown"
