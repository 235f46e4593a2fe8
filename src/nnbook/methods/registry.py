"""Which methods there are: nnbook's own, and those that installed packages bring."""

from __future__ import annotations

import importlib.metadata
import sys
from typing import TYPE_CHECKING, Final

from nnbook.errors import InvalidValueError, reason
from nnbook.methods.adapter import Method
from nnbook.methods.own import OWN

if TYPE_CHECKING:
    from collections.abc import Sequence

GROUP: Final = "nnbook.methods"
"""The group of entry points in which a package names its methods."""


def list_methods() -> dict[str, Method]:
    """Return all methods by name: nnbook's own, then those that installed packages bring.

    One that can't be loaded, or has a name that is taken, is named on standard error and left out.
    """
    methods = {method.name: method for method in OWN}
    for entry in importlib.metadata.entry_points(group=GROUP):
        try:
            method = entry.load()
        except Exception as error:  # noqa: BLE001 - whatever the code of others raises on import
            print(f"nnbook: the method {entry.name} of {entry.value} can't be loaded: {reason(error)}", file=sys.stderr)
            continue
        if not isinstance(method, Method) or method.name in methods:
            print(f"nnbook: {entry.value} is no Method of a name of its own, so it is left out", file=sys.stderr)
            continue
        methods[method.name] = method
    return methods


def choose_methods(names: Sequence[str]) -> list[Method]:
    """Return methods by their names.

    Raises
    ------
    InvalidValueError
        Where there is none of a name, or a name is given twice.
    """
    methods = list_methods()
    for name in names:
        if name not in methods:
            raise InvalidValueError(
                f"methods has {name!r}, which is none; choose among {', '.join(methods)}", parameter="methods"
            )
    if not names or len(set(names)) < len(names):
        raise InvalidValueError(f"methods is {','.join(names)!r}; name each once", parameter="methods")
    return [methods[name] for name in names]
