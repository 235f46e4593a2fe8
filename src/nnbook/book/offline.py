"""The page that segments, kept by browsers for use offline: a web manifest, and a service worker for it alone."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nnbook.errors import MissingFileError
from nnbook.io.files import read_json, write_json
from nnbook.viewers.widgets import BUNDLES

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT: Final = "segment-offline.mjs"
"""The service worker among the views' scripts."""

OFFLINE: Final = "offline.js"
MANIFEST: Final = "app.webmanifest"
"""What these files are called beside a page."""

VIEW: Final = re.compile(r"\bsegment-[0-9a-f]{32}\.mjs")
LINK: Final = re.compile(r'<(?:link|script)\b[^>]*?\b(?:href|src)="([^"]+)"[^>]*>')
TITLE: Final = re.compile(r"<title>([^<]*)</title>")
OWN_LINK: Final = re.compile(r'<link rel="manifest"[^>]*data-offline[^>]*>')


def add_offline(html: Path, description: str) -> None:
    """Let browsers keep each page of a site that segments, and install it.

    The service worker answers for that page and the files that it is made of, and for no other page. It asks the
    network first, so that no one who has a network sees a former book. The files that it keeps are listed in it with
    their digests, so that each state of the site is kept as a whole and replaces the one before.

    The first page of a site is left out: a service worker there would answer for all pages.

    Parameters
    ----------
    html : Path
        The site, complete but for this.
    description : str
        The file below `build` that the view reads first.

    Raises
    ------
    MissingFileError
        Where the views were built without the service worker.
    """
    for page in sorted(html.glob("*/**/index.html")):
        text = page.read_text(encoding="utf-8")
        if VIEW.search(text):
            _add_to(page, OWN_LINK.sub("", text), html, html / "build" / description)


def _add_to(page: Path, text: str, html: Path, description: Path) -> None:
    script = Path(str(BUNDLES)) / SCRIPT
    if not script.is_file():
        raise MissingFileError(f"{script}: no such file; run 'make widgets/dist/.done' in the checkout of nnbook")
    folder = page.parent
    title = TITLE.search(text)
    icon = html / "favicon.svg"
    write_json(
        folder / MANIFEST,
        {
            "name": title[1] if title else "Segment nuclei",
            "short_name": "Segment nuclei",
            "id": "./",
            "start_url": "./",
            "scope": "./",
            "display": "minimal-ui",
            "background_color": "#0a0c10",
            "theme_color": "#0a0c10",
            "icons": [{"src": os.path.relpath(icon, folder), "sizes": "any", "type": "image/svg+xml"}],
        },
    )
    link = f'<link rel="manifest" href="{MANIFEST}" data-offline="{OFFLINE}"/>'
    text = text.replace("</head>", f"{link}</head>", 1)
    page.write_text(text, encoding="utf-8")
    files = {
        os.path.relpath(file, folder): _integrity(file)
        for file in dict.fromkeys([folder / MANIFEST, *_files_of(text, html), *_files_of_view(text, description)])
        if file.is_file()
    }
    state = hashlib.sha256(json.dumps([text, files]).encode()).hexdigest()[:16]
    shell = json.dumps({"state": state, "files": files}, indent=1)
    (folder / OFFLINE).write_text(f"self.SHELL = {shell};\n{script.read_text(encoding='utf-8')}", encoding="utf-8")


def _files_of(text: str, html: Path) -> Iterator[Path]:
    """Give the files of the site that a page names in its head: styles, scripts, fonts and icons."""
    base = os.environ.get("BASE_URL", "").rstrip("/")
    for found in LINK.finditer(text.partition("</head>")[0]):
        if found[1].startswith(f"{base}/"):
            yield html / found[1].removeprefix(base)[1:]


def _files_of_view(text: str, description: Path) -> Iterator[Path]:
    """Give the files that the view loads before there is an image; the model is kept by the view itself."""
    folder = description.parent
    about = read_json(description, {"worker": str, "examples": list}, "build the site again")
    yield from (folder / name for name in dict.fromkeys(VIEW.findall(text)))
    yield description
    yield folder / about["worker"]
    yield from (folder / example["thumbnail"] for example in about["examples"])


def _integrity(file: Path) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(file.read_bytes()).digest()).decode()}"
