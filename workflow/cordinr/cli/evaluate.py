"""The verbs that score reconstructions, and gather the scores and costs of a run in tables."""

from pathlib import Path
from typing import Annotated

import typer

from . import Panel, verb
from .options import Index, Mask, Reference, Results

Tsv = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="TSV to write.")]


@verb(
    Panel.STEPS,
    "inr.nii.gz --reference T2w.nii.gz --view axial.nii.gz --view sagittal.nii.gz -o inr.json",
)
def evaluate(
    recon: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE", help="Reconstructions, on the grid of the reference."),
    ],
    reference: Reference,
    output: Annotated[
        list[Path],
        typer.Option("-o", "--output", metavar="FILE", help="JSON to write, one per image."),
    ],
    mask: Mask = None,
    view: Annotated[
        list[Path] | None,
        typer.Option(
            "--view",
            metavar="IMAGE",
            help="View that the reconstruction is made from, repeatable: metrics are taken where "
            "all views are; default: over the whole reference.",
        ),
    ] = None,
) -> None:
    """Score reconstructions against their reference: PSNR, SSIM, NRMSE."""
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


@verb(Panel.TABLES, "inr.json tv.json -o metrics.tsv")
def aggregate(
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="FILE", help="TSV to write, with a JSON of its columns."
        ),
    ],
    metrics: Annotated[
        list[Path] | None,
        typer.Argument(metavar="METRICS", help="JSON files that `cordinr evaluate` wrote."),
    ] = None,
    index: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Instead: inputs.tsv of a run.")
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="With --index: desc label of a method, repeatable."),
    ] = None,
    res: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="With --index: res label of a rendering, repeatable."),
    ] = None,
    folder: Annotated[
        Path, typer.Option(metavar="DIR", help="With --index: folder of the results of the run.")
    ] = Path("results"),
    failed: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="With --index: failed.tsv of a run, the images to leave out."
        ),
    ] = None,
    partial: Annotated[
        bool,
        typer.Option(
            "--partial",
            help="With --index: accept missing metrics, after a run that failed or was stopped; "
            "the table says why they are missing.",
        ),
    ] = False,
) -> None:
    """Gather metrics in one table, with a dictionary of its columns beside it.

    Give either metrics files, or the index of a run, whose metrics and costs
    are then gathered.
    """
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
        rows = [table.read_metrics(path) for path in metrics or []]
    if not partial:
        write_json(dictionary, table.column_dictionary())
    table.save_table(output, table.tabulate(rows))


@verb(
    Panel.TABLES,
    "--index results/inputs.tsv --method tv -o results/checks.tsv",
    name="aggregate-checks",
)
def aggregate_checks(
    index: Index,
    method: Annotated[
        list[str], typer.Option(metavar="LABEL", help="desc label of a method, repeatable.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="FILE", help="TSV to write, with a JSON of its columns."
        ),
    ],
    folder: Results = Path("results"),
    failed: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="failed.tsv of a run, the images to leave out."),
    ] = None,
) -> None:
    """Gather what `check` found of all images of a run in one table."""
    from ..datasets.index import load_index
    from ..datasets.layout import ResultPaths
    from ..errors import InputError
    from ..evaluation.checks import check_dictionary, collect_checks, tabulate_checks
    from ..evaluation.failed import load_failed
    from ..evaluation.table import save_table
    from ..files import check_writable, write_json

    if output.suffix != ".tsv":
        raise InputError(f"{output}: is not named .tsv; choose such a name.")
    dictionary = output.with_suffix(".json")
    check_writable(output, dictionary, inputs=[index])
    failures = load_failed(failed) if failed else []
    rows = collect_checks(load_index(index), method, ResultPaths(folder), failures)
    write_json(dictionary, check_dictionary())
    save_table(output, tabulate_checks(rows))


@verb(Panel.TABLES, "results/benchmarks -o benchmarks.tsv")
def costs(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of Snakemake's benchmark files.")
    ],
    output: Tsv,
) -> None:
    """Gather the time and memory of each job of a run in one table."""
    from ..evaluation.benchmarks import read_job_costs
    from ..evaluation.table import save_table

    save_table(output, read_job_costs(folder))
