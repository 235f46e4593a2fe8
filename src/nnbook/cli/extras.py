"""What a command lacks that was installed without an extra of the package."""

from __future__ import annotations

from typing import Final

MODULES: Final = {
    "book": (
        "IPython",
        "bs4",
        "font_source_sans_pro",
        "ipykernel",
        "jupyter_client",
        "jupyter_core",
        "jupytext",
        "markdown_it",
        "matplotlib",
        "mdit_py_plugins",
        "nbclient",
        "nbformat",
        "onnx",
        "plotly",
        "requests",
        "rocrate",
        "typst",
    ),
    "dask": ("distributed",),
    "hub": ("datasets", "httpx2", "huggingface_hub"),
}
"""The modules that nnbook imports of each extra; tests/test_requirements.py compares them with pyproject.toml."""


def lacking_extra(error: ModuleNotFoundError) -> str | None:
    """Word the error of a module that is not installed for who called a command.

    Returns
    -------
    str or None
        The line, which names the extra to install; None where the module is of none.
    """
    module = (error.name or "").partition(".")[0]
    extra = next((extra for extra, modules in MODULES.items() if module in modules), None)
    if extra is None:
        return None
    return f"{module} is not installed; install what this command needs with: pip install 'nnbook[{extra}]'"
