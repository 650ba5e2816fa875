"""The verbs that draw figures: of one image, and of all images."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from ..figures.captions import CAPTIONS
from . import Panel, verb
from .options import Mask, Reference

Png = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="PNG to write.")]


@verb(
    Panel.TABLES,
    "inr.nii.gz --baseline tv.nii.gz --metrics inr.json --metrics tv.json "
    "--reference T2w.nii.gz --view axial.nii.gz -o comparison.png",
)
def compare(
    inr: Annotated[
        list[Path],
        typer.Argument(metavar="INR", help="INR reconstructions of one image, on its grid."),
    ],
    baseline: Annotated[
        list[Path],
        typer.Option(metavar="IMAGE", help="Baseline reconstruction of it, repeatable."),
    ],
    metrics: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="JSON of `cordinr evaluate`, one per reconstruction, INRs first; repeatable.",
        ),
    ],
    reference: Reference,
    view: Annotated[
        list[Path],
        typer.Option("--view", metavar="IMAGE", help="View of the image, repeatable."),
    ],
    output: Png,
    mask: Mask = None,
) -> None:
    """Draw reference, views, baselines and the best INR side by side, with their errors."""
    from ..bids.cord_mask import load_cord
    from ..bids.names import image_of
    from ..figures.comparison import comparison_figure
    from ..figures.panels import load_recon_panels, load_view_panels
    from ..figures.plane_page import save_figure
    from ..imaging.volume import load_volume

    raw = load_volume(reference)
    cord = load_cord(mask, raw.grid)
    views, recons = load_view_panels(view), load_recon_panels(inr, baseline, metrics)
    save_figure(output, comparison_figure(raw, views, recons, cord, image_of(inr[0])))


@verb(
    Panel.TABLES,
    "inr.nii.gz inr_res-iso05.nii.gz --metrics inr.json --reference T2w.nii.gz -o resolution.png",
)
def resolution(
    inr: Annotated[
        list[Path],
        typer.Argument(metavar="INR", help="Renderings of INRs of one image, at all voxel sizes."),
    ],
    metrics: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="JSON of `cordinr evaluate` for a rendering, repeatable; needed for those on the "
            "grid of the raw image.",
        ),
    ],
    reference: Reference,
    output: Png,
    truth: Annotated[
        Path | None,
        typer.Option(metavar="IMAGE", help="True image at the voxel size of a rendering."),
    ] = None,
    mask: Mask = None,
) -> None:
    """Draw the best INR on the grid of the raw image and at finer voxels, at one place."""
    from ..bids.cord_mask import load_cord
    from ..bids.names import image_of
    from ..figures.panels import load_renderings
    from ..figures.plane_page import save_figure
    from ..figures.resolution import resolution_figure
    from ..imaging.volume import load_volume

    raw = load_volume(reference)
    cord = load_cord(mask, raw.grid)
    renderings, method = load_renderings(inr, metrics, truth)
    title = f"{image_of(inr[0])}: {method}"
    save_figure(output, resolution_figure(raw, renderings, cord, title))


@verb(Panel.TABLES, "metrics.tsv --figure outliers -o outliers.svg")
def cohort(
    metrics: Annotated[
        Path, typer.Argument(metavar="TABLE", help="metrics.tsv that `cordinr aggregate` wrote.")
    ],
    figure: Annotated[str, typer.Option(metavar="NAME", help=f"One of {', '.join(CAPTIONS)}.")],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="SVG to write, with its numbers as TSV beside it.",
        ),
    ],
    region: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Voxels whose metrics are drawn: fov (field of view of all views), fg "
            "(foreground) or cord.",
        ),
    ] = "fov",
) -> None:
    """Draw a figure of all images, and write its numbers as a table beside it."""
    from functools import partial

    from ..errors import InputError
    from ..evaluation.table import load_table, save_table
    from ..figures.ablation import ablation_data, ablation_figure
    from ..figures.outliers import outliers_data, outliers_figure
    from ..figures.sites import sites_data, sites_figure
    from ..figures.style import save_svg
    from ..figures.timing import time_data, time_figure
    from ..files import check_writable

    figures: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
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
    compute, draw = figures[figure]
    try:
        data = compute(table, region)
    except InputError as error:
        raise InputError(f"{metrics}: {error}") from error
    save_table(numbers, data)
    save_svg(output, draw(data))
