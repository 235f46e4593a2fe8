"""NuSeT's ablation: `python benchmarks/nuset.py DATA WORK OUT.json`.

Networks of `NETWORKS` are trained with each seed of `SEEDS` on the training parts of the data sets in DATA and on
simulated panoramas, all with the same number of steps, on one thread. What is trained is kept in WORK, so that a
second call goes on. Scored are the rows of the paper's ablation, and a U-Net, on the images of DSB2018 that are held
out and on some of isbi2009_u2os, which nothing is trained on. Scores are means over seeds, with the least and the
greatest; the intervals are by bootstrap over images, of the nuclei of all seeds together.
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from measured_on import heading

from nnbook.evaluation.measures import count_measures, intervals, quotients
from nnbook.evaluation.metrics import count_matches, overlaps, score_counts
from nnbook.io.files import write_json
from nnbook.io.images import read_image, read_mask
from nnbook.io.inputs import pair_files
from nnbook.nuset.segmenter import Nuset, segment_nuset
from nnbook.nuset.training import NusetSettings, make_example, train_nuset
from nnbook.nuset.weights import read_networks, write_networks
from nnbook.segmentation.diameter import median_diameter
from nnbook.simulation.panorama import simulate_panorama
from nnbook.training.loop import TrainingSettings, held_out
from nnbook.values.published import DIAMETER_PX

if TYPE_CHECKING:
    from collections.abc import Callable

    from nnbook.io.images import Image, Labels
    from nnbook.nuset.training import Example

SEEDS = (1, 2, 3)
SETTINGS = NusetSettings()
NETWORKS = {
    "unet": replace(SETTINGS, foreground=False, synthetic_share=0.0, proposals=False),
    "whole": replace(SETTINGS, foreground=False, synthetic_share=0.0),
    "whole-synthetic": replace(SETTINGS, foreground=False),
    "foreground-synthetic": SETTINGS,
}
SETS = ("dsb2018", "mnfinder_micronuclei", "bbbc039_u2os", "neubias_training")
DSB2018_TIMES = 4
"""DSB2018 is drawn from as often as the three others and the twin together."""

SHIPPED = ("unet", "whole-synthetic", "foreground-synthetic")
HELD_OUT = ("dsb2018", "isbi2009_u2os")
ISBI_IMAGES = 12
TRUTH = "truth"
ROWS: dict[str, tuple[str, str | None, bool]] = {
    "U-Net": ("unet", None, False),
    "NuSeT, whole image, without synthetic images": ("whole", None, False),
    "with synthetic images": ("whole-synthetic", None, False),
    "with foreground normalisation": ("foreground-synthetic", "whole-synthetic", False),
    "the same, by the true nuclei": ("foreground-synthetic", TRUTH, False),
    "with seeded watershed": ("foreground-synthetic", "whole-synthetic", True),
}
"""Rows of the table: the network, that of its first pass, and whether a watershed is seeded. Each adds one piece, but
for the fifth, which knows the nuclei by which it normalises: what a perfect first pass would give."""

SHOWN = (
    "touching_separated",
    "correct_share",
    "incorrect_share",
    "split_errors",
    "merge_errors",
    "catastrophes",
    "fn_rate",
    "fp_rate",
    "pixel_mean_iu",
    "pixel_rmse",
    "pixel_f1",
    "pixel_accuracy",
    "f1_0.50",
    "mean_ap",
    "pq",
    "aji",
    "hausdorff_px",
)

TWIN_SEED = 7
TWIN_PANORAMAS = 16
TWIN_PX = 2048


def read_examples(data: Path) -> list[list[Example]]:
    """Read the training parts and draw the twin's panoramas."""
    share = TrainingSettings().validation_share
    sets: list[list[Example]] = []
    for name in SETS:
        examples = []
        for stem, (image_path, mask_path) in pair_files(data / name / "images", data / name / "labels").items():
            if not held_out(stem, share):
                labels = read_mask(mask_path)
                if labels.any():
                    examples.append(make_example(read_image(image_path), labels, median_diameter(labels)))
        sets += [examples] * (DSB2018_TIMES if name == "dsb2018" else 1)
    twin = []
    for run in range(1, TWIN_PANORAMAS + 1):
        image, labels, _ = simulate_panorama(TWIN_SEED, run, "BL", "top_left", width_px=TWIN_PX, height_px=TWIN_PX)
        if labels.any():
            twin.append(make_example(image, labels, DIAMETER_PX))
    return [*sets, twin]


def train_all(data: Path, work: Path) -> None:
    """Train what is not trained yet, all networks of one seed before those of the next."""
    work.mkdir(parents=True, exist_ok=True)
    wanted = [(name, seed) for seed in SEEDS for name in NETWORKS if not (work / f"{name}-{seed}.npz").is_file()]
    if not wanted:
        return
    sets = read_examples(data)
    print(f"images: {[len(examples) for examples in sets]}", flush=True)
    for name, seed in wanted:
        settings = replace(NETWORKS[name], seed=seed)
        start, start_cpu = time.perf_counter(), time.process_time()
        network = train_nuset(sets, settings, lambda line: print(line, flush=True))
        write_networks(work / f"{name}-{seed}.npz", {name: network})
        facts = {
            **asdict(settings),
            "seconds": round(time.perf_counter() - start),
            "cpu_seconds": round(time.process_time() - start_cpu),
            "images": [len(examples) for examples in sets],
        }
        write_json(work / f"{name}-{seed}.json", facts)
        print(name, seed, json.dumps(facts), flush=True)


def read_held_out(data: Path, name: str) -> dict[str, tuple[Image, Labels]]:
    """Read what nothing was trained on: the part of DSB2018 that is held out, or the first of isbi2009_u2os."""
    pairs = pair_files(data / name / "images", data / name / "labels")
    share = TrainingSettings().validation_share
    chosen = [stem for stem in pairs if held_out(stem, share)] if name == "dsb2018" else list(pairs)[:ISBI_IMAGES]
    return {stem: (read_image(pairs[stem][0]), read_mask(pairs[stem][1])) for stem in chosen}


def score(images: dict[str, tuple[Image, Labels]], nuset: Nuset, kept: Path, *, by_truth: bool) -> list[dict[str, Any]]:
    """Return the counts of each image, which are kept for a second call."""
    if kept.is_file():
        with kept.open("rb") as file:
            return list(pickle.load(file))  # noqa: S301 - written below
    counts = []
    for image, true in images.values():
        made = segment_nuset(image, nuset, median_diameter(true), true > 0 if by_truth else None)
        counts.append({**count_matches(made, true), **count_measures(made, true, overlaps(made, true))})
    kept.write_bytes(pickle.dumps(counts))
    return counts


def measures(counts: dict[str, Any]) -> dict[str, float]:
    """Return what the table shows, of summed counts."""
    found = {**score_counts([counts]), **quotients(counts)}
    found["correct_share"] = found["correct_detections"] / found["true_nuclei"]
    found["incorrect_share"] = found["incorrect_detections"] / found["true_nuclei"]
    return {name: float(found[name]) for name in SHOWN}


def summed(counts: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum counts over images."""
    return {key: np.sum([one[key] for one in counts], axis=0) for key in counts[0]}


def over_seeds(
    by_seed: list[list[dict[str, Any]]], measures: Callable[[dict[str, Any]], dict[str, float]]
) -> dict[str, dict[str, float]]:
    """Return the mean, least and greatest of each measure over seeds, with the interval by bootstrap over images."""
    each = [measures(summed(counts)) for counts in by_seed]
    pooled = [summed(list(one)) for one in zip(*by_seed, strict=True)]
    ends = intervals(pooled, measures)
    return {
        name: {
            "mean": round(float(np.mean([one[name] for one in each])), 4),
            "least": round(min(one[name] for one in each), 4),
            "greatest": round(max(one[name] for one in each), 4),
            "low": round(ends[name][0], 4),
            "high": round(ends[name][1], 4),
        }
        for name in each[0]
    }


def score_rows(name: str, images: dict[str, tuple[Image, Labels]], work: Path) -> list[dict[str, Any]]:
    """Score every row with every seed."""
    rows = []
    for title, (network, coarse, seeded) in ROWS.items():
        by_seed = []
        for seed in SEEDS:
            own = read_networks(work / f"{network}-{seed}.npz")[network]
            by_truth = coarse == TRUTH
            first = read_networks(work / f"{coarse}-{seed}.npz")[coarse] if coarse and not by_truth else None
            kept = work / f"counts-{name}-{network}-{coarse}-{seeded}-{seed}.pickle"
            by_seed.append(score(images, Nuset(own, first, seeded), kept, by_truth=by_truth))
            print(title, seed, measures(summed(by_seed[-1])), flush=True)
        rows.append({"row": title, "scores": over_seeds(by_seed, measures)})
    return rows


def main(data: Path, work: Path, out: Path) -> None:
    """Train, score, and write the scores with what they depend on; weights to ship are `WORK/nuset.npz`."""
    torch.set_num_threads(1)
    train_all(data, work)
    shipped = {name: read_networks(work / f"{name}-{SEEDS[0]}.npz")[name] for name in SHIPPED}
    write_networks(work / "nuset.npz", shipped)
    trained = [
        json.loads((work / f"{name}-{seed}.json").read_text(encoding="utf-8")) for name in NETWORKS for seed in SEEDS
    ]
    images = {name: read_held_out(data, name) for name in HELD_OUT}
    report = {
        **heading("torch", "scikit-image", "opencv-python-headless"),
        "seeds": list(SEEDS),
        "networks": {name: asdict(settings) for name, settings in NETWORKS.items()},
        "weights": sum(part.numel() for part in shipped["foreground-synthetic"].parameters()),
        "training_images": trained[0]["images"],
        "cpu_seconds": [min(one["cpu_seconds"] for one in trained), max(one["cpu_seconds"] for one in trained)],
        "cpu_minutes": round(sum(one["cpu_seconds"] for one in trained) / 60),
        "sets": {
            name: {
                "images": len(pairs),
                "nuclei": int(sum(len(np.unique(true)) - 1 for _, true in pairs.values())),
                "rows": score_rows(name, pairs, work),
            }
            for name, pairs in images.items()
        },
    }
    write_json(out, report)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
