"""What builds a site beside its text, and comes with nnbook: theme, plugins, templates and the views' scripts."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from nnbook.errors import MissingFileError
from nnbook.viewers.widgets import BUNDLES


def site_parts() -> dict[str, Path]:
    """Return where the parts of a book's folder are that its author doesn't write.

    They are the same in a wheel, where they are files of the package, and in a checkout, where they are links to what
    `make` builds.

    Returns
    -------
    dict of str to Path
        By their path in a book's folder: `plugins`, `templates`, `theme` and `widgets/dist`.

    Raises
    ------
    MissingFileError
        In a checkout whose theme or views have not been built.
    """
    shipped = Path(str(resources.files("nnbook.book") / "shipped"))
    parts = {name: shipped / name for name in ("plugins", "templates", "theme")} | {"widgets/dist": Path(str(BUNDLES))}
    built = {"theme/build/server.mjs": parts["theme"] / "build" / "server.mjs"} | {
        "widgets/dist/.done": parts["widgets/dist"] / "panorama.mjs"
    }
    for target, file in built.items():
        if not file.is_file():
            raise MissingFileError(f"{file}: no such file; run 'make {target}' in the checkout of nnbook")
    return parts
