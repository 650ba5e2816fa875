"""The `cordinr` command: one verb per step, each usable by hand without Snakemake.

Verbs import the numerics only when they run, so that `cordinr --help` answers at once.
"""

import sys
from typing import Annotated

import typer

from .. import __version__
from ..errors import InputError

app = typer.Typer(
    name="cordinr",
    help="Isotropic spinal cord MRI from thick-slice views, by implicit neural representation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


def main() -> None:
    """Run the command; what the user can mend is one sentence on stderr and exit code 1."""
    from . import dataset, quality, reconstruction  # noqa: F401  (they register their verbs)

    try:
        app()
    except InputError as error:
        print(f"cordinr: error: {error}", file=sys.stderr)
        sys.exit(1)
