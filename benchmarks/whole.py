"""A whole run on many tiny subjects: real images of 8,512 voxels, fits of one step.

What is left is the machinery: git-annex, Snakemake, and processes that start, import, read, write.
With `idle` jobs that only touch their outputs take their place, and what is left is Snakemake.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
import yaml

from cordinr.datasets.source import create
from cordinr.files import write_json
from cordinr.imaging.volume import save_volume
from cordinr.phantom.anatomy import Phantom
from cordinr.phantom.scan import add_rician_noise, cord_mask, default_grid, sample

from .markdown import end, heading, row
from .reconstructions import ROOT

VOXEL_MM = 2.5
SNR = 40.0
TINY = {"voxel_sizes": [2.0], "fit": {"passes": 1, "max_steps": 1}, "fit_threads": 1}
BIN = Path(sys.executable).parent
SAMPLING_SECONDS = 0.5
IDLE = """#!/bin/sh
case $1 in index | describe) exec {bin}/cordinr "$@" ;; esac
while [ $# -gt 0 ]; do
  case $1:$2 in
    -o:*.nii.gz) cp {image} "$2"; : > "${{2%.nii.gz}}.json" ;;
    -o:*.tsv) : > "$2"; : > "${{2%.tsv}}.json" ;;
    -o:*.svg) : > "$2"; : > "${{2%.svg}}.tsv" ;;
    -o:* | --record:*) : > "$2" ;;
  esac
  shift
done
"""
"""Takes the place of `cordinr`; images are copied, as the needs of a fit are told from them."""


def measure(folder: Path, subjects: int, idle: bool) -> None:
    """Make the dataset, run the workflow on it in `folder`, and print what that cost."""
    write_tiny_dataset(folder / "raw", subjects)
    if idle:
        write_idle_command(folder)
    config = folder / "tiny.yaml"
    dataset = {"name": "raw", "source": str(folder / "raw"), "version": "v1", "subjects": "all"}
    config.write_text(yaml.safe_dump({"dataset": dataset} | TINY))
    options = ["--snakefile", ROOT / "Snakefile", "--directory", folder, "--cores", "all"]
    options += ["--configfile", config]
    start = run(folder, "start", ["--list", *options])
    index = run(folder, "index", ["results/inputs.tsv", *options])
    plan = run(folder, "plan", ["--dry-run", *options])
    load = os.getloadavg()[1]
    whole = run(folder, "whole", options)
    again = run(folder, "again", ["--dry-run", *options])
    heading("step", "wall s", "CPU s of Snakemake", "CPU s of jobs", "memory of Snakemake MiB")
    names = ("start of Snakemake", "clone and index", "dry-run", "the run", "nothing to do")
    for name, step in zip(names, (start, index, plan, whole, again), strict=True):
        row(name, *(f"{step[key]:.1f}" for key in ("wall", "own", "jobs", "memory")))
    end()
    jobs = job_times(folder)
    print_run(whole, jobs, load)
    print_rules(jobs)
    print_sizes(folder)


def write_tiny_dataset(root: Path, subjects: int) -> None:
    """A DataLad dataset of one phantom, scanned again for each subject, with its cord mask."""
    phantom = Phantom.draw(1, 0)
    grid = default_grid(VOXEL_MM)
    image = sample(phantom, grid)
    mask = cord_mask(phantom, grid)
    for number in range(subjects):
        name = f"sub-{number:05d}"
        noisy = add_rician_noise(image, SNR, np.random.default_rng(number))
        save_volume(root / name / "anat" / f"{name}_T2w.nii.gz", noisy, grid)
        labels = root / "derivatives" / "labels" / name / "anat"
        save_volume(labels / f"{name}_T2w_label-SC_seg.nii.gz", mask, grid, dtype="uint8")
    write_json(root / "dataset_description.json", {"Name": "tiny", "BIDSVersion": "1.8.0"})
    create(root, "tiny")


def write_idle_command(folder: Path) -> None:
    """A `cordinr` that makes its outputs out of nothing, in a folder that `run` puts first."""
    image = next(folder.glob("raw/derivatives/labels/*/anat/*.nii.gz")).resolve()
    command = folder / "bin" / "cordinr"
    command.parent.mkdir()
    command.write_text(IDLE.format(bin=BIN, image=image))
    command.chmod(0o755)


def run(folder: Path, name: str, options: Sequence[object]) -> dict[str, float]:
    """Seconds and peak memory of Snakemake's main process; it has to succeed.

    Returns:
        `wall`; `own`, CPU seconds of the process; `jobs`, of all it started; `memory` in MiB.
    """
    measured = {"memory": 0.0, "own": 0.0, "jobs": 0.0}
    started = time.perf_counter()
    with (folder / f"{name}.log").open("w") as log:
        command = list(map(str, [sys.executable, "-m", "snakemake", *options]))
        search = os.pathsep.join([str(folder / "bin"), str(BIN), os.environ["PATH"]])
        environment = os.environ | {"PATH": search, "OMP_NUM_THREADS": "1"}
        process = psutil.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        while process.poll() is None:
            try:
                memory, times = process.memory_info().rss / 2**20, process.cpu_times()
            except psutil.NoSuchProcess:
                break
            measured["memory"] = max(measured["memory"], memory)
            measured["own"] = times.user + times.system
            measured["jobs"] = times.children_user + times.children_system
            time.sleep(SAMPLING_SECONDS)
    if process.wait():
        sys.exit(f"{folder / name}.log: Snakemake failed:\n{(folder / f'{name}.log').read_text()}")
    return measured | {"wall": time.perf_counter() - started}


def job_times(folder: Path) -> dict[str, list[float]]:
    """Rule to wall seconds of its jobs, from what Snakemake keeps of each output."""
    times = {}
    for path in (folder / ".snakemake" / "metadata").rglob("*"):
        if path.is_file():
            kept = json.loads(path.read_text())
            # The outputs of a job have its log in common.
            times[kept["rule"], str(kept["log"])] = kept["endtime"] - kept["starttime"]
    rules: dict[str, list[float]] = {}
    for (rule, _), seconds in times.items():
        rules.setdefault(rule, []).append(seconds)
    return rules


def print_run(whole: dict[str, float], jobs: dict[str, list[float]], load: float) -> None:
    """The run per job, and how long it would take if the cores had nothing else to do."""
    count, spent, cores = sum(map(len, jobs.values())), sum(map(sum, jobs.values())), os.cpu_count()
    numbers = {
        "jobs": f"{count}",
        "minutes": f"{whole['wall'] / 60:.1f}",
        "s per job": f"{whole['wall'] / count:.2f}",
        "CPU s per job": f"{whole['jobs'] / count:.2f}",
        "of Snakemake": f"{whole['own'] / count:.3f}",
        "core s without a job, per job": f"{(whole['wall'] * cores - spent) / count:.2f}",
        "CPU minutes / cores": f"{(whole['jobs'] + whole['own']) / cores / 60:.1f}",
        "load before, after": f"{load:.1f}, {os.getloadavg()[1]:.1f}",
    }
    heading(*numbers)
    row(*numbers.values())
    end()


def print_rules(jobs: dict[str, list[float]]) -> None:
    """Seconds of the jobs of each rule."""
    heading("rule", "jobs", "wall s per job", "wall s")
    for rule, seconds in sorted(jobs.items(), key=lambda item: -sum(item[1])):
        row(rule, str(len(seconds)), f"{np.mean(seconds):.2f}", f"{sum(seconds):.0f}")
    end()


def print_sizes(folder: Path) -> None:
    """Files and bytes of what the run left."""
    heading("folder", "files", "MB")
    places = [*sorted((folder / "results").iterdir()), folder / ".snakemake"]
    for place in places:
        found = [path for path in [place, *place.rglob("*")] if path.is_file()]
        size = sum(path.stat().st_size for path in found if not path.is_symlink())
        row(place.name, str(len(found)), f"{size / 1e6:.1f}")
    end()
