"""Copies of editions at an address."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import fsspec
import pytest

from nnbook.errors import NnbookError
from nnbook.io.files import sha256
from nnbook.pipeline.copies import copy_edition
from nnbook.provenance import units

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = {
    "masks/a_cp_masks.tif": "mask",
    "cells/cells.zarr/images/c/0": "shard",
    "cells/draw.zarr/thumbnails/c/0": "drawn",
    "cells/cells.parquet": "t",
    "rois.parquet": "r",
}


@pytest.fixture
def edition(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "own" / "in.tif").write_text("an image, which is not copied")
    return tmp_path / "own"


@pytest.fixture(params=["memory", "s3"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, str]]:
    """A store, and an address in it: in memory, and in a bucket of moto's server on this machine."""
    monkeypatch.setattr(units, "DELAYS_S", (0.01, 0.02))
    if request.param == "memory":
        yield fsspec.filesystem("memory"), "memory://copies/own"
        fsspec.filesystem("memory").rm("/copies", recursive=True)
        return
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "a")
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        found = fsspec.filesystem("s3")
        found.mkdir("copies")
        yield found, "s3://copies/own"
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
        server.stop()


def there(store: Any) -> dict[str, str]:
    store.invalidate_cache()
    files = {
        path.lstrip("/").removeprefix("copies/own/"): store.cat_file(path).decode() for path in store.find("copies/own")
    }
    files.pop("copied.json")
    return files


@pytest.mark.filterwarnings("ignore")  # of moto and botocore
def test_a_copy_has_what_the_edition_has_and_only_what_changed_is_copied(
    edition: Path, store: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files, address = store
    assert copy_edition(edition, address) == sorted(FILES)
    assert there(files) == FILES
    index = json.loads(files.cat_file("copies/own/copied.json"))
    assert index == {name: [len(text), sha256(edition / name)] for name, text in FILES.items()}
    assert copy_edition(edition, address) == []

    (edition / "rois.parquet").write_text("rows")
    (edition / "masks" / "a_cp_masks.tif").rename(edition / "masks" / "b_cp_masks.tif")
    put: Any = files.put_file
    tried: list[str] = []

    def fails(path: str, name: str) -> Any:
        tried.append(name)
        if name.endswith("rois.parquet"):
            raise PermissionError("Access Denied")
        if len(tried) == 1:
            raise ConnectionError("broke off")
        return put(path, name)

    with monkeypatch.context() as patch:
        patch.setattr(files, "put_file", fails)
        with pytest.raises(
            NnbookError, match=r"own/rois\.parquet: can't be written \(PermissionError: Access Denied\)"
        ):
            copy_edition(edition, address)
    assert there(files) == {**FILES, "masks/b_cp_masks.tif": "mask"}, "tables are the former ones, and whole"
    assert json.loads(files.cat_file("copies/own/copied.json")) == index, "it is written when all is there"
    assert copy_edition(edition, address) == ["masks/b_cp_masks.tif", "rois.parquet"]
    assert there(files) == {name: (edition / name).read_text() for name in index.keys() - {"masks/a_cp_masks.tif"}} | {
        "masks/b_cp_masks.tif": "mask"
    }


def test_what_is_no_address_is_named(edition: Path) -> None:
    with pytest.raises(NnbookError, match="to is 'build/own'; give an address such as s3://bucket/folder"):
        copy_edition(edition, "build/own")
    with pytest.raises(NnbookError, match="to is 'htp://copies'"):
        copy_edition(edition, "htp://copies")
