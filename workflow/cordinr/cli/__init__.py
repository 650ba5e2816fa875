"""The `cordinr` command: one verb per step, each usable by hand without Snakemake.

Verbs import the numerics only when they run, so that `cordinr --help` answers at once.
"""

import atexit
import gc
import logging
import sys
from typing import Annotated

import typer

from .. import __version__
from ..errors import InputError, is_out_of_memory, shorten

app = typer.Typer(
    name="cordinr",
    help="Isotropic spinal cord MRI from thick-slice views, by implicit neural representation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

GARBAGE_THRESHOLD = 50_000
"""New objects between two searches for garbage: imports make many and drop next to none."""

WORKFLOW_MODULES = {"bids", "datalad", "jinja2", "matplotlib", "pandas", "skimage", "snakemake"}
"""Modules that only `pip install 'cordinr[workflow]'` installs."""


def _print_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


class NoteHandler(logging.Handler):
    """Prints what the library warns of as `note: ...` on stderr, the same words once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Print one note."""
        text = _one_line(record.getMessage())
        if text not in self.said:
            self.said.add(text)
            print(f"note: {text}", file=sys.stderr)


def say_notes() -> None:
    """Let the notes of the library reach the person at the keyboard; a library only logs them."""
    logging.getLogger("cordinr").handlers = [NoteHandler()]


def main() -> None:
    """Run the command; what the user can mend is one sentence on stderr and exit code 1."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    say_notes()
    from . import cohort, dataset, evaluate, pages, reconstruct, save, watch  # noqa: F401  (they register their verbs)

    # Else the last garbage collection goes through all that torch has loaded: half a second.
    atexit.register(gc.freeze)
    try:
        app()
    except InputError as error:
        print(f"cordinr: error: {_one_line(str(error))}", file=sys.stderr)
        sys.exit(1)
    except ModuleNotFoundError as error:
        module = str(error.name).partition(".")[0]
        if module not in WORKFLOW_MODULES:
            raise
        print(
            f"cordinr: error: this verb needs the workflow extra, and {module} is not installed: "
            "pip install 'cordinr[workflow]'",
            file=sys.stderr,
        )
        sys.exit(1)
    except (MemoryError, OSError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        reason = _one_line(str(error)) or type(error).__name__
        print(
            f"cordinr: error: out of memory ({reason}); close other programs, or choose larger "
            "voxels or a smaller image.",
            file=sys.stderr,
        )
        sys.exit(1)


def _one_line(text: str) -> str:
    """Without what a file name or a hostile file could do to a terminal or a log."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in shorten(text))
