"""The `cordinr` command: one verb per step, each usable by hand without Snakemake.

- `labels`: segmentations carried between scans and reconstructions.
- `placing`: scans read and aligned; `reconstruction_files`: what is written beside an image.
- `align`, `reconstruct`, `simulate`, `baseline`, `evaluate`: from images to scores; `fitting`: what
  the verbs around one INR share.
- `learn`: a prior from the references of other people; `learners`: these references; `priors`: a
  prior read for a person who is not in it, and what sidecars say of it.
- `trust`: how far a reconstruction can be trusted without a reference; `reconstruction_page`: the
  page of one.
- `figures`, `pages`: pictures and HTML; `runs`: where a run is; `dataset`, `save`: datasets.
- `options`, `checks`, `progress_bars`: what several verbs share.

Verbs import the numerics only when they run, so that `cordinr --help` answers at once.
"""

import atexit
import gc
import logging
import sys
from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from typing import Annotated, Any

import typer

from .. import __version__
from ..errors import InputError, is_out_of_memory, shorten

app = typer.Typer(
    name="cordinr",
    help="Isotropic spinal cord MRI from thick-slice views, by implicit neural representation.",
    epilog="`cordinr VERB --help` explains a verb and ends with an example.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

GARBAGE_THRESHOLD = 50_000
"""Number of new objects between two garbage collections; imports make many and drop few."""

WORKFLOW_MODULES = {"bids", "datalad", "jinja2", "matplotlib", "pandas", "skimage", "snakemake"}
"""Modules that only `pip install 'cordinr[workflow]'` installs."""


VERB_MODULES = (
    "reconstruct",
    "align",
    "trust",
    "labels",
    "simulate",
    "baseline",
    "learn",
    "evaluate",
    "figures",
    "pages",
    "runs",
    "dataset",
    "save",
)
"""Modules of the verbs, in the order in which the help lists them."""


class Panel(StrEnum):
    """Groups of verbs in the help."""

    SCANS = "The scans of one patient"
    STEPS = "Further steps of the workflow"
    TABLES = "Tables, figures and pages"
    RUNS = "A run of the workflow"
    DATASETS = "Datasets"


def verb(panel: Panel, example: str, name: str | None = None) -> Callable[[Any], Any]:
    """Register a function as a verb of the command.

    Args:
        panel: its group in the help.
        example: arguments of the verb, for the last line of its help.
        name: of the verb; default: that of the function.

    Returns:
        A decorator.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        line = f"Example: cordinr {name or function.__name__} {example}"
        return app.command(name, epilog=line, rich_help_panel=panel)(function)

    return register


def _print_version(is_asked: bool) -> None:
    if is_asked:
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
    """Prints the warnings of the library as `note: ...` on stderr, each text once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.printed: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Print one note."""
        text = _one_line(record.getMessage())
        if text not in self.printed:
            self.printed.add(text)
            print(f"note: {text}", file=sys.stderr)


def register_verbs() -> None:
    """Import the modules of all verbs, which register them."""
    for module in VERB_MODULES:
        import_module(f".{module}", __package__)


def print_notes() -> None:
    """Print the warnings of the library, which itself only logs them."""
    logging.getLogger("cordinr").handlers = [NoteHandler()]


def main() -> None:
    """Run the command; an error that the user can mend is one sentence on stderr, exit code 1."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    print_notes()
    register_verbs()

    # Otherwise the last garbage collection visits all that torch has loaded, in half a second.
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
    """Escape characters of a file name or a hostile file that would control a terminal or a log."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in shorten(text))
