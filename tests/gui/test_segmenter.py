"""The segmenter as Python and a browser ask it, without a browser."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from nnbook.errors import InvalidValueError, MissingFileError, NnbookError
from nnbook.gui import jobs
from nnbook.gui.jobs import Job, apply_to_folder, gather_examples, train_on_masks, trained_method
from nnbook.gui.picture import Picture, highest_level
from nnbook.gui.segmenter import Segmenter
from nnbook.gui.session import part_in_view
from nnbook.io.images import read_mask, write_image
from nnbook.io.inputs import pair_files
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
    assert (np.frombuffer(data, np.uint32).reshape(made["height"], made["width"]) == labels[::2, ::2]).all()
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
    shown = np.frombuffer(data, np.uint32).reshape(130, 180) > 0
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
    share = gather_examples([lab / "a.tif"], tmp_path)
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
        train_on_masks(Job("train", print), [], lab / "model", 3)


def test_a_model_is_trained_in_a_process_that_can_be_stopped(page: Page, lab: Path) -> None:
    page.ask("keep", False)
    told: list[dict[str, Any]] = []
    job = Job("train", told.append)
    text = train_on_masks(job, [lab / "a.tif"], lab / "trained_nuclei", 1)
    assert "Trained on 1 image: trained_nuclei is among the methods; a quarter" in text
    assert told[-1]["text"] == "Training on 1 image: step 1 of 1"
    labels = trained_method(lab / "trained_nuclei").load()(discs(), DIAMETER_PX)
    assert labels.shape == (130, 180)
    job.stopped.set()
    assert "stopped" in train_on_masks(job, [lab / "a.tif"], lab / "second", 1000)
    assert not (lab / "second").exists()


def test_a_folder_is_segmented_and_what_fails_is_named(page: Page, lab: Path) -> None:
    (lab / "c.tif").write_bytes(b"no image")
    session = page.segmenter._session
    method = session.methods["otsu"]
    job = Job("apply", lambda _message: None)
    with pytest.raises(NnbookError, match=r"Masks of 2 of 3 images were written to .*masks\. .*c\.tif: "):
        apply_to_folder(job, lab, method, settings(), session.draw)
    assert read_mask(lab / "masks" / "a_cp_masks.tif").max() == len(DISCS)
    with pytest.raises(NnbookError, match=r"Masks of 0 of 3 .*a_cp_masks.tif: is there already, and stays"):
        apply_to_folder(job, lab, method, settings(), session.draw)
    job.stopped.set()
    assert apply_to_folder(job, lab, method, settings(), session.draw).startswith("Stopped: masks of 0 of 3 images")


def test_an_inverted_image_is_said_to_be_one(page: Page, lab: Path) -> None:
    assert "darker than the background" not in page.ask("open", None, "b", None)["remark"]
    write_image(lab / "b.tif", 255 - discs())
    assert "Nuclei look darker than the background" in page.ask("open", None, "b", None)["remark"]
    session = page.segmenter._session
    (lab / "a.tif").unlink()
    with pytest.raises(NnbookError, match=r"Masks of 1 of 1 image .* .*b\.tif: Nuclei look darker"):
        apply_to_folder(Job("apply", lambda _message: None), lab, session.methods["otsu"], settings(), session.draw)


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
