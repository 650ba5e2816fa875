"""The verbs about a run of the workflow: where it is, what it did, whom it lacks."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import Panel, verb

if TYPE_CHECKING:
    from ..run.progress import RunState

LIVE_SECONDS = 1.0
"""Seconds between two readings of the logs, on a terminal."""

PLAIN_SECONDS = 30.0
"""Seconds between two readings of the logs, elsewhere."""

Results = Annotated[
    Path, typer.Argument(metavar="RESULTS", help="Folder of the results of the run.")
]


@verb(Panel.RUNS, "results")
def watch(
    results: Results = Path("results"),
    log: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Snakemake's own log; default: the newest in this folder."
        ),
    ] = None,
    every: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            help="Time between two readings of the logs; default: 1 on a terminal, else 30.",
        ),
    ] = None,
) -> None:
    """Show the progress of a run until it ends: its jobs, priors and fits, the time left.

    It reads only logs, so that it can be started at any time, wherever the
    jobs run. Ctrl-C ends it; the run goes on.
    """
    from ..run.snakemake_log import find_newest_log

    log = log or find_newest_log(Path())
    on_terminal = sys.stdout.isatty()
    show = _show_live if on_terminal else _print_changes
    try:
        show(_read_states(results, log, every or (LIVE_SECONDS if on_terminal else PLAIN_SECONDS)))
    except KeyboardInterrupt:
        raise typer.Exit from None


@verb(Panel.RUNS, "results")
def summary(
    results: Results = Path("results"),
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Snakemake's own log of the run.")
    ] = None,
) -> None:
    """Print what a run did: jobs done and failed, images missing and why, hours of fits."""
    from ..run.summary import known_missing, summarise

    for line in summarise(results, log, known_missing(results)):
        print(line)


@verb(Panel.RUNS, "results/inputs.tsv")
def found(
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="inputs.tsv of a run.")],
) -> None:
    """Fail if a subject that was asked for has no image in the index.

    Scans that do not make up a set are no reason to fail, unless a subject
    that was asked for by name has no others.
    """
    from ..datasets.index import load_index
    from ..datasets.source import first_few
    from ..errors import InputError

    rows = load_index(index)
    missing = [row.image for row in rows if not row.path and not row.incomplete]
    if missing:
        raise InputError(
            f"{index}: {len(missing)} of {len(rows)} have no image ({first_few(missing)}), for "
            "reasons in its column problem; correct dataset.subjects, or mend the dataset and run "
            "with --forcerun index."
        )


def _read_states(results: Path, log: Path, every: float) -> "Iterator[RunState]":
    """Read the state of a run every so often; the last state is that of its end."""
    from ..run.progress import read_run_state

    while not (state := read_run_state(results, log)).ended:
        yield state
        time.sleep(every)
    yield state


def _show_live(states: "Iterator[RunState]") -> None:
    """Show states as bars that change in place."""
    from rich.live import Live

    from .progress_bars import make_table

    with Live(refresh_per_second=4) as screen:
        for state in states:
            screen.update(make_table(state), refresh=True)


def _print_changes(states: "Iterator[RunState]") -> None:
    """Print the lines that have changed since the state before."""
    from .progress_bars import list_lines

    before: list[str] = []
    for state in states:
        now = list_lines(state)
        for line in now:
            if line not in before:
                print(line, flush=True)
        before = now
