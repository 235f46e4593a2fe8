"""How a busy hub is waited for, and what its errors come down to, with the real client libraries."""

import errno
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from hub_commands import (
    ID,
    Commands,
    answers,
    breaks_off,
    collection,
    here,
    names_of,
    tiffs,
)
from hub_server import Handler, Hub

from nnbook.errors import NnbookError
from nnbook.hub.client import _PatientClient, explain, pause_of


def test_a_rate_limit_is_waited_out(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    hub.add(ID, collection(1))
    asked: list[float] = []
    limit = answers(429, 1, Retry_After="1")

    def fail(request: Handler) -> bool:
        asked.append(time.monotonic())
        return limit(request)

    hub.fail = fail
    outcome = nnbook("pull", ID, "--out", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    pauses = np.diff(asked)
    assert (pauses >= 1).sum() == 1, "one pause for the refusal, as long as the hub asks for"
    assert "rate limit, waiting" in outcome.err
    assert len(tiffs(tmp_path / "out")) == 30


@pytest.mark.parametrize("only", ["/api/datasets", ".parquet"])
def test_a_rate_limit_that_stays_ends_with_one_line(hub: Hub, nnbook: Commands, tmp_path: Path, only: str) -> None:
    hub.add(ID, collection(1))
    hub.fail = answers(429, only=only, RateLimit='"api";r=0;t=290', Retry_After="")
    outcome = nnbook("pull", ID, "--out", tmp_path / "out")
    assert outcome.status == 1
    assert "rate limit is reached (429), and it asks for a pause of 290 s; call again later" in outcome.told
    assert "127.0.0.1" in outcome.told
    assert tiffs(tmp_path / "out") == {}


def test_a_broken_connection_is_made_again(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    hub.add(ID, collection(1, 2))
    hub.fail = breaks_off(2, only=".parquet")
    outcome = nnbook("pull", ID, "--out", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    assert len(tiffs(tmp_path / "out")) == 60


def test_a_connection_that_keeps_breaking_ends_with_one_line(hub: Hub, nnbook: Commands, tmp_path: Path) -> None:
    hub.add(ID, collection(1, 2))
    served = hub.repositories[ID].commits[hub.repositories[ID].head]
    whole = len(served["data/train-00000-of-00002.parquet"])

    def fail(request: Handler) -> bool:
        # The second file's end, which tells its shards, comes through; its cells don't.
        wanted = request.headers.get("Range", "")
        if "00001-of" in request.route and int(wanted.split("=")[1].split("-")[0]) < whole // 2 and hub.sent > whole:
            request.break_off(b"half of it")
            return True
        return False

    hub.fail = fail
    outcome = nnbook("pull", ID, "--out", tmp_path / "out")
    assert outcome.status == 1
    assert "broke off 4 times (RemoteProtocolError); call again later, what is finished is kept" in outcome.told
    done = tiffs(tmp_path / "out")
    assert sorted(done) == sorted(names_of(1))
    hub.fail = None
    assert nnbook("pull", ID, "--out", tmp_path / "out").status == 0
    assert sorted(tiffs(tmp_path / "out")) == sorted(names_of(1, 2))


@pytest.mark.parametrize(
    ("call", "fail", "token", "told"),
    [
        (["pull", "lab/none"], None, "", "lab/none: doesn't exist or is private; check the id"),
        (["pull", "lab/none"], None, "right", "lab/none: doesn't exist or is private; check the id"),
        (["pull", ID], None, "wrong", f"{ID}: the hub refuses the token (401); log in"),
        (["pull", ID], answers(403, X_Error_Code="GatedRepo"), "", f"{ID}: is gated; accept its terms"),
        (["pull", ID, "--revision", "v9"], None, "", f"{ID}: has no such revision; give a branch, tag or commit"),
        (["pull", ID], answers(503), "", "broke off 4 times (status 503)"),
        (["pull", "nuclei"], None, "", "nuclei: is no id of a data set"),
        (["pull", "../../nuclei"], None, "", "../../nuclei: is no id of a data set"),
        (["pull", ID, "-n", "31"], None, "", "-n 31: the data set has 30 cells; ask for no more"),
        (["pull", ID, "-n", "0"], None, "", "-n 0: must be at least 1"),
    ],
)
def test_what_the_hub_refuses_is_one_line(
    hub: Hub, nnbook: Commands, tmp_path: Path, call: list[str], fail: Any, token: str, told: str
) -> None:
    hub.add(ID, collection(1))
    hub.fail = fail
    sent = {"right": hub.token, "wrong": "hf_another", "": ""}[token]
    outcome = nnbook(*call, "--out", tmp_path / "out", token=sent)
    assert outcome.status == 1
    assert told in outcome.told
    assert outcome.out == ""
    assert not sent or sent not in outcome.err
    assert "pull.json" not in here(tmp_path / "out")


def test_nothing_at_the_address_is_told_at_once() -> None:
    # Nothing ever listens on port 1 of this machine.
    with (
        _PatientClient() as client,
        pytest.raises(NnbookError, match=r"127\.0\.0\.1: can't be reached \(ConnectError\)"),
    ):
        client.get("http://127.0.0.1:1/api/datasets/lab/nuclei")


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"Retry-After": "soon"}, 30),
        ({"RateLimit": '"api";r=0;t=55'}, 55),
        ({}, 30),
    ],
)
def test_the_pause_that_a_hub_asks_for(headers: dict[str, str], pause: float) -> None:
    assert pause_of(httpx2.Headers(headers)) == pause


def test_an_error_that_has_the_token_is_told_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    told = str(explain(ValueError("the header 'Bearer hf_secret' is wrong"), ID))
    assert told.startswith(f"{ID}: can't be used (ValueError: the header 'Bearer TOKEN' is wrong)")


def test_a_full_disk_is_no_matter_of_the_hub() -> None:
    error = OSError(errno.ENOSPC, "No space left on device")
    assert explain(error, ID) is error


def test_the_command_line_starts_without_the_libraries() -> None:
    code = "import sys, nnbook.cli; print(sorted({'datasets', 'huggingface_hub', 'httpx2'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
