"""The book's way to the web: workflows and containers, which their linters read, and the files that they name."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
DOCKERFILES = [ROOT / "Dockerfile", ROOT / ".devcontainer" / "Dockerfile"]


def read(path: Path) -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def lint(*command: str) -> None:
    """Call a linter that is installed beside this Python."""
    tool = Path(sys.executable).parent / command[0]
    found = str(tool) if tool.is_file() else shutil.which(command[0])
    if found is None:
        pytest.fail(f"{command[0]}: no such command; install requirements.txt. It has checked NOTHING")
    done = subprocess.run([found, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def used(path: Path) -> list[str]:
    """List what a file uses, with the comment of each line."""
    return re.findall(r"^\s*-?\s*uses:\s*(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_there_is_a_workflow_for_each_way() -> None:
    assert [path.stem for path in WORKFLOWS] == ["deploy", "preview", "release", "test", "weekly"]


def test_every_action_is_pinned_by_its_commit_with_its_version() -> None:
    uses = [(path.name, use) for path in (*WORKFLOWS, *ACTIONS) for use in used(path)]
    assert len(uses) >= 15
    remote = [(name, use) for name, use in uses if not use.startswith("./")]
    assert [one for one in remote if not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one[1])] == []
    pins: dict[str, set[str]] = {}
    for _, use in remote:
        pins.setdefault(use.partition("@")[0], set()).add(use)
    assert [pin for pin in pins.values() if len(pin) > 1] == [], "one version of each action"
    local = [ROOT / use for _, use in uses if use.startswith("./")]
    assert [folder for folder in local if not (folder / "action.yml").is_file()] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_job_has_the_permissions_that_it_states_and_ends(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {}, "none by default"
    assert workflow["concurrency"]["group"]
    for name, job in workflow["jobs"].items():
        assert job["permissions"], name
        assert job["timeout-minutes"] <= 120, name
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, name


def test_a_pull_request_writes_nothing_and_sees_no_secret() -> None:
    for path in WORKFLOWS:
        workflow = read(path)
        events = workflow[True]  # YAML 1.1 reads `on` as true
        assert "pull_request_target" not in events
        assert "workflow_run" not in events
        if "pull_request" in events:
            assert [job["permissions"] for job in workflow["jobs"].values()] == [{"contents": "read"}]
            assert "secrets." not in path.read_text(encoding="utf-8")


def test_actionlint_finds_nothing() -> None:
    lint("actionlint", "-no-color", "-shellcheck=", "-pyflakes=", *map(str, WORKFLOWS))


def test_zizmor_finds_nothing() -> None:
    lint("zizmor", "--offline", "--no-progress", "--color=never", ".github")


def test_what_workflows_call_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    called = {target for path in WORKFLOWS for target in re.findall(r"run: make ([\w-]+)", path.read_text("utf-8"))}
    assert called >= {"book", "check", "release"}
    assert [target for target in called if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []
    assert (ROOT / ".ci" / "run").is_file()


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_hadolint_finds_nothing(path: Path) -> None:
    lint("hadolint", "--no-color", str(path))


def test_the_container_is_one_that_binder_takes() -> None:
    """Without an engine: it runs as user 1000 in the home folder, with a command and no entry point."""
    *_, last = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")
    assert re.findall(r"--uid (\d+)", last) == ["1000"]
    assert "\nUSER 1000\n" in last
    assert "ENTRYPOINT" not in last
    assert "\nWORKDIR /home/reader/" in last
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert re.search(r"^jupyterlab==", pins, re.MULTILINE)
    assert re.search(r"^jupytext==", pins, re.MULTILINE)


def test_the_container_gets_all_that_git_has() -> None:
    """What `.dockerignore` leaves out is generated: no file of the checkout is missing in the image."""
    ignored = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")]
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lost = [
        name
        for name in tracked.splitlines()
        for pattern in ignored
        if name == pattern or name.startswith(f"{pattern}/") or pattern.removeprefix("**/") in name.split("/")[:-1]
        if pattern.startswith("**/") or name.startswith(pattern)
    ]
    assert lost == []


def test_the_dev_container_makes_what_make_has() -> None:
    settings = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert (ROOT / ".devcontainer" / settings["build"]["dockerfile"]).is_file()
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    command, *targets = settings["postCreateCommand"].split()
    assert command == "make"
    assert [target for target in targets if not re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE)] == []
