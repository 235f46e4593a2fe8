"""Files that are deleted while panoramas are worked on, between one step of a panorama and the next."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Final

import pytest
from file_server import serving
from quick_runs import contents, made, make_edition, noise, quick_runs, set_aside

from nnbook.io.images import write_image
from nnbook.pipeline import panoramas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

IMAGE: Final = "in/{}.tif"
MASK: Final = "own/masks/{}_cp_masks.tif"
ROWS: Final = "own/rois-parts/{}/rois.parquet"

DELETED: Final = {
    "image_before_masks": ("segment_alike", IMAGE),
    "image_before_rows": ("measure_each", IMAGE),
    "image_before_cells": ("cut_some", IMAGE),
    "mask_before_rows": ("measure_each", MASK),
    "mask_before_cells": ("cut_some", MASK),
    "rows_before_cells": ("cut_some", ROWS),
}
"""By panorama, before which step a file is deleted, and which."""

NAMES: Final = ["untouched", *DELETED]


def written(folder: Path) -> Path:
    for seed, name in enumerate(NAMES):
        write_image(folder / f"{name}.tif", noise(seed))
    return folder


@pytest.fixture(scope="module", params=["local", "remote"])
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address that images come from; none where they are in the manifest's folder."""
    with quick_runs():
        if request.param == "local":
            yield ""
            return
        with serving(written(tmp_path_factory.mktemp("served"))) as address:
            yield address


@pytest.fixture(scope="module")
def whole(source: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What an undisturbed run leaves."""
    folder = tmp_path_factory.mktemp("whole")
    if not source:
        written(folder / "in")
    assert make_edition(folder, NAMES, source) == 0
    return contents(folder / "own")


def test_what_lacks_a_file_is_named_the_others_are_made_and_the_next_run_makes_the_rest(
    source: str,
    whole: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not source:
        written(tmp_path / "in")
    gone: list[str] = []

    def deleting(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def first_delete(*arguments: Any, **more: Any) -> Any:
            some = arguments[0] if step == "segment_alike" else [one.panorama for one in arguments[1]]
            for name in some:
                if len(some) == 1 and DELETED.get(name, ("", ""))[0] == step:
                    file = DELETED[name][1].format(name)
                    (tmp_path / ("own" if source and file.startswith("in/") else "") / file).unlink()
                    gone.append(name)
            return function(*arguments, **more)

        return first_delete

    with monkeypatch.context() as patch:
        for step in {step for step, _ in DELETED.values()}:
            patch.setattr(panoramas, step, deleting(step, getattr(panoramas, step)))
        assert make_edition(tmp_path, NAMES, source) == 1
    assert sorted(gone) == sorted(DELETED)
    failed = set_aside(capsys.readouterr().err, NAMES)
    assert failed.keys() == DELETED.keys()
    for name, (_, file) in DELETED.items():
        assert file.rpartition("/")[2].format(name) in failed[name]
    assert json.loads((tmp_path / "own" / "failed.json").read_text()).keys() == DELETED.keys()
    before = made(tmp_path)
    assert before.keys() == {"untouched"}

    if not source:
        shutil.rmtree(tmp_path / "in")
        written(tmp_path / "in")
    assert make_edition(tmp_path, NAMES, source) == 0
    assert made(tmp_path)["untouched"] == before["untouched"], "what was done stays"
    assert contents(tmp_path / "own") == whole
