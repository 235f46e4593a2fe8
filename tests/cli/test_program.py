import importlib
import inspect
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nnbook.cli import main
from nnbook.errors import InvalidValueError, MissingFileError
from nnbook.io.images import write_image

Said = pytest.CaptureFixture[str]
AREA = ["area", "--px2", "4", "--px-per-um", "8"]


@pytest.mark.parametrize(
    "call",
    [
        [],
        ["segmnt"],
        ["area"],
        ["twin"],
        ["area", "manifest.csv", "--px2", "4"],
        ["area", "--px2", "many"],
        ["representatives"],
        ["representatives", "t.csv", "-k", "ten"],
        ["measure", "a.tif"],
        ["pull", "lab/nuclei"],
        ["push", "cells", "lab/nuclei"],
        ["segment", "a.tif", "--out", "o", "--diameter", "wide"],
    ],
)
def test_a_wrong_call_exits_with_2(call: list[str], capsys: Said) -> None:
    with pytest.raises(SystemExit) as caught:
        main(call)
    assert caught.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "usage: nnbook" in said.err


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (["area", "--px2", "0", "--px-per-um", "8"], "--px2 is 0"),
        (["area", "--px2", "-3", "--px-per-um", "8"], "--px2 is -3"),
        (["segment", "a.tif", "--out", "masks", "--diameter", "0"], "--diameter is 0"),
        (["area", "--px2", "4"], "--px-per-um is missing; say how many pixels are a micrometre"),
        (["area", "none.csv"], "none.csv: no such manifest"),
        (["validate", "none.csv"], "none.csv: no such manifest"),
        (["representatives", "none.csv"], "none.csv: no such table"),
        (["segment", "none.tif", "--out", "masks"], "none.tif: no such file"),
        (["pyramid", "none.tif", "--out", "tiles"], "none.tif: no such file"),
        (["measure", "none.tif", "--masks", "masks", "--out", "out"], "none.tif: no such file"),
        (["measure", "folder", "--masks", "masks", "--out", "out"], "folder: holds no TIFF, PNG or CZI file"),
        (
            ["push", "none", "lab/x", "--licence", "mit", "--dry-run", "out"],
            "none: is no store of cells and holds no TIFF",
        ),
        (["site", "none", "--project", "none"], "no such edition"),
        (["pyramid", "a.tif", "--out", "file/tiles"], "file"),
    ],
)
def test_wrong_data_exits_with_1_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said, call: list[str], named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("in the way")
    write_image(tmp_path / "a.tif", np.zeros((8, 9), np.uint8))
    assert main(call) == 1
    said = capsys.readouterr()
    told = [line for line in said.err.splitlines() if not re.match(r"\w+: \d+/\d+ (done|after) ", line)]
    assert len(told) == 1
    assert told[0].startswith(f"nnbook {call[0]}: ")
    assert named in told[0]
    assert said.out == ""


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (MissingFileError("a.csv: no such table"), "nnbook area: a.csv: no such table"),
        (
            PermissionError(13, "Permission denied", "out"),
            "nnbook area: [Errno 13] Permission denied: 'out'; check that the path is right, writable and has space",
        ),
        *(
            (error, f"nnbook area: there is too little memory ({error}); close other programs, or take smaller images")
            for error in (
                MemoryError("9 GB"),
                RuntimeError("can't start new thread"),
                RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
            )
        ),
    ],
)
def test_what_goes_wrong_is_one_line_and_exit_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: Said, error: BaseException, line: str
) -> None:
    raise_in(monkeypatch, "nnbook.measurement.imaged_area.area", error)
    assert main(AREA) == 1
    assert capsys.readouterr().err == f"{line}\n"


INTERRUPTED = """
import sys, time
from nnbook.cli import main
from nnbook.io.processes import Processes
from nnbook.measurement import imaged_area

def area(*_):
    with Processes(time.sleep, 2) as processes:
        processes.begin("short", 0)
        processes.begin("long", 60)
        print("begun", flush=True)
        while True:
            processes.ended()

imaged_area.area = area
sys.exit(main(["area", "--px2", "4", "--px-per-um", "8"]))
"""


@pytest.mark.parametrize("processes_have_begun", [False, True])
@pytest.mark.parametrize("ctrl_c", [True, False], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_command_is_one_line_and_leaves_no_process(*, ctrl_c: bool, processes_have_begun: bool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        # A signal that comes just as CPython begins to wait for a lock is seen only after the wait.
        time.sleep(0.4 if processes_have_begun else 0.05)
        if ctrl_c:
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to all of them
        else:
            process.terminate()
        try:
            said = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 130
    assert said == ("", "nnbook area: interrupted; what is finished is kept, call again to go on\n")
    with pytest.raises(ProcessLookupError):  # of the session that it began
        for _ in range(500):  # a process that holds nothing open may end a moment later
            os.killpg(process.pid, 0)
            time.sleep(0.02)


def test_a_defect_of_nnbook_is_not_passed_off_as_wrong_data(monkeypatch: pytest.MonkeyPatch) -> None:
    raise_in(monkeypatch, "nnbook.measurement.imaged_area.area", ValueError("defect"))
    with pytest.raises(ValueError, match="defect"):
        main(AREA)


OPTIONS = [
    (["twin", "--out", "o"], "nnbook.simulation.dataset.write_dataset", "side_px", "--side"),
    (["twin", "--out", "o"], "nnbook.simulation.dataset.write_dataset", "runs", "--runs"),
    (["segment", "a.tif", "--out", "o"], "nnbook.segmentation.workflow.segment_files", "diameter_px", "--diameter"),
    (
        ["segment", "a.tif", "--out", "o"],
        "nnbook.segmentation.workflow.segment_files",
        "cellprob_threshold",
        "--cellprob-threshold",
    ),
    (
        ["measure", "a.tif", "--masks", "m", "--out", "o"],
        "nnbook.io.scale.image_scales",
        "px_per_um",
        "--px-per-um",
    ),
    (["sample", "cells", "--out", "o"], "nnbook.cells.sample.write_sample", "per_run", "--per-run"),
    (AREA, "nnbook.measurement.imaged_area.area", "px2", "--px2"),
    (AREA, "nnbook.measurement.imaged_area.area", "px_per_um", "--px-per-um"),
    (["evaluate", "p", "t"], "nnbook.evaluation.metrics.evaluate_folders", "true", "TRUE"),
    (["train", "--data", "i", "m", "--out", "o"], "nnbook.training.loop.TrainingSettings", "steps", "--steps"),
    (["train", "--data", "i", "m", "--out", "o"], "nnbook.training.loop.train", "from_model", "--from"),
    (["pull", "a/b", "--out", "o"], "nnbook.hub.download.pull", "n", "-n"),
    (["pull", "a/b", "--out", "o"], "nnbook.hub.download.pull", "cells_per_shard", "--cells-per-shard"),
    (["push", "cells", "a/b", "--licence", "mit"], "nnbook.hub.upload.push", "licence", "--licence"),
    (["run"], "nnbook.pipeline.editions.run", "cell_seconds", "--cell-seconds"),
]


@pytest.mark.parametrize(("call", "function", "parameter", "option"), OPTIONS)
def test_a_parameter_at_fault_is_shown_as_its_option(
    monkeypatch: pytest.MonkeyPatch, capsys: Said, call: list[str], function: str, parameter: str, option: str
) -> None:
    error = InvalidValueError(f"{parameter} is 0; give more", parameter=parameter)
    assert parameter in raise_in(monkeypatch, function, error).parameters
    assert main(call) == 1
    assert capsys.readouterr().err == f"nnbook {call[0]}: {option} is 0; give more\n"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (InvalidValueError("px2 is 0; px2", parameter="px2"), "--px2 is 0; --px2"),
        (
            InvalidValueError("of/px2/px2.csv: my_px2 is --px2 or px2.", parameter="px2"),
            "of/px2/px2.csv: my_px2 is --px2 or --px2.",
        ),
        (InvalidValueError("crop_px is 0; px2", parameter="crop_px"), "crop_px is 0; px2"),
        (InvalidValueError("px2 is empty"), "px2 is empty"),
        (MissingFileError("px2: no such file"), "px2: no such file"),
    ],
)
def test_only_the_parameter_itself_is_replaced(
    monkeypatch: pytest.MonkeyPatch, capsys: Said, error: Exception, message: str
) -> None:
    raise_in(monkeypatch, "nnbook.measurement.imaged_area.area", error)
    assert main(AREA) == 1
    assert capsys.readouterr().err == f"nnbook area: {message}\n"


def raise_in(monkeypatch: pytest.MonkeyPatch, function: str, error: BaseException) -> inspect.Signature:
    """Make a function that a command calls raise an error; return its signature."""
    module, _, name = function.rpartition(".")
    signature = inspect.signature(getattr(importlib.import_module(module), name))

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(function, fail)
    return signature


@pytest.mark.parametrize(
    ("call", "rooms"),
    [([], {"cli", "errors", "values"}), (AREA, {"cli", "errors", "values", "measurement"})],
)
def test_a_command_starts_without_what_only_the_work_of_others_needs(call: list[str], rooms: set[str]) -> None:
    code = "import json, sys; from nnbook.cli import main; sys.argv[1:] and main(); print(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code, *call], check=True, capture_output=True, text=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert {name.split(".")[1] for name in loaded if name.startswith("nnbook.")} == rooms
    assert not loaded & {"numpy", "pandas", "torch", "numba", "tqdm", "datasets", "plotly"}
