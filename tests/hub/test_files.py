"""Panoramas whose images are files of data sets on the hub."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from hub_commands import ID, Commands, Outcome, answers, breaks_off, here

from nnbook.io.images import write_mask
from nnbook.io.manifest import Panorama, write_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from hub_server import Hub


def image(value: int = 0) -> bytes:
    pixels = np.random.default_rng(value).integers(5, 250, (64, 64), np.uint8)
    file = io.BytesIO()
    tifffile.imwrite(file, pixels)
    return file.getvalue()


def made(nnbook: Commands, folder: Path, addresses: dict[str, str], *more: str, token: str = "") -> Outcome:
    """Measure and cut panoramas whose images are on the hub, but gather nothing."""
    labels = np.zeros((64, 64), np.int32)
    labels[20:40, 20:44] = 1
    rows = []
    for name, address in addresses.items():
        write_mask(folder / "build" / "own" / "drawn" / f"{name}.tif", labels)
        rows.append(
            Panorama(
                name, 7, "", "", "", f"in/{name}.tif", f"drawn/{name}.tif", 64, 64, 8.0, "", f"hf://datasets/{address}"
            )
        )
    write_manifest(folder / "own.csv", rows)
    only = [word for name in addresses for word in ("--only", name)]
    call = ("run", folder / "own.csv", "--build", folder / "build", "--edition", "own", *only, *more)
    return nnbook(*call, token=token)


def test_panoramas_come_from_data_sets_and_what_can_not_be_had_is_named(
    hub: Hub, nnbook: Commands, tmp_path: Path
) -> None:
    before = hub.add(ID, {"now/a.tif": image(1)})
    hub.add(ID, {"now/a.tif": image(2)})
    hub.add("lab/hidden", {"a.tif": image()}, private=True)
    hub.add("lab/gated", {"a.tif": image()})
    gated, broken = (
        answers(403, only="lab/gated/resolve", X_Error_Code="GatedRepo"),
        breaks_off(1, only=f"{ID}/resolve/main"),
    )
    hub.fail = lambda request: gated(request) or broken(request)
    addresses = {
        "now": f"{ID}/now/a.tif",
        "then": f"{ID}@{before}/now/a.tif",
        "none": f"{ID}/b.tif",
        "nowhere": "lab/none/a.tif",
        "hidden": "lab/hidden/a.tif",
        "gated": "lab/gated/a.tif",
    }
    outcome = made(nnbook, tmp_path, addresses)
    assert outcome.status == 1
    private = "doesn't exist or is private; check the id, or if it is private log in with 'hf auth login' (or HF_TOKEN)"
    told = outcome.err.splitlines()
    for line in (
        f"none: hf://datasets/{ID}/b.tif: the data set has no such file; look at its page",
        f"nowhere: lab/none: {private}",
        f"lab/hidden: {private}",
        "lab/gated: is gated; accept its terms on its page, and log in with 'hf auth login'",
    ):
        assert any(line in one for one in told), outcome.err
    assert any("nnbook: make now: " in one and "tried again in" in one for one in told)
    edition = tmp_path / "build" / "own"
    assert (edition / "in" / "now.tif").read_bytes() == image(2)
    assert (edition / "in" / "then.tif").read_bytes() == image(1)
    assert here(edition / "in") == [f"{name}.tif{end}" for name in ("now", "then") for end in ("", ".original.json")]
    assert here(edition / "cells-parts") == ["now", "then"]


@pytest.mark.parametrize("token", ["hf_testtoken", "hf_wrong"])
def test_a_private_data_set_is_read_with_its_token(hub: Hub, nnbook: Commands, tmp_path: Path, token: str) -> None:
    hub.add(ID, {"a.tif": image()}, private=True)
    outcome = made(nnbook, tmp_path, {"a": f"{ID}/a.tif"}, "--disk", "1MB", token=token)
    if token == hub.token:
        assert outcome.status == 0, outcome.err
        assert here(tmp_path / "build" / "own" / "in") == ["a.tif.original.json"]
    else:
        assert f"{ID}: the hub refuses the token (401); log in with 'hf auth login', or set HF_TOKEN" in outcome.told
        assert token not in outcome.err
