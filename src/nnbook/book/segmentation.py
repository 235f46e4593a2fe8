"""What a site needs for the page on which readers segment images of their own: model, runtime, and images to try."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from nnbook.book.offline import add_offline
from nnbook.errors import MissingFileError
from nnbook.io.edition import read_edition
from nnbook.io.files import read_json, sha256, write_json
from nnbook.io.images import read_image
from nnbook.io.manifest import read_manifest
from nnbook.viewers.widgets import BUNDLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nnbook.io.edition import Edition
    from nnbook.io.images import Image

DESCRIPTION: Final = "segment.json"
"""What the view reads first, beside its module."""

WORKER: Final = "segment-worker.mjs"
RUNTIME: Final = "ort.wasm"
"""The worker's script, and what runs the model: ONNX Runtime as WebAssembly."""

WEBGPU_WORKER: Final = "segment-webgpu.mjs"
WEBGPU_RUNTIME: Final = "ort-webgpu.wasm"
"""The same for a graphics card, which ONNX Runtime uses by WebGPU: loaded only where there is one."""

FIELD_PX: Final = 1024
AROUND_PX: Final = (1400, 1040)
"""Side of a field, and width and height of the part around a telophase."""

THUMBNAIL_PX: Final = 336


class Example(NamedTuple):
    """An image to try.

    Attributes
    ----------
    name, title : str
        What its file is called, and what readers call it.
    image : uint8, axes (y, x)
        Its grey levels.
    """

    name: str
    title: str
    image: Image


def add_segmentation(project: Path, html: Path) -> None:
    """Add to a site what its view of segmentation loads, where it has that view.

    Names of files have a digest of their contents, so that a browser that kept one never takes it for another.

    Parameters
    ----------
    project : Path
        The book's folder, with the edition that the site shows linked as `build/book`.
    html : Path
        The site.

    Raises
    ------
    MissingFileError
        Where the views were built without the runtime.
    """
    folder = html / "build"
    for pattern in ("segment-worker-*.mjs", "segment-webgpu-*.mjs", "ort-*.wasm", "*.onnx"):
        for former in folder.glob(pattern):
            former.unlink()
    shutil.rmtree(folder / "segment", ignore_errors=True)
    if not any(folder.glob("segment-*.mjs")):
        return
    files = runtime_files()
    model = _exported(project / "build" / "onnx")
    edition = read_edition(project / "build" / "book")
    named = {part: _named(file, folder) for part, file in (files | {"model": model}).items()}
    webgpu = {part: _named(file, folder) for part, file in webgpu_files().items()}
    write_json(
        folder / DESCRIPTION,
        {
            "version": 1,
            **named,
            **model_facts(model),
            "bytes": _bytes(folder, named),
            "webgpu": {**webgpu, "bytes": _bytes(folder, webgpu)},
            "examples": list(_write_examples(edition, folder / "segment")),
        },
    )
    add_offline(html, DESCRIPTION)


def runtime_files() -> dict[str, Path]:
    """Return the files that the view needs beside the model, by their names in its description.

    Raises
    ------
    MissingFileError
        Where the views were built without them.
    """
    return _built(worker=WORKER, runtime=RUNTIME)


def webgpu_files() -> dict[str, Path]:
    """Return the files that the view needs besides to run the model on a graphics card, by their names likewise.

    Raises
    ------
    MissingFileError
        Where the views were built without them.
    """
    return _built(worker=WEBGPU_WORKER, runtime=WEBGPU_RUNTIME)


def _built(**names: str) -> dict[str, Path]:
    files = {part: Path(str(BUNDLES)) / name for part, name in names.items()}
    for file in files.values():
        if not file.is_file():
            raise MissingFileError(f"{file}: no such file; run 'make widgets/dist/.done' in the checkout of nnbook")
    return files


def model_facts(model: Path) -> dict[str, str | float]:
    """Return what the view has to know of a model that was written as ONNX: its digest, and its diameter in px."""
    import onnx

    props = {prop.key: prop.value for prop in onnx.load(model).metadata_props}
    return {"sha256": sha256(model), "diam_mean_px": float(props["diam_mean_px"])}


def _exported(folder: Path) -> Path:
    """Return the shipped model as ONNX, which is kept until the model or its export changes."""
    from nnbook.segmentation import export
    from nnbook.segmentation.model import SHIPPED_MODEL, load_model

    made_from = hashlib.sha256(SHIPPED_MODEL.read_bytes() + Path(str(export.__file__)).read_bytes()).hexdigest()
    path = folder / f"{made_from[:16]}.onnx"
    if not path.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        export.export_model(load_model(device="cpu"), path)
    return path


def _bytes(folder: Path, names: dict[str, str]) -> int:
    return sum((folder / name).stat().st_size for name in names.values())


def _named(file: Path, folder: Path) -> str:
    """Copy a file to a name with its digest; return the name."""
    stem = "nnbook_nuclei" if file.suffix == ".onnx" else file.stem
    name = f"{stem}-{sha256(file)[:16]}{file.suffix}"
    shutil.copyfile(file, folder / name)
    return name


def _write_examples(edition: Edition, folder: Path) -> Iterator[dict[str, Any]]:
    import cv2

    for example in _examples(edition):
        folder.mkdir(parents=True, exist_ok=True)
        height, width = example.image.shape
        small = cv2.resize(
            example.image, (THUMBNAIL_PX, round(THUMBNAIL_PX * height / width)), interpolation=cv2.INTER_AREA
        )
        for name, image in ((f"{example.name}.png", example.image), (f"{example.name}-small.png", small)):
            (folder / name).write_bytes(cv2.imencode(".png", image)[1].tobytes())
        yield {
            "name": example.name,
            "title": example.title,
            "image": f"segment/{example.name}.png",
            "thumbnail": f"segment/{example.name}-small.png",
            "px_per_um": edition.px_per_um,
        }


def _examples(edition: Edition) -> Iterator[Example]:
    """Give a field, the surroundings of a telophase, and a whole panorama of an edition, as far as it has them."""
    import numpy as np

    if not edition.manifest.is_file():
        return
    paths = {panorama.panorama: edition.folder / panorama.image for panorama in read_manifest(edition.manifest)}
    index = read_json(edition.pyramids / "index.json", {"panoramas": list}, "make it again with 'nnbook run'")
    listed = [one["panorama"] for one in index["panoramas"] if one["panorama"] in paths]
    if not listed:
        return
    whole = read_image(paths[listed[0]])
    if whole.dtype != np.uint8:
        return
    yield Example("field", "A field of 1024 px", _part(whole, _brightest(whole), (FIELD_PX, FIELD_PX)))
    steps = edition.folder / "steps.json"
    places = read_json(steps, {"places": dict}, "build the site again")["places"] if steps.is_file() else {}
    place = places.get("telophase")
    if place and place["panorama"] in paths:
        x, y, _ = place["view"]
        yield Example("telophase", "Around a telophase", _part(read_image(paths[place["panorama"]]), (y, x), AROUND_PX))
    yield Example("panorama", f"A whole panorama, {whole.shape[1]:,} px", whole)


def _brightest(image: Image) -> tuple[float, float]:
    """Return the middle, y and x, of the field that is brightest on average."""
    import cv2
    import numpy as np

    side = min(FIELD_PX, *image.shape)
    means = cv2.blur(image.astype(np.float32), (side, side))
    half = side // 2
    inner = means[half : image.shape[0] - half + 1, half : image.shape[1] - half + 1]
    y, x = np.unravel_index(int(np.argmax(inner)), inner.shape)
    return float(y + half), float(x + half)


def _part(image: Image, middle: tuple[float, float], size: tuple[int, int]) -> Image:
    """Cut a part of this width and height around a place out of an image."""
    box = []
    for place, length, side in zip(middle, image.shape, reversed(size), strict=True):
        start = min(max(0, round(place - side / 2)), max(0, length - side))
        box.append(slice(start, start + side))
    return image[tuple(box)]
