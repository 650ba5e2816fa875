"""Verbs that make, get and describe datasets."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..datasets.copy import copy_checked, copy_mask, parse_entities, say_space
from . import app

log = logging.getLogger(__name__)

Source = Annotated[str, typer.Argument(help="URL or path of a DataLad dataset, or a folder.")]


Version = Annotated[
    str, typer.Option("--version", help="Tag or commit to pin; empty for a folder without git.")
]


Dest = Annotated[Path, typer.Option("--dest", help="Folder of the clone.")]


Subjects = Annotated[
    list[str] | None, typer.Option("--subject", help="Subject label, repeatable; default: all.")
]


Suffix = Annotated[str, typer.Option(help="BIDS suffix of the images.")]


Entities = Annotated[
    list[str] | None,
    typer.Option("--entity", help="NAME=LABEL to take, repeatable; NAME= for images without."),
]


Jobs = Annotated[int, typer.Option("-J", "--jobs", min=1, help="Files to download at a time.")]


@app.command()
def phantom(
    out_dir: Annotated[Path, typer.Argument(help="Folder to create.")],
    subjects: Annotated[int, typer.Option(min=1, help="How many subjects.")] = 2,
    voxel: Annotated[float, typer.Option(min=0.1, help="Voxel size in mm.")] = 0.8,
    truth: Annotated[
        float, typer.Option(min=0.1, help="Voxel size of the noise-free truth.")
    ] = 0.5,
    snr: Annotated[float, typer.Option(min=1.0, help="Cord signal over noise.")] = 40.0,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another anatomy.")] = 0,
) -> None:
    """Make a DataLad BIDS dataset of analytic spinal cord phantoms."""
    from ..phantom.dataset import write_phantom_dataset

    write_phantom_dataset(out_dir, subjects, voxel, truth, snr, seed)


@app.command()
def index(
    source: Source,
    dest: Dest,
    output: Annotated[Path, typer.Option("-o", "--output", help="inputs.tsv to write.")],
    version: Version = "",
    subject: Subjects = None,
    suffix: Suffix = "T2w",
    entity: Entities = None,
    exclude: Annotated[str, typer.Option(help="Key of exclude.yml whose subjects to skip.")] = "",
    mask: Annotated[
        list[str] | None,
        typer.Option(help="Pattern of the cord masks, repeatable; the first that exists counts."),
    ] = None,
    truth: Annotated[str, typer.Option(help="Pattern of finer true images.")] = "",
    describe: Annotated[
        Path | None, typer.Option(help="JSON to write: name, URL, version, commit of the dataset.")
    ] = None,
) -> None:
    """Clone a dataset at a pinned version and list its images; none of them is fetched."""
    from ..datasets.annex import missing_bytes
    from ..datasets.exclusion import excluded_subjects
    from ..datasets.index import find_images, save_index
    from ..datasets.remotes import knows_places, without_branch
    from ..datasets.source import clone_or_link, describe_source
    from ..files import write_json

    commit = clone_or_link(source, version, dest)
    about = describe_source(dest, source, version, commit)
    skipped = excluded_subjects(dest, exclude, suffix)
    chosen = parse_entities(entity or [])
    rows = find_images(dest, subject, suffix, mask or [], truth, chosen, skipped)
    save_index(output, rows)
    if describe:
        write_json(describe, about)
    wanted = None if subject is None else {label.removeprefix("sub-") for label in subject}
    for name, reason in sorted(skipped.items()):
        if wanted is None or name.partition("_")[0] in wanted:
            note = f'left out: sub-{name} ({reason}); dataset.exclude: "" takes it'
            print(note, file=sys.stderr)
    for row in rows:
        if row.problem:
            print(f"warning: {row.problem}", file=sys.stderr)
    images = [row for row in rows if row.path]
    print(f"{len(images)} images in {dest} at {commit[:12] or 'no version'}")
    files = [path for row in images for path in (row.path, row.mask, row.truth) if path]
    needed = missing_bytes(dest, files)
    if commit and needed and not knows_places(dest):
        log.warning("%s: %s.", dest, without_branch(dest, source))
    print(say_space(needed, dest)[1], file=sys.stderr)


@app.command()
def fetch(
    source: Source,
    dest: Dest,
    version: Version = "",
    subject: Subjects = None,
    suffix: Suffix = "T2w",
    file: Annotated[
        str | None, typer.Option(help="Get this one file of the dataset, not whole subjects.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="With --file: checked copy to write.")
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(help="Get this file too, if possible, repeatable; no copy."),
    ] = None,
    segmentation: Annotated[
        bool, typer.Option("--segmentation", help="The file is a mask and may be empty.")
    ] = False,
    like: Annotated[
        Path | None,
        typer.Option(
            help="With --segmentation: image whose grid the copy gets; of a mask that is of no use "
            "it is all zeros, and its sidecar says why."
        ),
    ] = None,
    drop: Annotated[
        bool, typer.Option("--drop", help="Drop the content from the clone once it is copied.")
    ] = False,
    jobs: Jobs = 4,
) -> None:
    """Get images of a dataset, checked to be real ones."""
    from ..datasets.annex import drop_content, get_content, missing_bytes
    from ..datasets.index import find_images
    from ..datasets.source import clone_or_link
    from ..errors import InputError
    from ..imaging.volume import load_scan

    if (file is None) != (output is None):
        raise InputError("fetch: --file and -o belong together; give both or none.")
    clone_or_link(source, version, dest)
    if file:
        if segmentation:
            copy_mask(dest, file, output, like, jobs)
        else:
            copy_checked(dest, file, output, also or [], jobs)
        note = drop_content(dest, [file]) if drop else None
        if note:
            log.warning(note)
        return
    rows = find_images(dest, subject, suffix, "", "")
    paths = [row.path for row in rows if row.path]
    fits, sentence = say_space(missing_bytes(dest, paths), dest)
    print(sentence, file=sys.stderr)
    if not fits:
        raise InputError(f"{dest}: not enough disk space; choose fewer subjects with --subject.")
    for path in get_content(dest, paths, jobs):
        print(f"{path} {load_scan(path).grid.shape}")
    for problem in filter(None, (row.problem for row in rows)):
        raise InputError(problem)


@app.command()
def describe(
    out_dir: Annotated[Path, typer.Argument(help="Root of the derivatives dataset.")],
    source: Annotated[Path, typer.Option(help="JSON that `cordinr index --describe` wrote.")],
    link: Annotated[str, typer.Option(help="Where `bids:raw:` points to, from OUT_DIR.")],
    method: Annotated[list[str], typer.Option(help="desc label in use, repeatable.")],
    suffix: Suffix = "T2w",
) -> None:
    """Write the files at the root of a BIDS derivatives dataset."""
    from ..bids.description import describe_dataset
    from ..files import read_json

    about = read_json(source)
    describe_dataset(out_dir, source=about, link=link, labels=method, suffix=suffix)
