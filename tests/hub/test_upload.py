"""Pushing to a hub on this machine, with the real client libraries, in processes of their own."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import zarr
from hub_commands import (
    ID,
    TIFF,
    Commands,
    answers,
    cell,
    cells_folder,
    collection,
    here,
    names_of,
    tiffs,
)
from hub_server import Handler, Hub
from PIL import Image

from nnbook.io.files import sha256


def test_what_is_pushed_is_pulled(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    made = cells_folder(tmp_path / "made", 2, 11)
    call = ["push", made, ID, "--licence", "cc-by-4.0", "--about", "Simulated cells, for a test.", "--json"]
    pushed = nnbook(*call, token=hub.token)
    assert pushed.status == 0, pushed.err
    said = json.loads(pushed.out)
    repository = hub.repositories[ID]
    assert (said["cells"], said["private"], repository.private) == (60, True, True), "a new data set is private"
    assert said["commit"] == repository.head
    card = repository.commits[repository.head]["README.md"].decode()
    front = card.split("---")[1]
    assert "license: cc-by-4.0" in front
    assert "n<1K" in front
    assert "- simulated" in front
    assert "Simulated cells, for a test." in card
    assert "Barkley" in card

    pulled = nnbook("pull", ID, "--out", tmp_path / "out", "--json", token=hub.token)
    assert pulled.status == 0, pulled.err
    assert tiffs(tmp_path / "out") == tiffs(made)
    assert here(tmp_path / "out") == sorted([*names_of(2, 11), "cells.parquet", "pull.json"])
    table = pd.read_parquet(tmp_path / "out" / "cells.parquet")
    assert [f"{name}.tif" for name in table["cell"]] == names_of(2, 11), "rows are in order of run and ROI"
    assert table["run"].tolist() == [2] * 30 + [11] * 30
    record = json.loads((tmp_path / "out" / "pull.json").read_text())
    assert record["commit"] == said["commit"]
    assert record["files"] == {name: sha256(made / name) for name in names_of(2, 11)}

    # The token went to the hub, and nowhere else.
    assert {request.token for request in hub.requests} >= {hub.token}
    for outcome in (pushed, pulled):
        assert hub.token not in outcome.out + outcome.err
    written = [path for folder in (tmp_path, nnbook.folder) for path in folder.rglob("*") if path.is_file()]
    assert len(written) > 120
    assert not [path for path in written if hub.token.encode() in path.read_bytes()]


def test_a_store_is_pushed_with_its_measurements(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    note, store = "Simulated edition: every image here was drawn.", tmp_path / "store"
    images = np.stack([cell(at) for at in range(3)])
    for name, array in (("images", images), ("thumbnails", images[:, ::4, ::4])):
        zarr.create_array(store / "cells.zarr" / name, data=array)
    measured = pd.DataFrame({"cell": ["a_ROI_1", "a_ROI_3", "b_ROI_2"], "run": [1, 1, 2], "area_um2": [9.5, 8.25, 7.0]})
    measured.to_parquet(store / "cells.parquet")
    about = {
        "edition": "own",
        "note": note,
        "px_per_um": 8.0453,
        "cell_px": images.shape[1],
        "cells": 3,
        "left_out": {"at_border": 11, "larger_than_frame": 2},
    }
    places = {"images": "cells.zarr/images", "thumbnails": "cells.zarr/thumbnails", "table": "cells.parquet"}
    (store / "cells.json").write_text(json.dumps(about | places))
    outcome = nnbook("push", store, ID, "--licence", "cc0-1.0", "--dry-run", tmp_path / "dry")
    assert outcome.status == 0, outcome.err
    assert hub.requests == []
    card = (tmp_path / "dry" / "README.md").read_text()
    for said in (note, "- simulated\n", "nucleus, simulated", "8.0453 px/µm", "at border: 11", "larger than frame: 2"):
        assert said in card
    [file] = (tmp_path / "dry" / "data").iterdir()
    pushed = pq.read_table(file).to_pandas()
    assert pushed["filename"].tolist() == ["a_ROI_1.tif", "a_ROI_3.tif", "b_ROI_2.tif"]
    assert [image["path"] for image in pushed["image"]] == pushed["filename"].tolist()
    for image, pixels in zip(pushed["image"], images, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(image["bytes"]))), pixels)
    pd.testing.assert_frame_equal(pushed[["run", "area_um2"]], measured[["run", "area_um2"]])


def test_push_refuses_before_it_sends(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    made = cells_folder(tmp_path / "made", 1)
    call = ["push", made, ID, "--licence", "mit", "--about", "Simulated cells."]
    assert f"{ID}: there is no token to write with; log in" in nnbook(*call).told
    assert hub.requests == [], "without a token, nothing is asked"
    assert f"{ID}: the hub refuses the token (401)" in nnbook(*call, token="hf_another").told  # noqa: S106
    assert "licence is 'CC BY', which the hub doesn't know" in nnbook(*call, "--licence", "CC BY", token=hub.token).told
    assert "doesn't say what its cells are; say so, for the data set's card" in nnbook(*call[:5], token=hub.token).told
    (made / "Run1TL_top_left_ROI_99.tif").write_bytes(TIFF[:500])
    assert "ROI_99.tif: can't be read as an image" in nnbook(*call, token=hub.token).told
    (made / "Run1TL_top_left_ROI_99.tif").unlink()
    hub.fail = answers(403, only="/api/repos/create")
    assert f"{ID}: the hub forbids it (403); use a token that has the right to" in nnbook(*call, token=hub.token).told
    assert hub.repositories == {}
    assert hub.uploaded == {}


def test_push_replaces_only_when_told(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    old = hub.add(ID, collection(7))
    made = cells_folder(tmp_path / "made", 1)
    call = ["push", made, ID, "--licence", "mit", "--about", "Simulated cells.", "--public"]
    refused = nnbook(*call, token=hub.token)
    assert refused.status == 1
    assert f"{ID}: holds 1 file(s) already; take another name, or set " in refused.told
    assert hub.repositories[ID].head == old

    dry = nnbook(*call, "--dry-run", tmp_path / "dry", "--json")
    assert json.loads(dry.out) == {"dataset": ID, "cells": 30, "dry_run": str(tmp_path / "dry")}
    assert hub.repositories[ID].head == old

    pushed = nnbook(*call, "--overwrite", token=hub.token)
    assert pushed.status == 0, pushed.err
    files = hub.repositories[ID].commits[hub.repositories[ID].head]
    assert sorted(files) == [".gitattributes", "README.md", "data/train-00000-of-00001.parquet"]
    dried = {path.relative_to(tmp_path / "dry").as_posix(): path.read_bytes() for path in tmp_path.glob("dry/**/*.*")}
    assert {name: files[name] for name in dried} == dried, "a dry run writes what is pushed"
    assert len(dried) == 2
    assert hub.repositories[ID].commits[old], "history keeps what was replaced"


def test_a_broken_push_goes_on(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    made = cells_folder(tmp_path / "made", 1)
    call = ["push", made, ID, "--licence", "mit", "--about", "Simulated cells.", "--public"]
    hub.fail = answers(500, 1, only="/upload/")
    assert nnbook(*call, token=hub.token, patience_s=30).status == 0, "an upload that breaks is made again"
    assert not hub.repositories[ID].private
    hub.repositories.clear()
    hub.uploaded.clear()

    hub.fail = answers(500, only="/commit/")
    broken = nnbook(*call, token=hub.token)
    assert broken.status == 1
    assert "broke off while making the commit (status 500); look whether it is on the data set's page" in broken.told
    assert len(hub.uploaded) == 1
    hub.fail = None
    hub.requests.clear()
    again = nnbook(*call, token=hub.token)
    assert again.status == 0, again.err
    assert not [request for request in hub.requests if request.method == "PUT"], "what was sent is not sent again"

    def change(request: Handler) -> bool:
        if "/commit/" in request.route:
            hub.add(ID, collection(5))
        return False

    hub.fail = change
    lost = nnbook(*call, "--overwrite", token=hub.token)
    assert lost.status == 1
    assert f"{ID}: was changed at the same time by someone else (412)" in lost.told
