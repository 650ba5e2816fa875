"""The verb that says how far reconstructions can be trusted, without a reference."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from . import Panel, verb
from .options import Insist


@dataclass(frozen=True)
class StatedProblems:
    """What the sidecars of scans say of an alignment that failed.

    Attributes:
        problems: why a scan could not be aligned, by its number.
    """

    problems: dict[int, str]


@verb(
    Panel.SCANS,
    "volume.nii.gz --view sag-aligned.nii.gz --view ax-aligned.nii.gz -o volume_check.json",
)
def check(
    recon: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE", help="Reconstructions of the scans, on any grids."),
    ],
    view: Annotated[
        list[Path],
        typer.Option(
            "--view",
            metavar="SCAN",
            help="Scan that they were made from, aligned if it was displaced; repeatable.",
        ),
    ],
    output: Annotated[
        list[Path],
        typer.Option("-o", "--output", metavar="FILE", help="JSON to write, one per image."),
    ],
    slices: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TSV to write, with a row for each slice of each scan."),
    ] = None,
    figure: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="PNG to write, one per image: residuals slice by slice, and what the middle "
            "slices measured and should have measured.",
        ),
    ] = None,
    hold_out: Annotated[
        int,
        typer.Option(
            "--hold-out",
            min=0,
            metavar="K",
            help="Also leave out every K-th slice of every scan, reconstruct by total variation "
            "and predict them; 0 for none.",
        ),
    ] = 0,
    insist: Insist = False,
) -> None:
    """Say how far reconstructions can be trusted where there is no reference.

    Compares what the scans measured with what they should have measured if a
    reconstruction were true, and the scans with each other where their slices
    cross. Prints a verdict: trusted, doubtful, or do not use.
    """
    from .. import __version__
    from ..bids.metadata import metadata_of
    from ..bids.view_files import load_views, place_in_file
    from ..errors import InputError
    from ..evaluation.identity import read_identity
    from ..files import check_writable, write_json
    from ..imaging.volume import load_volume
    from ..trust.assess import assess
    from ..trust.hold_out import MIN_STEP
    from ..trust.hold_out import hold_out as leave_out
    from ..trust.slice_table import write_slices

    if len(output) != len(recon):
        raise InputError("check: give one -o for each image.")
    if figure and len(figure) != len(recon):
        raise InputError("check: give one --figure for each image.")
    if 0 < hold_out < MIN_STEP:
        raise InputError(f"check: --hold-out is {hold_out}; give 0, or {MIN_STEP} or more.")
    targets = [*output, *([slices] if slices else []), *(figure or [])]
    check_writable(*targets, inputs=[*recon, *view])
    volumes = [load_volume(path) for path in recon]
    views = load_views(view, insist=insist)
    held_out = leave_out(views, hold_out) if hold_out else []
    first = [place_in_file(each)[0] for each in views]
    stated = (metadata_of(path).get("AlignmentProblem") for path in view)
    alignment = StatedProblems({k: str(problem) for k, problem in enumerate(stated) if problem})
    assessments = []
    for path, volume in zip(recon, volumes, strict=True):
        try:
            found = assess(
                views, volume, alignment=alignment, held_out=held_out, first_slices=first
            )
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        assessments.append((path.name, found))
    for k, (path, target) in enumerate(zip(recon, output, strict=True)):
        name, assessment = assessments[k]
        print(f"{name}: {assessment.sentence}")
        for line in assessment.describe():
            print(f"  {line}")
        voxel_size = round(float(volumes[k].grid.voxel_sizes.prod()) ** (1 / 3), 4)
        row = {**read_identity(path), "voxel_size": voxel_size, "version": __version__}
        write_json(target, row | assessment.fields())
        if figure:
            from ..figures.plane_page import save_figure
            from ..figures.residuals import residual_figure

            save_figure(figure[k], residual_figure(views, assessment, name))
    if slices:
        write_slices(slices, assessments)
