"""What a file of measurements begins with: when and on what it was measured."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any


def heading(*packages: str) -> dict[str, Any]:
    """Return the day, and the machine with its processor, Python and the versions of packages.

    Parameters
    ----------
    *packages : str
        Names of distributions that the measurement depends on, beside nnbook.
    """
    return {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "machine": {
            "processor": processor(),
            "cores": os.cpu_count(),
            **({"gpu": name} if (name := gpu()) else {}),
            "python": platform.python_version(),
            "versions": {name: importlib.metadata.version(name) for name in ("nnbook", *packages)},
        },
        "load_before": round(os.getloadavg()[0], 1),
    }


def gpu() -> str:
    """Return the name of the GPU that networks compute on, or nothing."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else ""


def processor() -> str:
    """Return the processor's name, family and model: some clouds hide which one it is in the name."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.is_file() else []
    first = dict(reversed([[part.strip() for part in line.split(":", 1)] for line in lines if ":" in line]))
    if "model name" not in first:
        return platform.processor() or platform.machine()
    numbers = [f"{name.removeprefix('cpu ')} {first[name]}" for name in ("cpu family", "model") if name in first]
    return ", ".join([first["model name"], *numbers])
