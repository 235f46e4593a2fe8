from pathlib import Path

import numpy as np
import pytest
import torch

from nnbook.errors import InvalidValueError
from nnbook.io.images import Image, Labels
from nnbook.segmentation.export import TOLERANCE, export_model
from nnbook.segmentation.model import Model
from nnbook.segmentation.scale import grey_range, rescale

MOST_BYTES = 14_000_000


def test_an_exported_model_computes_what_pytorch_does_at_any_size(
    model: Model, panorama: tuple[Image, Labels], tmp_path: Path
) -> None:
    import onnx
    import onnxruntime

    path = export_model(model, tmp_path / "model.onnx")
    assert path.stat().st_size <= MOST_BYTES
    props = {prop.key: prop.value for prop in onnx.load(path).metadata_props}
    assert props == {"name": "nnbook_nuclei", "sha256": model.sha256, "diam_mean_px": "30"}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    for shape in ((112, 96), (64, 128)):
        tile = np.zeros((1, 2, *shape), np.float32)
        tile[0, 0] = rescale(panorama[0], shape, *grey_range(panorama[0]))
        with torch.inference_mode():
            expected = model.network(torch.from_numpy(tile))[0].numpy()
        (made,) = session.run(None, {"tile": tile})
        assert np.abs(made - expected).max() <= TOLERANCE
        assert np.abs(expected[:, :2]).max() > 1, "an image in which there is something"


def test_a_model_is_written_as_onnx_alone(model: Model, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"ends with \.onnx"):
        export_model(model, tmp_path / "model.pt")
    assert not list(tmp_path.iterdir())
