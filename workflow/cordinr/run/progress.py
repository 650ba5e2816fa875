"""Where a run is: its jobs, priors, fits and the time left, from its logs alone."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..bids.names import UNCERTAINTY_KINDS
from ..datasets.index import load_index
from ..datasets.layout import ResultPaths
from ..errors import InputError
from .snakemake_log import ERROR_PREFIX, RunLog, is_locked, parse_log, start_time

QUIET_SECONDS = 60.0
"""Seconds without a new line after which a run is called silent, and a failed fit is not shown."""

STEP = re.compile(r"step (?P<step>\d+)/(?P<steps>\d+)  (?P<said>.+?)  (.*  )?(?P<left>\d+) s left$")
"""Pattern of the line of a log that says where a fit is, or the learning of a prior."""

TAIL_BYTES = 4096
"""Number of bytes that are read of a log: its last ones."""


@dataclass(frozen=True)
class Training:
    """A fit that runs, or the learning of a prior.

    Attributes:
        name: of its image and INR, or of the file of the prior.
        step, steps: steps done and planned; 0 of 0 before the first report.
        said: the loss or the gain as reported.
        seconds_left: seconds that it expects to need.
        silent: seconds since its last report.
    """

    name: str
    step: int
    steps: int
    said: str
    seconds_left: float
    silent: float

    @property
    def part(self) -> float:
        """The part of its steps that is done, from 0 to 1."""
        return self.step / self.steps if self.steps else 0.0


@dataclass(frozen=True)
class RunState:
    """Where a run is.

    Attributes:
        jobs, planned_jobs: jobs done and planned; 0 of 0 while Snakemake plans, or if it runs
            with `--quiet`.
        failed: number of jobs that failed for good so far.
        fits_done, planned_fits: fits done and planned; None where the plan is not known yet.
        fits: the fits that run now, by name.
        priors: the priors that are learnt now, by name.
        seconds: seconds since its start.
        silent: seconds since anything was logged.
        ended: whether it is over.
    """

    jobs: int
    planned_jobs: int
    failed: int
    fits_done: int
    planned_fits: int | None
    fits: Sequence[Training]
    priors: Sequence[Training]
    seconds: float
    silent: float
    ended: bool

    @property
    def seconds_left(self) -> float | None:
        """Seconds for the fits to come, at the pace of this run; None before the pace is known."""
        done = self.fits_done + sum(fit.part for fit in self.fits)
        if not self.planned_fits or not done:
            return None
        running = max((fit.seconds_left for fit in self.fits), default=0.0)
        return max(running, (self.planned_fits - done) * self.seconds / done)


def read_run_state(results: Path, log: Path, now: float | None = None) -> RunState:
    """Read where a run is.

    Args:
        results: folder of the workflow's results.
        log: Snakemake's own log, in the folder `.snakemake/log` of where it was started.
        now: present time in seconds since the epoch.

    Raises:
        InputError: the log cannot be read.
    """
    now = time.time() if now is None else now
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
        last_entry = log.stat().st_mtime
    except OSError as error:
        raise InputError(f"{log}: cannot be read ({error.strerror}); check the path.") from error
    run = parse_log(text)
    started = start_time(log, default=last_entry)
    failed_logs = {path.resolve() for failure in run.failures for path in failure.logs}
    logs = ResultPaths(results).logs
    fits_over, fits = read_trainings(logs / "fit", started, now, failed_logs)
    _, priors = read_trainings(logs / "learn", started, now, failed_logs)
    silent = max(0.0, min([now - last_entry, *(each.silent for each in [*fits, *priors])]))
    ended = run.ended or (not is_locked(log) and silent > QUIET_SECONDS)
    return RunState(
        jobs=len(run.finished),
        planned_jobs=run.steps or run.planned.get("total", 0),
        failed=len(run.failures),
        # A cluster tells Snakemake late of jobs that have ended.
        fits_done=max(fits_over, run.count_finished("fit")),
        planned_fits=_planned_fits(run, results, started),
        fits=[] if ended else fits,
        priors=[] if ended else priors,
        seconds=(last_entry if ended else now) - started,
        silent=silent,
        ended=ended,
    )


def read_trainings(
    logs: Path, since: float, now: float, failed: set[Path]
) -> tuple[int, list[Training]]:
    """Count the fits or priors that are done, and list those that run, from their logs.

    Args:
        logs: folder of the logs of all fits or priors.
        since: start of the run in seconds since the epoch; older logs are of earlier runs.
        now: present time in seconds since the epoch.
        failed: logs of jobs that failed; one that is tried again writes its log again.
    """
    over, running = 0, []
    for path in sorted(logs.rglob("*.log")):
        try:
            status = path.stat()
        except OSError:  # Snakemake has removed it, to start the job again
            continue
        silent = max(0.0, now - status.st_mtime)
        if status.st_mtime < since or (silent > QUIET_SECONDS and path.resolve() in failed):
            continue
        last = _last_lines(path, status.st_mtime_ns, status.st_size)
        steps = list(filter(None, map(STEP.search, last)))
        if any(line.startswith(ERROR_PREFIX) for line in last):
            continue
        name = path.stem.replace("_desc-", "  ")
        training = _training(name, steps[-1] if steps else None, silent)
        if training.steps and training.step == training.steps:
            over += 1
        else:
            running.append(training)
    return over, running


def _training(name: str, report: re.Match[str] | None, silent: float) -> Training:
    if report is None:
        return Training(name, 0, 0, "", 0.0, silent)
    step, steps, left = int(report["step"]), int(report["steps"]), float(report["left"])
    return Training(name, step, steps, report["said"], left, silent)


@cache
def _last_lines(path: Path, modified: int, size: int) -> list[str]:
    """The last lines of a log; only read again when it was modified, as there may be a thousand."""
    with path.open("rb") as file:
        file.seek(max(0, size - TAIL_BYTES))
        return file.read().decode(errors="replace").splitlines()


def _planned_fits(run: RunLog, results: Path, since: float) -> int | None:
    """How many fits a run does.

    Snakemake's plan says it, unless the run began with the index: then a fit is planned for every
    image and INR that has no record from before.
    """
    if not run.planned:
        return None
    if not run.count_planned("index"):
        return run.count_planned("fit")
    paths = ResultPaths(results)
    try:
        images = [row for row in load_index(paths.index) if row.path]
        described = paths.descriptions.read_text().splitlines()
    except (InputError, OSError):
        return None
    words = [line.split("\t")[0].removeprefix("desc-") for line in described]
    labels = [
        word for word in words if word.startswith("inr") and not word.endswith(UNCERTAINTY_KINDS)
    ]
    records = [paths.record(row, label) for row in images for label in labels]
    return sum(not path.exists() or path.stat().st_mtime >= since for path in records)
