"""Normalisation of brightness on panoramas of several runs: `python benchmarks/normalisation.py EDITION OUT.json`.

Panoramas of the twin, `PER_RUN` of each run, are normalised as a whole, by the foreground that NuSeT's first pass
finds, and by the true foreground. Of each: how bright nuclei are then, which share of it they cover, and how well NuSeT
segments it either way. Takes five minutes on one thread.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measured_on import heading

from nnbook.evaluation.metrics import count_matches
from nnbook.io.edition import read_edition
from nnbook.io.files import sha256, write_json
from nnbook.io.images import read_image, read_mask
from nnbook.methods.own import NUSET_WEIGHTS
from nnbook.nuset.normalisation import normalise
from nnbook.nuset.segmenter import Nuset, segment_nuset
from nnbook.nuset.weights import read_networks
from nnbook.segmentation.diameter import median_diameter

PER_RUN = 4
THRESHOLDS = (0.5,)


def of_nuclei(levels: Any, true: Any) -> list[float]:
    """Return the mean level of each true nucleus, in order of its label."""
    counts = np.bincount(true.ravel())
    sums = np.bincount(true.ravel(), levels.ravel())
    return [round(float(total / count), 4) for total, count in zip(sums[1:], counts[1:], strict=True) if count]


def main(folder: Path, out: Path) -> None:
    """Normalise and segment panoramas of each run, and write what was found with what it depends on."""
    head = heading("torch")
    networks: dict[str, Any] = read_networks(NUSET_WEIGHTS)
    whole = Nuset(networks["whole-synthetic"], None, seeded=False)
    by_foreground = Nuset(networks["foreground-synthetic"], networks["whole-synthetic"], seeded=False)
    edition = read_edition(folder)
    chosen: dict[int, list[Any]] = {}
    for panorama in edition.panoramas():
        if len(chosen.setdefault(panorama.run, [])) < PER_RUN and panorama.crop == "top_left":
            chosen[panorama.run].append(panorama)
    rows = []
    for run, panoramas in chosen.items():
        for panorama in panoramas:
            image, true = read_image(edition.image_path(panorama)), read_mask(edition.truth_path(panorama))
            diameter_px = median_diameter(true)
            first = segment_nuset(image, whole, diameter_px)
            masks = {"whole": first, "foreground": segment_nuset(image, by_foreground, diameter_px)}
            levels = {
                "raw": image.astype(np.float64),
                "whole": normalise(image),
                "foreground": normalise(image, first > 0),
                "true_foreground": normalise(image, true > 0),
            }
            counts = {name: count_matches(made, true, THRESHOLDS) for name, made in masks.items()}
            rows.append(
                {
                    "panorama": panorama.panorama,
                    "run": run,
                    "covered": round(float((true > 0).mean()), 5),
                    "brightness": {name: of_nuclei(values, true) for name, values in levels.items()},
                    "nuclei": {
                        name: [int(one["tp"][0]), int(one["true_nuclei"]), int(one["predicted_nuclei"])]
                        for name, one in counts.items()
                    },
                }
            )
            print(panorama.panorama, rows[-1]["covered"], rows[-1]["nuclei"], flush=True)
    write_json(
        out,
        {
            **head,
            "threads": torch.get_num_threads(),
            "weights_sha256": {NUSET_WEIGHTS.name: sha256(NUSET_WEIGHTS)},
            "panoramas": rows,
        },
    )


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:3]))
