"""Run benchmarks and print Markdown: `python -m benchmarks [NAME[:OPTION,OPTION..] ...]`."""

import inspect
import platform
import sys
import time
from importlib import import_module
from pathlib import Path

import torch

from cordinr.inr.device import choose_device

from .markdown import say

NAMES = (
    "speed",
    "quality",
    "scenarios",
    "scans",
    "alignment",
    "slices",
    "trust",
    "pelvis",
    "contradiction",
    "clinical",
    "uncertainty",
    "prior",
    "ablation",
    "profile",
    "spectrum",
    "protocol",
    "resolution",
    "cubes",
    "growth",
    "parts",
    "original",
    "original_ablation",
    "scale",
    "gpu",
)
"""Each is a module with `run(options, device)`; its docstring stands above its tables."""


def machine(device: torch.device) -> str:
    """The name of the GPU that computes, or else of the CPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    words = sys.argv[1:] or NAMES
    unknown = [word for word in words if word.partition(":")[0] not in NAMES]
    if unknown:
        sys.exit(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(NAMES)}.")
    device = choose_device("auto")
    threads = f"{torch.get_num_threads()} CPU threads"
    say(f"{time.strftime('%Y-%m-%d')}, {machine(device)}, {threads}, torch {torch.__version__}")
    for word in words:
        name, _, options = word.partition(":")
        module = import_module(f".{name}", __package__)
        say(f"## {name}")
        say(inspect.cleandoc(module.__doc__))
        started = time.perf_counter()
        module.run([option for option in options.split(",") if option], device)
        say(f"`python -m benchmarks {word}` took {time.perf_counter() - started:.0f} s.")


if __name__ == "__main__":
    main()
