"""Borders between masks that touch, against the true ones: `python benchmarks/borders.py EDITION OUT.json`.

EDITION is a folder such as `build/twin`. Counted are two nuclei that touch in the truth and whose masks, each with an
intersection over union above 0.5, touch as well. A border is where pixels of both are side by side. The distance is
from each such place of the masks to the nearest one of the truth.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from measured_on import heading
from scipy.spatial import KDTree
from tqdm import tqdm

from nnbook.evaluation.metrics import partners
from nnbook.io.edition import read_edition
from nnbook.io.files import write_json
from nnbook.io.images import read_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnbook.io.images import Labels


def borders(labels: Labels) -> dict[tuple[int, int], NDArray[np.float64]]:
    """Return, by the labels of two nuclei, the places (y, x) between their pixels, in px."""
    found: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for one, other, step in ((labels[:, :-1], labels[:, 1:], (0, 0.5)), (labels[:-1], labels[1:], (0.5, 0))):
        for y, x in np.argwhere((one != other) & (one > 0) & (other > 0)).tolist():
            pair = min(one[y, x], other[y, x]), max(one[y, x], other[y, x])
            found.setdefault((int(pair[0]), int(pair[1])), []).append((y + step[0], x + step[1]))
    return {pair: np.array(places) for pair, places in found.items()}


def main(folder: Path, out: Path) -> None:
    """Measure an edition's borders, and write what was found."""
    edition = read_edition(folder)
    distances, pairs, apart = [], 0, 0
    for panorama in tqdm(edition.panoramas()):
        masks, true = read_mask(edition.mask_path(panorama)), read_mask(edition.truth_path(panorama))
        mask_of = {label: mask for mask, label in partners(masks, true).items()}
        drawn = borders(masks)
        for (one, other), places in borders(true).items():
            if one not in mask_of or other not in mask_of:
                continue
            pair = min(mask_of[one], mask_of[other]), max(mask_of[one], mask_of[other])
            if pair in drawn:
                pairs += 1
                distances.append(KDTree(places).query(drawn[pair])[0])
            else:
                apart += 1
    found = np.concatenate(distances)
    quantiles = {f"p{share}_px": round(float(np.percentile(found, share)), 2) for share in (50, 95)}
    write_json(
        out,
        {
            **heading("cellpose", "torch"),
            "edition": edition.name,
            "pairs": pairs,
            "masks_apart": apart,
            "mean_px": round(float(found.mean()), 2),
            **quantiles,
        },
    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
