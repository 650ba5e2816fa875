"""Verbs that write the pages people look at."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from . import app

Index = Annotated[Path, typer.Option(help="inputs.tsv of the run.")]
Metrics = Annotated[Path, typer.Option(help="metrics.tsv of the run.")]
Folder = Annotated[Path, typer.Option(help="Holds cordinr/, reference/, figures/, source.json.")]
Output = Annotated[Path, typer.Option("-o", "--output", help="HTML file to write.")]


class Figure(StrEnum):
    """Figures that every image has, by the end of their file name."""

    COMPARISON = "comparison"
    RESOLUTION = "resolution"


@app.command()
def page(
    subject: Annotated[str, typer.Argument(help="Subject label, with or without sub-.")],
    index: Index,
    metrics: Metrics,
    view: Annotated[list[str], typer.Option(help="res label of a view, repeatable.")],
    output: Output,
    figure: Annotated[list[Figure], typer.Option(help="Figure of each image, repeatable.")],
    folder: Folder = Path("results"),
    suffix: Annotated[str, typer.Option(help="BIDS suffix of the images.")] = "T2w",
    viewer: Annotated[
        Path | None, typer.Option(help="NiiVue's UMD build; without it, pictures only.")
    ] = None,
) -> None:
    """Write the page of a subject: its images in a viewer, its figures, where they came from."""
    from .. import __version__
    from ..datasets.index import load_index
    from ..errors import InputError
    from ..evaluation.table import load_table, problems_of
    from ..pages.html import MAX_PAGE_BYTES, niivue_version, viewer_scripts, write_page
    from ..pages.subject import ResultPaths, build_section, source_named

    label = subject.removeprefix("sub-")
    rows = [row for row in load_index(index) if row.subject == label and row.path]
    if not rows:
        raise InputError(f"{index}: has no image of subject {label}; see dataset.subjects.")
    table = load_table(metrics)
    broken = problems_of(table)
    rows = [row for row in rows if row.image not in broken]
    if not rows:
        raise InputError(f"{metrics}: every image of subject {label} failed; run again.")
    places = ResultPaths(folder, suffix, view, figure)
    scripts = viewer_scripts(viewer)
    pictures = [places.figure(row, name) for row in rows for name in figure]
    taken = sum(map(len, scripts)) + sum(
        path.stat().st_size * 4 // 3 for path in pictures if path.exists()
    )
    # What is left of the page when the texts are in it, to each image alike.
    most = max(0, MAX_PAGE_BYTES * 97 // 100 - taken) // len(rows) if viewer else None
    write_page(
        output,
        "subject.html.j2",
        scripts,
        subject=label,
        images=[build_section(row, table, places, output, most) for row in rows],
        source=source_named(folder / "source.json"),
        niivue=niivue_version(viewer),
        count=table[table["problem"].eq("")]["image"].nunique(),
        version=__version__,
    )


@app.command()
def index_page(
    index: Index,
    metrics: Metrics,
    output: Output,
    folder: Folder = Path("results"),
    figure: Annotated[
        list[Path] | None, typer.Option(help="SVG that `cordinr cohort` drew, repeatable.")
    ] = None,
    failed: Annotated[
        Path | None, typer.Option(help="failed.tsv of a run: subjects that have no page.")
    ] = None,
) -> None:
    """Write the page that leads to the pages of all subjects, those furthest below first."""
    from .. import __version__
    from ..datasets.index import load_index
    from ..evaluation.failed import PAGE, load_failed
    from ..evaluation.table import load_table, problems_of
    from ..pages.html import write_page
    from ..pages.index import figures_shown, images_shown
    from ..pages.subject import source_named

    table = load_table(metrics)
    unpaged = [each for each in load_failed(failed) if each.lacks == PAGE] if failed else []
    problems = problems_of(table) | {each.image: each.reason for each in unpaged}
    write_page(
        output,
        "index.html.j2",
        [],
        images=images_shown([row for row in load_index(index) if row.path], table, problems),
        problems=[f"{image}: {problem}" for image, problem in problems.items()],
        source=source_named(folder / "source.json"),
        figures=figures_shown(figure or [], output),
        version=__version__,
    )
