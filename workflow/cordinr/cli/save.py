"""The verb that keeps results under version control."""

from pathlib import Path
from typing import Annotated

import typer

from . import app


@app.command()
def save(
    folder: Annotated[Path, typer.Argument(help="Root of the derivatives dataset.")],
    raw: Annotated[Path, typer.Option(help="DataLad clone of the raw dataset.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="JSON file for the commit.")
    ] = None,
) -> None:
    """Save derivatives as a DataLad dataset, with a record that `datalad rerun` can repeat."""
    from ..datasets.run_records import save_results
    from ..files import write_json

    commit = save_results(folder, raw)
    print(f"{folder} at {commit}")
    if output:
        write_json(output, {"commit": commit})
