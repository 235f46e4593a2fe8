"""Units on a Dask cluster that loses a worker, gets another, and whose scheduler begins anew; prints what came of them.

A program of its own, for Dask leaves warnings behind where processes are killed: `python cluster_case.py FOLDER`.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import dask
from distributed import LocalCluster
from unit_work import work

from nnbook.errors import NnbookError
from nnbook.provenance import clusters, units
from nnbook.provenance.units import HERE, make_units

KINDS = ["kill once", "bad", "passes", *["slow"] * 6]


def local_cluster(workers: int, port: int) -> LocalCluster:
    """Begin a scheduler and workers on this machine."""
    return LocalCluster(
        workers, threads_per_worker=1, scheduler_port=port, dashboard_address=None, silence_logs=50, memory_limit=0
    )


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def main(folder: Path) -> None:
    """Make units on two clusters, one after the other."""
    setattr(units, "DELAYS_S", (0.01, 0.02))  # noqa: B010
    setattr(clusters, "LOOK_S", 0.2)  # noqa: B010
    todo = {name: (kind, name) for number, kind in enumerate(KINDS) for name in [f"{kind} {number}"]}
    made: list[Any] = []
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    with dask.config.set({"distributed.comm.timeouts.connect": "3s"}):
        with local_cluster(1, port) as first:
            os.chdir(folder)  # which names are relative to, and where no worker was begun
            thread = threading.Thread(
                target=lambda: made.append(make_units(work, todo, HERE, desc="try", workers=address, aside=folder))
            )
            thread.start()
            while not (folder / "kill once 0").exists():
                time.sleep(0.02)
            first.scale(2)
            while len(list(folder.iterdir())) < 5:
                time.sleep(0.02)
        with local_cluster(2, port):
            thread.join()
            after = handed_out_by_a_closed_client(address)
    (found,) = made
    failed = {name: str(error) for name, error in found.failed.items()}
    print(json.dumps({"made": list(found.outcomes), "failed": failed, "closed": after, "nowhere": nowhere()}))


def handed_out_by_a_closed_client(address: str) -> list[Any]:
    """Return what ends of a unit whose client was closed before, as Dask closes one whose scheduler is gone."""
    with clusters.Cluster(work, address) as cluster:
        cluster._client.close()
        cluster.begin("a", ("fine", "closed"))
        for _ in range(50):
            if ended := cluster.ended(0.2):
                return [one.key for one in ended]
        return []


def nowhere() -> dict[str, str]:
    """Return what is said where there is no scheduler."""
    address = f"tcp://127.0.0.1:{free_port()}"
    with dask.config.set({"distributed.comm.timeouts.connect": "0.2s"}):
        try:
            make_units(work, {"a": 1}, HERE, desc="try", workers=address)
        except NnbookError as error:
            return {"address": address, "error": str(error)}
    raise AssertionError


if __name__ == "__main__":
    main(Path(sys.argv[1]))
