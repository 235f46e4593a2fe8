"""Functions that are compiled, and kept on disk for the next process where there is a place for them."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba
from numba.core.caching import FunctionCache

if TYPE_CHECKING:
    from collections.abc import Callable

Kernel = TypeVar("Kernel", bound="Callable[..., Any]")


def compiled(kernel: Kernel) -> Kernel:
    """Compile a function to machine code when it is called first; threads run it side by side."""
    return cast("Kernel", _kept(numba.njit(nogil=True)(kernel)))


def compiled_parallel(kernel: Kernel) -> Kernel:
    """Compile a function whose loops over `numba.prange` are shared among threads."""
    return cast("Kernel", _kept(numba.njit(nogil=True, parallel=True)(kernel)))


class _Cache(FunctionCache):  # type: ignore[misc]
    """What is compiled, on disk; a full disk or a damaged file there only costs the time to compile again."""

    def load_overload(self, *arguments: Any) -> Any:
        try:
            return super().load_overload(*arguments)
        except Exception as error:  # noqa: BLE001 - unpickling raises whatever it likes on broken files
            _say_not_kept(f"{type(error).__name__} in {self.cache_path}")
            return None

    def save_overload(self, *arguments: Any) -> None:
        try:
            super().save_overload(*arguments)
        except Exception as error:  # noqa: BLE001 - it reads the broken files again
            _say_not_kept(f"{type(error).__name__} in {self.cache_path}")


def _kept(dispatcher: Any) -> Any:
    try:
        dispatcher._cache = _Cache(dispatcher.py_func)  # noqa: SLF001 - as its `enable_caching` does
    except (RuntimeError, OSError):
        _say_not_kept("no folder for it can be written")
    return dispatcher


@functools.cache
def _say_not_kept(why: str) -> None:
    """Say once for each reason that the next process will compile again."""
    print(
        f"nnbook: compiled code can't be kept ({why}), so it compiles again; set NUMBA_CACHE_DIR to a new folder",
        file=sys.stderr,
    )
