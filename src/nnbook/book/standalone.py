"""The view that segments, as one HTML file with everything inside: it opens from a disk, and asks no host."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from nnbook.book.segmentation import model_facts, runtime_files
from nnbook.errors import InvalidValueError
from nnbook.io.files import atomic_write
from nnbook.viewers.widgets import BUNDLES

if TYPE_CHECKING:
    from nnbook.io.paths import PathLike
    from nnbook.segmentation.model import Model

VIEW: Final = "segment.mjs"

POLICY: Final = (
    "default-src 'none'; script-src {script} blob: 'wasm-unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
    "connect-src 'none'; worker-src blob:; base-uri 'none'; form-action 'none'"
)
"""What the page may load, for the browser to enforce: what is in it, and nothing from any host."""


def write_standalone(model: Model, out: PathLike) -> Path:
    """Write one HTML file that segments images in a browser, without a server and without a network.

    Inside are the view, the worker, ONNX Runtime as WebAssembly, and the model: some 22 MB. What runs the model on a
    graphics card is left out, as it would add 6 MB to each copy.

    Parameters
    ----------
    model : Model
        See `nnbook.segmentation.load_model`.
    out : str or Path
        The file to write, `NAME.html`; one that is there is replaced.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    InvalidValueError
        Where the file's name does not end with `.html`.
    MissingFileError
        In a checkout whose views have not been built.
    """
    import jinja2

    import nnbook
    from nnbook.segmentation.export import export_model

    out = Path(out)
    if out.suffix != ".html" or out.is_dir():
        raise InvalidValueError(f"{out}: give the name of a file that ends with .html", parameter="out")
    files = runtime_files()
    with TemporaryDirectory() as scratch:
        exported = export_model(model, Path(scratch) / "model.onnx")
        parts = {"view-script": Path(str(BUNDLES)) / VIEW, **files, "model": exported}
        packed = {name: _packed(path) for name, path in parts.items()}
        facts = model_facts(exported)
    here = resources.files("nnbook.book")
    script = (here / "standalone.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = jinja2.Template((here / "standalone.html").read_text(encoding="utf-8"), autoescape=True).render(
        policy=POLICY.format(script=f"'sha256-{digest}'"),
        version=nnbook.__version__,
        model=model.name,
        sha256=model.sha256,
        parts=packed,
        facts=json.dumps(facts),
        script=script,
    )
    with atomic_write(out) as written:
        written.write_text(page, encoding="utf-8")
    return out


def _packed(path: Path) -> str:
    """Return a file compressed, in base 64; the same file gives the same text."""
    return base64.b64encode(gzip.compress(path.read_bytes(), 6, mtime=0)).decode()
