"""The verbs that make, get and describe datasets."""

import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import Panel, verb
from .options import Suffix

if TYPE_CHECKING:
    from ..datasets.index import IndexRow

log = logging.getLogger(__name__)

Source = Annotated[
    str,
    typer.Argument(metavar="SOURCE", help="URL or path of a DataLad dataset, or a plain folder."),
]
Version = Annotated[
    str,
    typer.Option(
        "--version", metavar="NAME", help="Tag or commit to take; empty for a folder without git."
    ),
]
Dest = Annotated[Path, typer.Option("--dest", metavar="DIR", help="Folder of the clone.")]
Subjects = Annotated[
    list[str] | None,
    typer.Option("--subject", metavar="LABEL", help="Subject label, repeatable; default: all."),
]


@verb(Panel.DATASETS, "phantom --subjects 2")
def phantom(
    out_dir: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to create.")],
    subjects: Annotated[int, typer.Option(min=1, metavar="N", help="Number of subjects.")] = 2,
    voxel: Annotated[float, typer.Option(min=0.1, metavar="MM", help="Voxel size in mm.")] = 0.8,
    truth: Annotated[
        float, typer.Option(min=0.1, metavar="MM", help="Voxel size of the noise-free truth in mm.")
    ] = 0.5,
    snr: Annotated[
        float, typer.Option(min=1.0, metavar="RATIO", help="Signal of the cord over noise.")
    ] = 40.0,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of anatomy and noise.")] = 0,
    acquired: Annotated[
        bool,
        typer.Option(
            "--acquired",
            help="Scans of thick slices instead: a sagittal one with pixels of --voxel, and two "
            "axial chunks that are displaced against their headers, each of its own gain.",
        ),
    ] = False,
) -> None:
    """Make a DataLad BIDS dataset of analytic spinal cord phantoms."""
    from ..phantom.acquired import write_acquired_dataset
    from ..phantom.dataset import write_phantom_dataset

    write = write_acquired_dataset if acquired else write_phantom_dataset
    write(out_dir, subjects=subjects, voxel=voxel, truth=truth, snr=snr, seed=seed)


@verb(Panel.DATASETS, "https://example.org/dataset --version 1.0 --dest raw -o inputs.tsv")
def index(
    source: Source,
    dest: Dest,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="inputs.tsv to write.")
    ],
    version: Version = "",
    subject: Subjects = None,
    suffix: Suffix = "T2w",
    entity: Annotated[
        list[str] | None,
        typer.Option(
            "--entity",
            metavar="NAME=LABEL",
            help="BIDS entity that images must have, repeatable; NAME= for images without it.",
        ),
    ] = None,
    scans: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=LABEL,...",
            help="Take acquired scans: entities of those of one slice direction, repeatable. All "
            "of a subject and session become one image.",
        ),
    ] = None,
    exclude: Annotated[
        str, typer.Option(metavar="KEY", help="Key of exclude.yml whose subjects are left out.")
    ] = "",
    mask: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Pattern of the paths of cord masks, repeatable; the first that exists is taken.",
        ),
    ] = None,
    truth: Annotated[
        str, typer.Option(metavar="PATTERN", help="Pattern of the paths of finer true images.")
    ] = "",
    describe: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="JSON to write: name, URL, version and commit of the dataset."
        ),
    ] = None,
) -> None:
    """Clone a dataset at a version and list its images, without downloading them."""
    from ..datasets.copy import parse_entities
    from ..datasets.exclusion import excluded_subjects
    from ..datasets.index import find_images, save_index
    from ..datasets.scan_sets import find_scan_sets, parse_directions
    from ..datasets.source import clone_or_link, describe_source
    from ..files import write_json

    commit = clone_or_link(source, version, dest)
    description = describe_source(dest, source, version, commit)
    excluded = excluded_subjects(dest, exclude, suffix)
    entities = parse_entities(entity or [])
    if scans:
        directions = parse_directions(scans)
        rows = find_scan_sets(
            dest, subject, suffix, directions, entities=entities, leave_out=excluded
        )
    else:
        rows = find_images(
            dest,
            subject,
            suffix,
            mask=mask or [],
            truth=truth,
            entities=entities,
            leave_out=excluded,
        )
    save_index(output, rows)
    if describe:
        write_json(describe, description)
    _print_exclusions(excluded, subject)
    for row in rows:
        if row.problem:
            print(f"warning: {row.problem}", file=sys.stderr)
    _print_images([row for row in rows if row.path], dest, source, commit)


def _print_exclusions(excluded: Mapping[str, str], subjects: Sequence[str] | None) -> None:
    """Print who is left out, of the subjects that were asked for."""
    asked = None if subjects is None else {label.removeprefix("sub-") for label in subjects}
    for name, reason in sorted(excluded.items()):
        if asked is None or name.partition("_")[0] in asked:
            note = f'left out: sub-{name} ({reason}); dataset.exclude: "" takes it'
            print(note, file=sys.stderr)


def _print_images(images: "Sequence[IndexRow]", dest: Path, source: str, commit: str) -> None:
    """Print how many images there are, and what a download of them needs."""
    from ..datasets.annex import missing_bytes
    from ..datasets.copy import describe_disk_space
    from ..datasets.remotes import has_source_annex_branch, missing_branch_advice

    print(f"{len(images)} images in {dest} at {commit[:12] or 'no version'}")
    files = [
        path
        for row in images
        for path in (*(row.scan_paths or [row.path]), row.mask, row.truth)
        if path
    ]
    missing = missing_bytes(dest, files)
    if commit and missing and not has_source_annex_branch(dest):
        log.warning("%s: %s.", dest, missing_branch_advice(dest, source))
    print(describe_disk_space(missing, dest)[1], file=sys.stderr)


@verb(Panel.DATASETS, "https://example.org/dataset --version 1.0 --dest raw --subject 01")
def fetch(
    source: Source,
    dest: Dest,
    version: Version = "",
    subject: Subjects = None,
    suffix: Suffix = "T2w",
    file: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="Download this file of the dataset instead of whole subjects."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="With --file: checked copy to write."),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="With --file: another file to download if possible, without a copy; repeatable.",
        ),
    ] = None,
    scan: Annotated[
        bool,
        typer.Option("--scan", help="With --file: it is a scan of thick slices."),
    ] = False,
    segmentation: Annotated[
        bool,
        typer.Option("--segmentation", help="With --file: it is a mask and may be empty."),
    ] = False,
    like: Annotated[
        Path | None,
        typer.Option(
            metavar="IMAGE",
            help="With --segmentation: image whose grid the copy gets. A mask that cannot be used "
            "becomes one of zeros, and its sidecar says why.",
        ),
    ] = None,
    drop: Annotated[
        bool,
        typer.Option("--drop", help="With --file: drop its content from the clone after the copy."),
    ] = False,
    jobs: Annotated[
        int,
        typer.Option(
            "-J", "--jobs", min=1, metavar="N", help="Number of files to download at a time."
        ),
    ] = 4,
) -> None:
    """Download images of a dataset, and check that they can be read."""
    from ..datasets.annex import drop_content
    from ..datasets.copy import copy_image, copy_mask, copy_scan
    from ..datasets.source import clone_or_link
    from ..errors import InputError

    if (file is None) != (output is None):
        raise InputError("fetch: --file and -o belong together; give both or none.")
    clone_or_link(source, version, dest)
    if file is None or output is None:
        _fetch_subjects(dest, subject, suffix, jobs)
        return
    if segmentation:
        copy_mask(dest, file, output, like, jobs)
    elif scan:
        copy_scan(dest, file, output, jobs)
    else:
        copy_image(dest, file, output, also or [], jobs)
    note = drop_content(dest, [file]) if drop else None
    if note:
        log.warning(note)


def _fetch_subjects(dest: Path, subjects: list[str] | None, suffix: str, jobs: int) -> None:
    """Download the images of subjects if there is room for them, and print their shapes.

    Raises:
        InputError: the disk is too small, an image cannot be read, or a subject has none.
    """
    from ..datasets.annex import get_content, missing_bytes
    from ..datasets.copy import describe_disk_space
    from ..datasets.index import find_images
    from ..errors import InputError
    from ..imaging.volume import load_scan

    rows = find_images(dest, subjects, suffix, mask="", truth="")
    paths = [row.path for row in rows if row.path]
    fits, sentence = describe_disk_space(missing_bytes(dest, paths), dest)
    print(sentence, file=sys.stderr)
    if not fits:
        raise InputError(f"{dest}: not enough disk space; choose fewer subjects with --subject.")
    for path in get_content(dest, paths, jobs):
        print(f"{path} {load_scan(path).grid.shape}")
    for problem in filter(None, (row.problem for row in rows)):
        raise InputError(problem)


@verb(
    Panel.DATASETS,
    "results/cordinr --source results/source.json --link ../sourcedata/phantom --method tv",
)
def describe(
    out_dir: Annotated[
        Path, typer.Argument(metavar="DIR", help="Root of the derivatives dataset.")
    ],
    source: Annotated[
        Path,
        typer.Option(metavar="FILE", help="JSON that `cordinr index --describe` wrote."),
    ],
    link: Annotated[
        str, typer.Option(metavar="PATH", help="Target of `bids:raw:`, seen from DIR.")
    ],
    method: Annotated[
        list[str], typer.Option(metavar="LABEL", help="desc label in use, repeatable.")
    ],
    suffix: Suffix = "T2w",
) -> None:
    """Write the files at the root of a BIDS derivatives dataset."""
    from ..bids.description import describe_dataset
    from ..files import read_json

    description = read_json(source)
    describe_dataset(out_dir, source=description, link=link, labels=method, suffix=suffix)
