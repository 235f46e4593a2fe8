import json
from pathlib import Path
from typing import Any

import pytest
from simulated_store import write_store

from nnbook.cells.croissant import describe_store
from nnbook.io.files import sha256


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stores") / "cells"
    write_store(folder, {1: [90, 100], 2: [110]})
    return folder


@pytest.fixture(scope="module")
def described(folder: Path) -> dict[str, Any]:
    return describe_store(folder, json.loads((folder / "cells.json").read_text("utf-8")))


def test_the_table_is_named_with_its_checksum_and_all_of_its_columns(folder: Path, described: dict[str, Any]) -> None:
    table, images = described["distribution"]
    assert (folder / table["contentUrl"]).is_file()
    assert table["sha256"] == sha256(folder / "cells.parquet")
    assert list(folder.glob(images["includes"].replace("**", "**/0/0"))), "no shard has such a name"
    [cells] = described["recordSet"]
    kinds = {field["name"]: field["dataType"] for field in cells["field"]}
    assert kinds == {
        **dict.fromkeys(("cell", "panorama", "passage", "class"), "sc:Text"),
        **dict.fromkeys(("run", "roi"), "sc:Integer"),
        **dict.fromkeys(("area_um2", "mean_intensity"), "sc:Float"),
    }
    for field in cells["field"]:
        assert field["source"] == {"fileObject": {"@id": table["@id"]}, "extract": {"column": field["name"]}}
        assert field["@id"] == f"{cells['@id']}/{field['name']}"
    assert cells["key"]["@id"] in {field["@id"] for field in cells["field"]}


def test_every_word_is_in_the_context(described: dict[str, Any]) -> None:
    """What is not would be read as a word of schema.org, and be lost."""

    def words(value: Any) -> set[str]:
        if isinstance(value, list):
            return set().union(*map(words, value))
        return set(value).union(*map(words, value.values())) if isinstance(value, dict) else set()

    of_schema_org = {"name", "description", "distribution", "contentUrl", "contentSize", "encodingFormat", "sha256"}
    used = words({key: value for key, value in described.items() if key != "@context"})
    assert used - {"@type", "@id"} - of_schema_org <= described["@context"].keys()


def test_it_claims_nothing_that_the_store_does_not_know(described: dict[str, Any]) -> None:
    assert not described.keys() & {"license", "creator", "url", "datePublished"}
    assert "Discs of noise. 3 images of single nuclei" in described["description"]
