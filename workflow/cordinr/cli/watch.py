"""The verb that shows where a run is, while it is going on."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import app

if TYPE_CHECKING:
    from ..run.progress import RunState

LIVE_SECONDS, PLAIN_SECONDS = 1.0, 30.0
"""Between two looks, on a terminal and elsewhere."""


@app.command()
def watch(
    results: Annotated[Path, typer.Argument(help="Folder of the workflow's results.")] = Path(
        "results"
    ),
    log: Annotated[
        Path | None, typer.Option(help="Snakemake's own log; default: the newest of this folder.")
    ] = None,
    every: Annotated[
        float | None,
        typer.Option(min=0.1, help="Seconds between two looks; default: 1 on a terminal, else 30."),
    ] = None,
) -> None:
    """Show where a run is until it ends: its jobs, the running fits, the time left.

    Reads logs alone, so that it can begin at any time, wherever the jobs run. Ctrl-C ends it; the
    run goes on.
    """
    from ..run.progress import newest_log

    log = log or newest_log(Path())
    on_terminal = sys.stdout.isatty()
    show = _show_live if on_terminal else _print
    try:
        show(_states(results, log, every or (LIVE_SECONDS if on_terminal else PLAIN_SECONDS)))
    except KeyboardInterrupt:
        raise typer.Exit from None


def _states(results: Path, log: Path, every: float) -> "Iterator[RunState]":
    """A look every so often; the last one when the run has ended."""
    from ..run.progress import read_run_state

    while not (state := read_run_state(results, log)).ended:
        yield state
        time.sleep(every)
    yield state


def _show_live(states: "Iterator[RunState]") -> None:
    from rich.live import Live

    from .progress_bars import table

    with Live(refresh_per_second=4) as screen:
        for state in states:
            screen.update(table(state), refresh=True)


def _print(states: "Iterator[RunState]") -> None:
    """Lines that differ from those of the look before."""
    from .progress_bars import lines

    before: list[str] = []
    for state in states:
        now = lines(state)
        for line in now:
            if line not in before:
                print(line, flush=True)
        before = now
