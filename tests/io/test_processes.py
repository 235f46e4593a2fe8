import subprocess
import sys

import numpy as np

from nnbook.io.processes import peak_bytes

CODE = "from nnbook.io.processes import peak_bytes; print(peak_bytes())"


def test_a_process_does_not_count_the_memory_of_the_one_that_started_it() -> None:
    held = np.ones(600_000_000, np.uint8)
    assert peak_bytes() > held.nbytes
    started = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert int(started.stdout) < held.nbytes / 2
