"""Where a run is: jobs, fits and time left, from its logs alone, wherever its jobs run."""

import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..datasets.index import load_index
from ..datasets.layout import ResultPaths
from ..errors import InputError
from .summary import ERROR_PREFIX, read_run

QUIET_SECONDS = 60.0
"""A log that does not change for as long is worth a word, and a failed fit no line any more."""

STEP = re.compile(
    r"step (?P<step>\d+)/(?P<steps>\d+)  loss (?P<loss>\S+)  .* (?P<left>\d+) s left$"
)
"""The line of a fit's log that says where it is."""

JOBS = re.compile(r"^(\d+) of (\d+) steps \(", re.MULTILINE)
PLANNED = re.compile(r"^(?:\w+_)?(fit|index|total) +(\d+)$", re.MULTILINE)
FINISHED_FIT = re.compile(r"^Finished jobid: \d+ \(Rule: (?:\w+_)?fit\)", re.MULTILINE)
ENDED = re.compile(r"^Complete log\(s\): |^Nothing to be done", re.MULTILINE)
"""Lines of Snakemake's own log. A module may put its name before a rule's."""

TAIL_BYTES = 4096
"""Bytes of a fit's log that are read."""


@dataclass(frozen=True)
class Fit:
    """A running fit.

    Attributes:
        name: of its image and INR.
        step, steps: done and planned; 0 of 0 before the first report.
        loss: as reported.
        seconds_left: for this fit.
        silent: seconds since its last report.
    """

    name: str
    step: int
    steps: int
    loss: str
    seconds_left: float
    silent: float

    @property
    def part(self) -> float:
        """What is done of it, 0 to 1."""
        return self.step / self.steps if self.steps else 0.0


@dataclass(frozen=True)
class RunState:
    """Where a run is.

    Attributes:
        jobs, planned_jobs: done and planned; 0 of 0 while Snakemake plans, or is told to be quiet.
        failed: jobs that failed for good so far.
        fits_done, planned_fits: of this run; None where it is not known yet.
        fits: that run now, by name.
        seconds: since its start.
        silent: seconds since anything was said.
        ended: whether it is over.
    """

    jobs: int
    planned_jobs: int
    failed: int
    fits_done: int
    planned_fits: int | None
    fits: Sequence[Fit]
    seconds: float
    silent: float
    ended: bool

    @property
    def seconds_left(self) -> float | None:
        """For the fits to come, at the pace of this run; None while nobody can tell."""
        done = self.fits_done + sum(fit.part for fit in self.fits)
        if not self.planned_fits or not done:
            return None
        running = max((fit.seconds_left for fit in self.fits), default=0.0)
        return max(running, (self.planned_fits - done) * self.seconds / done)


def newest_log(folder: Path) -> Path:
    """Snakemake's own log of the newest run in a folder; dry-runs leave none.

    Raises:
        InputError: there is none.
    """
    logs = sorted((folder / ".snakemake" / "log").glob("*.snakemake.log"))
    if not logs:
        raise InputError(
            f"{folder}: no run of Snakemake was started here; go to its folder, or name --log."
        )
    return logs[-1]


def read_run_state(results: Path, log: Path, now: float | None = None) -> RunState:
    """Where a run is.

    Args:
        results: folder of the workflow's results.
        log: Snakemake's own, in the folder `.snakemake/log` of where it was started.
        now: seconds since the epoch.

    Raises:
        InputError: the log cannot be read.
    """
    now = time.time() if now is None else now
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
        spoke = log.stat().st_mtime
    except OSError as error:
        raise InputError(f"{log}: cannot be read ({error.strerror}); check the path.") from error
    started = _start(log, spoke)
    done, failures = read_run(text)
    jobs = JOBS.findall(text)
    failed_logs = {path.resolve() for failure in failures for path in failure.logs}
    over, fits = read_fits(ResultPaths(results).logs / "fit", started, now, failed_logs)
    silent = max(0.0, min([now - spoke, *(fit.silent for fit in fits)]))
    locked = any((log.parents[1] / "locks").glob("*.lock"))
    ended = bool(ENDED.search(text)) or (not locked and silent > QUIET_SECONDS)
    return RunState(
        jobs=done,
        planned_jobs=int(jobs[-1][1]) if jobs else _plan(text)["total"],
        failed=len(failures),
        # A cluster tells Snakemake late of jobs that have ended.
        fits_done=max(over, len(FINISHED_FIT.findall(text))),
        planned_fits=_planned_fits(text, results, started),
        fits=[] if ended else fits,
        seconds=(spoke if ended else now) - started,
        silent=silent,
        ended=ended,
    )


def read_fits(logs: Path, since: float, now: float, failed: set[Path]) -> tuple[int, list[Fit]]:
    """How many fits are over, and those that run: what their logs say.

    Args:
        logs: folder of the logs of all fits, which mirrors the dataset.
        since: logs of before are of earlier runs, seconds since the epoch.
        now: likewise.
        failed: logs of jobs that failed; one that tries again writes its log again.
    """
    over, fits = 0, []
    for path in sorted(logs.rglob("*.log")):
        try:
            changed = path.stat()
        except OSError:  # Snakemake is about to begin it again
            continue
        silent = max(0.0, now - changed.st_mtime)
        if changed.st_mtime < since or (silent > QUIET_SECONDS and path.resolve() in failed):
            continue
        last = _last_lines(path, changed.st_mtime_ns, changed.st_size)
        steps = list(filter(None, map(STEP.search, last)))
        if any(line.startswith(ERROR_PREFIX) for line in last):
            continue
        fit = _fit(path.stem.replace("_desc-", "  "), steps[-1] if steps else None, silent)
        if fit.steps and fit.step == fit.steps:
            over += 1
        else:
            fits.append(fit)
    return over, fits


def _fit(name: str, at: re.Match[str] | None, silent: float) -> Fit:
    if at is None:
        return Fit(name, 0, 0, "", 0.0, silent)
    return Fit(name, int(at["step"]), int(at["steps"]), at["loss"], float(at["left"]), silent)


@cache
def _last_lines(path: Path, modified: int, size: int) -> list[str]:
    """Of a log; read again when it was modified, as there may be a thousand that were not."""
    with path.open("rb") as file:
        file.seek(max(0, size - TAIL_BYTES))
        return file.read().decode(errors="replace").splitlines()


def _start(log: Path, default: float) -> float:
    """When a run began, seconds since the epoch: Snakemake names its log by it."""
    try:
        return time.mktime(time.strptime(log.name.split(".")[0], "%Y-%m-%dT%H%M%S"))
    except ValueError:
        return default


def _plan(text: str) -> Counter[str]:
    """How many jobs of each rule Snakemake announces at its start, and their `total`."""
    table = text.partition("Job stats:")[2].partition("\n\n")[0]
    return Counter({rule: int(count) for rule, count in PLANNED.findall(table)})


def _planned_fits(text: str, results: Path, since: float) -> int | None:
    """How many fits a run does.

    Snakemake's plan says it, unless the run began with the index: then a fit is planned for every
    image and INR that has no record of before.
    """
    plan = _plan(text)
    if not plan:
        return None
    if not plan["index"]:
        return plan["fit"]
    paths = ResultPaths(results)
    try:
        images = [row for row in load_index(paths.index) if row.path]
        described = paths.descriptions.read_text().splitlines()
    except (InputError, OSError):
        return None
    words = [line.split("\t")[0].removeprefix("desc-") for line in described]
    labels = [word for word in words if word.startswith("inr") and not word.endswith("spread")]
    records = [paths.record(row, label) for row in images for label in labels]
    return sum(not path.exists() or path.stat().st_mtime >= since for path in records)
