"""The verb that finds where scans really are."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from . import Panel, verb
from .options import Command, Insist, Outputs, Views

log = logging.getLogger(__name__)


@verb(Panel.SCANS, "sag.nii.gz ax.nii.gz -o sag-aligned.nii.gz -o ax-aligned.nii.gz")
def align(
    views: Views,
    output: Outputs,
    fixed: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Number of the scan that stays where it is."),
    ] = 1,
    mode: Annotated[
        str,
        typer.Option(
            metavar="MODE",
            help="rigid: a displacement for each scan; slices: a translation for each slice as "
            "well, where the patient moved during a scan.",
        ),
    ] = "rigid",
    mask: Annotated[
        Path | None,
        typer.Option(
            metavar="IMAGE", help="Mask of what the scans are aligned by, such as the spine."
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Fail where a scan could not be aligned."),
    ] = False,
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Source that a sidecar names, one per scan; default: the scan."
        ),
    ] = None,
    command: Command = None,
    insist: Insist = False,
) -> None:
    """Correct the positions and intensities of scans that a patient's movement displaced.

    Finds a rigid displacement and a gain for each scan, where its slices
    cross those of scans of other directions, and with --mode slices a
    translation for each slice. Writes each scan with its position in the
    header and its intensities corrected, ready for `reconstruct`, and the
    displacement as ITK transform beside it (_xfm.txt).
    """
    import numpy as np

    from ..alignment.itk import save_transform
    from ..alignment.mask import load_mask
    from ..alignment.modes import align as find_places
    from ..bids.metadata import metadata_of
    from ..bids.names import describe_label, sidecar_path, transform_path
    from ..bids.sidecars import image_sidecar
    from ..bids.uris import resolve_bids_uri
    from ..bids.view_files import load_views, place_in_file, view_fields
    from ..errors import InputError
    from ..files import write_json
    from ..imaging.volume import load_scan, save_volume
    from .checks import check_images

    if len(output) != len(views):
        raise InputError("align: give one -o for each scan, in the order of the scans.")
    sources = source or list(map(str, views))
    if len(sources) != len(views):
        raise InputError("align: give one --source for each scan, in the order of the scans.")
    if fixed > len(views):
        raise InputError(f"align: --fixed is {fixed}, but there are {len(views)} scans.")
    views = [resolve_bids_uri(path, output[0]) for path in views]
    check_images(output, [*views, *([mask] if mask else [])])
    loaded = load_views(views, insist=insist)
    compared = None if mask is None else load_mask(mask, loaded)
    found = find_places(loaded, mode, fixed - 1, compared)
    alignment = found.for_files([place_in_file(view) for view in loaded])
    failed = alignment.failures(loaded)
    for sentence in failed:
        if strict:
            raise InputError(sentence)
        log.warning("%s", sentence)
    for number, (path, target) in enumerate(zip(views, output, strict=True)):
        pose = alignment.poses[number]
        print(f"{path}: {alignment.describe(number)}")
        moved = alignment.correct(load_scan(path), loaded[number].axis, number)
        stated, said = metadata_of(path), alignment.fields(number)
        for key in ("AlignmentProblem", "ScanDisagreement"):  # of an alignment before
            stated.pop(key, None)
        if "SliceWeights" in stated and "SliceWeights" in said:
            # What was left out before could not be judged now.
            said["SliceWeights"] = np.minimum(stated["SliceWeights"], said["SliceWeights"]).tolist()
        fields = stated | view_fields(loaded[number]) | said
        text = describe_label("aligned")
        sidecar = image_sidecar(target, [sources[number]], text, command, **fields)
        write_json(sidecar_path(target), sidecar)
        save_transform(transform_path(target), pose)
        save_volume(target, moved.array, moved.grid)
