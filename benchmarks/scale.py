"""What a dataset of the size of spine-generic costs before the first job runs.

A plain BIDS folder of 267 subjects and 24,476 files (empty: nothing here reads them), five Fourier
dimensions. Seconds of whole commands, their start included. Options: numbers of subjects. With
`run` or `idle` before them the whole workflow runs on tiny subjects: `make bench ONLY=scale:run,6`.
"""

import inspect
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import yaml

from cordinr.files import write_json

from . import whole
from .markdown import end, heading, row, say
from .reconstructions import ROOT

SUBJECTS = 267
FILES_PER_SUBJECT = 91
FOLDERS = ("anat", "dwi")
BIN = Path(sys.executable).parent


def run(options: Sequence[str], device: torch.device) -> None:
    """Print the table of subjects and seconds, or what whole runs cost."""
    if options[:1] in (["run"], ["idle"]):
        say(inspect.cleandoc(whole.__doc__))
        for subjects in [int(option) for option in options[1:]] or [SUBJECTS]:
            with TemporaryDirectory() as folder:
                whole.measure(Path(folder), subjects, options[0] == "idle")
        return
    heading("subjects", "files", "index s", "start of Snakemake s", "dry-run s", "jobs", "jobs/s")
    for subjects in [int(option) for option in options] or [SUBJECTS]:
        with TemporaryDirectory() as folder:
            row(*cells(Path(folder), subjects))
    end()


def cells(folder: Path, subjects: int) -> list[str]:
    """A line of the table."""
    files = write_dataset(folder / "raw", subjects)
    shutil.copy(ROOT / "config.yaml", folder)
    config = folder / "large.yaml"
    dataset = {"name": "raw", "source": str(folder / "raw"), "version": "", "subjects": "all"}
    config.write_text(yaml.safe_dump({"dataset": dataset}))
    options = ["--snakefile", ROOT / "Snakefile", "--directory", folder, "--cores", "2"]
    options += ["--configfile", config]
    indexing, _ = timed([BIN / "snakemake", "results/inputs.tsv", *options])
    starting, _ = timed([BIN / "snakemake", "--list", *options])
    planning, said = timed([BIN / "snakemake", "--dry-run", *options])
    jobs = int(next(line.split()[1] for line in said.splitlines() if line.startswith("total")))
    times = [f"{seconds:.1f}" for seconds in (indexing, starting, planning)]
    return [str(subjects), str(files), *times, str(jobs), f"{jobs / planning:.0f}"]


def write_dataset(root: Path, subjects: int) -> int:
    """Write empty files under BIDS names; how many."""
    write_json(root / "dataset_description.json", {"Name": "large", "BIDSVersion": "1.8.0"})
    names = ["T2w", "T2star", "T1w", *(f"acq-{k}_MTS" for k in range(FILES_PER_SUBJECT))]
    for number in range(subjects):
        label = f"sub-{number:04d}"
        for folder in FOLDERS:
            (root / label / folder).mkdir(parents=True)
        for k in range(FILES_PER_SUBJECT):
            kind, extension = names[k // 2], (".nii.gz", ".json")[k % 2]
            (root / label / FOLDERS[k > 60] / f"{label}_{kind}{extension}").touch()
    return subjects * FILES_PER_SUBJECT + 1


def timed(command: Sequence[object]) -> tuple[float, str]:
    """Seconds of a command, and what it said.

    Raises:
        CalledProcessError: it failed.
    """
    started = time.perf_counter()
    words = list(map(str, command))
    answer = subprocess.run(words, check=True, text=True, stdout=-1, stderr=subprocess.STDOUT)
    return time.perf_counter() - started, answer.stdout
