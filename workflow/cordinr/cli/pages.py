"""The verbs that write HTML pages: of a subject or its acquired scans, and of all of them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..figures.captions import IMAGE_CAPTIONS
from . import Panel, verb
from .options import Index, Results, Suffix

Metrics = Annotated[Path, typer.Option(metavar="FILE", help="metrics.tsv of the run.")]
Html = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="HTML to write.")]

Viewer = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="NiiVue's UMD build; without it the page has only pictures."),
]

Figure = StrEnum("Figure", {name.upper(): name for name in IMAGE_CAPTIONS})  # type: ignore[misc]
"""Figures that an image can have, by the end of their file name."""


@verb(
    Panel.TABLES,
    "01 --index results/inputs.tsv --metrics results/metrics.tsv --view axial "
    "--figure comparison -o page.html",
)
def page(
    subject: Annotated[
        str, typer.Argument(metavar="SUBJECT", help="Subject label, with or without sub-.")
    ],
    index: Index,
    metrics: Metrics,
    view: Annotated[
        list[str], typer.Option(metavar="LABEL", help="res label of a view, repeatable.")
    ],
    output: Html,
    figure: Annotated[
        list[Figure],
        typer.Option(
            metavar="NAME",
            help=f"Figure of each image, repeatable: {' or '.join(IMAGE_CAPTIONS)}.",
        ),
    ],
    folder: Results = Path("results"),
    suffix: Suffix = "T2w",
    viewer: Viewer = None,
) -> None:
    """Write the page of a subject: a viewer, its figures, its scores, where images came from."""
    from .. import __version__
    from ..datasets.index import load_index
    from ..datasets.layout import ResultPaths
    from ..errors import InputError
    from ..evaluation.table import load_table, problems_of
    from ..pages.html import load_viewer_scripts, read_niivue_version, write_page
    from ..pages.subject import (
        PageSources,
        build_section,
        choose_volume_size,
        read_dataset_identity,
    )

    label = subject.removeprefix("sub-")
    rows = [row for row in load_index(index) if row.subject == label and row.path]
    if not rows:
        raise InputError(f"{index}: has no image of subject {label}; see dataset.subjects.")
    table = load_table(metrics)
    problems = problems_of(table)
    rows = [row for row in rows if row.image not in problems]
    if not rows:
        raise InputError(f"{metrics}: every image of subject {label} failed; run again.")
    sources = PageSources(ResultPaths(folder, suffix), view, figure, output)
    scripts = load_viewer_scripts(viewer)
    max_characters = choose_volume_size(rows, sources, scripts) if viewer else None
    write_page(
        output,
        "subject.html.j2",
        scripts,
        subject=label,
        images=[build_section(row, table, sources, max_characters) for row in rows],
        source=read_dataset_identity(sources.paths.source),
        niivue=read_niivue_version(viewer),
        count=table[table["problem"].eq("")]["image"].nunique(),
        version=__version__,
    )


@verb(
    Panel.TABLES,
    "--index results/inputs.tsv --metrics results/metrics.tsv -o index.html",
    name="index-page",
)
def index_page(
    index: Index,
    metrics: Metrics,
    output: Html,
    folder: Results = Path("results"),
    figure: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="SVG that `cordinr cohort` drew, repeatable."),
    ] = None,
    failed: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="failed.tsv of a run, which names subjects without a page."
        ),
    ] = None,
) -> None:
    """Write the page that leads to the pages of all subjects, the lowest scores first."""
    from .. import __version__
    from ..datasets.index import load_index
    from ..datasets.layout import ResultPaths
    from ..evaluation.failed import PAGE, load_failed
    from ..evaluation.table import load_table, problems_of
    from ..pages.html import write_page
    from ..pages.index import list_images, load_cohort_figures
    from ..pages.subject import read_dataset_identity

    table = load_table(metrics)
    failures = load_failed(failed) if failed else []
    without_page = {each.image: each.reason for each in failures if each.lacks == PAGE}
    problems = problems_of(table) | without_page
    rows = [row for row in load_index(index) if row.path]
    write_page(
        output,
        "index.html.j2",
        [],
        images=list_images(rows, table, problems),
        problems=[f"{image}: {problem}" for image, problem in problems.items()],
        source=read_dataset_identity(ResultPaths(folder).source),
        figures=load_cohort_figures(figure or [], output),
        version=__version__,
    )


@verb(
    Panel.TABLES,
    "inr.nii.gz tv.nii.gz --check inr_check.json --check tv_check.json "
    "--view sag-aligned.nii.gz --view ax-aligned.nii.gz -o page.html",
    name="page-acquired",
)
def page_acquired(
    recon: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE", help="Reconstructions, the most important one first."),
    ],
    check: Annotated[
        list[Path],
        typer.Option(metavar="FILE", help="JSON of `cordinr check`, one per image; repeatable."),
    ],
    view: Annotated[
        list[Path],
        typer.Option(metavar="SCAN", help="Aligned scan, in the order of the check; repeatable."),
    ],
    output: Html,
    figure: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="PNG of `cordinr check`, one per image; repeatable."),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="source.json of a run, for the foot of the page."),
    ] = None,
    index: Annotated[
        str, typer.Option(metavar="LINK", help="Link to the page that leads to all.")
    ] = "",
    viewer: Viewer = None,
) -> None:
    """Write the page of acquired scans, for which there is no reference.

    The verdict, a viewer, what the images explain of the scans, where the
    scans were found to be, and who saw what.
    """
    from ..bids.metadata import metadata_of
    from ..bids.names import image_of
    from ..bids.view_files import load_views
    from ..errors import InputError
    from ..files import check_writable
    from ..pages.acquired import load_checked_images, write_acquired_page
    from ..pages.html import read_origin
    from ..pages.subject import read_dataset_identity

    if len(check) != len(recon):
        raise InputError("page-acquired: give one --check for each image.")
    if figure and len(figure) != len(recon):
        raise InputError("page-acquired: give one --figure for each image.")
    check_writable(output, inputs=[*recon, *check, *view, *(figure or [])])
    write_acquired_page(
        output,
        image_of(recon[0]),
        load_checked_images(recon, check, figure or []),
        load_views(view, insist=True),
        [metadata_of(path) for path in view],
        files=[read_origin(path, output) for path in [*view, *recon]],
        niivue=viewer,
        index=index,
        source=read_dataset_identity(source) if source else None,
    )


@verb(
    Panel.TABLES,
    "inr_check.json tv_check.json -o index.html",
    name="index-acquired",
)
def index_acquired(
    check: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="JSON files of `cordinr check`.")
    ],
    output: Html,
    source: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="source.json of a run, for the foot of the page."),
    ] = None,
    failed: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="failed.tsv of a run, which names images without page."),
    ] = None,
    index: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="inputs.tsv of a run, which names scans left out."),
    ] = None,
) -> None:
    """Write the page that leads to those of all acquired scans, the least trusted first.

    A page is linked to if it lies beside the output and is called like the
    image: sub-01.html.
    """
    from ..datasets.index import load_index
    from ..evaluation.failed import load_failed
    from ..files import check_writable
    from ..pages.acquired_index import list_checked, read_checks, write_acquired_index
    from ..pages.subject import read_dataset_identity

    check_writable(output, inputs=check)
    problems = {row.image: row.problem for row in load_index(index) if row.problem} if index else {}
    problems |= {each.image: each.reason for each in load_failed(failed)} if failed else {}
    write_acquired_index(
        output,
        list_checked(read_checks(check), output.parent),
        [f"{image}: {problem}" for image, problem in problems.items()],
        read_dataset_identity(source) if source else None,
    )
