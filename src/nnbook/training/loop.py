"""Training a Cellpose 3 network: `nnbook train`.

Network, targets and loss are those of Cellpose (Stringer et al. 2021, doi:10.1038/s41592-020-01018-x): mean squared
error of five times the unit flows, half weight, plus the cross-entropy of the cell probability. Two things differ. A
cell probability of one half is a logit of `EVEN_ODDS` instead of 0, so that the published threshold of the cell
probability puts outlines where the masks of the training data have them. And pixels of small nuclei, such as the
slivers of those that the image's edge cuts, weigh more.
"""

from __future__ import annotations

import copy
import csv
import hashlib
import itertools
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.io.files import atomic_write
from nnbook.io.inputs import pair_files
from nnbook.segmentation.model import load_model, network_dtype, new_network
from nnbook.training.crops import draw_crops
from nnbook.training.supply import STORED_CROPS, Store, crop_jobs, default_workers, start_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import torch

    from nnbook.io.paths import PathLike
    from nnbook.training.crops import Crops, Example
    from nnbook.training.supply import Workers

EVEN_ODDS: Final = -2.0
"""The cell probability's logit at which a pixel is as likely inside a nucleus as outside: the published threshold."""

WARM_UP_STEPS: Final = 50
AVERAGED_SHARE: Final = 1 / 16
MOST_AVERAGED: Final = 1000
"""The average of weights goes back over this share of the steps so far, and at most so many."""

WEIGHT_DECAY: Final = 0.01
MAX_GRADIENT: Final = 5.0
HISTORY_COLUMNS: Final = ("step", "training_loss", "validation_loss", "learning_rate")


@dataclass(frozen=True)
class TrainingSettings:
    """How to train.

    Attributes
    ----------
    steps : int
        How many batches.
    batch, crop_px : int
        Crops a batch, and the side of a crop in px at the network's scale, a multiple of 8.
    uses : int
        How often each crop is used, on average, varied anew each time; `batch` is a multiple of it. More than once
        where a GPU is faster than the processors that draw crops.
    learning_rate : float
        Its peak: it rises over the first 50 steps and falls to 0 as a cosine.
    diam_mean : float
        The network's diameter in px: nuclei are brought to it. Ignored where training goes on from a model.
    validation_share : float
        Share of each data set that is held out, by a hash of the file's stem.
    validate_every : int
        Steps between two validations; a checkpoint is written at each.
    validation_crops : int
        Crops of what is held out on which each validation computes the loss; up to a whole number of batches more.
    seed : int
        Seed of the network's first weights and of every crop.
    """

    steps: int = 1200
    batch: int = 8
    crop_px: int = 160
    uses: int = 1
    learning_rate: float = 1e-3
    diam_mean: float = 30.0
    validation_share: float = 0.1
    validate_every: int = 100
    validation_crops: int = 96
    seed: int = 1


def held_out(stem: str, share: float) -> bool:
    """Return whether a file belongs to the validation part: by a hash of its stem, whatever else there is.

    Parameters
    ----------
    stem : str
        The image's name without its ending.
    share : float
        From 0, nothing, to 1, everything.
    """
    digest = hashlib.sha256(stem.encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def train(
    data_sets: Sequence[tuple[PathLike, PathLike]],
    model_path: PathLike,
    settings: TrainingSettings | None = None,
    *,
    from_model: PathLike | None = None,
    report: Callable[[int], None] | None = None,
) -> Path:
    """Train a network and write the weights that validated best, in half precision, as stock Cellpose 3 loads them.

    They are moving averages. On a GPU where there is one, processes draw crops for it; a script that calls this then
    needs its `if __name__ == "__main__":`. A checkpoint beside the model lets a call with equal arguments go on where
    the last one was interrupted; it is deleted at the end. The losses go to `MODEL.history.csv`.

    Parameters
    ----------
    data_sets : sequence of (str or Path, str or Path)
        Folders of images and of their masks. Each data set is drawn from equally often, however large it is, and each
        image of it too. One that is named twice is drawn from twice as often.
    model_path : str or Path
        The file to write.
    settings : TrainingSettings, optional
        How to train.
    from_model : str or Path, optional
        A Cellpose 3 model to go on from, instead of from random weights.
    report : callable, optional
        Gets the number of steps that are done, after each.

    Returns
    -------
    Path
        The model, `model_path`.

    Raises
    ------
    InvalidValueError
        Where a setting is out of range.
    NnbookError
        Where files are wrong, with one line for each image or mask that is; where no image is left for training or
        validation; where a checkpoint belongs to another training.

    Examples
    --------
    >>> import nnbook
    >>> from nnbook.training import TrainingSettings
    >>> few = TrainingSettings(steps=1, batch=32, crop_px=32, validation_share=0.5)
    >>> nnbook.train([("images", "masks")], "my_model", few).name
    'my_model'
    """
    import torch

    folders = [(Path(images), Path(masks)) for images, masks in data_sets]
    model_path = Path(model_path)
    settings = settings or TrainingSettings()
    _check(settings)
    torch.manual_seed(settings.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.benchmark = True  # every batch has the same size
    if from_model is None:
        network, diam_mean = new_network(settings.diam_mean), settings.diam_mean
    else:
        model = load_model(from_model)
        network, diam_mean = model.network, model.diam_mean
    checkpoint = model_path.with_name(f"{model_path.name}.checkpoint")
    identity = {
        "settings": asdict(settings),
        "data_sets": [[str(path) for path in pair] for pair in folders],
        "from_model": None if from_model is None else str(Path(from_model)),
    }
    with start_workers(default_workers(device)) as workers:
        training, validation = _read(folders, settings, diam_mean, workers)
        diameters = [example.original_diameter_px for examples in training for example in examples]
        network.diam_labels.data[:] = float(np.mean(diameters))
        state = TrainingState(network, settings, device)
        if checkpoint.is_file():
            state.restore(checkpoint, identity)
        fixed = validation_store(validation, settings, diam_mean, device)
        for step, batch in _batches(training, workers, state, diam_mean):
            state.losses.append(state.advance(*batch))
            if report is not None:
                report(step + 1)
            if (step + 1) % settings.validate_every == 0 or step + 1 == settings.steps:
                state.validate(fixed)
                state.store(checkpoint, identity)
                _write_history(model_path, state.history)
    write_model(model_path, state.best)
    checkpoint.unlink(missing_ok=True)
    return model_path


def _batches(
    training: list[list[Example]], workers: Workers, state: TrainingState, diam_mean: float
) -> Iterator[tuple[int, tuple[torch.Tensor, torch.Tensor]]]:
    """Give each step to come and its batch."""
    settings = state.settings
    fresh = settings.batch // settings.uses
    capacity = settings.batch if settings.uses == 1 else max(settings.batch, STORED_CROPS)
    store = Store(capacity, settings.crop_px, state.device)
    # After an interruption the store is filled with what was in it, and the batches are those that would have come.
    before = min(state.step, math.ceil(capacity / fresh) - 1)
    jobs = crop_jobs(settings.seed, state.step - before, fresh, settings.crop_px, diam_mean)
    drawn = workers.draw(training, itertools.islice(jobs, before + settings.steps - state.step))
    for crops in itertools.islice(drawn, before):
        store.add(crops)
    for step, crops in _progress(state.step, settings.steps, drawn):
        store.add(crops)
        if settings.uses == 1:
            places = np.arange(settings.batch)
        else:
            places = np.random.default_rng((settings.seed, 3, step)).integers(len(store), size=settings.batch)
        yield step, store.batch(places, (settings.seed, 4, step))


class TrainingState:
    """What changes while a network is trained, and what a checkpoint holds.

    Parameters
    ----------
    network : cellpose.resnet_torch.CPnet
        With the weights to start from.
    settings : TrainingSettings
        How to train.
    device : str
        Where.
    """

    def __init__(self, network: Any, settings: TrainingSettings, device: str) -> None:
        import torch

        self.network = network.to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval()
        self.settings = settings
        self.device = device
        self.weights = [weight for weight in self.network.parameters() if weight.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self.weights, lr=settings.learning_rate, weight_decay=WEIGHT_DECAY, fused=device == "cuda"
        )
        self.step = 0
        self.losses: list[torch.Tensor] = []
        self.history: list[tuple[int, float, float, float]] = []
        self.best: dict[str, torch.Tensor] = {}
        self.best_loss = math.inf

    def _rate(self) -> float:
        """Return the learning rate of the step to come."""
        rising = (self.step + 1) / WARM_UP_STEPS
        cosine = (1 + math.cos(math.pi * self.step / self.settings.steps)) / 2
        return self.settings.learning_rate * min(1.0, rising) * cosine

    def advance(self, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Train on a batch and return its loss."""
        import torch

        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        loss = _loss(self.network, images, targets, self.device)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, MAX_GRADIENT)
        self.optimizer.step()
        self.step += 1
        self._average()
        return loss.detach()

    def _average(self) -> None:
        """Let the average follow the network."""
        import torch

        part = 1 / (1 + min(MOST_AVERAGED, AVERAGED_SHARE * self.step))
        pairs = zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True)
        floats = [(mean, new) for mean, new in pairs if mean.is_floating_point()]
        torch._foreach_lerp_([mean for mean, _ in floats], [new for _, new in floats], part)

    def validate(self, fixed: Store) -> None:
        """Compute the loss of the averaged weights on fixed crops, and keep those of the least loss."""
        import torch

        training_loss = float(torch.stack(self.losses).mean())
        if not math.isfinite(training_loss):
            raise NnbookError(
                f"the training loss is no longer a number at step {self.step}; use a lower learning rate than "
                f"{self.settings.learning_rate:g}"
            )
        loss = validation_loss(self.average, fixed, self.settings.batch)
        if loss < self.best_loss:
            self.best_loss = loss
            self.best = {name: value.cpu().clone() for name, value in self.average.state_dict().items()}
        self.history.append((self.step, training_loss, loss, self._rate()))
        self.losses = []

    def store(self, path: Path, identity: dict[str, Any]) -> None:
        """Write a checkpoint of the training that has this identity."""
        import torch

        with atomic_write(path) as written:
            torch.save(
                {
                    "identity": identity,
                    "network": self.network.state_dict(),
                    "average": self.average.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                    "step": self.step,
                    "history": self.history,
                    "best": self.best,
                    "best_loss": self.best_loss,
                },
                written,
            )

    def restore(self, path: Path, identity: dict[str, Any]) -> None:
        """Go on from a checkpoint; raise `NnbookError` where it is damaged or of another training."""
        import torch

        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            same = state["identity"] == identity
        except Exception as error:
            raise NnbookError(f"{path}: can't be read as a checkpoint ({error}); delete it to train anew") from error
        if not same:
            raise NnbookError(f"{path}: is of a training with other settings or data; delete it to train anew")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.history = state["step"], [tuple(row) for row in state["history"]]
        self.best, self.best_loss = state["best"], state["best_loss"]


def _loss(network: Any, images: torch.Tensor, targets: torch.Tensor, device: str) -> torch.Tensor:
    import torch
    from torch.nn import functional

    half = device == "cuda" or network_dtype() == "bfloat16"
    with torch.autocast(device, dtype=torch.bfloat16, enabled=half):
        output = network(images)[0]
    output = output.float()
    flows = functional.mse_loss(output[:, :2], 5 * targets[:, :2], reduction="none").mean(dim=1)
    inside = functional.binary_cross_entropy_with_logits(output[:, 2] - EVEN_ODDS, targets[:, 2], reduction="none")
    weights = targets[:, 3]
    return torch.sum((flows / 2 + inside) * weights) / weights.sum()


def validation_loss(network: Any, fixed: Store, batch: int) -> float:
    """Return the mean loss of batches of fixed crops."""
    import torch

    images, targets = fixed.unvaried()
    with torch.no_grad():
        parts = zip(images.split(batch), targets.split(batch), strict=True)
        return float(np.mean([float(_loss(network, *part, fixed.device)) for part in parts]))


def validation_store(
    validation: list[list[Example]], settings: TrainingSettings, diam_mean: float, device: str
) -> Store:
    """Draw the crops on which networks are compared while they are trained."""
    rng = np.random.default_rng([settings.seed, 2])
    count = math.ceil(settings.validation_crops / settings.batch) * settings.batch
    store = Store(count, settings.crop_px, device)
    store.add(draw_crops(validation, rng, count, settings.crop_px, diam_mean, varied=False))
    return store


def _read(
    data_sets: Sequence[tuple[Path, Path]], settings: TrainingSettings, diam_mean: float, workers: Workers
) -> tuple[list[list[Example]], list[list[Example]]]:
    if not data_sets:
        raise InvalidValueError(
            "data_sets is empty; give a folder of images and one of their masks", parameter="data_sets"
        )
    problems: list[str] = []
    files = {pair: pair_files(*pair) for pair in dict.fromkeys(data_sets)}
    found = iter(workers.read([each for paired in files.values() for each in paired.values()], diam_mean))
    parts: dict[tuple[Path, Path], tuple[list[Example], list[Example]]] = {}
    for pair, paired in files.items():
        parts[pair] = [], []
        for stem in paired:
            example = next(found)
            if isinstance(example, str):
                problems.append(example)
            else:
                parts[pair][held_out(stem, settings.validation_share)].append(example)
    for (images, _), part in parts.items():
        for kept, what in zip(part, ("training", "validation"), strict=True):
            if not kept and not problems:
                problems.append(
                    f"{images}: no image of it falls to {what} at a validation share of "
                    f"{settings.validation_share:g}; add images or change the share"
                )
    if problems:
        raise NnbookError("\n".join(problems))
    return [parts[pair][0] for pair in data_sets], [parts[pair][1] for pair in data_sets]


def _check(settings: TrainingSettings) -> None:
    whole = ("steps", "batch", "crop_px", "uses", "validate_every", "validation_crops")
    if wrong := next((name for name in whole if getattr(settings, name) < 1), None):
        raise InvalidValueError(f"{wrong} is {getattr(settings, wrong)}; give a whole number from 1", parameter=wrong)
    if settings.crop_px % 8:
        raise InvalidValueError(
            f"crop_px is {settings.crop_px}; give a multiple of 8: the network halves it three times",
            parameter="crop_px",
        )
    if settings.batch % settings.uses:
        raise InvalidValueError(
            f"batch is {settings.batch} and uses {settings.uses}; give a multiple of it", parameter="batch"
        )
    for name in ("learning_rate", "diam_mean"):
        if not getattr(settings, name) > 0:
            raise InvalidValueError(f"{name} is {getattr(settings, name):g}; give a number above 0", parameter=name)
    if not 0 < settings.validation_share < 1:
        raise InvalidValueError(
            f"validation_share is {settings.validation_share:g}; give a share between 0 and 1",
            parameter="validation_share",
        )


def _progress(start: int, stop: int, drawn: Iterator[Crops]) -> Iterator[tuple[int, Crops]]:
    from nnbook.io.progress import show_progress

    steps = zip(range(start, stop), drawn, strict=True)
    yield from show_progress(steps, initial=start, total=stop, desc="train", unit="step")


def _write_history(model_path: Path, history: list[tuple[int, float, float, float]]) -> None:
    path = model_path.with_name(f"{model_path.name}.history.csv")
    with atomic_write(path) as written, written.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HISTORY_COLUMNS)
        writer.writerows((step, f"{a:.5f}", f"{b:.5f}", f"{rate:.3g}") for step, a, b, rate in history)


def write_model(path: Path, state: dict[str, torch.Tensor]) -> None:
    """Write weights of convolutions in half precision; what normalizes, and the diameters, stay as they are."""
    import torch

    halved = {name: value.half() if value.ndim > 1 else value for name, value in state.items()}
    with atomic_write(path) as written:
        torch.save(halved, written)
