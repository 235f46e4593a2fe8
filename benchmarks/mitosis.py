"""Detection of mitotic figures: `python benchmarks/mitosis.py DATA WORK OUT.json`.

NuSeT's network is trained to detect mitotic figures, once with weights that draw attention to them, and once without,
with each seed of `SEEDS`, on half of the fields of bbbc039_u2os and on simulated panoramas, all with the same number of
steps, on one thread. What is trained and detected is kept in WORK. The threshold of each is that with the greatest F1
on what it was trained on. Precision and recall are those on the other fields, and on panoramas of another seed, beside
the present rule: `nnbook.cells.mitosis.find_pairs`, of the masks of the model that is shipped.

Figures of bbbc039_u2os are in `mitotic_figures.csv` beside this file. They were labelled by eye for this book, before
anything was trained: of all 60 fields, the 360 nuclei were looked at whose 90th percentile above the background was
greatest beside the field's median nucleus. So figures that are no brighter than other nuclei, as early prophases, are
not among them. What could not be told from a dying or a just divided cell is `uncertain`, and counts neither way.
"""

from __future__ import annotations

import csv
import json
import pickle
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from measured_on import heading
from nuset import over_seeds
from scipy.ndimage import find_objects

from nnbook.cells.mitosis import find_pairs
from nnbook.io.files import write_json
from nnbook.io.images import read_image, read_mask
from nnbook.io.inputs import pair_files
from nnbook.nuset.mitosis import (
    Detections,
    detect_figures,
    figure_examples,
    label_figures,
    match_figures,
    precision_recall,
)
from nnbook.nuset.training import NusetSettings, train_nuset
from nnbook.nuset.weights import read_networks, write_networks
from nnbook.segmentation.diameter import median_diameter
from nnbook.segmentation.model import shipped_model
from nnbook.segmentation.workflow import segment_image
from nnbook.simulation.nuclei import MITOSES
from nnbook.simulation.panorama import simulate_panorama
from nnbook.training.loop import held_out
from nnbook.values.published import DIAMETER_PX, PX_PER_UM

if TYPE_CHECKING:
    from nnbook.io.images import Image, Labels

SEEDS = (1, 2)
SETTINGS = NusetSettings(foreground=False, synthetic_share=0.0, steps=400)
ATTENTION = 10.0
NETWORKS = {"attention": replace(SETTINGS, attention=ATTENTION), "none": SETTINGS}
FIGURES = Path(__file__).with_name("mitotic_figures.csv")
REAL = "bbbc039_u2os"
UNCERTAIN = "uncertain"
HELD_OUT_SHARE = 0.5
TWIN_SHRINK = 4
TWIN_PX = 2048
TWIN_TRAINING = (7, 12)
TWIN_HELD_OUT = (1, 4)
TWIN_THRESHOLD = 2
"""Seed and panoramas, which have a quarter of the published pixels a micrometre and so many nuclei each. Thresholds are
chosen on the first of those trained on, and on all fields trained on."""

TITLES = {"twin": "Simulated panoramas", REAL: "BBBC039, U2OS"}


class Found(NamedTuple):
    """Detections of a field, matched: see `nnbook.nuset.mitosis.Matched`."""

    scores: Any
    figure: Any
    counted: Any


class Field(NamedTuple):
    """An image with its true figures and what may be one."""

    image: Image
    figures: Labels
    uncertain: Labels
    stages: tuple[str, ...]
    diameter_px: float


def real_fields(data: Path) -> tuple[list[Field], list[Field]]:
    """Read the fields to train on and those held out."""
    with FIGURES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    parts: tuple[list[Field], list[Field]] = ([], [])
    for stem, (image_path, mask_path) in pair_files(data / REAL / "images", data / REAL / "labels").items():
        labels = read_mask(mask_path)
        if not labels.any():
            continue
        here = [
            (tuple(int(one) for one in row["labels"].split("+")), row["stage"]) for row in rows if row["image"] == stem
        ]
        figures = [(own, stage) for own, stage in here if stage != UNCERTAIN]
        field = Field(
            read_image(image_path),
            label_figures(labels, [own for own, _ in figures]),
            label_figures(labels, [own for own, stage in here if stage == UNCERTAIN]),
            tuple(stage for _, stage in figures),
            median_diameter(labels),
        )
        parts[held_out(stem, HELD_OUT_SHARE)].append(field)
    return parts


def twin_fields(seed: int, panoramas: int) -> list[Field]:
    """Simulate panoramas; the stage of each nucleus is known."""
    fields = []
    for run in range(1, panoramas + 1):
        image, labels, truth = simulate_panorama(
            seed, run, "BL", "top_left", width_px=TWIN_PX, height_px=TWIN_PX, px_per_um=PX_PER_UM / TWIN_SHRINK
        )
        mitoses = truth[truth["class"].isin(MITOSES)]
        figures = label_figures(labels, [(int(label),) for label in mitoses["label"]])
        none = np.zeros_like(labels)
        fields.append(Field(image, figures, none, tuple(mitoses["class"]), DIAMETER_PX / TWIN_SHRINK))
    return fields


def train_all(training: dict[str, list[Field]], work: Path) -> None:
    """Train what is not trained yet."""
    work.mkdir(parents=True, exist_ok=True)
    sets = [
        [
            one
            for field in fields
            if field.figures.any()
            for one in figure_examples(field.image, field.figures, field.diameter_px)
        ]
        for fields in training.values()
    ]
    for seed in SEEDS:
        for name, settings in NETWORKS.items():
            path = work / f"{name}-{seed}.npz"
            if path.is_file():
                continue
            start = time.process_time()
            network = train_nuset(sets, replace(settings, seed=seed), lambda line: print(line, flush=True))
            write_networks(path, {name: network})
            facts = {"cpu_seconds": round(time.process_time() - start), "examples": [len(one) for one in sets]}
            write_json(path.with_suffix(".json"), facts)
            print(name, seed, facts, flush=True)


def detections_by_rule(field: Field, model: Any) -> Detections:
    """Return the middles of the masks that the present rule takes for dividing cells."""
    labels = segment_image(field.image, model, diameter_px=field.diameter_px)
    levels = field.image.astype(np.float64)
    grey = np.clip(1 + 254 * levels / max(levels.max(), 1.0), 1, 255).astype(np.uint8)
    boxes = [box for box in find_objects(labels) if box is not None]
    cells = [np.where(labels[box] == label, grey[box], 0).astype(np.uint8) for label, box in enumerate(boxes, start=1)]
    pairs = find_pairs(cells, PX_PER_UM * field.diameter_px / DIAMETER_PX)
    middles = [np.argwhere(labels == index + 1).mean(axis=0) for index in pairs["index"].tolist()]
    return Detections(np.array(middles, np.float32).reshape(-1, 2), np.ones(len(middles), np.float32))


def match(field: Field, found: Detections) -> Found:
    """Set the detections of a field beside its figures."""
    matched = match_figures(found, field.figures, field.uncertain, field.diameter_px)
    return Found(found.scores, matched.figure, matched.counted)


def count(fields: list[Field], found: list[Found], threshold: float) -> list[dict[str, Any]]:
    """Count per field what is right and wrong from a threshold, and which stages are found."""
    counts = []
    for field, one in zip(fields, found, strict=True):
        likely = one.scores >= threshold
        right = one.figure[likely & (one.figure >= 0)]
        stages = np.array(field.stages, dtype=object)
        counts.append(
            {
                "right": len(right),
                "wrong": int((likely & one.counted & (one.figure < 0)).sum()),
                "figures": len(stages),
                **{f"figures.{stage}": int((stages == stage).sum()) for stage in STAGES},
                **{f"found.{stage}": int((stages[right] == stage).sum()) for stage in STAGES},
            }
        )
    return counts


THRESHOLDS = [round(0.01 * step, 2) for step in range(5, 100)]
STAGES = ("prophase", "prometaphase", "metaphase", "anaphase", "telophase")


def summed(counts: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum counts over fields."""
    return {key: sum(one[key] for one in counts) for key in counts[0]}


def detect(fields: list[Field], network: Any, kept: Path) -> list[Found]:
    """Detect and match, which is kept for a second call."""
    if kept.is_file():
        with kept.open("rb") as file:
            return list(pickle.load(file))  # noqa: S301 - written below
    found = [match(field, detect_figures(field.image, network, field.diameter_px)) for field in fields]
    kept.write_bytes(pickle.dumps(found))
    return found


def apply_rule(fields: list[Field], kept: Path) -> list[Found]:
    """Detect by the present rule and match, which is kept for a second call."""
    if kept.is_file():
        with kept.open("rb") as file:
            return list(pickle.load(file))  # noqa: S301 - written below
    model = shipped_model()
    found = [match(field, detections_by_rule(field, model)) for field in fields]
    kept.write_bytes(pickle.dumps(found))
    return found


def best_threshold(fields: list[Field], found: list[Found]) -> float:
    """Return the threshold with the greatest F1, of all training images together."""
    return max(THRESHOLDS, key=lambda one: precision_recall(summed(count(fields, found, one)))["f1"])


def row_of(title: str, by_seed: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """Return a row of the table: means over seeds, and intervals by bootstrap over fields, of all seeds together."""
    total = summed([summed(counts) for counts in by_seed])
    return {
        "row": title,
        "counts": [{key: summed(counts)[key] for key in ("right", "wrong", "figures")} for counts in by_seed],
        "stages": {
            stage: [total[f"found.{stage}"], total[f"figures.{stage}"]] for stage in STAGES if total[f"figures.{stage}"]
        },
        "scores": over_seeds(by_seed, precision_recall),
    }


def main(data: Path, work: Path, out: Path) -> None:
    """Train, detect, and write precision and recall with what they depend on."""
    torch.set_num_threads(1)
    head = heading("torch", "scikit-image", "opencv-python-headless")
    real_training, real_held_out = real_fields(data)
    training = {"twin": twin_fields(*TWIN_TRAINING), REAL: real_training}
    train_all(training, work)
    chosen_on = [field for field in real_training if field.stages] + training["twin"][:TWIN_THRESHOLD]
    held = {"twin": twin_fields(*TWIN_HELD_OUT), REAL: real_held_out}
    networks = {name: [read_networks(work / f"{name}-{seed}.npz")[name] for seed in SEEDS] for name in NETWORKS}
    thresholds = {
        name: [
            best_threshold(chosen_on, detect(chosen_on, one, work / f"found-training-{name}-{seed}.pickle"))
            for seed, one in zip(SEEDS, own, strict=True)
        ]
        for name, own in networks.items()
    }
    print(thresholds, flush=True)
    sets = {}
    for part, fields in held.items():
        rows = []
        for name, own in networks.items():
            by_seed = []
            for seed, network, threshold in zip(SEEDS, own, thresholds[name], strict=True):
                found = detect(fields, network, work / f"found-{part}-{name}-{seed}.pickle")
                by_seed.append(count(fields, found, threshold))
            rows.append(row_of(name, by_seed))
        rows.append(row_of("rule", [count(fields, apply_rule(fields, work / f"found-{part}-rule.pickle"), 0.0)]))
        sets[part] = {"title": TITLES[part], "images": len(fields), "rows": rows}
        print(json.dumps(sets[part]), flush=True)
    trained = [
        json.loads((work / f"{name}-{seed}.json").read_text(encoding="utf-8")) for name in NETWORKS for seed in SEEDS
    ]
    report = {
        **head,
        "seeds": list(SEEDS),
        "networks": {name: asdict(settings) for name, settings in NETWORKS.items()},
        "thresholds": thresholds,
        "training_figures": dict(zip(training, trained[0]["examples"], strict=True)),
        "training_images": {name: len(fields) for name, fields in training.items()},
        "cpu_seconds": sum(one["cpu_seconds"] for one in trained),
        "sets": sets,
    }
    write_json(out, report)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
