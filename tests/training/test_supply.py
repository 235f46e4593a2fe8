from itertools import islice
from pathlib import Path

import numpy as np

from nnbook.io.images import write_image, write_mask
from nnbook.training.crops import Crops, Example
from nnbook.training.supply import Store, crop_jobs, start_workers


def drawn(folder: Path, workers: int) -> list[Crops]:
    pairs = [(folder / f"image{k}.tif", folder / f"mask{k}.tif") for k in range(3)]
    with start_workers(workers) as started:
        examples = started.read(pairs, 30.0)
        assert isinstance(examples[2], str)
        assert "image2.tif" in examples[2]
        first, second = (example for example in examples if isinstance(example, Example))
        return list(islice(started.draw([[first], [second]], crop_jobs(4, 0, 3, 48, 30.0)), 3))


def test_crops_are_the_same_however_many_processes_draw_them(tmp_path: Path) -> None:
    y, x = np.mgrid[:90, :90]
    for k in range(2):
        labels = (np.hypot(y - 40 - 5 * k, x - 40) < 14).astype(np.int32)
        write_image(tmp_path / f"image{k}.tif", (20 + 180 * labels + x).astype(np.uint8))
        write_mask(tmp_path / f"mask{k}.tif", labels)
    (tmp_path / "image2.tif").write_bytes(b"")
    (tmp_path / "mask2.tif").write_bytes(b"")
    for one, other in zip(drawn(tmp_path, 0), drawn(tmp_path, 1), strict=True):
        for plane, same in zip(map(np.asarray, one), map(np.asarray, other), strict=True):
            # Images are kept in half precision between processes.
            np.testing.assert_allclose(plane.astype(float), same.astype(float), atol=0.02)


def test_the_oldest_crops_are_replaced() -> None:
    store = Store(4, 8, "cpu")
    for number in range(3):
        crops = Crops(
            np.full((2, 8, 8), number, np.float16),
            np.full((2, 2, 8, 8), 127, np.int8),
            np.ones((2, 8, 8), np.uint8),
            np.full((2, 8, 8), 100, np.uint8),
            np.full(2, number, np.int32),
        )
        store.add(crops)
    assert len(store) == 4
    assert store.sources.tolist() == [2, 2, 1, 1]
    images, targets = store.unvaried()
    assert images[:, 0, 0, 0].tolist() == [2, 2, 1, 1]
    assert not images[:, 1].any()
    assert targets[0, :, 0, 0].tolist() == [1, 1, 1, 2]
