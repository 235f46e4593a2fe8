"""What goes on beside the view: training on the masks that were saved, and segmenting a folder."""

from __future__ import annotations

import tempfile
import threading
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.errors import InvalidValueError, NnbookError, reason
from nnbook.gui.folder import result_of, segment_folder
from nnbook.gui.saving import recorded_plane
from nnbook.gui.session import DARK_NUCLEI, mask_beside, worded
from nnbook.io.images import read_image, read_mask, write_image, write_mask
from nnbook.io.inputs import MASK_SUFFIX, image_files
from nnbook.io.planes import Plane
from nnbook.methods.adapter import Method
from nnbook.methods.analysis import CELLPROB, FLOW, analyse_by_book
from nnbook.provenance.units import FAILED, UnitsError, heeded_units
from nnbook.segmentation.model import SHIPPED_MODEL
from nnbook.training.loop import TrainingSettings, held_out, train

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection

    from nnbook.gui.folder import ForFolder
    from nnbook.io.images import Image, Labels
    from nnbook.methods.adapter import Analyse, Segment
    from nnbook.segmentation.model import Model

    Report = Callable[[str, float, str], None]

HELD_OUT: Final = 5
"""One image of so many is held out, by which the best weights are chosen."""

NO_NUCLEUS: Final = "No nucleus was found; check the diameter."

NAMED: Final = 10
"""So many problems are named; `failed.json` beside the masks has every image that failed."""

VALIDATIONS: Final = 5
"""So often the network is tried on what is held out; of fewer steps than these, only after the last."""

VALIDATION_CROPS: Final = 24
"""On so many crops of it: a quarter of what `nnbook train` takes, so that nobody who looks on waits long."""


class Job:
    """Work in a thread that can be stopped.

    Parameters
    ----------
    kind : {'train', 'apply'}
        What it is.
    tell : callable
        Gets messages of how far it is.
    """

    def __init__(self, kind: str, tell: Callable[[dict[str, Any]], None]) -> None:
        self.kind = kind
        self.stopped = threading.Event()
        self._tell = tell
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether it is under way."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self, work: Callable[[Job], str]) -> None:
        """Begin work, which returns what to say at its end."""

        def run() -> None:
            try:
                text = work(self)
                self.report(text, 1.0, "stopped" if self.stopped.is_set() else "done")
            except NnbookError as error:
                self.report(str(error), 0.0, "failed")
            except Exception as error:  # noqa: BLE001 - whatever it is, the view says so
                self.report(worded(error), 0.0, "failed")

        self._thread = threading.Thread(target=run, name=self.kind, daemon=True)
        self._thread.start()

    def report(self, text: str, share: float, state: str = "running") -> None:
        """Say how far it is."""
        self._tell({"kind": self.kind, "text": text, "share": share, "state": state})


def trained_method(path: Path) -> Method:
    """Describe a Cellpose 3 model as a method."""

    def load() -> Segment:
        from nnbook.segmentation.workflow import segment_image

        model = load_trained(path)
        return lambda image, diameter_px: segment_image(image, model, diameter_px=diameter_px)

    def load_analysis() -> Analyse:
        return analyse_by_book(load_trained(path))

    return Method(path.name, f"Trained here: {path.name}", load, (FLOW, CELLPROB), load_analysis)


def load_trained(path: Path) -> Model:
    """Load a model that was trained here."""
    from nnbook.segmentation.model import load_model

    return load_model(path)


def how_to_train(steps: int) -> TrainingSettings:
    """Return how a model is trained on from this book's.

    Raises
    ------
    InvalidValueError
        Where the number of steps is out of range.
    """
    if not 1 <= steps <= 100_000:
        raise InvalidValueError(f"steps is {steps}; give 1 to 100,000", parameter="steps")
    return TrainingSettings(
        steps=steps,
        learning_rate=2e-4,
        validation_share=1 / HELD_OUT,
        validate_every=steps // VALIDATIONS or steps,
        validation_crops=VALIDATION_CROPS,
    )


def train_on_masks(job: Job, images: Sequence[Path], model_path: Path, settings: TrainingSettings) -> str:
    """Train this book's model on with masks that were saved, in a process of its own.

    Parameters
    ----------
    job : Job
        Told how far it is.
    images : sequence of Path
        Images with `NAME_cp_masks.tif` beside them.
    model_path : Path
        The file to write.
    settings : TrainingSettings
        How to train: see `how_to_train`.

    Returns
    -------
    str
        What has come of it.
    """
    if not images:
        raise NnbookError("no image has saved masks; save the masks of at least one image first")
    steps, training = settings.steps, f"Training on {_images(len(images))}"
    with tempfile.TemporaryDirectory(prefix="nnbook-") as name:
        folder = Path(name)
        gather_examples(images, folder, settings.validation_share)
        context = get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_train, args=(sender, folder, model_path, settings), daemon=True)
        job.report(f"{training}: reading images and masks", 0.0)
        process.start()
        sender.close()
        error = ""
        try:
            while process.is_alive() or receiver.poll():
                if job.stopped.is_set():
                    process.terminate()
                    break
                if not receiver.poll(0.2):
                    continue
                message = receiver.recv()
                if isinstance(message, str):
                    error = message
                else:
                    job.report(f"{training}: step {message} of {steps}", message / steps)
        except EOFError:
            pass
        process.join()
    if job.stopped.is_set():
        model_path.with_name(f"{model_path.name}.checkpoint").unlink(missing_ok=True)
        model_path.with_name(f"{model_path.name}.history.csv").unlink(missing_ok=True)
        return "Training was stopped; no model was written."
    if error or process.exitcode:
        raise NnbookError(
            error or f"training ended with status {process.exitcode}, perhaps for lack of memory; close other programs"
        )
    alone = " A quarter of the image was held out to choose the best weights." if len(images) == 1 else ""
    return f"Trained on {_images(len(images))}. The new model, {model_path.name}, is now among the methods.{alone}"


def gather_examples(images: Sequence[Path], folder: Path, share: float = 1 / HELD_OUT) -> None:
    """Lay images and their masks out as `nnbook.training.train` takes them, some of them held out.

    Of one image alone the right quarter is held out. Which file is held out follows from its name, so files are named
    to that end.

    Parameters
    ----------
    images : sequence of Path
        Images with masks beside them.
    folder : Path
        Gets `images` and `masks`.
    share : float
        To hold out.

    Raises
    ------
    NnbookError
        Where the one image has no nucleus in one of its parts.
    """
    for part in ("images", "masks"):
        (folder / part).mkdir()
    if len(images) == 1:
        for kept, (image, labels) in zip((False, True), _halves(images[0]), strict=True):
            name = _name(images[0].stem, share, held=kept)
            write_image(folder / "images" / f"{name}.tif", image)
            write_mask(folder / "masks" / f"{name}.tif", labels)
        return
    for at, path in enumerate(images):
        name = _name(f"{path.stem}-{at}", share, held=at % HELD_OUT == 1)
        if (plane := recorded_plane(mask_beside(path)) or Plane()) == Plane():
            (folder / "images" / f"{name}{path.suffix}").symlink_to(path.resolve())
        else:
            write_image(folder / "images" / f"{name}.tif", read_image(path, plane))
        (folder / "masks" / f"{name}.tif").symlink_to(mask_beside(path).resolve())


def _halves(path: Path) -> list[tuple[Image, Labels]]:
    image = read_image(path, recorded_plane(mask_beside(path)))
    labels = read_mask(mask_beside(path), (image.shape[0], image.shape[1]))
    middle = 3 * image.shape[1] // 4
    parts = [np.s_[:, :middle], np.s_[:, middle:]]
    if not all(labels[part].any() for part in parts):
        raise NnbookError(
            f"{path}: is the only image with saved masks, and has none at its left or its right, so nothing can be "
            "held out; save masks of a second image"
        )
    return [(np.ascontiguousarray(image[part]), np.ascontiguousarray(labels[part])) for part in parts]


def _name(stem: str, share: float, *, held: bool) -> str:
    at = 0
    while held_out(f"{stem}-{at}", share) != held:
        at += 1
    return f"{stem}-{at}"


def _train(sender: Connection, folder: Path, model_path: Path, settings: TrainingSettings) -> None:
    try:
        train(
            [(folder / "images", folder / "masks")],
            model_path,
            settings,
            from_model=SHIPPED_MODEL,
            report=sender.send,
        )
    except NnbookError as error:
        sender.send(str(error))
    except Exception as error:  # noqa: BLE001 - the view says so
        sender.send(reason(error))


def apply_to_folder(job: Job, folder: Path, how: ForFolder) -> str:
    """Segment all images of a folder into its folder `masks`, with a record each.

    What was made before by the same method and settings stays as it is, and so do masks that were corrected by hand or
    are not nnbook's; others are made again.

    Parameters
    ----------
    job : Job
        Told how far it is. Where it is stopped, the image in hand is finished.
    folder : Path
        Of images.
    how : ForFolder
        The method and its settings.

    Returns
    -------
    str
        How many images are segmented, and where their masks are. Where it was stopped, with a line for each image
        that had failed until then.

    Raises
    ------
    NnbookError
        At the end, where there are problems: with a line for each image that failed, each mask that stays, and each
        image of dark nuclei or without a nucleus.
    """
    images = image_files(folder)
    out = folder / "masks"

    so_far = [0, 0]

    def heed(done: int, count: int) -> bool:
        so_far[:] = done, count
        job.report(f"Segmenting by {how.method.title}: {done} of {_images(count)} done", done / count)
        return not job.stopped.is_set()

    failed: dict[str, NnbookError] = {}
    with heeded_units(heed):
        try:
            segment_folder(images, out, how)
        except UnitsError as error:
            failed = error.failed
    done, count = so_far
    summary = _summary(len(images) - count + done - len(failed), len(images), out)
    problems = [*map(str, failed.values())]
    if job.stopped.is_set():
        return "\n".join([f"Stopped. {summary}", *_first(problems, out)])
    masks = {name: out / f"{name}{MASK_SUFFIX}.tif" for name in images if name not in failed}
    results = {name: result for name, mask in masks.items() if (result := result_of(mask)) is not None}
    problems += [f"{images[name]}: {DARK_NUCLEI}" for name, result in results.items() if result["dark_nuclei"]]
    problems += [f"{images[name]}: {NO_NUCLEUS}" for name, result in results.items() if not result["nuclei"]]
    if problems:
        raise NnbookError("\n".join([summary, *_first(problems, out)]))
    return summary


def _first(problems: list[str], folder: Path) -> list[str]:
    """Return the first problems, and a line that says how many more there are."""
    more = len(problems) - NAMED
    if more <= 0:
        return problems
    others = "1 more problem is" if more == 1 else f"{more} more problems are"
    return [*problems[:NAMED], f"{others} not shown; every image that failed is in {folder / FAILED}."]


def _summary(segmented: int, count: int, folder: Path) -> str:
    """Say how many images of a folder are segmented, and where their masks are."""
    if not segmented:
        return "The image was not segmented." if count == 1 else f"None of the {count} images was segmented."
    if count == 1:
        return f"The image is segmented; its masks are in {folder}."
    if segmented == count:
        return f"All {count} images are segmented; their masks are in {folder}."
    if segmented == 1:
        return f"1 of {count} images is segmented; its masks are in {folder}."
    return f"{segmented} of {count} images are segmented; their masks are in {folder}."


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"
