"""Training a Cellpose 3 network: `nnbook train`.

Network, targets and loss are those of Cellpose (Stringer et al. 2021, doi:10.1038/s41592-020-01018-x): mean squared
error of five times the unit flows, half weight, plus the cross-entropy of the cell probability. Two things differ. A
cell probability of one half is a logit of `EVEN_ODDS` instead of 0, so that the published threshold of the cell
probability puts outlines where the masks of the training data have them. And pixels of small nuclei, such as the
slivers of those that the image's edge cuts, weigh more.
"""

from __future__ import annotations

import csv
import hashlib
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.io.files import atomic_write
from nnbook.io.inputs import pair_files
from nnbook.segmentation.model import autocast, load_model, new_network
from nnbook.training.crops import draw_crop, read_example

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import torch
    from numpy.random import Generator

    from nnbook.io.paths import PathLike
    from nnbook.training.crops import Example

EVEN_ODDS: Final = -2.0
"""The cell probability's logit at which a pixel is as likely inside a nucleus as outside: the published threshold."""

WARM_UP_STEPS: Final = 50
DECAY_SHARE: Final = 0.2
WEIGHT_DECAY: Final = 0.01
MAX_GRADIENT: Final = 5.0
VALIDATION_CROPS: Final = 96
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
    learning_rate : float
        Its peak: it rises over the first 50 steps, stays, and falls to 0 in a line over the last fifth of the steps.
    diam_mean : float
        The network's diameter in px: nuclei are brought to it. Ignored where training goes on from a model.
    validation_share : float
        Share of each data set that is held out, by a hash of the file's stem.
    validate_every : int
        Steps between two validations; a checkpoint is written at each.
    seed : int
        Seed of the network's first weights and of every crop.
    """

    steps: int = 1200
    batch: int = 8
    crop_px: int = 160
    learning_rate: float = 1e-3
    diam_mean: float = 30.0
    validation_share: float = 0.1
    validate_every: int = 100
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
) -> Path:
    """Train a network and write the weights that validated best, in half precision, as stock Cellpose 3 loads them.

    A checkpoint beside the model lets a call with equal arguments go on where the last one was interrupted; it is
    deleted at the end. Another number of steps may be given then, as long as the learning rate wouldn't have begun to
    fall by now: the result is that of a training with this number from the start. The losses go to `MODEL.history.csv`.

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
    if from_model is None:
        network, diam_mean = new_network(settings.diam_mean), settings.diam_mean
    else:
        model = load_model(from_model)
        network, diam_mean = model.network, model.diam_mean
    training, validation = _read(folders, settings, diam_mean)
    diameters = [example.original_diameter_px for examples in training for example in examples]
    network.diam_labels.data[:] = float(np.mean(diameters))
    state = _TrainingState(network.to(memory_format=torch.channels_last), settings)
    checkpoint = model_path.with_name(f"{model_path.name}.checkpoint")
    identity = {
        "settings": {name: value for name, value in asdict(settings).items() if name != "steps"},
        "data_sets": [[str(path) for path in pair] for pair in folders],
        "from_model": None if from_model is None else str(Path(from_model)),
    }
    if checkpoint.is_file():
        state.restore(checkpoint, identity)
    fixed = _validation_batches(validation, settings, diam_mean)
    for step in _progress(state.step, settings.steps):
        loss = state.advance(_batch(training, state.rng, settings, diam_mean, varied=True))
        state.losses.append(loss)
        if (step + 1) % settings.validate_every == 0 or step + 1 == settings.steps:
            state.validate(fixed)
            state.store(checkpoint, identity)
            _write_history(model_path, state.history)
    _write_model(model_path, state.best)
    checkpoint.unlink(missing_ok=True)
    return model_path


class _TrainingState:
    """What changes while a network is trained, and what a checkpoint holds."""

    def __init__(self, network: Any, settings: TrainingSettings) -> None:
        import torch

        self.network = network
        self.settings = settings
        weights = [weight for weight in network.parameters() if weight.requires_grad]
        self.optimizer = torch.optim.AdamW(weights, lr=settings.learning_rate, weight_decay=WEIGHT_DECAY)
        self.rng = np.random.default_rng([settings.seed, 1])
        self.step = 0
        self.losses: list[float] = []
        self.history: list[tuple[int, float, float, float]] = []
        self.best: dict[str, torch.Tensor] = {}
        self.best_loss = math.inf

    def _rate(self) -> float:
        """Return the learning rate of the step to come."""
        rising = (self.step + 1) / WARM_UP_STEPS
        falling = (self.settings.steps - self.step) / (self.settings.steps * DECAY_SHARE)
        return self.settings.learning_rate * min(1.0, rising, falling)

    def advance(self, batch: tuple[torch.Tensor, torch.Tensor]) -> float:
        import torch

        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        loss = _loss(self.network, *batch)
        if not torch.isfinite(loss):
            raise NnbookError(
                f"the training loss is no longer a number at step {self.step + 1}; use a lower learning rate than "
                f"{self.settings.learning_rate:g}"
            )
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), MAX_GRADIENT)
        self.optimizer.step()
        self.step += 1
        return float(loss.detach())

    def validate(self, batches: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
        import torch

        self.network.eval()
        with torch.no_grad():
            loss = float(np.mean([float(_loss(self.network, *batch)) for batch in batches]))
        if loss < self.best_loss:
            self.best_loss = loss
            self.best = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.history.append((self.step, float(np.mean(self.losses)), loss, self._rate()))
        self.losses = []

    def store(self, path: Path, identity: dict[str, Any]) -> None:
        import torch

        with atomic_write(path) as written:
            torch.save(
                {
                    "identity": identity,
                    "steps": self.settings.steps,
                    "network": self.network.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                    "rng": self.rng.bit_generator.state,
                    "step": self.step,
                    "history": self.history,
                    "best": self.best,
                    "best_loss": self.best_loss,
                },
                written,
            )

    def restore(self, path: Path, identity: dict[str, Any]) -> None:
        import torch

        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            same, steps = state["identity"] == identity, int(state["steps"])
        except Exception as error:
            raise NnbookError(f"{path}: can't be read as a checkpoint ({error}); delete it to train anew") from error
        if not same:
            raise NnbookError(f"{path}: is of a training with other settings or data; delete it to train anew")
        fall = math.floor(min(steps, self.settings.steps) * (1 - DECAY_SHARE))
        if steps != self.settings.steps and state["step"] > fall:
            raise NnbookError(
                f"{path}: is at step {state['step']} of {steps}, too late for {self.settings.steps} in all, whose "
                f"learning rate falls from step {fall} on; keep to {steps}, or delete it to train anew"
            )
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.bit_generator.state = state["rng"]
        self.step, self.history = state["step"], [tuple(row) for row in state["history"]]
        self.best, self.best_loss = state["best"], state["best_loss"]


def _loss(network: Any, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    import torch
    from torch.nn import functional

    with autocast():
        output = network(images)[0]
    output = output.float()
    flows = functional.mse_loss(output[:, :2], 5 * targets[:, :2], reduction="none").mean(dim=1)
    inside = functional.binary_cross_entropy_with_logits(output[:, 2] - EVEN_ODDS, targets[:, 2], reduction="none")
    weights = targets[:, 3]
    return torch.sum((flows / 2 + inside) * weights) / weights.sum()


def _batch(
    data_sets: list[list[Example]], rng: Generator, settings: TrainingSettings, diam_mean: float, *, varied: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    images = np.zeros((settings.batch, 2, settings.crop_px, settings.crop_px), dtype=np.float32)
    targets = np.empty((settings.batch, 4, settings.crop_px, settings.crop_px), dtype=np.float32)
    for k in range(settings.batch):
        examples = data_sets[rng.integers(len(data_sets))]
        example = examples[rng.integers(len(examples))]
        others = data_sets[rng.integers(len(data_sets))]
        images[k, 0], targets[k] = draw_crop(
            example,
            rng,
            settings.crop_px,
            diam_mean,
            varied=varied,
            paste_from=others[rng.integers(len(others))],
        )
    return torch.from_numpy(images).to(memory_format=torch.channels_last), torch.from_numpy(targets)


def _validation_batches(
    validation: list[list[Example]], settings: TrainingSettings, diam_mean: float
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    rng = np.random.default_rng([settings.seed, 2])
    count = math.ceil(VALIDATION_CROPS / settings.batch)
    return [_batch(validation, rng, settings, diam_mean, varied=False) for _ in range(count)]


def _read(
    data_sets: Sequence[tuple[Path, Path]], settings: TrainingSettings, diam_mean: float
) -> tuple[list[list[Example]], list[list[Example]]]:
    if not data_sets:
        raise InvalidValueError(
            "data_sets is empty; give a folder of images and one of their masks", parameter="data_sets"
        )
    problems: list[str] = []
    training: list[list[Example]] = []
    validation: list[list[Example]] = []
    for images, masks in data_sets:
        parts: tuple[list[Example], list[Example]] = ([], [])
        for stem, (image, mask) in pair_files(images, masks).items():
            try:
                parts[held_out(stem, settings.validation_share)].append(read_example(image, mask, diam_mean))
            except NnbookError as error:
                problems.append(str(error))
        for part, kept, what in ((parts[0], training, "training"), (parts[1], validation, "validation")):
            if part:
                kept.append(part)
            elif not problems:
                problems.append(
                    f"{images}: no image of it falls to {what} at a validation share of "
                    f"{settings.validation_share:g}; add images or change the share"
                )
    if problems:
        raise NnbookError("\n".join(problems))
    return training, validation


def _check(settings: TrainingSettings) -> None:
    whole = ("steps", "batch", "crop_px", "validate_every")
    if wrong := next((name for name in whole if getattr(settings, name) < 1), None):
        raise InvalidValueError(f"{wrong} is {getattr(settings, wrong)}; give a whole number from 1", parameter=wrong)
    if settings.crop_px % 8:
        raise InvalidValueError(
            f"crop_px is {settings.crop_px}; give a multiple of 8: the network halves it three times",
            parameter="crop_px",
        )
    for name in ("learning_rate", "diam_mean"):
        if not getattr(settings, name) > 0:
            raise InvalidValueError(f"{name} is {getattr(settings, name):g}; give a number above 0", parameter=name)
    if not 0 < settings.validation_share < 1:
        raise InvalidValueError(
            f"validation_share is {settings.validation_share:g}; give a share between 0 and 1",
            parameter="validation_share",
        )


def _progress(start: int, stop: int) -> Iterator[int]:
    from nnbook.io.progress import show_progress

    yield from show_progress(range(start, stop), initial=start, total=stop, desc="train", unit="step")


def _write_history(model_path: Path, history: list[tuple[int, float, float, float]]) -> None:
    path = model_path.with_name(f"{model_path.name}.history.csv")
    with atomic_write(path) as written, written.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HISTORY_COLUMNS)
        writer.writerows((step, f"{a:.5f}", f"{b:.5f}", f"{rate:.3g}") for step, a, b, rate in history)


def _write_model(path: Path, state: dict[str, torch.Tensor]) -> None:
    """Write weights of convolutions in half precision; what normalizes, and the diameters, stay as they are."""
    import torch

    halved = {name: value.half() if value.ndim > 1 else value for name, value in state.items()}
    with atomic_write(path) as written:
        torch.save(halved, written)
