"""How `watch` shows where a run is: bars on a terminal, lines elsewhere."""

from rich.progress_bar import ProgressBar
from rich.table import Table

from ..run.progress import QUIET_SECONDS, Fit, RunState

BAR_CHARACTERS = 32
"""Characters."""


def lines(state: RunState) -> list[str]:
    """A line for the run, and one for each running fit."""
    steps = [(fit, f"step {fit.step}/{fit.steps}  " if fit.steps else "") for fit in state.fits]
    return [
        f"{jobs_text(state)}; {fits_text(state)}",
        *(f"  {fit.name}  {step}{fit_text(fit)}" for fit, step in steps),
    ]


def table(state: RunState) -> Table:
    """Jobs and fits as bars, and a bar for each running fit below them."""
    done = state.fits_done + sum(fit.part for fit in state.fits)
    rows = [
        ("Jobs", state.jobs, state.planned_jobs, jobs_text(state)),
        ("Fits", done, state.planned_fits, fits_text(state)),
        *((fit.name, fit.step, fit.steps, fit_text(fit)) for fit in state.fits),
    ]
    grid = Table.grid(padding=(0, 2))
    for name, part, whole, text in rows:
        bar = ProgressBar(total=whole or 1, completed=part if whole else 0, width=BAR_CHARACTERS)
        grid.add_row(name, bar, text)
    return grid


def jobs_text(state: RunState) -> str:
    """The jobs of a run in words."""
    # Of a quiet run nobody knows how many are planned.
    planned = f" of {state.planned_jobs}" if state.planned_jobs else ""
    text = f"{state.jobs}{planned} jobs done, {state.failed} failed"
    if state.ended:
        return f"{text}; the run has ended after {duration(state.seconds)}"
    if state.silent > QUIET_SECONDS:
        text += f"; nothing new for {duration(state.silent)}"
    return text


def fits_text(state: RunState) -> str:
    """The fits of a run in words."""
    total = "" if state.planned_fits is None else f" of {state.planned_fits}"
    text = f"{state.fits_done}{total} fits done"
    if state.fits:
        text += f", {len(state.fits)} running"
    if state.seconds_left and not state.ended:
        text += f", about {duration(state.seconds_left)} left"
    return text


def fit_text(fit: Fit) -> str:
    """A running fit in words, its steps aside."""
    text = f"loss {fit.loss}, {duration(fit.seconds_left)} left" if fit.steps else "starting"
    if fit.silent > QUIET_SECONDS:
        text += f", nothing new for {duration(fit.silent)}"
    return text


def duration(seconds: float) -> str:
    """A time for people: 40 s, 12 min, 3 h 20 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{rest} s"
