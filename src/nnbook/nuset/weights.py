"""Files of NuSeT's networks: the weights of several in half precision, one vector each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnbook.errors import MissingFileError, NnbookError, reason
from nnbook.io.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nnbook.io.paths import PathLike

HEADER = "networks"


def write_networks(path: PathLike, networks: Mapping[str, Any]) -> None:
    """Write networks by name.

    Parameters
    ----------
    path : str or Path
        A file, `NAME.npz`.
    networks : mapping of str to NusetNetwork
        See `nnbook.nuset.training.train_nuset`.
    """
    header = {name: {"proposals": network.proposer is not None} for name, network in networks.items()}
    vectors = {name: np.concatenate([part.numpy().ravel() for part in _parts(one)]) for name, one in networks.items()}
    with atomic_write(Path(path)) as written, written.open("wb") as file:
        halves = {name: vector.astype(np.float16) for name, vector in vectors.items()}
        np.savez_compressed(file, **{HEADER: np.array(json.dumps(header))}, **halves)


def read_networks(path: PathLike) -> dict[str, Any]:
    """Read networks by name, ready to compute.

    Parameters
    ----------
    path : str or Path
        A file that `write_networks` wrote.

    Returns
    -------
    dict of str to NusetNetwork

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        Where it is damaged, or has weights of other networks.
    """
    import torch

    from nnbook.nuset.network import NusetNetwork

    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file of networks; train them with benchmarks/nuset.py")
    try:
        with np.load(path, allow_pickle=False) as stored:
            header = json.loads(str(stored[HEADER]))
            vectors = {name: stored[name].astype(np.float32) for name in header}
    except Exception as error:
        raise NnbookError(f"{path}: can't be read as networks ({reason(error)[:200]}); get it again") from error
    networks = {}
    for name, facts in header.items():
        network = NusetNetwork(proposals=bool(facts["proposals"]))
        parts = _parts(network)
        if sum(part.numel() for part in parts) != vectors[name].size or not np.isfinite(vectors[name]).all():
            raise NnbookError(f"{path}: has other weights than the network {name}; train it again")
        start = 0
        with torch.no_grad():
            for part in parts:
                part.copy_(torch.from_numpy(vectors[name][start : start + part.numel()]).reshape(part.shape))
                start += part.numel()
        networks[name] = network.eval()
    return networks


def _parts(network: Any) -> list[Any]:
    """Return weights, and what normalisations have counted, in the order in which files keep them."""
    return [value.detach() for value in network.state_dict().values() if value.is_floating_point()]
