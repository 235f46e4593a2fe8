"""Damages files and reads them: `python benchmarks/faults.py OUT.json --seed 1 [--examples 300] [--without KIND ...]`.

Hypothesis draws the damage: flipped bits, files that are cut off, foreign bytes written over a part, and zeroed ranges,
as copying and failing disks leave them. Each damaged file is read by the function that the commands read such a file
with, in a process with limited memory and time. What comes of it is one of:

- refused: an NnbookError whose every line names the file;
- unchanged: the value is that of the file before, as where the damage is in a part that nothing depends on;
- changed: it is another one. Where a format has no checksum, no program can tell it from what was meant;
- traceback: any other exception, or a line that does not name the file;
- timeout and memory: the limits below.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import importlib
import multiprocessing
import os
import re
import resource
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import hypothesis
import numpy as np
import pandas as pd
import tifffile
from hypothesis import strategies as st

from nnbook.cells.sample import read_sample, write_sample
from nnbook.cells.store import MaskedPanorama, read_cells
from nnbook.cells.writer import write_cells
from nnbook.datasets.layouts import read_layout
from nnbook.errors import NnbookError
from nnbook.evaluation.hard_cases import judge_folders
from nnbook.evaluation.truth import true_classes
from nnbook.figures.readers import read_history
from nnbook.hub.upload import _read_tiffs
from nnbook.io.confidence import PLACE, read_confidence, write_confidence
from nnbook.io.edition import Edition, read_edition, write_edition
from nnbook.io.files import write_json
from nnbook.io.images import image_shape, read_image, read_mask, write_image, write_mask
from nnbook.io.manifest import Panorama, read_manifest, write_manifest
from nnbook.io.planes import Plane
from nnbook.io.results import read_results
from nnbook.io.scale import image_scale
from nnbook.pipeline.measured import MaskedImage, measure_files, write_measurements
from nnbook.provenance.stage import Stage, make, read_record, why_stale
from nnbook.reviews.datasets import FILE as DATASETS
from nnbook.reviews.datasets import Layout, read_datasets
from nnbook.segmentation.model import SHIPPED_MODEL, load_model
from nnbook.viewers.mosaic import write_mosaic
from nnbook.viewers.sources import stored

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

SECONDS: Final = 10.0
MEMORY: Final = 1 << 30
"""What a reader may take besides what the process has before it."""

OUTCOMES: Final = ("refused", "unchanged", "changed", "traceback", "timeout", "memory")
SCALE: Final = 8.0453
IMPORTED: Final = ("cv2", "filelock", "imagecodecs", "PIL.Image", "pyarrow.parquet", "roifile", "skimage.draw", "zarr")
"""What readers import when they are called: once here, and not in each process."""

NAMES: Final = ("Run1TL_top_left", "Run2TL_top_left")
SHAPE: Final = (70, 90)

ALL, DATA, NONE = "all of it", "its data", "nothing"
"""What of a kind of file a checksum covers."""


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    name : str
        What it is called in the table.
    file : str
        The file that is damaged, in the folder that `prepare` fills.
    read : callable
        Takes the folder and returns what the file says.
    checked : str
        What of it a checksum covers.
    subject : str
        The file or folder that a message may name instead, where a subject has several files.
    """

    name: str
    file: str
    read: Callable[[Path], Any]
    checked: str = NONE
    subject: str = ""


def _image(name: str, plane: Plane | None = None) -> Callable[[Path], Any]:
    return lambda folder: (
        image_shape(folder / name, plane), image_scale(folder / name), read_image(folder / name, plane)
    )  # fmt: skip


def _mask(name: str) -> Callable[[Path], Any]:
    return lambda folder: read_mask(folder / name, SHAPE)


def _layout(kind: str, labels: str) -> Callable[[Path], Any]:
    return lambda folder: [
        (one.name, one.image, one.labels)
        for one in read_layout(folder / "sets" / kind, Layout(kind, images="*.png", labels=labels))
    ]


def _store(folder: Path) -> Any:
    cells = read_cells(folder / "cells")
    return cells.table, cells.images[:], cells.thumbnails[:], cells.about


def _mosaic(folder: Path) -> Any:
    from nnbook.viewers import widgets

    bundles = folder / "bundles"
    bundles.mkdir(exist_ok=True)
    (bundles / "mosaic.mjs").touch()
    widgets.BUNDLES = bundles
    return widgets.Mosaic(folder / "mosaic")._table  # noqa: SLF001 - the runs of its cells are not public


def _views(folder: Path) -> Any:
    views = stored(folder / "pyramids", None, None)
    return views.names, [views.rois(name) for name in views.names]


def _stage(folder: Path) -> Stage:
    return Stage("benchmark", folder, "records/copy.json", ["copy"], {"benchmark": "1"}, [folder / "results.csv"])


def _record(folder: Path) -> Any:
    """Return the result that a record has; a stage with a record that is damaged is made again."""
    stage = _stage(folder)
    if reasons := why_stale(stage):
        raise NnbookError(f"{folder / stage.record}: {reasons[0]}")
    record = read_record(folder / stage.record)
    assert record is not None
    return record["result"]


def _model(folder: Path) -> Any:
    model = load_model(folder / "model", device="cpu")
    weights = {name: weight.numpy() for name, weight in model.network.state_dict().items()}
    return model.diam_mean, model.diam_labels, weights


def _cut(folder: Path) -> Any:
    """Cut cells by the table of nuclei, and return which they are."""
    from nnbook.cells.writer import _open_rois

    nuclei_of, _ = _open_rois(folder / "rois.parquet", NAMES)
    return [nuclei_of(name).to_pandas() for name in NAMES]


def _confidence(folder: Path) -> Any:
    mask = folder / f"found/{NAMES[0]}_cp_masks.tif"
    return read_confidence(mask, pd.DataFrame([[252, 8, 8, 18, 14], [252, 34, 8, 18, 14]], columns=list(PLACE)))


def _classes(folder: Path) -> Any:
    return true_classes(read_mask(folder / "mask_plain.tif"), folder / "truth" / f"{NAMES[0]}.tif")


KINDS: Final = (
    *(
        Kind(f"{what}, TIFF {how}", f"{what}_{how}.tif", read(f"{what}_{how}.tif"), DATA if how == "deflate" else NONE)
        for what, read in (("image", _image), ("mask", _mask))
        for how in ("plain", "deflate", "LZW")
    ),
    Kind("image, OME-TIFF", "stack.ome.tif", _image("stack.ome.tif", Plane("DAPI", "max"))),
    Kind("image, PNG", "image.png", _image("image.png"), ALL),
    Kind("mask, PNG", "mask.png", _mask("mask.png"), ALL),
    Kind("mask, _seg.npy", "image_seg.npy", _mask("image_seg.npy")),
    Kind("mask, ROI set", "image_rois.zip", _mask("image_rois.zip"), ALL),
    Kind("manifest.csv", "manifest.csv", lambda folder: read_manifest(folder / "manifest.csv")),
    Kind("edition.json", "edition.json", read_edition),
    Kind("results.csv", "results.csv", lambda folder: read_results(folder / "results.csv")),
    Kind("rois.parquet", "rois.parquet", _cut, ALL),
    Kind("table of confidences", f"found/{NAMES[0]}_cp_confidence.csv", _confidence),
    Kind("record of a stage", "records/copy.json", _record),
    Kind("cells.json", "cells/cells.json", _store, subject="cells"),
    Kind("cells.parquet", "cells/cells.parquet", _store, ALL, "cells"),
    Kind("zarr.json of an array", "cells/cells.zarr/images/zarr.json", _store, subject="cells"),
    Kind("shard of images", "cells/cells.zarr/images/c/0/0/0", _store, ALL, "cells"),
    Kind("shard of thumbnails", "cells/cells.zarr/thumbnails/c/0/0/0", _store, ALL, "cells"),
    Kind(
        "cells.parquet of single files", "pulled/cells.parquet", lambda folder: _read_tiffs(folder / "pulled")[0], ALL
    ),
    Kind("sample.json", "sample.json", lambda folder: read_sample(folder, folder / "cells")),
    Kind("sample.parquet", "sample.parquet", lambda folder: read_sample(folder, folder / "cells"), ALL),
    Kind("mosaic.json", "mosaic/mosaic.json", _mosaic, subject="mosaic"),
    Kind("cells.json of a mosaic", "mosaic/cells.json", _mosaic, subject="mosaic"),
    Kind("index.json of pyramids", "pyramids/index.json", _views, subject="pyramids"),
    Kind("nuclei.json of a pyramid", f"pyramids/{NAMES[0]}/nuclei.json", _views, subject="pyramids"),
    Kind("truth.csv, classes", f"truth/{NAMES[0]}.csv", _classes),
    Kind(
        "truth.csv, hard cases",
        f"truth/{NAMES[0]}.csv",
        lambda folder: judge_folders(folder / "found", folder / "truth"),
    ),
    Kind("data set, COCO", "sets/coco/nuclei.json", _layout("coco", "*.json"), subject="sets/coco"),
    Kind("data set, run lengths", "sets/rle/nuclei.csv", _layout("rle", "*.csv"), subject="sets/rle"),
    Kind("registry of data sets", "sets/datasets.yml", lambda folder: read_datasets(folder / "sets/datasets.yml")),
    Kind("history of a training", "history.csv", lambda folder: read_history(folder / "history.csv")),
    Kind("model", "model", _model, ALL),
)


def labels_and_image() -> tuple[Any, Any]:
    """Return a mask of six nuclei, and an image of 16 bits in which they are bright."""
    labels = np.zeros(SHAPE, np.int32)
    for number in range(6):
        labels[8 + 30 * (number // 3) :, 8 + 26 * (number % 3) :][:14, :18] = number + 1
    noise = np.random.default_rng(1).integers(0, 300, SHAPE)
    return labels, (noise + 900 * (labels > 0)).astype(np.uint16)


def prepare(folder: Path) -> None:
    """Write a file of every kind."""
    labels, image = labels_and_image()
    _write_images(folder, labels, image)
    rows = [
        Panorama(name, int(name[3]), "TL", "top_left", "P12", f"panoramas/{name}.tif", "", 90, 70, SCALE, "", "")
        for name in NAMES
    ]
    files = {}
    for row in rows:
        files[row.panorama] = folder / row.image, folder / f"masks/{row.panorama}_cp_masks.tif"
        write_image(files[row.panorama][0], image)
        write_mask(files[row.panorama][1], labels)
    write_manifest(folder / "manifest.csv", rows)
    write_edition(Edition(folder, "own", "Ours.", simulated=False, px_per_um=SCALE, area_px2=12_600))
    to_measure = {name: MaskedImage(image, mask, SCALE) for name, (image, mask) in files.items()}
    write_measurements(folder, list(files), measure_files(to_measure, folder), folder)
    make(_stage(folder), lambda out: _copied(folder / "results.csv", out / "copy"))
    masked = [MaskedPanorama(row.panorama, row.run, row.passage, *files[row.panorama]) for row in rows]
    write_cells(folder / "cells", masked, folder / "rois.parquet", edition="own", note="Ours.", px_per_um=SCALE)
    write_sample(folder / "cells", folder, per_run=4)
    write_mosaic(folder / "mosaic", folder / "cells", folder)
    (folder / "pulled").mkdir()
    shutil.copy(folder / "cells/cells.parquet", folder / "pulled/cells.parquet")
    for name in pd.read_parquet(folder / "cells/cells.parquet")["cell"]:
        (folder / "pulled" / f"{name}.tif").touch()
    nuclei = {"roi": [1, 2], "x_px": [16.5, 42.5], "area_um2": [3.893, 3.893]}
    entry = {"panorama": NAMES[0], "intensity": "i.dzi", "nuclei": f"{NAMES[0]}/nuclei.json"}
    write_json(folder / f"pyramids/{NAMES[0]}/nuclei.json", {"panorama": NAMES[0], "columns": nuclei}, indent=None)
    write_json(folder / "pyramids/index.json", {"note": "Ours.", "panoramas": [entry]})
    write_mask(folder / f"truth/{NAMES[0]}.tif", labels)
    write_mask(folder / f"found/{NAMES[0]}.tif", labels)
    places = np.array([[252, 8, 8, 18, 14], [252, 34, 8, 18, 14]])
    write_confidence(folder / f"found/{NAMES[0]}_cp_masks.tif", places, np.array([0.25, 0.5]))
    kinds = ["interphase", "anaphase", "metaphase", "interphase", "micronucleus", "prophase"]
    truth = {"label": range(1, 7), "class": kinds, "touching": [False, True] * 3, "cut": [False] * 6}
    pd.DataFrame(truth).to_csv(folder / f"truth/{NAMES[0]}.csv", index=False)
    losses = {"training_loss": [0.5, 0.25, 0.2, 0.125], "validation_loss": [0.5, 0.3, 0.25, 0.25]}
    _write_sets(folder / "sets", labels, image)
    history = {"step": range(100, 500, 100), **losses, "learning_rate": [0.001] * 4}
    pd.DataFrame(history).to_csv(folder / "history.csv", index=False)
    shutil.copy(SHIPPED_MODEL, folder / "model")


def apart(work: Callable[[Path], None], folder: Path) -> None:
    """Do some work in a process of its own, so that no thread runs in this one, which forks."""
    process = multiprocessing.get_context("fork").Process(target=work, args=(folder,))
    process.start()
    process.join()
    assert process.exitcode == 0, f"{work.__name__} failed"


def _copied(source: Path, to: Path) -> dict[str, Any]:
    shutil.copy(source, to)
    return {"result": {"diameter_px": 16.25}}


def _write_images(folder: Path, labels: Any, image: Any) -> None:
    from PIL import Image
    from roifile import ImagejRoi

    for what, pixels in (("image", image), ("mask", labels.astype(np.uint16))):
        for how, compression in (("plain", None), ("deflate", "zlib"), ("LZW", "lzw")):
            tifffile.imwrite(
                folder / f"{what}_{how}.tif", pixels, compression=compression, rowsperstrip=32, metadata=None
            )
        Image.fromarray(pixels).save(folder / f"{what}.png")
    stack = np.stack([[image, image // 2], [image // 3, image // 4]]).astype(np.uint16)
    tifffile.imwrite(
        folder / "stack.ome.tif",
        stack,
        metadata={"axes": "CZYX", "Channel": {"Name": ["DAPI", "GFP"]}, "PhysicalSizeX": 0.125, "PhysicalSizeY": 0.125},
    )
    seg: Any = {"masks": labels.astype(np.uint16), "outlines": labels.astype(np.uint16), "est_diam": 16.0}
    np.save(folder / "image_seg.npy", seg)
    import zipfile

    with zipfile.ZipFile(folder / "image_rois.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for label in range(1, 7):
            rows, columns = np.nonzero(labels == label)
            left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            outline = [(left, top), (right, top), (right, bottom), (left, bottom)]
            entry = zipfile.ZipInfo(f"{label:04}.roi")  # without the time of now
            archive.writestr(
                entry, ImagejRoi.frompoints(np.array(outline), name=f"{label:04}").tobytes(), zipfile.ZIP_DEFLATED
            )


def _write_sets(folder: Path, labels: Any, image: Any) -> None:
    """Write two nuclei as COCO and as run lengths, and a registry of four data sets."""
    from PIL import Image

    boxes = [(34, 8), (8, 38)]
    outlines = [[x, y, x + 18, y, x + 18, y + 14, x, y + 14] for x, y in boxes]
    height, width = labels.shape
    listed = {
        "images": [{"id": 1, "file_name": "a.png", "height": height, "width": width}],
        "annotations": [{"image_id": 1, "category_id": 3, "segmentation": [outline]} for outline in outlines],
        "categories": [{"id": 3, "name": "nucleus"}],
    }
    # Counted down the columns, from 1.
    runs = [" ".join(f"{(x + at) * height + y + 1} 14" for at in range(18)) for x, y in boxes]
    for kind in ("coco", "rle"):
        (folder / kind).mkdir(parents=True)
        Image.fromarray((image >> 4).astype(np.uint8)).save(folder / kind / "a.png")
    write_json(folder / "coco/nuclei.json", listed, indent=None)
    rows = "".join(f"a,{run}\n" for run in runs)
    (folder / "rle/nuclei.csv").write_text(f"ImageId,EncodedPixels\n{rows}", encoding="utf-8")
    known = DATASETS.read_text(encoding="utf-8")
    entries = [place.start() for place in re.finditer(r"^  - name", known, re.MULTILINE)]
    (folder / "datasets.yml").write_text(known[: entries[4]], encoding="utf-8")


def damages(whole: bytes) -> st.SearchStrategy[bytes]:
    """Return what draws damaged versions of a file."""
    size = len(whole)
    near = min(512, size)
    # Headers and ends are where a bit says most, so each is hit as often as all the rest.
    place = st.one_of(st.integers(0, size - 1), st.integers(0, near - 1), st.integers(size - near, size - 1))
    flips = st.lists(st.tuples(place, st.integers(0, 7)), min_size=1, max_size=4)
    signatures = [
        b"II*\0",
        b"MM\0*",
        b"\x89PNG\r\n\x1a\n",
        b"PK\x03\x04",
        b"PAR1",
        b"\x93NUMPY",
        b"\xff\xd8\xff",
        b"{}",
    ]
    foreign = st.one_of(
        st.tuples(st.just(0), st.sampled_from(signatures)),
        st.tuples(place, st.binary(min_size=1, max_size=64)),
        st.tuples(place, st.tuples(place, st.integers(1, 256)).map(lambda at: whole[at[0] : at[0] + at[1]])),
    )
    zeroed = st.tuples(place, st.integers(1, 4096).map(bytes))
    return st.one_of(
        flips.map(lambda at: _flipped(whole, at)),
        st.one_of(place, st.integers(0, size - 1)).map(lambda at: whole[:at]),
        foreign.map(lambda at: _overwritten(whole, *at)),
        zeroed.map(lambda at: _overwritten(whole, *at)),
    ).filter(lambda damaged: damaged != whole)


def _flipped(whole: bytes, places: list[tuple[int, int]]) -> bytes:
    damaged = bytearray(whole)
    for at, bit in places:
        damaged[at] ^= 1 << bit
    return bytes(damaged)


def _overwritten(whole: bytes, at: int, other: bytes) -> bytes:
    return whole[:at] + other[: len(whole) - at] + whole[at + len(other) :]


def digest(value: Any) -> str:
    """Return a hash of what a reader returned."""
    if isinstance(value, np.ndarray):
        return hashlib.sha256(f"{value.dtype} {value.shape}".encode() + value.tobytes()).hexdigest()
    if isinstance(value, pd.DataFrame):
        columns = [(name, str(column.dtype), column.tolist()) for name, column in value.items()]
        return hashlib.sha256(repr(columns).encode()).hexdigest()
    if isinstance(value, dict):
        return digest([(key, digest(one)) for key, one in value.items()])
    if isinstance(value, list | tuple):
        return hashlib.sha256("".join(map(digest, value)).encode()).hexdigest()
    return hashlib.sha256(repr(value).encode()).hexdigest()


class Reader:
    """A process that reads files; another takes its place where it hangs or dies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: Any = None
        self._kind: Kind | None = None
        self._ours: Any = None

    def outcome(self, kind: Kind, damaged: bytes) -> tuple[str, str]:
        """Return what comes of reading a damaged file of a kind, and the message."""
        self.begin(kind)
        path = self.folder / kind.file
        whole = path.read_bytes()
        path.write_bytes(damaged)
        try:
            self._ours.send(None)
            if not self._ours.poll(SECONDS):
                self.close()
                return "timeout", f"took more than {SECONDS:g} s"
            answer: tuple[str, str] = self._ours.recv()
        except (EOFError, OSError):
            self.close()
            return "memory", "the process was ended"
        finally:
            path.write_bytes(whole)
        return answer

    def begin(self, kind: Kind) -> None:
        """Have the undamaged file read, where the one before was of another kind."""
        if self._process is None:
            fork = multiprocessing.get_context("fork")
            self._ours, theirs = fork.Pipe()
            self._process = fork.Process(target=_serve, args=(self.folder, theirs), daemon=True)
            self._process.start()
            theirs.close()
        if kind != self._kind:
            self._ours.send(kind.name)
            assert self._ours.poll(120), f"{kind.name}: the undamaged file is not read"
            outcome, message = self._ours.recv()
            assert outcome == "unchanged", f"{kind.name}: {message}"
            self._kind = kind

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._ours.close()
        self._process = self._kind = None


def _serve(folder: Path, pipe: Connection) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    kinds = {kind.name: kind for kind in KINDS}
    kind, expected = KINDS[0], ""
    while True:
        name = pipe.recv()
        if name is not None:
            kind = kinds[name]
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            expected = _outcome(kind, folder, "")[1]
            used = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
        outcome, message = _outcome(kind, folder, expected)
        pipe.send((outcome, "" if outcome == "changed" else message))


def _outcome(kind: Kind, folder: Path, expected: str) -> tuple[str, str]:
    try:
        found = digest(kind.read(folder))
    except NnbookError as error:
        names = [str(folder / kind.file), *([str(folder / kind.subject)] if kind.subject else [])]
        named = all(any(name in line for name in names) for line in str(error).splitlines() or [""])
        return "refused" if named else "traceback", str(error)
    except MemoryError:
        return "memory", traceback.format_exc()
    except BaseException:  # noqa: BLE001 - this is what is counted
        return "traceback", traceback.format_exc()
    return ("unchanged" if found == expected else "changed"), found


def damaged_files(reader: Reader, kind: Kind, examples: int, seed: int | None = None) -> list[tuple[bytes, str, str]]:
    """Damage a file of a kind so many times; return each version with its outcome and the message.

    Without a seed the examples are always the same.
    """
    found: list[tuple[bytes, str, str]] = []

    @hypothesis.settings(
        max_examples=examples,
        derandomize=seed is None,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(damages((reader.folder / kind.file).read_bytes()))
    def read(damaged: bytes) -> None:
        found.append((damaged, *reader.outcome(kind, damaged)))

    reader.begin(kind)
    (read if seed is None else hypothesis.seed(seed)(read))()
    return found


def main() -> None:
    """Damage files of every kind and write the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--examples", type=int, default=300)
    parser.add_argument("--seed", type=int, help="where it is left out, the examples are the same each time")
    parser.add_argument("--without", nargs="*", default=[], metavar="KIND", help="kinds that are left out")
    call = parser.parse_args()
    report: dict[str, Any] = {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "seed": call.seed,
        "examples": call.examples,
        "seconds": SECONDS,
        "memory_gb": MEMORY / (1 << 30),
        "kinds": [],
    }
    for module in IMPORTED:
        importlib.import_module(module)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        apart(prepare, folder)
        reader = Reader(folder)
        for kind in (kind for kind in KINDS if kind.name not in call.without):
            counts: Counter[str] = Counter()
            seen: Counter[str] = Counter()
            for _, outcome, message in damaged_files(reader, kind, call.examples, call.seed):
                counts[outcome] += 1
                if outcome in {"traceback", "timeout", "memory"}:
                    seen[message.strip().splitlines()[-1][:150]] += 1
            entry = {"kind": kind.name, "checked": kind.checked, **{one: counts[one] for one in OUTCOMES}}
            report["kinds"].append(entry)
            print(entry, *(f"\n    {count} x {line}" for line, count in seen.most_common(6)), file=sys.stderr)
            write_json(call.out, report)
        reader.close()


if __name__ == "__main__":
    main()
