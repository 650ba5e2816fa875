"""Kills runs anywhere, looks at what is left and lets the next one finish.

`python -m tests.helpers.kills 50` does so fifty times.

Every time some results are taken away, a run is started, and after a random while one of its
processes, Snakemake's own, or all of them get SIGKILL. What is then under results/ has to be whole,
and the next run has to end with the same bytes.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from cordinr.imaging.masks import load_segmentation
from cordinr.inr.model_file import load_inr
from tests.helpers.runs import Project, environment
from tests.helpers.seeds import SEED

STAGES = {
    "dataset": ["sourcedata", "inputs.tsv", "source.json", "reference", "cordinr"],
    "images": ["cordinr"],
    "models": ["models", "records", "cordinr"],
    "metrics": ["metrics", "metrics.tsv", "figures"],
}
"""Paths below results/ that are taken away before a run, by the name of the stage."""

WANTED = ("cordinr/", "metrics/", "figures/")
"""Beginnings of the paths of what a finished run has; what these are made from may be missing."""

TARGETS = ("job", "main", "all")
TIMED = ("records", "logs", "benchmarks", "benchmarks.tsv", "metrics.tsv", "figures/time")
"""Beginnings of the paths of results that hold times or places, which differ between runs."""


@dataclass
class Kills:
    """A finished project, and how often what was killed in it."""

    project: Project
    rng: random.Random
    counts: Counter = field(default_factory=Counter)

    def __post_init__(self) -> None:
        started = time.perf_counter()
        finish(self.project)
        self.seconds = time.perf_counter() - started
        self.expected = digests(self.project)

    def once(self) -> bool:
        """One kill, and the run after it.

        Returns:
            Whether there was anything left to kill.

        Raises:
            AssertionError: something is not whole, or the next run ends with other bytes.
        """
        stage, target = self.rng.choice([*STAGES]), self.rng.choice(TARGETS)
        for name in STAGES[stage]:
            remove(self.project.results / name)
        process = subprocess.Popen(
            self.project.command(),
            cwd=self.project.folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(self.rng.uniform(0.5, 0.5 * self.seconds))
        running = process.poll() is None
        kill(process, target, self.rng)
        process.wait()
        self.counts[f"{target} of {stage}"] += running
        check_whole(self.project)
        finish(self.project)
        after = digests(self.project)
        changed = {path for path in after if after[path] != self.expected.get(path)}
        lost = {path for path in self.expected.keys() - after.keys() if path.startswith(WANTED)}
        assert not changed and not lost, f"{target} of {stage}: changed {changed}, lost {lost}"
        return running


def kill(process: subprocess.Popen, target: str, rng: random.Random) -> None:
    """SIGKILL to a random process below Snakemake, to Snakemake, or to all."""
    try:
        below = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return
    victims = {"job": [rng.choice(below)] if below else [], "main": [], "all": below}[target]
    pids = [victim.pid for victim in victims] + ([] if target == "job" else [process.pid])
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def finish(project: Project) -> None:
    """Run to the end, after a killed run has been unlocked."""
    project.snakemake("--unlock")
    answer = project.snakemake()
    assert answer.returncode == 0, answer.stdout


def check_whole(project: Project) -> None:
    """Assert that whatever has its final name can be read to its end."""
    for path in files(project):
        try:
            if path.name.endswith(".nii.gz"):
                load_segmentation(path)
            elif path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".safetensors":
                load_inr(path)
            elif path.suffix == ".tsv":
                assert path.read_text().endswith("\n"), "no end of line at its end"
        except Exception as error:
            raise AssertionError(f"{path} is not whole: {error}") from error


def digests(project: Project) -> dict[str, str]:
    """SHA-256 of every result that should be the same in every run."""
    return {
        str(path.relative_to(project.results)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files(project)
        if not f"{path.relative_to(project.results)}".startswith(TIMED) and path.suffix != ".html"
    }


def files(project: Project) -> list[Path]:
    """Results under their final names."""
    found = [path for path in project.results.rglob("*") if path.is_file()]
    foreign = (".partial-", "results/sourcedata")
    return [path for path in found if not any(mark in str(path) for mark in foreign)]


def remove(path: Path) -> None:
    """A file or a folder, which may be gone already; content in git-annex is read-only."""
    if path.is_dir():
        subprocess.run(["chmod", "-R", "u+w", path], check=True)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def main() -> None:
    """Kill as often as the first argument says, with the seed that the second may give."""
    from tempfile import TemporaryDirectory

    from cordinr.phantom.dataset import write_phantom_dataset
    from tests.helpers.runs import copy_project, phantom_config

    times, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else SEED
    print(f"seed {seed}", flush=True)
    with TemporaryDirectory() as folder:
        source = Path(folder) / "phantom"
        write_phantom_dataset(source, subjects=1, voxel=2.0, truth=1.0, snr=40.0, seed=0)
        project = copy_project(Path(folder) / "project")
        project.configure(**phantom_config(source, fourier_dims=[8]))
        kills = Kills(project, random.Random(seed))
        while kills.counts.total() < times:
            kills.once()
            print(f"{kills.counts.total()}/{times}", dict(kills.counts.most_common()), flush=True)


if __name__ == "__main__":
    main()
