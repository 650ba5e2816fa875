"""What a step cost, as far as it can be known."""

import subprocess
import sys

import numpy as np

from cordinr.run.cost_meter import Meter

REPORT = """
from cordinr.run.cost_meter import Meter
with Meter() as meter:
    pass
print(meter.costs()["peak_memory_mb"])
"""


def test_peak_memory_is_of_this_process_and_not_of_its_parent():
    ballast = np.ones(40_000_000)  # 305 MiB
    with Meter() as meter:
        pass
    assert meter.costs(step="fit")["peak_memory_mb"] > ballast.nbytes / 1024**2
    child = subprocess.run([sys.executable, "-c", REPORT], capture_output=True, text=True)
    assert 5 < float(child.stdout) < 150
