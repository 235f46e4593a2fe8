"""The views as Python has them: what they take, what they answer to the browser, and what they say of a choice."""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from skimage.io import imread

from nnbook.cells.sample import write_sample
from nnbook.cells.store import MaskedPanorama, read_cells
from nnbook.cells.writer import write_cells
from nnbook.errors import InvalidValueError, NnbookError
from nnbook.io.images import write_image, write_mask
from nnbook.measurement.rois import measure_panorama
from nnbook.simulation.panorama import simulate_panorama
from nnbook.viewers import widgets
from nnbook.viewers.linking import link
from nnbook.viewers.mosaic import write_mosaic
from nnbook.viewers.pyramid import LivePyramid, write_pyramid
from nnbook.viewers.widgets import CellBrowser, Mosaic, NucleiScatter, PanoramaViewer, Scatter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Scene = tuple[NDArray[np.uint8], NDArray[np.int32]]

HEIGHT, WIDTH = 1100, 1337
SOURCES = Path(__file__).parents[2] / "widgets"


@pytest.fixture(autouse=True)
def _bundles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for the JavaScript, which a browser tests."""
    for name in ("cells", "mosaic", "nuclei", "panorama", "scatter"):
        (tmp_path / f"{name}.mjs").write_text("export default { render() {} }\n")
    monkeypatch.setattr(widgets, "BUNDLES", tmp_path)


@pytest.fixture(scope="module")
def scene() -> Scene:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    labels = (1 + (y // 110) * 10 + x // 140).astype(np.int32)
    labels[(y % 110 < 20) | (x % 140 < 30)] = 0
    return (128 + 60 * np.sin(x / 40) + 60 * np.cos(y / 55)).astype(np.uint8), labels * 700


def ask(viewer: Any, path: str, monkeypatch: pytest.MonkeyPatch, **span: int) -> tuple[dict[str, Any], bytes | None]:
    """Send the message that the browser sends, and return the answer."""
    sent: list[tuple[dict[str, Any], list[bytes]]] = []
    monkeypatch.setattr(viewer, "send", lambda content, buffers=(): sent.append((content, list(buffers))))
    viewer._handle_custom_msg({"kind": "file", "id": "a1", "path": path, **span}, [])
    ((content, buffers),) = sent
    assert (content["kind"], content["id"]) == ("file", "a1")
    return content, buffers[0] if buffers else None


def chosen(viewer: CellBrowser | Mosaic | PanoramaViewer | Scatter) -> pd.Series[Any]:
    """Return the row that is chosen in a viewer, which has to be there."""
    row = viewer.selected
    assert row is not None
    return row


def test_tiles_in_memory_are_those_that_would_be_written(tmp_path: Path, scene: Scene) -> None:
    write_pyramid(tmp_path / "P", *scene)
    live = LivePyramid("P", *scene)
    written = sorted(path.relative_to(tmp_path / "P") for path in (tmp_path / "P").rglob("*") if path.is_file())
    assert len(written) > 40
    for path in written:
        data = live.read(path.as_posix())
        assert data is not None, path
        if path.suffix == ".dzi":
            sizes = [re.findall(rb'\w+="\w+"', text) for text in (data, (tmp_path / "P" / path).read_bytes())]
            assert sizes[0] == sizes[1] != []
            continue
        here, there = imread(io.BytesIO(data)), imread(tmp_path / "P" / path)
        assert here.shape == there.shape, path
        if path.suffix == ".png":
            np.testing.assert_array_equal(here, there, err_msg=str(path))
        else:
            assert np.abs(here.astype(int) - there).max() <= 12, path


@pytest.mark.parametrize(
    "path",
    ["labels_files/11/3_0.png", "intensity_files/11/0_3.jpg", "intensity_files/12/0_0.jpg", "labels_files/11/0_0.jpg",
     "intensity_files/-1/0_0.jpg", "../secret", "labels_files/11/0_0.png/x", ""],
)  # fmt: skip
def test_there_are_no_other_files(scene: Scene, path: str) -> None:
    assert LivePyramid("P", *scene).read(path) is None


def test_an_array_is_served_as_an_index_with_its_pyramid(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = PanoramaViewer(*scene, px_per_um=8.0, name="mine")
    _, data = ask(viewer, "index.json", monkeypatch)
    (entry,) = json.loads(data or b"")["panoramas"]
    assert (entry["panorama"], entry["width"], entry["height"], entry["px_per_um"]) == ("mine", WIDTH, HEIGHT, 8.0)
    for layer in ("intensity", "labels"):
        assert b'Width="1337"' in (ask(viewer, entry[layer], monkeypatch)[1] or b"")
    nuclei = json.loads(ask(viewer, entry["nuclei"], monkeypatch)[1] or b"")
    assert nuclei["panorama"] == "mine"
    assert viewer.rois is not None
    assert nuclei["columns"]["roi"] == viewer.rois["roi"].tolist() == np.unique(scene[1])[1:].tolist()
    assert (viewer.panorama, viewer.address, viewer.index) == ("mine", False, "kernel:index.json")


def test_without_masks_there_is_nothing_to_choose(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = PanoramaViewer(scene[0], roi=3)
    (entry,) = json.loads(ask(viewer, "index.json", monkeypatch)[1] or b"")["panoramas"]
    assert set(entry) == {"panorama", "width", "height", "px_per_um", "intensity"}
    assert viewer.rois is None
    assert viewer.selected is None
    content, data = ask(viewer, "labels.dzi", monkeypatch)
    assert data is None
    assert content["error"] == "labels.dzi: no such file"


def test_other_messages_are_not_answered(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = PanoramaViewer(scene[0])
    monkeypatch.setattr(viewer, "send", lambda *_: pytest.fail("an answer"))
    viewer._handle_custom_msg({"kind": "anywidget-command", "id": "1"}, [])


def test_the_nucleus_chosen_is_a_measured_row(scene: Scene) -> None:
    viewer = PanoramaViewer(*scene, px_per_um=8.0)
    assert viewer.selected is None
    viewer.roi = 1400
    expected = measure_panorama("image", *scene, 8.0).set_index("roi").loc[1400]
    assert chosen(viewer)["area_um2"] == expected["area_um2"]
    assert chosen(viewer)["mean_intensity"] == expected["mean_intensity"]
    viewer.roi = 1401
    assert viewer.selected is None, "the masks have no such nucleus"


def test_without_a_scale_there_is_no_area_in_um2(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = PanoramaViewer(*scene, roi=1400)
    assert "area_um2" not in chosen(viewer)
    assert chosen(viewer)["area_px"] > 0
    assert "area_um2" not in json.loads(ask(viewer, "nuclei.json", monkeypatch)[1] or b"")["columns"]


def test_files_are_the_same_as_their_arrays(tmp_path: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    write_image(tmp_path / "one.tif", scene[0])
    write_mask(tmp_path / "one_cp_masks.tif", scene[1])
    stored = PanoramaViewer(str(tmp_path / "one.tif"), tmp_path / "one_cp_masks.tif")
    assert stored.panorama == "one"
    arrays = PanoramaViewer(*scene)
    for path in ("labels_files/11/1_1.png", "intensity_files/8/0_0.jpg", "nuclei.json"):
        one, other = (ask(viewer, path, monkeypatch)[1] for viewer in (stored, arrays))
        assert (one or b"").replace(b'"one"', b'"image"') == other


def test_labels_of_another_image_of_the_same_size_are_refused(
    tmp_path: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "truth").mkdir()
    for name in ("one", "two"):
        write_image(tmp_path / f"{name}.tif", scene[0])
        write_mask(tmp_path / f"{name}_cp_masks.tif", scene[1])
        write_mask(tmp_path / "truth" / f"{name}.tif", scene[1])
    write_mask(tmp_path / "by hand.tif", scene[1])
    named = r"two.*is named for .*two\.tif, and not for .*one\.tif"
    with pytest.raises(InvalidValueError, match=named):
        PanoramaViewer(tmp_path / "one.tif", tmp_path / "two_cp_masks.tif")
    viewer = PanoramaViewer(tmp_path / "one.tif", tmp_path / "one_cp_masks.tif")
    with pytest.raises(InvalidValueError, match=named):
        viewer.add_labels(tmp_path / "truth" / "two.tif", name="truth")
    for labels in (tmp_path / "truth" / "one.tif", tmp_path / "by hand.tif", scene[1]):
        viewer.add_labels(labels, name="truth")

    def made_from_another(_: object) -> None:
        raise NnbookError("made from another image")

    monkeypatch.setattr(widgets, "check_mask_origins", made_from_another)
    with pytest.raises(NnbookError, match="made from another image"):
        viewer.add_labels(tmp_path / "truth" / "one.tif", name="truth")


@pytest.mark.parametrize("zipped", [False, True])
def test_a_pyramid_is_served_as_it_lies(
    tmp_path: Path, scene: Scene, zipped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ("P.zip" if zipped else "P")
    write_pyramid(path, *scene, zipped=zipped)
    write_pyramid(tmp_path / "Q", *scene)
    viewer = PanoramaViewer(path, px_per_um=2.0)
    (entry,) = json.loads(ask(viewer, "index.json", monkeypatch)[1] or b"")["panoramas"]
    assert entry == {
        "panorama": "P", "width": WIDTH, "height": HEIGHT, "px_per_um": 2.0,
        "intensity": "intensity.dzi", "labels": "labels.dzi",
    }  # fmt: skip
    tile = "labels_files/11/1_1.png"
    assert ask(viewer, tile, monkeypatch)[1] == (tmp_path / "Q" / tile).read_bytes()
    assert viewer.rois is None, "it has not been measured"


def test_a_folder_of_pyramids_shows_those_of_its_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "pyramids"
    (folder / "B").mkdir(parents=True)
    entries = [{"panorama": "A"}, {"panorama": "B", "nuclei": "B/nuclei.json"}]
    (folder / "index.json").write_text(json.dumps({"panoramas": entries}))
    (folder / "B" / "nuclei.json").write_text('{"columns": {"roi": [4, 9], "class": [null, "anaphase"]}}')
    (tmp_path / "secret").write_text("not below the folder")
    viewer = PanoramaViewer(folder)
    assert viewer.panorama == "A"
    assert viewer.rois is None
    viewer.panorama, viewer.roi = "B", 9
    assert chosen(viewer)["class"] == "anaphase"
    for path in ("../secret", str(tmp_path / "secret"), "B"):
        assert ask(viewer, path, monkeypatch)[1] is None, path


ARRAY: NDArray[Any] = np.zeros((4, 5), np.uint8)


def damaged_zip(folder: Path) -> Path:
    (folder / "damaged.zip").write_bytes(b"PK, and then no more")
    return folder / "damaged.zip"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda _: PanoramaViewer(np.zeros((3, 4, 5), np.uint8)), "the image has shape 3 x 4 x 5; give axes"),
        (lambda _: PanoramaViewer(np.array(3)), "the image has shape 1 value"),
        (lambda _: PanoramaViewer(ARRAY > 1), "the image holds bool values"),
        (lambda _: PanoramaViewer(np.full((4, 5), np.nan)), "not a number or infinite"),
        (lambda _: PanoramaViewer(ARRAY, ARRAY[1:]), "image: the image has 5 x 4 px but its mask 5 x 3"),
        (lambda _: PanoramaViewer(ARRAY, ARRAY.astype(float)), "the mask array holds float64 values"),
        (lambda _: PanoramaViewer(ARRAY, ARRAY.astype(int) - 1), "labels below 0"),
        (lambda _: PanoramaViewer(ARRAY, ARRAY.astype(np.int32) + 2**24), "labels above 16,777,215"),
        (lambda _: PanoramaViewer(ARRAY, px_per_um=0), "px_per_um is 0; give pixels a micrometre"),
        (lambda _: PanoramaViewer(ARRAY, zoom=3), "PanoramaViewer has no zoom"),
        (lambda here: PanoramaViewer(here / "absent.tif"), r"absent\.tif: no such file"),
        (lambda here: PanoramaViewer(ARRAY, here / "absent.tif"), r"absent\.tif: no such file"),
        (PanoramaViewer, "has no intensity.dzi"),
        (lambda here: PanoramaViewer(here, ARRAY), "a pyramid has masks of its own"),
        (lambda here: PanoramaViewer(here / "absent.zip"), r"absent\.zip: no such file"),
        (lambda here: PanoramaViewer(str(damaged_zip(here))), r"damaged\.zip: can't be read as a zip"),
        (lambda _: Scatter(pd.DataFrame({"image": ["a"], "num_rois": [1]})), "no column mean_intensity, std_intensity"),
    ],
)
def test_what_can_not_be_shown_is_told(tmp_path: Path, call: Any, told: str) -> None:
    with pytest.raises(NnbookError, match=told):
        call(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"columns": {"roi": 1}}', '{"columns": {"roi": [1], "x_px": []}}'])
def test_damaged_nuclei_are_a_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.json").write_text('{"panoramas": [{"panorama": "a", "nuclei": "a.json"}]}')
    (tmp_path / "a.json").write_text(text)
    view = PanoramaViewer(tmp_path)
    view.roi = 1
    with pytest.raises(NnbookError, match=r"a\.json: [^\n]+; write it again with 'nnbook run'"):
        _ = view.selected


def test_a_damaged_index_is_told(tmp_path: Path) -> None:
    for text, told in (("[", "damaged"), ('{"panoramas": [{}]}', "damaged"), ('{"panoramas": []}', "no panoramas")):
        (tmp_path / "index.json").write_text(text)
        with pytest.raises(NnbookError, match=told):
            PanoramaViewer(tmp_path)


def test_views_that_were_not_built_say_how(tmp_path: Path) -> None:
    (tmp_path / "panorama.mjs").unlink()
    with pytest.raises(NnbookError, match=r"panorama\.mjs: no such file; run 'make"):
        PanoramaViewer(ARRAY)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("opacity", 1.5, "opacity is 1.5; give a number from 0 to 1, or None"),
        ("opacity", float("nan"), "opacity is nan"),
        ("height", 0, "height is 0; give a whole number from 1"),
        ("height", True, "height is True"),
        ("view", [1, 2], r"view is \[1, 2\]; give x and y of the centre and the width"),
        ("view", [1, 2, 0], "view is "),
        ("view", [1, np.inf, 9], "view is "),
        ("roi", 0, "roi is 0"),
        ("roi", 2.5, "roi is 2.5"),
        ("contrast", "abc", "contrast is 'abc'; give the grey levels"),
        ("contrast", [9, 9, 1], "contrast is "),
        ("contrast", [0, 255, 0], "contrast is "),
        ("colour", "red", "colour is 'red'; give one of grey, cividis, viridis, inferno"),
        ("masks", None, "masks is None; give one of fill, outline, off"),
        ("invert", 1, "invert is 1; give True or False"),
        ("panorama", 7, "panorama is 7; give the name of a panorama"),
        ("zoom", 2, "PanoramaViewer has no zoom"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_it(name: str, value: Any, told: str) -> None:
    viewer = PanoramaViewer(ARRAY)
    with pytest.raises(InvalidValueError, match=f"^{told}[^\n]*$") as refused:
        setattr(viewer, name, value)
    assert refused.value.parameters == (name,)
    if name not in {"masks", "zoom"}:
        with pytest.raises(InvalidValueError, match=f"^{told}"):
            PanoramaViewer(ARRAY, **{name: value})


def test_values_of_numpy_are_values(scene: Scene) -> None:
    viewer = PanoramaViewer(*scene, opacity=np.float32(0.5), invert=np.True_)
    viewer.roi = np.unique(scene[1])[2]
    viewer.view = np.array([5, 6, 70.5])
    assert (viewer.roi, type(viewer.roi), viewer.invert) == (1400, int, True)
    assert json.loads(json.dumps(viewer.get_state(["view", "opacity"]))) == {"opacity": 0.5, "view": [5, 6, 70.5]}


PARTS_OF_A_PAGE = {"layer", "lassoed", "gated"}
"""What views share on a page with several layers of data, which a notebook has not."""


@pytest.mark.parametrize("view", [CellBrowser, Mosaic, PanoramaViewer, Scatter])
def test_all_that_a_view_remembers_is_a_documented_trait(view: Any) -> None:
    bundle = {CellBrowser: "cells", Mosaic: "mosaic", PanoramaViewer: "panorama", Scatter: "scatter"}[view]
    parts = [*(SOURCES / bundle).glob("*state.ts"), SOURCES / "shared" / "address.ts"]
    parts += [SOURCES / "shared" / "contraststate.ts"] if view is not Scatter else []
    fields = [
        re.findall(r"^  (\w+): ", interface, re.MULTILINE)
        for part in parts
        for interface in re.findall(
            r"^export interface (?:Shared|\w+State) (?:extends .*)?{\n(.*?)^}",
            part.read_text(),
            re.DOTALL | re.MULTILINE,
        )
    ]
    state = set().union(*fields) - PARTS_OF_A_PAGE
    assert {"panorama", "roi"} < state
    missing = sorted(name for name in state if not view.class_traits(sync=True).get(name))
    assert not missing, f"widgets/{bundle} remembers what {view.__name__} has no trait for"
    documented = view.__doc__.partition("Attributes\n")[2]
    assert not [name for name in state if not re.search(rf"\b{name}\b", documented)]


def test_what_the_browser_sets_is_seen_here(scene: Scene) -> None:
    viewer = PanoramaViewer(*scene)
    seen: list[Any] = []
    viewer.observe(lambda change: seen.append((change["name"], change["new"])), ["roi", "view"])
    viewer.set_state({"roi": 2100, "view": [5, 6.5, 70], "unknown": 1})
    assert seen == [("roi", 2100), ("view", [5, 6.5, 70])]
    assert chosen(viewer)["roi"] == 2100
    assert {"roi", "view", "contrast", "invert", "colour", "masks", "opacity", "panorama", "address"} <= set(
        viewer.keys
    )


def table() -> pd.DataFrame:
    rows = [("Run3TL_top_left.tif", 700, 80.0, 60.0), ("b.tif", 0, np.nan, np.nan), ("c.tif", 900, 50.0, 40.0)]
    return pd.DataFrame(rows, columns=["image", "num_rois", "mean_intensity", "std_intensity"])


def test_a_table_is_served_as_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = json.loads(ask(Scatter(table()), "panoramas.json", monkeypatch)[1] or b"")["columns"]
    assert columns["panorama"] == ["Run3TL_top_left", "b", "c"]
    assert columns["run"] == [3, None, None]
    assert columns["mean_intensity"] == [80, None, 50]
    with_passages = table().assign(run=[1, 2, 2], passage=["P1", "P2", np.nan])
    columns = json.loads(ask(Scatter(with_passages), "panoramas.json", monkeypatch)[1] or b"")["columns"]
    assert (columns["run"], columns["passage"]) == ([3, 2, 2], ["P1", "P2", None])


def test_a_choice_in_the_scatter_is_a_row_and_a_lasso_several() -> None:
    scatter = Scatter(table())
    assert scatter.selected is None
    assert scatter.lassoed.empty
    scatter.set_state({"panorama": "c", "lasso": [[600, 40], [1000, 40], [1000, 100], [600, 100]]})
    assert chosen(scatter)["num_rois"] == 900
    assert scatter.lassoed["image"].tolist() == ["Run3TL_top_left.tif", "c.tif"]
    scatter.panorama = "b"
    assert chosen(scatter)["num_rois"] == 0


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the cells of one simulated panorama."""
    folder = tmp_path_factory.mktemp("store")
    image, labels, _ = simulate_panorama(3, 1, "TL", "top_left", width_px=1500, height_px=1500)
    write_image(folder / "P.tif", image)
    write_mask(folder / "P_cp_masks.tif", labels)
    measure_panorama("P", image, labels, 8.0453).to_parquet(folder / "rois.parquet", index=False)
    panoramas = [MaskedPanorama("P", 1, "P12", folder / "P.tif", folder / "P_cp_masks.tif")]
    write_cells(folder / "cells", panoramas, folder / "rois.parquet", edition="test", note="", px_per_um=8.0453)
    return folder / "cells"


def test_a_store_of_cells_is_served_whole_and_in_parts(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = CellBrowser(store, per_run=5, draw=7, sort="-area_um2")
    assert (browser.cells, browser.address, browser.per_run, browser.draw) == ("kernel:cells.json", False, 5, 7)
    about = json.loads(ask(browser, "cells.json", monkeypatch)[1] or b"")
    assert ask(browser, f"{about['images']}/zarr.json", monkeypatch)[1]
    shard = f"{about['images']}/c/0/0/0"
    whole = (store / shard).read_bytes()
    for span, expected in (
        ({"from": 16, "to": 32}, whole[16:32]),
        ({"from": -20}, whole[-20:]),
        ({"from": -(10**9)}, whole),
        ({"from": len(whole) - 3, "to": len(whole) + 5}, whole[-3:]),
        ({"from": len(whole) + 5, "to": len(whole) + 9}, b""),
    ):
        content, data = ask(browser, shard, monkeypatch, **span)
        assert (content["size"], data) == (len(whole), expected)


@pytest.mark.parametrize("path", ["cells.zarr/images/c/9/0/0", "../rois.parquet", "cells.zarr"])
def test_of_other_files_there_are_no_parts(store: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content, data = ask(CellBrowser(store), path, monkeypatch, **{"from": 0, "to": 4})
    assert data is None
    assert content["error"] == f"{path}: no such file"


def test_parts_of_what_is_made_in_memory_are_served_too(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = PanoramaViewer(*scene)
    _, whole = ask(viewer, "intensity.dzi", monkeypatch)
    content, data = ask(viewer, "intensity.dzi", monkeypatch, **{"from": 2, "to": 9})
    assert whole is not None
    assert (content["size"], data) == (len(whole), whole[2:9])


def test_the_cell_chosen_is_a_row_of_the_table(store: Path) -> None:
    browser = CellBrowser(store)
    assert browser.selected is None
    row = read_cells(store).table.iloc[2]
    browser.panorama, browser.roi = "P", int(row["roi"])
    assert chosen(browser)["cell"] == row["cell"]
    browser.panorama = "Q"
    assert browser.selected is None


def test_without_a_store_there_is_no_cell_browser(tmp_path: Path) -> None:
    with pytest.raises(NnbookError, match="holds no store of cells"):
        CellBrowser(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("draw", 0), ("draw", 2**32), ("size", 3), ("per_run", 0), ("run", 1.5), ("at", 0), ("sort", ""),
        ("sort", "-area_um3"), ("sort", "cell"), ("filter", "area_um2"), ("filter", "area_um2:5..1"),
        ("filter", "area_um2:.."), ("filter", "area_um2:1..2;"), ("filter", ";".join(["run:1..2"] * 13)),
    ],
)  # fmt: skip
def test_a_cell_browser_refuses_what_it_cannot_show(store: Path, name: str, value: Any) -> None:
    with pytest.raises(InvalidValueError, match=f"^{name} is [^\n]*give[^\n]*$") as refused:
        CellBrowser(store, **{name: value})
    assert refused.value.parameters == (name,)
    browser = CellBrowser(
        store, sort="-area_um2", filter="area_um2:100..200;mean_intensity:..80.5;class:early anaphase"
    )
    with pytest.raises(InvalidValueError, match=f"^{name} is "):
        setattr(browser, name, value)


def test_a_gate_holds_rows_of_the_table(store: Path) -> None:
    table = read_cells(store).table
    for view in (NucleiScatter(store), CellBrowser(store)):
        assert view.gated.empty
        area = table["area_um2"].sort_values().to_numpy()
        limit = float(area[1:3].mean())
        view.gate = f"area_um2,mean_intensity;0,-1;{limit},-1;{limit},256;0,256"
        assert view.gated["cell"].tolist() == table[table["area_um2"] < limit]["cell"].tolist()
        view.gate = "area_um2,texture;0,0;9999,0;9999,99;0,99"
        assert len(view.gated) == len(table)
        for gate in ("area_um2,texture;0,0;1,1", "__import__;1,1;2,2;3,3", ""):
            with pytest.raises(InvalidValueError, match=f"^gate is {gate!r}; give two measurements and the corners"):
                view.gate = gate
        view.gate = "area_um2,unknown;0,0;9999,0;9999,99"
        assert view.gated.empty


@pytest.fixture(scope="module")
def mosaic(store: Path) -> Path:
    write_sample(store, store.parent, per_run=4)
    write_mosaic(store.parent / "mosaic", store, store.parent)
    return store.parent / "mosaic"


def test_a_mosaic_is_served_with_its_tiles_and_its_cells(mosaic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    view = Mosaic(mosaic, normalised=True, view=[10, 20, 300])
    assert (view.mosaic, view.address, view.normalised, view.view) == ("kernel:mosaic.json", False, True, [10, 20, 300])
    about = json.loads(ask(view, "mosaic.json", monkeypatch)[1] or b"")
    for path in (about["intensity"], about["normalised"], about["cells"], "intensity_files/8/0_0.jpg"):
        assert ask(view, path, monkeypatch)[1] == (mosaic / path).read_bytes()
    assert ask(view, "../cells/cells.json", monkeypatch)[1] is None


def test_the_cell_chosen_in_a_mosaic_is_a_row(mosaic: Path) -> None:
    view = Mosaic(mosaic)
    assert view.selected is None
    told = json.loads((mosaic / "cells.json").read_text())
    view.panorama, view.roi = "P", told["columns"]["roi"][2]
    assert (chosen(view)["roi"], chosen(view)["panorama"], chosen(view)["run"]) == (view.roi, "P", 1)
    assert chosen(view)["area_um2"] == told["columns"]["area_um2"][2]
    view.panorama = "Q"
    assert view.selected is None


@pytest.mark.parametrize("damage", [None, "mosaic.json", "cells.json"])
def test_without_a_whole_mosaic_there_is_no_view_of_it(tmp_path: Path, mosaic: Path, damage: str | None) -> None:
    if damage:
        shutil.copytree(mosaic, tmp_path / "m")
        (tmp_path / "m" / damage).write_text("{}")
    problem = (
        rf"m/{damage}: is damaged, \w+ is missing; make it again" if damage else "m: holds no whole mosaic; make one"
    )
    with pytest.raises(NnbookError, match=rf"{problem} with 'nnbook mosaic'"):
        Mosaic(tmp_path / "m")


def test_linked_views_share_what_is_chosen(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer, scatter = PanoramaViewer(*scene, name="c"), Scatter(table())
    end = link(viewer, scatter)
    assert scatter.panorama == "c"
    viewer.roi = 1400
    assert (scatter.panorama, scatter.roi) == ("c", 1400)
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(
        viewer, "send_state", lambda key=None: sent.append({name: getattr(viewer, name) for name in key})
    )
    scatter.set_state({"panorama": "b", "roi": None})  # as from the browser
    assert (viewer.panorama, viewer.roi) == ("b", None)
    assert {"panorama": "b", "roi": None} in sent, "the nucleus of another panorama was shown in between"
    end()
    scatter.panorama = "Run3TL_top_left"
    assert viewer.panorama == "b"
    with pytest.raises(InvalidValueError, match="link is given something of type int; give it views"):
        link(viewer, 3)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="link is given the same view twice"):
        link(viewer, viewer)


def test_a_viewer_segments_what_it_shows_and_outlines_the_masks(scene: Scene) -> None:
    image, labels = scene
    viewer = PanoramaViewer(image)
    made = viewer.segment(lambda _image, diameter_px: labels + (labels > 0) * int(diameter_px), diameter_px=128)
    assert (made == labels + 128 * (labels > 0)).all()
    assert viewer.shown_labels == ["segmented"]
    with pytest.raises(InvalidValueError, match="diameter_px is 0"):
        viewer.segment(diameter_px=0)
