"""The package still gives what `cases.json.gz` has; `widgets/segment/cases.test.ts` holds the browser to the same."""

from typing import Any

import numpy as np
import pytest
from shared_cases import made, read


@pytest.fixture(scope="module")
def cases() -> tuple[dict[str, Any], dict[str, Any]]:
    kept = read()
    real = [{key: case[key] for key in ("output", "grey", "shape", "flow", "cellprob")} for case in kept["masks"]]
    return kept, made(real=real)


def test_the_package_gives_the_results_that_the_browser_is_held_to(
    cases: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    kept, now = cases
    assert kept.keys() == now.keys()
    why = "write the cases again with tests/shared_cases.py, and change widgets/segment accordingly"
    for name in ("join", "masks", "overview", "segmented", "tiled", "scaled", "grown", "polarity", "outlined"):
        assert _plain(now[name]) == _plain(kept[name]), f"{name}: {why}"
    for one, other in ((now["diameter"], kept["diameter"]), (now["sparse"]["range"], kept["sparse"]["range"])):
        np.testing.assert_allclose(one, other, rtol=1e-6, err_msg=why)


def _plain(value: Any) -> Any:
    """Return a value with tuples as JSON has them."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
