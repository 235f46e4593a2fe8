"""NuSeT trained for a few steps, kept, read and used; this imports torch. Shipped weights are in tests/methods."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nnbook.errors import NnbookError
from nnbook.nuset.anchors import make_anchors
from nnbook.nuset.normalisation import normalise
from nnbook.nuset.segmenter import Nuset, segment_nuset
from nnbook.nuset.synthetic import draw_synthetic
from nnbook.nuset.training import NusetSettings, draw_batch, make_example, train_nuset
from nnbook.nuset.weights import read_networks, write_networks


def test_a_network_is_trained_kept_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnbook.nuset.training.SYNTHETIC_IMAGES", 2)
    rng = np.random.default_rng(1)
    examples = [make_example(*draw_synthetic(rng, 128, 32.0), 32.0) for _ in range(2)]
    settings = NusetSettings(steps=3, batch=2, crop_px=64)
    one, other = (draw_batch([examples], examples, settings, np.random.default_rng(2)) for _ in range(2))
    assert all(np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1]) for a, b in zip(one, other, strict=True))
    network = train_nuset([examples], settings)
    write_networks(tmp_path / "n.npz", {"nuset": network})
    read = read_networks(tmp_path / "n.npz")["nuset"]
    grey = torch.from_numpy(one[0][0])[None, None]
    with torch.inference_mode():
        made, kept = network(grey), read(grey)
    assert made[0].shape == (1, 64, 64)
    assert made[1].shape == (1, len(make_anchors((64, 64), 32.0)))
    assert made[2].shape == (*made[1].shape, 4)
    assert all(torch.allclose(a, b, atol=0.05) for a, b in zip(made, kept, strict=True)), "half precision"
    for nuset in (Nuset(read, read), Nuset(read, None, seeded=False)):
        masks = segment_nuset(np.kron(examples[0].image, np.ones((2, 2), np.float32))[:250], nuset, 64.0)
        assert masks.shape == (250, 256)
        assert masks.dtype == np.int32
    seen: list[Any] = []

    def noted(image: Any, foreground: Any = None) -> Any:
        seen.append(foreground)
        return normalise(image, foreground)

    monkeypatch.setattr("nnbook.nuset.segmenter.normalise", noted)
    segment_nuset(examples[0].image, nuset, 32.0, examples[0].labels > 0)
    assert np.array_equal(seen[-1], examples[0].labels > 0), "known nuclei take the place of the first pass"
    assert not segment_nuset(np.full((40, 40), 7, np.uint8), nuset, 32.0).any()
    (tmp_path / "n.npz").write_bytes(b"PK")
    with pytest.raises(NnbookError, match="can't be read as networks"):
        read_networks(tmp_path / "n.npz")
    with pytest.raises(NnbookError, match="no such file"):
        read_networks(tmp_path / "other.npz")
