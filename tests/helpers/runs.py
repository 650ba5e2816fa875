"""Whole runs: Snakemake as a person calls it, in a folder of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml

from tests.helpers.support import ROOT

PROJECT = ["Snakefile", "config.yaml", "profiles", "workflow", "envs"]
VIEWER = Path("workflow/report/viewer/node_modules")
TINY = {
    "fourier_dims": [8, 16],
    "voxel_sizes": [1.0],
    "fit": {"width": 16, "channels": 2, "members": 2, "batch": 512, "passes": 3},
    "fit_threads": 1,
}
"""Enough to go through every rule, not to give good images."""


@dataclass(frozen=True)
class Project:
    """A checkout with a configuration of its own."""

    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def configure(self, **changes) -> None:
        (self.folder / "test.yaml").write_text(yaml.safe_dump(changes))

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run to the end; output of both streams together."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @contextmanager
    def copied(self) -> Iterator["Project"]:
        """A copy of the project in its place, with which a test may do what it likes.

        It has the same path, as Snakemake remembers commands with absolute paths in them, and its
        files keep the times by which Snakemake tells what is up to date. They are not hard links,
        as a log that is opened again would be emptied in the project as well. At the end the
        project itself is in its place again.
        """
        kept = self.folder.with_name("kept")
        self.folder.rename(kept)
        try:
            subprocess.run(["cp", "--archive", kept, self.folder], check=True)
            yield self
        finally:
            subprocess.run(["chmod", "-R", "u+w", self.folder], check=True)
            shutil.rmtree(self.folder)
            kept.rename(self.folder)

    @contextmanager
    def running(self, log: Path) -> Iterator[subprocess.Popen]:
        """A run in the background, as from a terminal, of which nothing is left at the end.

        Args:
            log: file for both streams of its output.
        """
        with open(log, "w") as stream:
            process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env=environment(),
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                # A shell starts what it puts into the background deaf to Ctrl-C.
                preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
            )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def command(self, *arguments: str) -> list[str]:
        tool = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        return [*tool, "--configfile", "test.yaml"]


def wait_until(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Wait for a condition.

    Args:
        condition: asked again and again until its answer is true.
        what: what is waited for, for the error.
        seconds: longest time to wait.

    Raises:
        AssertionError: the condition did not become true in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not come within {seconds} s"
        time.sleep(0.1)


def copy_project(folder: Path) -> Project:
    """A copy of the checkout in a new folder, without anything that was computed."""
    skip = shutil.ignore_patterns("__pycache__", "node_modules")
    for part in PROJECT:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=skip)
        else:
            folder.mkdir(exist_ok=True)
            shutil.copy(source, folder / part)
    installed = ROOT / VIEWER
    if installed.exists():
        (folder / VIEWER).symlink_to(installed)
    (folder / "results").mkdir()
    return Project(folder)


def environment() -> dict[str, str]:
    """The tools that pip put beside python on PATH, one thread per numerical library."""
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | {"PATH": search, "OMP_NUM_THREADS": "1"}


def phantom_config(source: Path, **changes) -> dict:
    """The tiny configuration on the phantom."""
    dataset = {
        "name": "phantom",
        "source": str(source),
        "version": "v1",
        "subjects": "all",
        "truth": "derivatives/truth/{folder}/{image}_res-*_desc-truth_{suffix}.nii.gz",
    }
    return TINY | {"dataset": dataset | changes.pop("dataset", {})} | changes


def validate_bids(folder: Path) -> dict:
    """What the BIDS validator says about a dataset, as JSON."""
    tool = Path(sys.executable).parent / "bids-validator-deno"
    answer = subprocess.run(
        [tool, folder, "--format", "json"], capture_output=True, text=True, env=environment()
    )
    return json.loads(answer.stdout)


def planned_jobs(project: Project, *targets: str) -> dict[str, int]:
    """How many jobs of each rule a dry-run would do for targets, or for all; without that rule."""
    output = project.snakemake("--dry-run", *targets).stdout
    counts = {}
    for line in output.split("Job stats:")[1].splitlines()[3:] if "Job stats:" in output else []:
        words = line.split()
        if len(words) != 2 or words[0] == "total":
            break
        counts[words[0]] = int(words[1])
    counts.pop("all", None)
    return counts
