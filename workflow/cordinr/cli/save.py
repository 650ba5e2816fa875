"""The verb that keeps results under version control."""

from pathlib import Path
from typing import Annotated

import typer

from . import Panel, verb


@verb(Panel.DATASETS, "results/cordinr --raw results/sourcedata/phantom")
def save(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Root of the derivatives dataset.")],
    raw: Annotated[Path, typer.Option(metavar="DIR", help="DataLad clone of the raw dataset.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="JSON to write, which names the commit."
        ),
    ] = None,
) -> None:
    """Save derivatives as a DataLad dataset that `datalad rerun` can repeat."""
    from ..datasets.run_records import save_results
    from ..files import write_json

    commit = save_results(folder, raw)
    print(f"{folder} at {commit}")
    if output:
        write_json(output, {"commit": commit})
