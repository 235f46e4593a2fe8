"""What builds a site beside its text, and comes with nnbook: theme, plugins, templates and the views' scripts."""

from __future__ import annotations

import os
import shutil
from importlib import resources
from pathlib import Path
from typing import Final

from nnbook.errors import MissingFileError
from nnbook.io.files import atomic_write, link_or_copy
from nnbook.viewers.widgets import BUNDLES

LINKS: Final = "build/nnbook"
"""Where a book in a folder of its own has links to these parts."""


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
    _check_built(parts["theme"], parts["widgets/dist"])
    return parts


def _check_built(theme: Path, bundles: Path) -> None:
    """Raise MissingFileError where something is not there that MyST would wait for in vain."""
    built = {
        theme / "build" / "server.mjs": "theme/build/server.mjs",
        theme / "public" / "assets": "theme/build/server.mjs",
        bundles / "panorama.mjs": "widgets/dist/.done",
    }
    for path, target in built.items():
        if not path.exists():
            again = "--always-make " if path.name == "assets" else ""
            raise MissingFileError(f"{path}: no such file; run 'make {again}{target}' in the checkout of nnbook")


def parts_of(project: Path) -> str:
    """Return where a book has these parts: a path below its folder that ends with a slash; empty for nnbook's own book.

    A book in a folder of its own gets links to them, which its `myst.yml` and chapters refer to.

    Parameters
    ----------
    project : Path
        The book's folder, which holds `myst.yml`.

    Raises
    ------
    MissingFileError
        As `site_parts` does.
    """
    if (project / "theme" / "template.yml").is_file():
        _check_built(project / "theme", project / "widgets" / "dist")
        return ""
    parts = site_parts()
    with atomic_write(project / LINKS) as written:
        # MyST takes no links for a template's folder, and what is in it.
        shutil.copytree(parts.pop("theme"), written / "theme", copy_function=link_or_copy)
        for name, part in parts.items():
            link = written / name
            link.parent.mkdir(parents=True, exist_ok=True)
            here = (project / LINKS).parent.resolve() / Path(LINKS).name / Path(name).parent
            link.symlink_to(os.path.relpath(part.resolve(), here), target_is_directory=True)
    return f"{LINKS}/"
