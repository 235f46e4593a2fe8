"""Whole runs of panoramas that come from a bucket, whose server is slow, fails, or takes the credential back.

The server is moto's, on this machine; what comes before it answers wrongly, where a test says so.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
from quick_runs import contents, made, make_edition, noise, quick_runs, set_aside

from nnbook.io.images import write_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    Start = Callable[..., Any]
    Application = Callable[[dict[str, Any], Start], Iterable[bytes]]

NAMES: Final = [f"p{number:02}" for number in range(6)]
ALWAYS: Final = 1_000
HELPLESS: Final = "; check the address and the network"
NO_RIGHT: Final = "; get the right to read it, or a new credential"

pytestmark = pytest.mark.filterwarnings("ignore")  # of moto and botocore


class Bucket:
    """A bucket `panoramas` of moto's server, what was asked of it, and what goes wrong.

    Attributes
    ----------
    faults : dict of str to (str or int, int)
        By panorama, what its next requests meet, and how many of them: `silent`, `short`, or a status.
    lasts : int
        How many images may be read before the credential expires.
    asked : list of str
        Of which panoramas bytes were asked for, in order.
    """

    def __init__(self) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication
        from moto.server import create_backend_app

        self.faults: dict[str, tuple[str | int, int]] = {}
        self.lasts = ALWAYS
        self.expired: set[str] = set()
        self.asked: list[str] = []
        self.over = threading.Event()
        self._moto: Application = DomainDispatcherApplication(create_backend_app)

    def __call__(self, request: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answer a request, as WSGI has it."""
        name = request["PATH_INFO"].rpartition("/")[2].removesuffix(".tif")
        reads = request["REQUEST_METHOD"] == "GET" and name in NAMES
        if reads:
            self.asked.append(name)
        key = request.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition("/")[0]
        if len(self.asked) > self.lasts:
            self.expired.add(key)
            self.lasts = ALWAYS
        if key in self.expired:
            return _refuse(request, start, "400 Bad Request", "ExpiredToken")
        fault, left = self.faults.get(name, ("", 0))
        if not left or (fault == "short" and not reads):
            return self._moto(request, start)
        self.faults[name] = (fault, left - 1)
        if fault == "silent":
            self.over.wait(5)
        elif fault == 403:
            return _refuse(request, start, "403 Forbidden", "RequestTimeTooSkewed")
        elif isinstance(fault, int):
            return _refuse(request, start, f"{fault} Fault", "InternalError")
        answer = self._moto(request, start)
        return [b"".join(answer)[:100]] if fault == "short" else answer


def _refuse(request: dict[str, Any], start: Start, status: str, code: str) -> list[bytes]:
    answer = f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
    start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(answer)))])
    return [answer] if request["REQUEST_METHOD"] == "GET" else []


@contextmanager
def _serving(bucket: Bucket) -> Iterator[str]:
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import make_server

    class Quiet(MotoRequestHandler):  # type: ignore[misc]  # moto has no types here
        def log(self, *_: Any) -> None:
            """Say nothing."""

    server = make_server("127.0.0.1", 0, bucket, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        bucket.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """The bucket with its panoramas, while runs take little time."""
    import s3fs

    folder, found = tmp_path_factory.mktemp("bucket"), Bucket()
    with _serving(found) as address, quick_runs() as patch:
        patch.setattr("nnbook.io.web.TIMEOUT_S", 0.5)
        for name, value in {"ENDPOINT_URL": address, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
            patch.setenv(f"AWS_{name}", value)
        s3fs.S3FileSystem.clear_instance_cache()
        store = s3fs.S3FileSystem(skip_instance_cache=True)
        store.mkdir("panoramas")
        for seed, name in enumerate(NAMES):
            write_image(folder / f"{name}.tif", noise(seed))
            store.put(str(folder / f"{name}.tif"), f"panoramas/{name}.tif")
        yield found
        s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def bucket(served: Bucket) -> Bucket:
    """The bucket, as long as nothing goes wrong."""
    heal(served)
    return served


def heal(bucket: Bucket) -> None:
    bucket.faults.clear()
    bucket.lasts = ALWAYS
    bucket.asked.clear()


@pytest.fixture(scope="module")
def whole(served: Bucket, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What an undisturbed run leaves."""
    folder = tmp_path_factory.mktemp("whole")
    heal(served)
    assert make_edition(folder, NAMES, "s3://panoramas") == 0
    assert sorted(served.asked) == NAMES, "each is read once"
    return contents(folder / "own")


def test_what_a_bucket_fails_to_give_is_tried_again_and_set_aside_until_it_serves(
    bucket: Bucket, whole: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.faults |= {
        "p00": ("silent", 1),
        "p01": ("short", 2),
        "p02": (503, 4),
        "p03": (500, ALWAYS),
        "p04": ("short", ALWAYS),
        "p05": (403, ALWAYS),
    }
    assert make_edition(tmp_path, NAMES, "s3://panoramas") == 1
    printed = capsys.readouterr().err
    failed = set_aside(printed, NAMES)
    assert failed.keys() == {"p03", "p04", "p05"}
    tried = f"{HELPLESS} (tried 3 times)"
    assert failed["p03"] == f"p03: s3://panoramas/p03.tif: can't be downloaded (the host answers 500){tried}"
    assert failed["p04"].startswith("p04: s3://panoramas/p04.tif: can't be downloaded (")
    assert failed["p04"].endswith(tried)
    assert failed["p05"].startswith("s3://panoramas/p05.tif: can't be downloaded (the host answers 403")
    assert failed["p05"].endswith(NO_RIGHT)
    assert printed.count("make p02: ") == 1, "what fails three times in a row is put off, and tried again"
    reasons = json.loads((tmp_path / "own" / "failed.json").read_text())
    assert {name: one["why"] for name, one in reasons.items()} == failed
    assert {name: one["tries"] for name, one in reasons.items()} == {"p03": 3, "p04": 3, "p05": 1}
    assert not (tmp_path / "own" / "results.csv").exists()
    before = made(tmp_path)
    assert before.keys() == {"p00", "p01", "p02"}

    heal(bucket)
    assert make_edition(tmp_path, NAMES, "s3://panoramas") == 0
    assert sorted(bucket.asked) == ["p03", "p04", "p05"]
    assert {name: made(tmp_path)[name] for name in before} == before, "what was done stays"
    assert contents(tmp_path / "own") == whole


def test_a_credential_that_expires_in_the_middle_stops_what_is_left_and_no_more(
    bucket: Bucket,
    whole: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket.lasts = 3
    assert make_edition(tmp_path, NAMES, "s3://panoramas") == 1
    failed = set_aside(capsys.readouterr().err, NAMES)
    done = made(tmp_path)
    assert 2 <= len(done) <= 3
    assert failed.keys() == set(NAMES) - done.keys()
    for line in failed.values():
        assert "the host answers 400" in line
        assert line.endswith(NO_RIGHT)
    assert max(Counter(bucket.asked).values()) <= 2, "asking again helps nobody"

    heal(bucket)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "renewed")
    assert make_edition(tmp_path, NAMES, "s3://panoramas") == 0, "also in the same process, as in a notebook"
    assert set(bucket.asked) == failed.keys()
    assert {name: made(tmp_path)[name] for name in done} == done
    assert contents(tmp_path / "own") == whole
