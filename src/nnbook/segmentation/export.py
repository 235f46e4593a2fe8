"""A Cellpose 3 network as an ONNX model, which runs in browsers and other programs without PyTorch.

Weights of convolutions are stored in half precision, as the shipped model has them; everything is computed in float32.
The normalisation after a convolution is multiplied into its weights when a program loads the model, so that this rounds
nothing. The style is a mean over all pixels, so height and width may be any multiples of 16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nnbook.errors import InvalidValueError
from nnbook.io.files import atomic_write

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from nnbook.io.paths import PathLike
    from nnbook.segmentation.model import Model

OPSET: Final = 17
"""Version of the operators: old enough for every runtime in use."""

IR_VERSION: Final = 9

TOLERANCE: Final = 1e-3
"""By how much an output, of which flows are within -5 and 5, may differ from PyTorch's in float32."""


def export_model(model: Model, out: PathLike) -> Path:
    """Write a model as ONNX.

    Its input `tile` is float32, axes (1, channel, y, x), as `nnbook.segmentation.network.run_network` gives it: grey
    levels with the 1st percentile at 0 and the 99th at 1, and an empty second channel; sides are multiples of 16. Its
    output `output` is float32, axes (1, 3, y, x): five times the flow's y and x component, and the logit of the cell
    probability. The file's metadata have the model's name, its SHA-256 and `diam_mean`, in px.

    Parameters
    ----------
    model : Model
        See `load_model`.
    out : str or Path
        The file to write, `NAME.onnx`.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    InvalidValueError
        Where the file's name does not end with `.onnx`.
    """
    from pathlib import Path

    import onnx

    out = Path(out)
    if out.suffix != ".onnx":
        raise InvalidValueError(f"{out}: give a name that ends with .onnx", parameter="out")
    graph = _Graph()
    result = _add_network(graph, model.network)
    info = onnx.helper.make_tensor_value_info
    made = onnx.helper.make_model(
        onnx.helper.make_graph(
            [*graph.nodes, onnx.helper.make_node("Identity", [result], ["output"])],
            model.name,
            [info("tile", onnx.TensorProto.FLOAT, [1, 2, "height", "width"])],
            [info("output", onnx.TensorProto.FLOAT, [1, 3, "height", "width"])],
            graph.constants,
        ),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="nnbook",
    )
    onnx.helper.set_model_props(
        made, {"name": model.name, "sha256": model.sha256, "diam_mean_px": f"{model.diam_mean:g}"}
    )
    onnx.checker.check_model(made, full_check=True)
    with atomic_write(out) as written:
        written.write_bytes(made.SerializeToString(deterministic=True))
    return out


class _Graph:
    """Nodes and constants of a graph; each method adds some and returns the name of their result."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        import onnx

        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, values: NDArray[Any]) -> str:
        import onnx

        name = f"constant{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def affine(self, x: str, factor: NDArray[np.float32], summand: str) -> str:
        """Multiply each channel, add to it, and rectify."""
        return self.add("Relu", self.add("Add", self.add("Mul", x, self.constant(_along(factor))), summand))

    def convolve(
        self, x: str, layer: Any, *, before: Any | None = None, after: Any | None = None, rectify: bool = False
    ) -> str:
        """Convolve, with the normalisation before (of a convolution of a single pixel) or after it."""
        weight, bias = _array(layer.weight), _array(layer.bias)
        half = weight.astype(np.float16)
        stored = self.add("Cast", self.constant(half), to=1) if (half == weight).all() else self.constant(weight)
        if before is not None:
            factor, summand = _affine(before)
            bias = bias + weight[:, :, 0, 0] @ summand
            stored = self.add("Mul", stored, self.constant(factor[None, :, None, None]))
        if after is not None:
            factor, summand = _affine(after)
            bias = bias * factor + summand
            stored = self.add("Mul", stored, self.constant(factor[:, None, None, None]))
        side = weight.shape[2] // 2
        made = self.add("Conv", x, stored, self.constant(bias), pads=[side] * 4)
        return self.add("Relu", made) if rectify else made

    def rectified(self, x: str, norm: Any) -> str:
        factor, summand = _affine(norm)
        return self.affine(x, factor, self.constant(_along(summand)))

    def with_style(self, x: str, norm: Any, style: str, full: Any) -> str:
        """Add a style to each channel, normalise and rectify."""
        factor, summand = _affine(norm)
        weight = _array(full.weight) * factor[:, None]
        bias = _array(full.bias) * factor + summand
        offset = self.add("Conv", style, self.constant(weight[:, :, None, None]), self.constant(bias))
        return self.affine(x, factor, offset)

    def twice(self, x: str) -> str:
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        how = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
        return self.add("Resize", x, "", scales, **how)


def _add_network(graph: _Graph, network: Any) -> str:
    x = "tile"
    levels: list[str] = []
    for block in network.downsample.down:
        if levels:
            x = graph.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
        x = _add_down(graph, block, x)
        levels.append(x)
    style = graph.add("GlobalAveragePool", x)
    length = graph.add("ReduceL2", style, axes=[1], keepdims=1)
    style = graph.add("Div", style, length)
    for at, block in enumerate(list(network.upsample.up)[::-1]):
        x = _add_up(graph, block, x, levels[-1 - at], style, enlarged=at > 0)
    return graph.convolve(graph.rectified(x, network.output[0]), network.output[2])


def _add_down(graph: _Graph, block: Any, x: str) -> str:
    norms, layers = [layer[0] for layer in block.conv], [layer[2] for layer in block.conv]
    inner = graph.convolve(graph.rectified(x, norms[0]), layers[0], after=norms[1], rectify=True)
    projected = graph.convolve(x, block.proj[1], before=block.proj[0])
    x = graph.add("Add", graph.convolve(inner, layers[1]), projected)
    inner = graph.convolve(graph.rectified(x, norms[2]), layers[2], after=norms[3], rectify=True)
    return graph.add("Add", graph.convolve(inner, layers[3]), x)


def _add_up(graph: _Graph, block: Any, x: str, level: str, style: str, *, enlarged: bool) -> str:
    first_step, *steps = block.conv
    norms, layers = [step.conv[0] for step in steps], [step.conv[2] for step in steps]
    # What works on single pixels is done before they are repeated, for a quarter of the work.
    projected = graph.convolve(x, block.proj[1], before=block.proj[0])
    rectified = graph.rectified(x, first_step[0])
    if enlarged:
        projected, rectified = graph.twice(projected), graph.twice(rectified)
    x = graph.add("Add", graph.convolve(rectified, first_step[2]), level)
    inner = graph.convolve(graph.with_style(x, norms[0], style, steps[0].full), layers[0])
    x = graph.add("Add", inner, projected)
    inner = graph.convolve(graph.with_style(x, norms[1], style, steps[1].full), layers[1])
    inner = graph.convolve(graph.with_style(inner, norms[2], style, steps[2].full), layers[2])
    return graph.add("Add", inner, x)


def _affine(norm: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what a batch normalisation multiplies each channel by, and adds to it."""
    factor = _array(norm.weight) / np.sqrt(_array(norm.running_var) + np.float32(norm.eps))
    return factor, _array(norm.bias) - _array(norm.running_mean) * factor


def _along(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values of channels, axes (1, channel, 1, 1)."""
    return values[None, :, None, None]


def _array(tensor: Any) -> NDArray[np.float32]:
    return np.asarray(tensor.detach().cpu().numpy(), np.float32)
