"""Verbs that say how good the reconstructions are: figures, tables, pictures."""

from pathlib import Path
from typing import Annotated

import typer

from . import app

Reference = Annotated[Path, typer.Option(help="What the reconstruction should be.")]
Mask = Annotated[Path | None, typer.Option(help="Spinal cord segmentation of the reference.")]
Views = Annotated[
    list[Path] | None, typer.Option("--view", help="View the reconstruction came from, repeatable.")
]
Picture = Annotated[Path, typer.Option("-o", "--output", help="PNG to write.")]


@app.command()
def evaluate(
    recon: Annotated[list[Path], typer.Argument(help="Reconstructions, on the reference's grid.")],
    reference: Reference,
    output: Annotated[list[Path], typer.Option("-o", "--output", help="JSON, one per image.")],
    mask: Mask = None,
    view: Views = None,
) -> None:
    """Compare reconstructions with their reference."""
    from .. import __version__
    from ..errors import InputError
    from ..evaluation import metrics
    from ..evaluation.identity import build_regions, read_identity
    from ..files import write_json
    from ..imaging.volume import load_volume

    if len(output) != len(recon):
        raise InputError("evaluate: give one -o per reconstruction.")
    truth = load_volume(reference)
    regions = build_regions(truth, mask, view or [])
    for path, target in zip(recon, output, strict=True):
        volume = load_volume(path)
        if not volume.grid.matches(truth.grid):
            raise InputError(f"{path}: is not on the grid of {reference}; render it --like that.")
        row = {
            **read_identity(path),
            "voxel_size": round(float(truth.grid.voxel_sizes.prod()) ** (1 / 3), 4),
            "version": __version__,
            **metrics.evaluate(volume.array, truth.array, regions),
        }
        write_json(target, row)


@app.command()
def aggregate(
    output: Annotated[Path, typer.Option("-o", "--output", help="TSV to write, with its JSON.")],
    metrics: Annotated[
        list[Path] | None, typer.Argument(help="JSON files that `cordinr evaluate` wrote.")
    ] = None,
    index: Annotated[Path | None, typer.Option(help="Instead: inputs.tsv of a whole run.")] = None,
    method: Annotated[list[str] | None, typer.Option(help="With --index: desc labels.")] = None,
    res: Annotated[list[str] | None, typer.Option(help="With --index: res labels.")] = None,
    folder: Annotated[Path, typer.Option(help="With --index: holds metrics/, records/.")] = Path(
        "results"
    ),
    failed: Annotated[
        Path | None, typer.Option(help="With --index: failed.tsv of a run, whom to leave out.")
    ] = None,
    partial: Annotated[
        bool,
        typer.Option(
            "--partial",
            help="With --index: of a run that failed or was stopped; what there is, and why "
            "images are missing.",
        ),
    ] = False,
) -> None:
    """Gather metrics in one table, with a dictionary of its columns beside it."""
    from ..datasets.index import load_index
    from ..datasets.layout import ResultPaths
    from ..errors import InputError
    from ..evaluation import table
    from ..evaluation.aggregate import collect
    from ..evaluation.failed import load_failed
    from ..files import check_writable, write_json
    from ..run.summary import why_missing

    if bool(metrics) == bool(index):
        raise InputError("aggregate: give either metrics files or --index.")
    if partial and not index:
        raise InputError("aggregate: --partial needs --index, which says what there should be.")
    if output.suffix != ".tsv":
        raise InputError(f"{output}: is not named .tsv; choose such a name.")
    dictionary = output.with_suffix(".json")
    check_writable(output, dictionary, inputs=metrics or [])
    if index:
        paths = ResultPaths(folder)
        explain = (lambda image: why_missing(image, paths.logs)) if partial else None
        images, failures = load_index(index), load_failed(failed) if failed else []
        rows = collect(images, method or [], res or [], paths, explain, failures)
    else:
        rows = [table.read_metrics(path) for path in metrics]
    if not partial:
        write_json(dictionary, table.column_dictionary())
    table.save_table(output, table.tabulate(rows))


@app.command()
def found(index: Annotated[Path, typer.Argument(help="inputs.tsv of a run.")]) -> None:
    """Fail where an index has no image of somebody who was asked for."""
    from ..datasets.index import load_index
    from ..datasets.source import first_few
    from ..errors import InputError

    rows = load_index(index)
    lacking = [row.image for row in rows if not row.path]
    if lacking:
        raise InputError(
            f"{index}: {len(lacking)} of {len(rows)} have no image ({first_few(lacking)}), for "
            "reasons in its column problem; correct dataset.subjects, or mend the dataset and run "
            "with --forcerun index."
        )


@app.command()
def summary(
    results: Annotated[Path, typer.Argument(help="Folder of the workflow's results.")] = Path(
        "results"
    ),
    log: Annotated[Path | None, typer.Option(help="Snakemake's own log of the run.")] = None,
) -> None:
    """Say what a run did: jobs done and failed, images missing and why, hours of fits."""
    from ..run.summary import known_missing, summarise

    for line in summarise(results, log, known_missing(results)):
        print(line)


@app.command()
def costs(
    folder: Annotated[Path, typer.Argument(help="Snakemake's benchmark files.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="TSV to write.")],
) -> None:
    """Gather what Snakemake measured of each job in one table."""
    from ..evaluation.benchmarks import read_costs
    from ..evaluation.table import save_table

    save_table(output, read_costs(folder))


@app.command()
def compare(
    inr: Annotated[list[Path], typer.Argument(help="INR reconstructions.")],
    baseline: Annotated[list[Path], typer.Option(help="Baseline reconstruction, repeatable.")],
    metrics: Annotated[list[Path], typer.Option(help="Their metrics files, INRs first.")],
    reference: Reference,
    view: Annotated[list[Path], typer.Option("--view", help="View, repeatable.")],
    output: Picture,
    mask: Mask = None,
) -> None:
    """Draw reference, views, baselines and the best INR side by side, and what each got wrong."""
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


@app.command()
def resolution(
    inr: Annotated[list[Path], typer.Argument(help="Renderings of INRs, at all voxel sizes.")],
    metrics: Annotated[list[Path], typer.Option(help="Metrics file of a rendering, repeatable.")],
    reference: Reference,
    output: Picture,
    truth: Annotated[Path | None, typer.Option(help="True image at one finer size.")] = None,
    mask: Mask = None,
) -> None:
    """Draw the best INR on the grid of the raw image and at finer voxel sizes, at one place."""
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
