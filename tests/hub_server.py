"""A small Hugging Face hub on this machine: what its client libraries need to read and to make data sets.

It fails on demand, and keeps every request, so that tests can tell what was asked, and whether a token came along.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

Files = dict[str, bytes]
Fail = Callable[["Handler"], bool]


@dataclass
class Repository:
    """A data set: its commits in order of time, each with all its files."""

    private: bool = False
    commits: dict[str, Files] = field(default_factory=dict)

    def commit(self, files: Files) -> str:
        content = json.dumps([len(self.commits), sorted((name, digest(data)) for name, data in files.items())])
        sha = hashlib.sha1(content.encode()).hexdigest()  # noqa: S324 - as git names commits
        self.commits[sha] = files
        return sha

    @property
    def head(self) -> str:
        return next(reversed(self.commits))


@dataclass
class Request:
    method: str
    path: str
    token: str | None


@dataclass
class Hub:
    """The hub's whole state.

    Attributes
    ----------
    token
        The one that may read what is private, and write.
    fail
        Is asked first, for each request: it may answer instead (and returns true then).
    """

    token: str = "hf_testtoken"  # noqa: S105 - of this hub alone
    repositories: dict[str, Repository] = field(default_factory=dict)
    uploaded: Files = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    fail: Fail | None = None
    sent: int = 0

    def add(self, name: str, files: Files, *, private: bool = False) -> str:
        return self.repositories.setdefault(name, Repository(private)).commit({".gitattributes": b"", **files})


@lru_cache(maxsize=32)  # each range of a large file that is read has its digest
def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, value: Any = None, status: int = 200, headers: dict[str, str] | None = None) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        # As the hub does, it lets pages of other sites read its answers.
        shared = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Link, Retry-After"}
        for key, text in {"Content-Length": str(len(data)), **shared, **(headers or {})}.items():
            self.send_header(key, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
            self.hub.sent += len(data)

    def refuse(self, status: int, code: str = "", message: str = "", **headers: str) -> None:
        told = {"X-Error-Code": code, "X-Error-Message": message, **headers}
        self.answer({"error": message}, status, {key: text for key, text in told.items() if text})

    def break_off(self, data: bytes) -> None:
        """Promise more than is sent, and close."""
        self.send_response(200)
        self.send_header("Content-Length", str(2 * len(data) + 10))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()
        self.close_connection = True

    def handle_request(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        self.route = unquote(urlsplit(self.path).path)
        self.hub.requests.append(Request(self.command, self.route, token))
        if self.hub.fail and self.hub.fail(self):
            return
        if token not in {None, self.hub.token}:
            self.refuse(401, message="Invalid credentials in Authorization header")
            return
        self.may_write = token == self.hub.token
        for method, pattern, function in ROUTES:
            if method == self.command and (found := re.fullmatch(pattern, self.route)):
                function(self, **found.groupdict())
                return
        self.refuse(404, "EntryNotFound", f"{self.command} {self.route}")

    do_GET = do_HEAD = do_POST = do_PUT = handle_request  # noqa: N815 - the names http.server asks for

    def files(self, name: str, revision: str | None) -> tuple[Repository, str, Files] | None:
        repository = self.hub.repositories.get(name)
        if repository is None or (repository.private and not self.may_write):
            self.refuse(404 if self.may_write else 401, "RepoNotFound", "Repository not found")
            return None
        sha = repository.head if revision in {None, "main"} else str(revision)
        if sha not in repository.commits:
            self.refuse(404, "RevisionNotFound", "Invalid rev id")
            return None
        return repository, sha, repository.commits[sha]

    def info(self, name: str, revision: str | None = None) -> None:
        if found := self.files(name, revision):
            repository, sha, files = found
            siblings = [{"rfilename": path} for path in files]
            card = re.match(rb"---\n(.*?)\n---\n", files.get("README.md", b""), re.DOTALL)
            facts = {"cardData": yaml.safe_load(card[1]) if card else {}, "tags": []}
            self.answer({"id": name, "sha": sha, "private": repository.private, "siblings": siblings, **facts})

    def tree(self, name: str, revision: str, under: str | None = None) -> None:
        if found := self.files(name, revision):
            entries = _entries(found[2])
            folder = f"{under}/" if under else ""
            below = [entry for path, entry in entries.items() if path.startswith(folder)]
            if "recursive=true" not in self.path.lower():
                below = [entry for entry in below if "/" not in entry["path"][len(folder) :]]
            if not below and folder:
                self.refuse(404, "EntryNotFound", "no such folder")
                return
            self.answer(below)

    def paths_info(self, name: str, revision: str) -> None:
        if found := self.files(name, revision):
            entries = _entries(found[2])
            is_form = "form" in self.headers.get("Content-Type", "")
            asked = parse_qs(self.body.decode())["paths"] if is_form else json.loads(self.body)["paths"]
            self.answer([entries[path.strip("/")] for path in asked if path.strip("/") in entries])

    def resolve(self, name: str, revision: str, path: str) -> None:
        if not (found := self.files(name, revision)):
            return
        _, sha, files = found
        if path not in files:
            self.refuse(404, "EntryNotFound", "Entry not found", **{"X-Repo-Commit": sha})
            return
        data, status = files[path], 200
        headers = {"ETag": f'"{digest(data)}"', "X-Repo-Commit": sha, "Accept-Ranges": "bytes"}
        if wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, end = int(wanted[1]), int(wanted[2]) if wanted[2] else len(data) - 1
            headers["Content-Range"] = f"bytes {start}-{min(end, len(data) - 1)}/{len(data)}"
            data, status = data[start : end + 1], 206
        self.answer(data, status, headers)

    def create(self) -> None:
        asked = json.loads(self.body)
        name = f"{asked['organization']}/{asked['name']}"
        if not self.may_write:
            self.refuse(401, message="Invalid credentials in Authorization header")
            return
        if name in self.hub.repositories:
            self.refuse(409, message="You already created this dataset repo")
            return
        self.hub.repositories[name] = Repository(asked.get("visibility") == "private")
        self.hub.add(name, {})
        self.answer({"url": f"http://{self.headers['Host']}/datasets/{name}", "id": name, "name": name})

    def validate_yaml(self) -> None:
        if json.loads(self.body)["content"].startswith("---\n"):
            self.answer({"errors": [], "warnings": []})
            return
        self.answer({"errors": [{"message": "no metadata"}], "warnings": []}, 400)

    def preupload(self, name: str, revision: str) -> None:
        if self.files(name, revision):
            asked = json.loads(self.body)["files"]
            modes = [(file["path"], "lfs" if file["path"].endswith(".parquet") else "regular") for file in asked]
            self.answer({"files": [{"path": path, "uploadMode": mode, "shouldIgnore": False} for path, mode in modes]})

    def batch(self, name: str) -> None:
        if not self.files(name, None):
            return
        objects = []
        for wanted in json.loads(self.body)["objects"]:
            upload = {"upload": {"href": f"http://{self.headers['Host']}/upload/{wanted['oid']}"}}
            there = wanted["oid"] in self.hub.uploaded
            objects.append(wanted if there else {**wanted, "actions": upload})
        self.answer({"transfer": "basic", "objects": objects})

    def upload(self, oid: str) -> None:
        if digest(self.body) != oid:
            self.refuse(400, message="wrong content")
            return
        self.hub.uploaded[oid] = self.body
        self.answer(b"")

    def commit(self, name: str, revision: str) -> None:
        if not (found := self.files(name, revision)):
            return
        repository, sha, files = found
        if not self.may_write:
            self.refuse(403, message="you need write access")
            return
        files = dict(files)
        for line in self.body.decode().splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "header" and value.get("parentCommit") not in {None, sha}:
                self.refuse(412, message="A commit has happened since")
                return
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.hub.uploaded[value["oid"]]
            elif entry["key"] == "deletedFile":
                del files[value["path"]]
        new = repository.commit(files)
        self.answer({"commitOid": new, "commitUrl": f"http://{self.headers['Host']}/datasets/{name}/commit/{new}"})


def _entries(files: Files) -> dict[str, dict[str, Any]]:
    """Files and folders as the hub lists them."""
    entries: dict[str, dict[str, Any]] = {}
    for path, data in files.items():
        for parent in [path[: at.start()] for at in re.finditer("/", path)]:
            entries[parent] = {"type": "directory", "path": parent, "oid": digest(parent.encode())}
        entries[path] = {"type": "file", "path": path, "size": len(data), "oid": digest(data)}
    return entries


_NAME = r"(?P<name>[^/]+/[^/]+?)"
ROUTES: list[tuple[str, str, Callable[..., None]]] = [
    ("GET", rf"/api/datasets/{_NAME}", Handler.info),
    ("GET", rf"/api/datasets/{_NAME}/revision/(?P<revision>.+)", Handler.info),
    ("GET", rf"/api/datasets/{_NAME}/tree/(?P<revision>[^/]+)(?:/(?P<under>.+))?", Handler.tree),
    ("POST", rf"/api/datasets/{_NAME}/paths-info/(?P<revision>[^/]+)", Handler.paths_info),
    ("GET", rf"/datasets/{_NAME}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", Handler.resolve),
    ("HEAD", rf"/datasets/{_NAME}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", Handler.resolve),
    ("POST", r"/api/repos/create", Handler.create),
    ("POST", r"/api/validate-yaml", Handler.validate_yaml),
    ("POST", rf"/api/datasets/{_NAME}/preupload/(?P<revision>[^/]+)", Handler.preupload),
    ("POST", rf"/datasets/{_NAME}\.git/info/lfs/objects/batch", Handler.batch),
    ("PUT", r"/upload/(?P<oid>[0-9a-f]{64})", Handler.upload),
    ("POST", rf"/api/datasets/{_NAME}/commit/(?P<revision>[^/]+)", Handler.commit),
]


class HubServer(ThreadingHTTPServer):
    """The hub at an address of this machine, while a block lasts."""

    daemon_threads = True

    def __init__(self, hub: Hub) -> None:
        super().__init__(("127.0.0.1", 0), type("HubHandler", (Handler,), {"hub": hub}))
        self.address = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()
