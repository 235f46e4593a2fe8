"""StarDist beside the other small networks: `python benchmarks/stardist_network.py DATA WORK OUT.json`.

StarDist's own package trains its network (Schmidt et al. 2018, doi:10.1007/978-3-030-00934-2_30) on the images on which
the U-Net and NuSeT of this book were trained, with crops of the same size and number, for half of their steps; then
`nnbook compare` segments held-out images with all three. Needs the packages `stardist` and `tensorflow-cpu`, which
nnbook does not. What is trained is kept in WORK.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from comparison import SETS, gather
from measured_on import heading
from nuset import NETWORKS, read_examples

from nnbook.io.files import write_json
from nnbook.methods.comparison import SHOWN, compare_folder
from nnbook.methods.own import STARDIST_FOLDER, STARDIST_PERCENTILES
from nnbook.nuset.training import draw_batch

NAME = "stardist"
METHODS = ("unet", "nuset", NAME)
HELD_OUT = ("dsb2018", "isbi2009_u2os")
EPOCHS = 4
STEPS_AN_EPOCH = 100
"""Half of the steps of the U-Net: one takes several times as long."""

RAYS = 32
FILTERS = 16
VALIDATION = 60


def train(data: Path, work: Path) -> None:
    """Train the network by its own package, and choose its thresholds on crops that it was not trained on."""
    from csbdeep.utils import normalize
    from stardist.models import Config2D, StarDist2D

    settings = NETWORKS["unet"]
    rng = np.random.default_rng(settings.seed)
    sets = [
        [replace(one, image=normalize(one.image, *STARDIST_PERCENTILES).astype(np.float32)) for one in part]
        for part in read_examples(data)
    ]
    batches = [draw_batch(sets, [], settings, rng) for _ in range(settings.steps)]
    crops = [crop for batch in batches for crop in batch]
    images, labels = [image for image, _, _ in crops], [masks for _, masks, _ in crops]
    config = Config2D(
        n_rays=RAYS,
        grid=(2, 2),
        unet_n_filter_base=FILTERS,
        net_conv_after_unet=64,
        train_patch_size=(settings.crop_px, settings.crop_px),
        train_batch_size=settings.batch,
        train_epochs=EPOCHS,
        train_steps_per_epoch=STEPS_AN_EPOCH,
        train_tensorboard=False,
    )
    model = StarDist2D(config, name=NAME, basedir=str(work))
    start = time.process_time()
    apart = slice(len(images) - VALIDATION, None)
    model.train(
        images[:-VALIDATION],
        labels[:-VALIDATION],
        validation_data=(images[apart], labels[apart]),
        seed=settings.seed,
        workers=1,
    )
    model.optimize_thresholds(images[apart], labels[apart])
    facts = {
        "cpu_seconds": round(time.process_time() - start),
        "weights": int(model.keras_model.count_params()),
        "steps": EPOCHS * STEPS_AN_EPOCH,
        "batch": settings.batch,
        "crop_px": settings.crop_px,
        "rays": RAYS,
        "filters": FILTERS,
        "thresholds": {key: round(float(value), 3) for key, value in model.thresholds._asdict().items()},
    }
    write_json(work / "facts.json", facts)
    print(facts, flush=True)


def main(data: Path, work: Path, out: Path) -> None:
    """Train, compare, and write what was found with what it depends on."""
    head = heading("stardist", "csbdeep", "tensorflow-cpu", "torch")
    if not (work / "facts.json").is_file():
        work.mkdir(parents=True, exist_ok=True)
        train(data, work)
    os.environ[STARDIST_FOLDER] = str(work / NAME)
    report = {**head, "trained": json.loads((work / "facts.json").read_text(encoding="utf-8")), "sets": {}}
    with tempfile.TemporaryDirectory() as temporary:
        for name in HELD_OUT:
            folder = gather(data, name, Path(temporary))
            rows = compare_folder(folder, METHODS, Path(temporary) / f"{name}-out").methods.set_index("method")
            report["sets"][name] = {
                "title": SETS[name],
                "images": int(rows["images"].max()),
                "methods": {
                    method: {
                        "title": row["title"],
                        "failed": int(row["failed"]),
                        "seconds_per_mpx": round(float(row["seconds_per_mpx"]), 3),
                        "peak_mb": round(float(row["peak_mb"])),
                        "scores": {
                            key: [round(float(row[f"{key}{end}"]), 4) for end in ("", "_low", "_high")] for key in SHOWN
                        },
                    }
                    for method, row in rows.iterrows()
                },
            }
            print(json.dumps(report["sets"][name]), flush=True)
            write_json(out, report)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
