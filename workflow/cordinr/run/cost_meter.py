"""What a step cost: seconds, device and peak memory.

Kept out of the results themselves, which stay reproducible.
"""

import resource
import sys
import time
from pathlib import Path
from typing import Any, Self

from .. import __version__


class Meter:
    """Measures the block it is entered for.

    Args:
        device: a torch device for work that may run on a GPU, or None for NumPy work.

    Attributes:
        seconds: duration of the block in seconds, once it has ended.
    """

    def __init__(self, device: Any = None) -> None:
        self.device = device
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        return self

    def __exit__(self, *failure: object) -> None:
        self.seconds = time.perf_counter() - self._started

    def costs(self, **fields: Any) -> dict[str, Any]:
        """Give `seconds`, `device`, `peak_memory_mb`, `version` and further fields, for JSON.

        Peak memory is that of the whole process (resident set); `gpu_memory_mb` is the most that
        torch held on the GPU.

        Args:
            **fields: further fields of the record.
        """
        costs = {
            "seconds": round(self.seconds, 3),
            "device": "cpu",
            "peak_memory_mb": round(peak_memory_mb(), 1),
            "version": __version__,
        }
        if self.device is not None and self.device.type == "cuda":
            import torch

            costs["device"] = torch.cuda.get_device_name(self.device)
            peak = torch.cuda.max_memory_allocated(self.device)
            costs["gpu_memory_mb"] = round(peak / 1024**2, 1)
        return costs | fields


def peak_memory_mb() -> float:
    """Peak resident memory of this process in MiB.

    On Linux from /proc: `ru_maxrss` survives exec and would hold the memory of the parent.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return int(lines["VmHWM"].split()[0]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)
