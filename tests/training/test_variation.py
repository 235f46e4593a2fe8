import numpy as np
import torch

from nnbook.segmentation.dynamics import masks_to_flows
from nnbook.training.variation import vary_batch


def batch(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The same crop several times: an ellipse off the middle, in an image that ends at the left."""
    y, x = np.mgrid[:64, :64]
    labels = (((y - 20) / 9) ** 2 + ((x - 38) / 15) ** 2 < 1).astype(np.int32)
    image = np.where(labels > 0, 1.0, 0.1).astype(np.float32)
    image[:, :5] = np.nan
    target = np.stack([*masks_to_flows(labels), labels, 1 + (x > 31)]).astype(np.float32)
    return torch.from_numpy(image).repeat(count, 1, 1), torch.from_numpy(target).repeat(count, 1, 1, 1)


def test_crops_are_turned_in_all_eight_ways_and_their_flows_with_them() -> None:
    images, targets = vary_batch(*batch(16), torch.Generator().manual_seed(1), greys=False)
    assert len({tuple(target[2].flatten().tolist()) for target in targets}) == 8
    for image, target in zip(images, targets, strict=True):
        labels = target[2].numpy().astype(np.int32)
        difference = np.hypot(*(target[:2].numpy() - masks_to_flows(labels)))
        assert (difference > 1e-4).sum() <= 2, "but where the centre is between two pixels"
        assert image[target[2] > 0].min() == 1
        assert (image == 0).sum() == 5 * 64
        assert (target[3] == 2).sum() == 32 * 64


def test_greys_vary_but_nuclei_stay_bright_and_what_is_outside_stays_empty() -> None:
    images, targets = vary_batch(*batch(32), torch.Generator().manual_seed(2))
    again, _ = vary_batch(*batch(32), torch.Generator().manual_seed(2))
    torch.testing.assert_close(images, again)
    assert torch.isfinite(images).all()
    assert ((images == 0).sum((1, 2)) >= 5 * 64).all()
    levels = [
        float(image[target[2] > 0].median() - image[target[2] == 0].median())
        for image, target in zip(images, targets, strict=True)
    ]
    assert sum(level > 0 for level in levels) >= 31
    assert np.std(levels) > 0.05
