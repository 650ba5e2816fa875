"""Verbs that make, get and describe datasets."""

from pathlib import Path
from typing import Annotated

import typer

from . import app

Source = Annotated[str, typer.Argument(help="URL or path of a DataLad dataset.")]
Version = Annotated[str, typer.Option("--version", help="Tag or commit to pin.")]
Dest = Annotated[Path, typer.Option("--dest", help="Folder of the clone.")]
Subjects = Annotated[
    list[str] | None, typer.Option("--subject", help="Subject label, repeatable; default: all.")
]
Suffix = Annotated[str, typer.Option(help="BIDS suffix of the images.")]


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
    from ..phantom_dataset import write_phantom_dataset

    write_phantom_dataset(out_dir, subjects, voxel, truth, snr, seed)


@app.command()
def index(
    source: Source,
    version: Version,
    dest: Dest,
    output: Annotated[Path, typer.Option("-o", "--output", help="inputs.tsv to write.")],
    subject: Subjects = None,
    suffix: Suffix = "T2w",
    mask: Annotated[str, typer.Option(help="Pattern of the cord masks.")] = "",
    truth: Annotated[str, typer.Option(help="Pattern of finer true images.")] = "",
) -> None:
    """Clone a dataset at a pinned version and list its images; no content is fetched."""
    from .. import dataset
    from ..index import find_images, save_index

    commit = dataset.clone(source, version, dest)
    rows = find_images(dest, subject, suffix, mask, truth)
    save_index(output, rows)
    print(f"{len(rows)} images in {dest} at {commit[:12]}")
    for row in rows:
        if row.problem:
            print(f"warning: {row.problem}")


@app.command()
def fetch(
    source: Source,
    version: Version,
    dest: Dest,
    subject: Subjects = None,
    suffix: Suffix = "T2w",
    file: Annotated[
        str | None, typer.Option(help="Get this one file of the dataset, not whole subjects.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="With --file: checked copy to write.")
    ] = None,
    segmentation: Annotated[
        bool, typer.Option("--segmentation", help="The file is a mask and may be empty.")
    ] = False,
) -> None:
    """Get images of a DataLad dataset, checked to be real ones."""
    from .. import dataset
    from ..errors import InputError
    from ..index import find_images
    from ..volume import load_segmentation, load_volume, save_volume

    if (file is None) != (output is None):
        raise InputError("fetch: --file and -o belong together; give both or none.")
    dataset.clone(source, version, dest)
    if file:
        load = load_segmentation if segmentation else load_volume
        volume = load(dataset.get_content(dest, file))
        save_volume(output, volume.array, volume.grid)
        return
    for row in find_images(dest, subject, suffix, "", ""):
        if row.problem:
            raise InputError(row.problem)
        path = dataset.get_content(dest, row.path)
        print(f"{path} {load_volume(path).grid.shape}")


@app.command()
def describe(
    out_dir: Annotated[Path, typer.Argument(help="Root of the derivatives dataset.")],
    name: Annotated[str, typer.Option(help="Name of the raw dataset.")],
    source: Annotated[str, typer.Option(help="Where the raw dataset comes from.")],
    version: Annotated[str, typer.Option("--version", help="Its version.")],
    link: Annotated[str, typer.Option(help="Where `bids:raw:` points to, from OUT_DIR.")],
    method: Annotated[list[str], typer.Option(help="desc label in use, repeatable.")],
    suffix: Suffix = "T2w",
) -> None:
    """Write the files at the root of a BIDS derivatives dataset."""
    from ..derivatives import describe_dataset

    raw = {"URL": source, "Version": version}
    describe_dataset(out_dir, name=name, source=raw, link=link, labels=method, suffix=suffix)
