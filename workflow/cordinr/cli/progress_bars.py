"""Progress of a fit and of a run: bars on a terminal, lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..run.progress import QUIET_SECONDS, RunState, Training

if TYPE_CHECKING:
    from rich.table import Table

    from ..inr.training import Progress

BAR_CHARACTERS = 32
"""Width of a bar in characters."""


@contextmanager
def show_fit(name: str) -> "Iterator[Callable[[Progress], None]]":
    """Show a fit on stderr: a bar on a terminal, a line per report elsewhere.

    Args:
        name: in front of bar or line.

    Yields:
        A function that shows a report.
    """
    if not sys.stderr.isatty():
        yield lambda report: print(f"{name}  {report_text(report)}", file=sys.stderr, flush=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(name), BarColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda report: bar.update(
            task, total=report.steps, completed=report.step, description=report_text(report)
        )


def report_text(report: "Progress") -> str:
    """Write a report of a fit; `cordinr watch` reads such lines."""
    return (
        f"step {report.step}/{report.steps}  loss {report.loss:.2e}  "
        f"{report.points_per_second / 1e6:.2f} M points/s  {report.seconds_left:.0f} s left"
    )


def list_lines(state: RunState) -> list[str]:
    """Write a line for the run, and one for each prior that is learnt and each running fit."""
    lines = [f"{jobs_text(state)}; {fits_text(state)}"]
    for name, training in _running(state):
        step = f"step {training.step}/{training.steps}  " if training.steps else ""
        lines.append(f"  {name}  {step}{training_text(training)}")
    return lines


def make_table(state: RunState) -> "Table":
    """Make a table with bars for jobs and fits, and one for each prior and fit that runs."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    done = state.fits_done + sum(fit.part for fit in state.fits)
    rows = [
        ("Jobs", state.jobs, state.planned_jobs, jobs_text(state)),
        ("Fits", done, state.planned_fits, fits_text(state)),
        *((name, each.step, each.steps, training_text(each)) for name, each in _running(state)),
    ]
    grid = Table.grid(padding=(0, 2))
    for name, part, whole, text in rows:
        bar = ProgressBar(total=whole or 1, completed=part if whole else 0, width=BAR_CHARACTERS)
        grid.add_row(name, bar, text)
    return grid


def _running(state: RunState) -> "Iterator[tuple[str, Training]]":
    """The priors and the fits that run, with their names."""
    yield from ((f"prior {each.name}", each) for each in state.priors)
    yield from ((each.name, each) for each in state.fits)


def jobs_text(state: RunState) -> str:
    """Write the jobs of a run in words."""
    # Snakemake does not say how many jobs a quiet run plans.
    planned = f" of {state.planned_jobs}" if state.planned_jobs else ""
    text = f"{state.jobs}{planned} jobs done, {state.failed} failed"
    if state.ended:
        return f"{text}; the run has ended after {duration_text(state.seconds)}"
    if state.silent > QUIET_SECONDS:
        text += f"; nothing new for {duration_text(state.silent)}"
    return text


def fits_text(state: RunState) -> str:
    """Write the fits of a run in words."""
    total = "" if state.planned_fits is None else f" of {state.planned_fits}"
    text = f"{state.fits_done}{total} fits done"
    if state.fits:
        text += f", {len(state.fits)} running"
    if state.seconds_left and not state.ended:
        text += f", about {duration_text(state.seconds_left)} left"
    return text


def training_text(training: Training) -> str:
    """Write a running fit or a prior in words, without its steps."""
    text = "starting"
    if training.steps:
        text = f"{training.said}, {duration_text(training.seconds_left)} left"
    if training.silent > QUIET_SECONDS:
        text += f", nothing new for {duration_text(training.silent)}"
    return text


def duration_text(seconds: float) -> str:
    """Write a time for people: 40 s, 12 min, 3 h 20 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{rest} s"
