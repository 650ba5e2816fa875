"""Do five Fourier dimensions, and three subjects, cost no more than the sum of the parts?

The workflow with its default settings, default renderings and figures on phantoms of 1 mm: one
subject at one dimension, five times; one subject at all five, three times; all three subjects at
once. Seconds on the clock with all cores, the start of Snakemake, clone and index included, and CPU
seconds of everything. Options: none.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import yaml

from .markdown import end, heading, row
from .reconstructions import ROOT
from .whole import BIN
from .whole import run as run_workflow

SUBJECTS = ("01", "02", "03")
DIMENSIONS = (32, 64, 128, 256, 512)
Cost = tuple[float, float]
"""Wall and CPU seconds."""


def run(options: Sequence[str], device: torch.device) -> None:
    """Print each whole beside the sum of its parts."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        words = [BIN / "cordinr", "phantom", root / "raw", "--subjects", str(len(SUBJECTS))]
        subprocess.run(list(map(str, words)), check=True, capture_output=True)
        heading("run", "wall s", "CPU s", "parts", "wall s of the parts", "CPU s of the parts")
        single = [cost(root, SUBJECTS[:1], [dimension]) for dimension in DIMENSIONS]
        subjects = [cost(root, [subject], DIMENSIONS) for subject in SUBJECTS]
        compare("one subject, five dimensions", subjects[0], "one dimension each", single)
        whole = cost(root, SUBJECTS, DIMENSIONS)
        compare("three subjects, five dimensions", whole, "one subject each", subjects)
        end()


def cost(root: Path, subjects: Sequence[str], dimensions: Sequence[int]) -> Cost:
    """What the workflow takes in a folder of its own."""
    folder = root / f"{'-'.join(subjects)}_{'-'.join(map(str, dimensions))}"
    folder.mkdir()
    dataset = {"name": "raw", "source": str(root / "raw"), "version": "v1", "subjects": [*subjects]}
    config = folder / "parts.yaml"
    config.write_text(yaml.safe_dump({"dataset": dataset, "fourier_dims": [*dimensions]}))
    options = ["--snakefile", ROOT / "Snakefile", "--directory", folder, "--cores", "all"]
    took = run_workflow(folder, "run", [*options, "--configfile", config])
    return took["wall"], took["own"] + took["jobs"]


def compare(name: str, whole: Cost, called: str, parts: Sequence[Cost]) -> None:
    """A line of the table."""
    sums = [sum(each) for each in zip(*parts, strict=True)]
    cells = [*(f"{seconds:.0f}" for seconds in whole), called, *(f"{each:.0f}" for each in sums)]
    row(name, *cells)
