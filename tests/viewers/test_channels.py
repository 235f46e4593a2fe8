"""Images of several channels and z planes in Python: what the browser is given, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image
from zarr.storage import MemoryStore

from nnbook.errors import InvalidValueError, NnbookError
from nnbook.viewers import widgets
from nnbook.viewers.widgets import PanoramaViewer

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

HEIGHT, WIDTH = 700, 1101


@pytest.fixture(autouse=True)
def _bundles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for the JavaScript, which a browser tests."""
    for name in ("channels", "panorama", "codec-blosc"):
        (tmp_path / f"{name}.mjs").write_text(f"export default '{name}'\n")
    monkeypatch.setattr(widgets, "BUNDLES", tmp_path)


@pytest.fixture
def stack() -> NDArray[np.uint16]:
    """Axes (c, z, y, x)."""
    return np.random.default_rng(3).integers(0, 4000, (2, 3, HEIGHT, WIDTH), np.uint16)


def opened(viewer: PanoramaViewer) -> Any:
    """Read what the browser would be given with a reader of Zarr that is not nnbook's."""
    store = MemoryStore()
    files = ["zarr.json", *(f"{level}/zarr.json" for level in range(4))]
    chunks = [
        f"{n}/c/{c}/{z}/{y}/{x}"
        for n in range(3)
        for c in range(2)
        for z in range(3)
        for y in range(2)
        for x in range(3)
    ]
    for file in [*files, *chunks]:
        if (data := viewer._file(f"image.ome.zarr/{file}")) is not None:
            store._store_dict[file] = zarr.core.buffer.cpu.Buffer.from_bytes(data)
    return zarr.open_group(store, mode="r")


def test_an_array_is_an_ome_zarr_for_the_browser(stack: NDArray[np.uint16]) -> None:
    viewer = PanoramaViewer(stack, axes="czyx", px_per_um=4, channel_names=["DNA", "Actin"], name="mine")
    group = opened(viewer)
    np.testing.assert_array_equal(group["0"][:], stack)
    assert group["1"].shape == (2, 3, 350, 551)
    assert "3" not in group
    corner = stack[1, 2, :2, :2].astype(float).mean()
    assert group["1"][1, 2, 0, 0] == pytest.approx(corner, abs=0.5)
    ome = group.attrs["ome"]
    assert [axis["name"] for axis in ome["multiscales"][0]["axes"]] == ["c", "z", "y", "x"]
    assert ome["multiscales"][0]["datasets"][1]["coordinateTransformations"][0]["scale"] == [1, 1, 0.5, 0.5]
    shown = [(channel["label"], channel["color"]) for channel in ome["omero"]["channels"]]
    assert shown == [("DNA", "ff00ff"), ("Actin", "00ff00")]
    assert (viewer.zarr, viewer.title, viewer.masks_address) == ("kernel:image.ome.zarr", "mine", None)
    assert "channels" in viewer._esm


def test_names_and_colours_are_those_of_the_file(tmp_path: Path, stack: NDArray[np.uint16]) -> None:
    names = {"axes": "ZCYX", "Channel": {"Name": ["DAPI", "GFP"], "Color": [65535, 16711935]}}
    tifffile.imwrite(tmp_path / "stack.ome.tif", stack.transpose(1, 0, 2, 3), ome=True, metadata=names)
    viewer = PanoramaViewer(tmp_path / "stack.ome.tif")
    group = opened(viewer)
    np.testing.assert_array_equal(group["0"][:], stack)
    shown = [(channel["label"], channel["color"]) for channel in group.attrs["ome"]["omero"]["channels"]]
    assert shown == [("DAPI", "0000ff"), ("GFP", "00ff00")]
    assert viewer.panorama == "stack"


def test_masks_and_pictures_go_with_channels(tmp_path: Path) -> None:
    image = np.zeros((2, 100, 200), np.float64)
    image[0, :, :100], image[1, :, 50:] = 1, 0.5
    labels = np.zeros((100, 200), np.int32)
    labels[40:60, 40:60] = 3
    viewer = PanoramaViewer(image, labels, axes="cyx", roi=3)
    assert viewer.masks_address == "kernel:masks/labels.dzi"
    assert b'Width="200"' in (viewer._file("masks/labels.dzi") or b"")
    assert viewer.selected is not None
    assert viewer.selected["area_px"] == 400
    viewer.masks, viewer.roi = "off", None
    looks = [("#ff0000", [0, 1]), ("#0000ff", [0, 1])]
    viewer.channels = [{"colour": colour, "range": values} for colour, values in looks]
    viewer.save_png(tmp_path / "view.png", width=200)
    picture = np.asarray(Image.open(tmp_path / "view.png"))
    assert picture[50, [25, 75, 150]].tolist() == [[255, 0, 0], [255, 0, 128], [0, 0, 128]]


def test_an_ome_zarr_is_read_by_the_browser(tmp_path: Path) -> None:
    folder = tmp_path / "one.ome.zarr"
    zarr.create_group(folder, zarr_format=3)
    viewer = PanoramaViewer(folder)
    assert (viewer.title, viewer.zarr) == ("one", "kernel:image.ome.zarr")
    assert json.loads(viewer._file("image.ome.zarr/zarr.json") or b"")["node_type"] == "group"
    assert viewer._file("image.ome.zarr/../panorama.mjs") is None
    assert viewer._file("codecs/codec-blosc.mjs") == b"export default 'codec-blosc'\n"
    assert viewer._file("codecs/../panorama.mjs") is None
    far = PanoramaViewer("https://images.example/two.zarr/")
    assert (far.title, far.zarr) == ("two", "https://images.example/two.zarr/")
    with pytest.raises(NnbookError, match="is read by the browser alone"):
        far.save_png(tmp_path / "x.png")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"image": np.zeros((2, 4, 5)), "axes": "xyc"}, "axes is 'xyc' and the image has shape 2 x 4 x 5; give axes"),
        ({"image": np.zeros((2, 4, 5)), "axes": "czyx"}, "axes is 'czyx'"),
        ({"image": np.zeros((2, 4, 5)), "channel_names": ["a"]}, "channel_names has 1 names, and the image 2 channels"),
        ({"image": np.zeros((2, 4, 5), bool), "axes": "cyx"}, "the image holds bool values"),
        ({"image": np.full((2, 4, 5), np.nan), "axes": "cyx"}, "the image holds float64 values, or NaN"),
        ({"image": "https://images.example/a.zarr", "masks": np.zeros((4, 5), np.int32)}, "has masks of its own"),
        ({"image": np.zeros((4, 5)), "channels": []}, r"channels is \[\]; give a list of"),
        ({"image": np.zeros((4, 5)), "channels": [{"colour": "red", "range": [0, 1]}]}, "channels is "),
        ({"image": np.zeros((4, 5)), "channels": [{"colour": "#ff0000", "range": [1, 1]}]}, "channels is "),
        ({"image": np.zeros((4, 5)), "z": -1}, "z is -1; give a whole number from 0"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidValueError, match=f"{told}[^\\n]*$"):
        PanoramaViewer(**arguments)
