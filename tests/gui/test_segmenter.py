"""The segmenter as Python and a browser ask it, without a browser."""

from __future__ import annotations

import json
import time
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from unit_work import steps_without_end

from nnbook.errors import InvalidValueError, MissingFileError, NnbookError
from nnbook.gui import jobs
from nnbook.gui.jobs import (
    HELD_OUT,
    Job,
    apply_to_folder,
    gather_examples,
    how_to_train,
    train_on_masks,
    trained_method,
)
from nnbook.gui.picture import Picture, highest_level
from nnbook.gui.segmenter import Segmenter
from nnbook.gui.session import part_in_view
from nnbook.io.images import read_image, read_mask, write_image, write_mask
from nnbook.io.inputs import pair_files
from nnbook.segmentation.model import shipped_model
from nnbook.segmentation.workflow import segment_files
from nnbook.training.loop import held_out
from nnbook.viewers import widgets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

DISCS = ((30, 30), (30, 90), (90, 60), (95, 140))
DIAMETER_PX = 30.0


def discs(shift: int = 0) -> NDArray[np.uint8]:
    y, x = np.mgrid[:130, :180]
    inside = [np.hypot(y - b, x - a - shift) < DIAMETER_PX / 2 for b, a in DISCS]
    return np.asarray(20 + 150 * np.logical_or.reduce(inside) + (x * 7 + y * 13) % 11, np.uint8)


@pytest.fixture(autouse=True)
def _bundles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for the JavaScript, which a browser tests."""
    folder = tmp_path / "bundles"
    folder.mkdir()
    (folder / "segment.mjs").write_text("export default { render() {} }\n")
    monkeypatch.setattr(widgets, "BUNDLES", folder)


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    folder = tmp_path / "lab"
    folder.mkdir()
    write_image(folder / "a.tif", discs())
    write_image(folder / "b.tif", discs(5))
    return folder


@pytest.fixture
def segmenter(lab: Path) -> Iterator[Segmenter]:
    made = Segmenter(lab, method="otsu", diameter=DIAMETER_PX)
    yield made
    made.close()


class Page:
    """What a browser sends, and what it hears."""

    def __init__(self, segmenter: Segmenter, monkeypatch: pytest.MonkeyPatch) -> None:
        self.segmenter = segmenter
        self.heard: list[tuple[dict[str, Any], list[Any]]] = []
        monkeypatch.setattr(segmenter, "send", lambda content, buffers=(): self.heard.append((content, list(buffers))))

    def ask(self, method: str, *given: Any, seen: Any = (0, 0, 180, 130), buffers: Any = ()) -> Any:
        """Return what is given; raise the problem."""
        call = {"kind": "call", "id": str(len(self.heard)), "method": method, "given": list(given), "seen": seen}
        self.segmenter._handle_custom_msg(call, list(buffers))
        answer, data = self._answer(call["id"])
        if "problem" in answer:
            raise NnbookError(answer["problem"])
        return (answer["given"], data[0]) if data else answer["given"]

    def _answer(self, key: Any) -> Any:
        for _ in range(600):
            for content, data in list(self.heard):
                if content["kind"] == "answer" and content["id"] == key:
                    self.heard.remove((content, data))
                    return content, data
            time.sleep(0.05)
        raise AssertionError(f"no answer: {self.heard}")


def settings(**more: Any) -> dict[str, Any]:
    return {"method": "otsu", "values": {}, "diameter": DIAMETER_PX, "flow": 0.5, "cellprob": -2, **more}


@pytest.fixture
def page(segmenter: Segmenter, monkeypatch: pytest.MonkeyPatch) -> Page:
    page = Page(segmenter, monkeypatch)
    page.ask("open", None, "a", None)
    page.ask("segment", None, settings(), [90, 65])
    return page


def test_tiles_of_image_and_labels_are_theirs_at_every_level(page: Page) -> None:
    image, labels = discs(), page.segmenter.labels
    assert labels is not None
    assert len(np.unique(labels)) == len(DISCS) + 1
    top = highest_level(image.shape)
    made, data = page.ask("tile", top, 0, 0)
    assert (made["width"], made["height"]) == (180, 130)
    assert (np.frombuffer(data, np.uint8).reshape(130, 180) == image).all()
    version = page.ask("undo")["version"]
    made, data = page.ask("labels", version, top - 1, 0, 0)
    assert (
        np.frombuffer(zlib.decompress(data), np.uint32).reshape(made["height"], made["width"]) == labels[::2, ::2]
    ).all()
    assert page.ask("grey", 30, 31) == image[31, 30]
    with pytest.raises(NnbookError, match=r"^$"):  # of masks that are no more
        page.ask("labels", version - 1, top, 0, 0)
    assert Picture(image).tile(top + 1, 0, 0).size == 0


def test_settings_move_masks_and_a_correction_is_measured(page: Page) -> None:
    usual = page.ask("rethreshold", settings())
    wider = page.ask("rethreshold", settings(values={"brightness": 0.3}))
    assert sum(one["area"] for one in wider["nuclei"]) > sum(one["area"] for one in usual["nuclei"])
    with pytest.raises(NnbookError, match=r"brightness is 9; give 0\.2 to 3"):
        page.ask("rethreshold", settings(values={"brightness": 9}))
    one, *others = page.ask("rethreshold", settings())["nuclei"]
    made = page.ask("edit", {"kind": "delete", "roi": one["roi"]})
    assert made["nuclei"] == others
    assert (made["edits"], made["undone"]) == (1, 0)
    assert page.ask("undo")["nuclei"] == [one, *others]
    made = page.ask("edit", {"kind": "merge", "rois": [one["roi"], others[0]["roi"]]})
    assert made["nuclei"][0]["area"] == one["area"] + others[0]["area"]
    assert page.segmenter.nuclei["area"].tolist() == [nucleus["area"] for nucleus in made["nuclei"]]


def test_what_is_in_view_comes_first_and_the_whole_after_it(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnbook.gui.session.WORTH_PX", 1)
    seen = [60, 0, 80, 60]
    before = page.segmenter.labels
    call = {"kind": "call", "id": "x", "method": "rethreshold", "given": [settings(values={"brightness": 0.4})]}
    page.segmenter._session._whole.submit(time.sleep, 0.5)
    page.segmenter._handle_custom_msg({**call, "seen": seen}, [])
    found: list[dict[str, Any]] = []
    for _ in range(100):
        if found := [content for content, _ in page.heard if content["kind"] == "early"]:
            break
        time.sleep(0.01)
    (early,) = found
    _, data = page.ask("labels", early["version"], highest_level((130, 180)), 0, 0)
    shown = np.frombuffer(zlib.decompress(data), np.uint32).reshape(130, 180) > 0
    after = page.segmenter._session
    for _ in range(100):
        if after.opened is not None and after.opened.early is None:
            break
        time.sleep(0.05)
    whole = page.segmenter.labels
    assert before is not None
    assert whole is not None
    part = np.s_[0:60, 60:140]
    assert (shown[part] == (whole[part] > 0)).all()
    outside = np.ones(shown.shape, bool)
    outside[part] = False
    assert (shown[outside] == (before[outside] > 0)).all()
    assert part_in_view((130, 180), seen, 0) is None


def test_masks_are_saved_beside_the_image_and_never_over_others(page: Page, lab: Path) -> None:
    image = (lab / "a.tif").read_bytes()
    page.ask("edit", {"kind": "delete", "roi": 1})
    assert page.ask("keep", False) == {"names": ["a_cp_masks.tif", "a_nuclei.csv"]}
    assert (read_mask(lab / "a_cp_masks.tif") == page.segmenter.labels).all()
    assert len((lab / "a_nuclei.csv").read_text().splitlines()) == len(DISCS)
    assert (lab / "a.tif").read_bytes() == image
    assert page.segmenter.images == [{"name": "a", "masks": True}, {"name": "b", "masks": False}]
    page.ask("undo")
    page.ask("keep", False)  # over its own
    (lab / "a_cp_masks.tif").write_bytes(b"of somebody else")
    with pytest.raises(NnbookError, match=r"a_cp_masks.tif: is there already, and was not saved here"):
        page.ask("keep", False)
    page.ask("keep", True)
    another = Segmenter(lab, method="otsu")
    assert another._session.open("a")["remark"].startswith("These are the masks of a_cp_masks.tif")
    assert another.labels is not None
    assert (another.labels == page.segmenter.labels).all()
    another.close()


def test_masks_of_an_image_that_was_replaced_are_not_corrected_or_saved(page: Page, lab: Path) -> None:
    (lab / "a.tif").touch()
    page.ask("edit", {"kind": "delete", "roi": 1})  # the same image
    write_image(lab / "a.tif", discs(9))
    for call in (("edit", {"kind": "delete", "roi": 2}), ("keep", True), ("undo",)):
        with pytest.raises(NnbookError, match=r"a.tif: was replaced since it was opened"):
            page.ask(*call)
    assert not (lab / "a_cp_masks.tif").exists()
    (lab / "a.tif").unlink()
    with pytest.raises(NnbookError, match=r"a.tif: is gone since it was opened"):
        page.ask("keep", False)


def test_an_image_that_is_dropped_is_segmented_and_its_masks_go_back(page: Page, lab: Path) -> None:
    data = (lab / "b.tif").read_bytes()
    made, *_ = [page.ask("open", None, "../c.tif", None, buffers=[data])]
    assert (made["name"], made["width"]) == ("../c.tif", 180)
    page.ask("segment", None, settings(), [90, 65])
    _, masks = page.ask("keep", False)
    assert bytes(masks[:2]) == b"II"
    assert sorted(path.name for path in lab.iterdir()) == ["a.tif", "b.tif"]
    with pytest.raises(NnbookError, match=r"^d\.tif: is no TIFF"):
        page.ask("open", None, "d.tif", None, buffers=[b"words, and no image"])


def test_training_has_its_examples_laid_out_so_that_some_are_held_out(page: Page, lab: Path, tmp_path: Path) -> None:
    page.ask("keep", False)
    share = 1 / HELD_OUT
    gather_examples([lab / "a.tif"], tmp_path)
    pairs = pair_files(tmp_path / "images", tmp_path / "masks")
    assert sorted(held_out(name, share) for name in pairs) == [False, True]
    page.ask("open", None, "b", None)
    page.ask("segment", None, settings(), [90, 65])
    page.ask("keep", False)
    (tmp_path / "two").mkdir()
    gather_examples([lab / "a.tif", lab / "b.tif"], tmp_path / "two")
    pairs = pair_files(tmp_path / "two" / "images", tmp_path / "two" / "masks")
    assert sorted(held_out(name, share) for name in pairs) == [False, True]
    with pytest.raises(NnbookError, match="no image has saved masks"):
        train_on_masks(Job("train", print), [], lab / "model", how_to_train(3))
    with pytest.raises(InvalidValueError, match="steps is 0; give 1 to 100,000"):
        how_to_train(0)


def test_a_model_is_trained_in_a_process_that_can_be_stopped(page: Page, lab: Path) -> None:
    page.ask("keep", False)
    told: list[dict[str, Any]] = []
    job = Job("train", told.append)
    small = replace(how_to_train(1), batch=1, crop_px=32, validation_crops=1)
    text = train_on_masks(job, [lab / "a.tif"], lab / "trained_nuclei", small)
    assert text == (
        "Trained on 1 image. The new model, trained_nuclei, is now among the methods. "
        "A quarter of the image was held out to choose the best weights."
    )
    assert told[-1]["text"] == "Training on 1 image: step 1 of 1"
    labels = trained_method(lab / "trained_nuclei").load()(discs(), DIAMETER_PX)
    assert labels.shape == (130, 180)


def test_training_that_is_stopped_leaves_no_model(page: Page, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page.ask("keep", False)
    monkeypatch.setattr(jobs, "_train", steps_without_end)
    told: list[dict[str, Any]] = []

    def tell(message: dict[str, Any]) -> None:
        told.append(message)
        if "step 3 of" in message["text"]:
            job.stopped.set()

    job = Job("train", tell)
    text = train_on_masks(job, [lab / "a.tif"], lab / "model", how_to_train(100_000))
    assert text == "Training was stopped; no model was written."
    assert [path.name for path in lab.iterdir() if path.name.startswith("model")] == []
    assert (lab / "other").is_file()


def test_a_folder_is_segmented_with_records_and_what_fails_is_named(page: Page, lab: Path) -> None:
    (lab / "c.tif").write_bytes(b"no image")
    told: list[dict[str, Any]] = []
    job = Job("apply", told.append)
    how = page.segmenter._session.for_folder(settings())
    mask = lab / "masks" / "a_cp_masks.tif"
    with pytest.raises(
        NnbookError, match=r"^2 of 3 images are segmented; their masks are in .*masks\.\n.*c\.tif: [^\n]*$"
    ):
        apply_to_folder(job, lab, how)
    assert read_mask(mask).max() == len(DISCS)
    assert told[-1]["text"] == "Segmenting by Otsu and watershed: 3 of 3 images done"
    record = json.loads(mask.with_suffix(".json").read_text())
    assert (record["settings"]["method"], record["result"]["nuclei"]) == ("otsu", len(DISCS))
    assert list(json.loads((lab / "masks" / "failed.json").read_text())) == ["c"]
    (lab / "c.tif").unlink()
    before = mask.stat().st_mtime_ns
    assert apply_to_folder(job, lab, how) == f"All 2 images are segmented; their masks are in {lab / 'masks'}."
    assert mask.stat().st_mtime_ns == before, "what is up to date stays"
    write_mask(mask, np.flipud(read_mask(mask)))  # by hand
    wider = page.segmenter._session.for_folder(settings(values={"brightness": 0.3}))
    with pytest.raises(
        NnbookError,
        match=r"^1 of 2 images is segmented; its masks .*\n.*a_cp_masks.tif: was changed since nnbook wrote it",
    ):
        apply_to_folder(job, lab, wider)


def test_a_folder_is_segmented_by_a_network_as_the_command_does(page: Page, lab: Path) -> None:
    how = page.segmenter._session.for_folder({"method": "nnbook", "values": {}, "diameter": DIAMETER_PX})
    apply_to_folder(Job("apply", lambda _message: None), lab, how)
    segment_files({"a": lab / "a.tif"}, lab / "other", shipped_model(), diameter_px=DIAMETER_PX)
    for name in ("a_cp_masks.tif", "a_cp_confidence.csv"):
        assert (lab / "masks" / name).read_bytes() == (lab / "other" / name).read_bytes()
    written = (lab / "masks" / "a_cp_masks.tif").stat().st_mtime_ns
    segment_files({"a": lab / "a.tif"}, lab / "masks", shipped_model(), diameter_px=DIAMETER_PX)
    assert (lab / "masks" / "a_cp_masks.tif").stat().st_mtime_ns == written, "the command takes it for its own"


def test_work_on_a_folder_is_stopped_between_images(page: Page, lab: Path) -> None:
    job = Job("apply", lambda message: job.stopped.set() if message["text"].endswith("1 of 2 images done") else None)
    text = apply_to_folder(job, lab, page.segmenter._session.for_folder(settings()))
    assert text == f"Stopped. 1 of 2 images is segmented; its masks are in {lab / 'masks'}."
    assert len(list((lab / "masks").glob("*.tif"))) == 1


def test_of_many_problems_the_first_are_said_and_the_others_counted(
    page: Page, lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "NAMED", 1)
    for name in ("a", "b"):
        (lab / f"{name}.tif").write_bytes(b"no image")
    how = page.segmenter._session.for_folder(settings())
    failed = lab / "masks" / "failed.json"
    for count, line in ((2, "1 more problem is not shown"), (3, "2 more problems are not shown")):
        with pytest.raises(NnbookError) as caught:
            apply_to_folder(Job("apply", lambda _message: None), lab, how)
        first, named, more = str(caught.value).split("\n")
        assert first == f"None of the {count} images was segmented."
        assert named.startswith(str(lab / "a.tif"))
        assert more == f"{line}; every image that failed is in {failed}."
        assert len(json.loads(failed.read_text())) == count
        (lab / "c.tif").write_bytes(b"no image")
    job = Job("apply", lambda _message: job.stopped.set())
    write_image(lab / "a.tif", discs())
    assert apply_to_folder(job, lab, how).split("\n")[0] == "Stopped. None of the 3 images was segmented."


def test_an_inverted_image_is_said_to_be_one(page: Page, lab: Path) -> None:
    assert "darker than the background" not in page.ask("open", None, "b", None)["remark"]
    write_image(lab / "b.tif", 255 - discs())
    assert "Nuclei look darker than the background" in page.ask("open", None, "b", None)["remark"]
    (lab / "a.tif").unlink()
    how = page.segmenter._session.for_folder(settings())
    with pytest.raises(NnbookError, match=r"^The image is segmented; its masks .*\n.*b\.tif: Nuclei look darker"):
        apply_to_folder(Job("apply", lambda _message: None), lab, how)


@pytest.fixture
def stack(lab: Path) -> Path:
    """A file of two channels and three planes; only DAPI at the second plane is `discs`."""
    planes = np.zeros((3, 2, 130, 180), np.uint8)
    planes[0, 0], planes[1, 0] = discs() // 4, discs()
    planes[:, 1] = discs(20)[::-1]
    path = lab / "s.ome.tif"
    tifffile.imwrite(path, planes, metadata={"axes": "ZCYX", "Channel": {"Name": ["DAPI", "GFP"]}})
    return path


def test_which_channel_and_plane_are_shown_is_said_chosen_and_recorded(page: Page, stack: Path) -> None:
    segmenter, session = page.segmenter, page.segmenter._session
    session.images["s"] = stack
    made = page.ask("open", None, "s", None)
    assert (made["channels"], made["planes"]) == (["DAPI", "GFP"], 3)
    assert made["choice"] == {"channel": 0, "z": 1, "greatest": False}
    assert made["remark"].startswith(
        "The file has 2 channels (DAPI, GFP); DAPI is used. The file has 3 planes; plane 2 is used."
    )
    assert page.ask("open", None, "s", None)["remark"] == made["remark"], "another page is told, too"
    page.ask("segment", None, settings(), [90, 65])
    assert page.ask("keep", False)["names"] == ["s.ome_cp_masks.tif", "s.ome_nuclei.csv"]
    record = json.loads((stack.parent / "s.ome_cp_masks.json").read_text())
    assert {key: record["settings"][key] for key in ("channel", "project", "method")} == {
        "channel": "DAPI",
        "project": "1",
        "method": "otsu",
    }
    assert (stack.parent / "s.ome_nuclei.csv").read_text().startswith("image,channel,project,roi,")
    made = page.ask("open", None, "s", {"channel": 1, "z": 0, "greatest": True})
    assert made["plane"] == {"channel": "GFP", "project": "max"}
    assert "its masks are left out" in made["remark"]
    assert segmenter.labels is None
    assert session.opened is not None
    assert (session.opened.image == discs(20)[::-1]).all()
    page.ask("segment", None, settings(), [90, 65])
    with pytest.raises(NnbookError, match=r"s\.ome_cp_masks\.tif: is there already"):
        page.ask("keep", False)
    images, masks = gather_folders(stack.parent)
    gather_examples([stack, stack.with_name("a.tif")], stack.parent / "examples")
    (image,) = [path for path in images.iterdir() if path.name.startswith("s.")]
    assert (read_image(image) == discs()).all(), "the plane that the masks are recorded to be of"
    assert len(list(masks.iterdir())) == 2


def gather_folders(folder: Path) -> tuple[Path, Path]:
    (folder / "examples").mkdir()
    write_mask(folder / "a_cp_masks.tif", np.ones((130, 180), np.int32))
    return folder / "examples" / "images", folder / "examples" / "masks"


def test_python_segments_no_plane_that_nobody_has_chosen(segmenter: Segmenter, stack: Path) -> None:
    segmenter._session.images["s"] = stack
    segmenter.image = "s"
    with pytest.raises(InvalidValueError, match=r"has 2 channels \(0 DAPI, 1 GFP\) and 3 z planes; choose with"):
        segmenter.segment()
    segmenter.channel, segmenter.project = "dapi", "1"
    assert segmenter.segment().max() == len(DISCS)
    before = segmenter.labels
    segmenter.channel = "GFP"
    assert before is not None
    assert (segmenter.segment() != before).any(), "another channel is another image"
    segmenter.channel = "Cy5"
    with pytest.raises(InvalidValueError, match="channel is 'Cy5'; choose one of them"):
        segmenter.segment()
    with pytest.raises(InvalidValueError, match="project is 'mean'; give max"):
        segmenter.project = "mean"


def test_of_a_picture_in_colours_the_brightest_channel_is_shown_and_said(page: Page, lab: Path) -> None:
    colours = np.zeros((130, 180, 3), np.uint8)
    colours[..., 0], colours[..., 2] = 9, discs()
    tifffile.imwrite(lab / "c.tif", colours, photometric="rgb")
    page.segmenter._session.images["c"] = lab / "c.tif"
    made = page.ask("open", None, "c", None)
    assert made["remark"].startswith("The file is in colour; its blue channel is used.")
    assert (made["channels"], made["choice"]["channel"]) == (["red", "green", "blue"], 2)
    tifffile.imwrite(lab / "c.tif", np.repeat(discs()[..., None], 3, axis=2), photometric="rgb")
    made = page.ask("open", None, "c", None)
    assert (made["remark"], made["channels"]) == ("", ["image"]), "grey, whatever its samples are called"
    page.segmenter.channel = "GFP"
    assert "The file has no channel GFP." in page.ask("open", None, "a", None)["remark"]


def test_masks_go_to_other_programs_and_confidence_with_them(page: Page, lab: Path) -> None:
    made = page.ask("rethreshold", settings(method="nnbook"))
    sure = [one["confidence"] for one in made["nuclei"]]
    assert all(0 < one <= 1 for one in sure)
    page.ask("edit", {"kind": "brush", "roi": 1, "path": [[30, 30], [30, 52]], "radius": 3, "erase": False})
    assert page.segmenter.save(kind="rois") == ["a_rois.zip"]
    assert page.segmenter.save(kind="geojson") == ["a.geojson"]
    labels = page.segmenter.labels
    assert labels is not None
    drawn = read_mask(lab / "a_rois.zip", (130, 180))
    assert (drawn == labels).all()
    features = json.loads((lab / "a.geojson").read_text())["features"]
    measured = [feature["properties"]["measurements"] for feature in features]
    assert [one["Area px^2"] for one in measured] == np.bincount(labels.ravel())[1:].tolist()
    assert ["Confidence" in one for one in measured] == [False, True, True, True]
    page.segmenter.save()
    again = Segmenter(lab, method="otsu")
    again._session.open("a")
    assert [one is None for one in again.nuclei["confidence"].replace(np.nan, None)] == [True, False, False, False]
    again.close()
    (lab / "a_rois.zip").write_bytes(b"of somebody else")
    with pytest.raises(NnbookError, match=r"a_rois\.zip: is there already, and was not saved here"):
        page.segmenter.save(kind="rois")


def test_jobs_say_how_they_end(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "image_files", lambda _folder: 1 / 0)
    page.ask("apply", str(page.segmenter.folder))
    for _ in range(100):
        if any(content.get("state") == "failed" for content, _ in page.heard):
            break
        time.sleep(0.02)
    assert "ZeroDivisionError" in page.heard[-1][0]["text"], page.heard
    with pytest.raises(NnbookError, match="nowhere: no such folder"):
        page.ask("apply", "nowhere")


def test_wrong_calls_are_refused(lab: Path) -> None:
    with pytest.raises(InvalidValueError, match="method is 'magic'; choose one of otsu"):
        Segmenter(lab, method="magic")
    with pytest.raises(MissingFileError, match="nowhere: no such file or folder"):
        Segmenter(lab / "nowhere")
    with pytest.raises(NnbookError, match="holds no TIFF"):
        Segmenter(lab.parent / "bundles")
    viewer = Segmenter(discs(), method="otsu", diameter=DIAMETER_PX)
    assert viewer.segment().max() == len(DISCS)
    with pytest.raises(NnbookError, match="is an array, and no file"):
        viewer.save()
    with pytest.raises(InvalidValueError, match="image is None"):
        Segmenter().segment()
