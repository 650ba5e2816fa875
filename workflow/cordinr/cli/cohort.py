"""The verb that draws all images together."""

from pathlib import Path
from typing import Annotated

import typer

from ..figures.captions import CAPTIONS
from . import app


@app.command()
def cohort(
    metrics: Annotated[Path, typer.Argument(help="metrics.tsv that `cordinr aggregate` wrote.")],
    figure: Annotated[str, typer.Option(help=f"One of {', '.join(CAPTIONS)}.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="SVG to write, with its numbers as TSV.")
    ],
    region: Annotated[str, typer.Option(help="fov, fg or cord.")] = "fov",
) -> None:
    """Draw a figure of all images, and write what it shows as a table beside it."""
    from functools import partial

    from ..errors import InputError
    from ..evaluation.table import load_table, save_table
    from ..figures.ablation import ablation_data, ablation_figure
    from ..figures.outliers import outliers_data, outliers_figure
    from ..figures.sites import sites_data, sites_figure
    from ..figures.style import save_svg
    from ..figures.timing import time_data, time_figure
    from ..files import check_writable

    figures = {
        "ablation": (ablation_data, ablation_figure),
        "sigmas": (partial(ablation_data, over="sigma"), ablation_figure),
        "time": (time_data, time_figure),
        "outliers": (outliers_data, outliers_figure),
        "sites": (sites_data, sites_figure),
    }
    if figure not in figures:
        raise InputError(f"figure '{figure}' is not known; use {', '.join(figures)}.")
    if output.suffix != ".svg":
        raise InputError(f"{output}: is not named .svg; choose such a name.")
    numbers = output.with_suffix(".tsv")
    check_writable(output, numbers, inputs=[metrics])
    table = load_table(metrics)
    data_of, draw = figures[figure]
    try:
        data = data_of(table, region)
    except InputError as error:
        raise InputError(f"{metrics}: {error}") from error
    save_table(numbers, data)
    save_svg(output, draw(data))
