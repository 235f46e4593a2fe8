"""Links, checked against a server on this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest
from file_server import serving

from nnbook.cli import main
from nnbook.datasets.links import check_links
from nnbook.errors import NnbookError
from nnbook.reviews.datasets import DataSet, SetFile, known_datasets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STATUS = {"/gone": 410, "/absent": 404, "/private": 403, "/broken": 500, "/moved": 302, "/no-head": 405}


class Answers(SimpleHTTPRequestHandler):
    """Answers as real hosts do: with pages, redirections, refusals, and nothing at all."""

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer(STATUS.get(self.path, 200))

    def do_GET(self) -> None:
        self.answer(200 if self.path == "/no-head" else STATUS.get(self.path, 200))

    def answer(self, status: int) -> None:
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/new-place")
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with serving(tmp_path, Answers) as address:
        yield address


def a_set(name: str, address: str, *files: str) -> DataSet:
    return replace(known_datasets()[0], name=name, address=address, files=tuple(SetFile(one, None) for one in files))


def test_each_link_is_marked(address: str) -> None:
    names = ["works", "no-head", "moved", "gone", "absent", "private", "broken"]
    sets = [a_set(name, f"{address}/{name}") for name in names]
    sets += [a_set("host", "http://no-such-host.invalid/"), a_set("files", f"{address}/page", f"{address}/gone/")]
    links = check_links([*sets, a_set("again", f"{address}/works")])
    states = {(link.dataset, link.address.rpartition("/")[2]): link.state for link in links}
    assert states == {
        ("again", "works"): "works",  # an address is asked for once
        ("no-head", "no-head"): "works",
        ("moved", "moved"): "moved",
        ("gone", "gone"): "dead",
        ("absent", "absent"): "dead",
        ("private", "private"): "unclear",
        ("broken", "broken"): "unclear",
        ("host", ""): "dead",
        ("files", "page"): "works",
        ("files", ""): "works",
    }
    told = {link.dataset: link.detail for link in links}
    assert told["moved"] == f"{address}/new-place"
    assert told["gone"] == "the server answers 410"
    assert told["host"] == "the host can't be reached"


def test_without_a_network_nothing_is_called_dead() -> None:
    with pytest.raises(NnbookError, match="none of 2 addresses can be reached; check the network"):
        check_links([a_set("a", "http://no-such-host.invalid/"), a_set("b", "http://127.0.0.1:1/")])


def test_the_command_names_dead_links(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = (a_set("here", f"{address}/here"), a_set("lost", f"{address}/gone"))
    monkeypatch.setattr("nnbook.reviews.datasets.known_datasets", lambda: sets)
    assert main(["datasets", "check"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("nnbook datasets check: 1 of 2 addresses are dead, of lost; mend them in")
    assert said.out.splitlines()[1].split() == ["dead", "lost", f"{address}/gone", "(the", "server", "answers", "410)"]
    assert main(["datasets", "check", "--json"]) == 1
    assert [one["state"] for one in json.loads(capsys.readouterr().out)] == ["works", "dead"]
