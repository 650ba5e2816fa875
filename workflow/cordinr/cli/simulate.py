"""The verb that simulates thick-slice views."""

from pathlib import Path
from typing import Annotated, cast

import typer

from . import Panel, verb
from .options import Command, Outputs


@verb(Panel.STEPS, "T2w.nii.gz --axis S --thickness 4 -o axial.nii.gz")
def simulate(
    image: Annotated[
        Path,
        typer.Argument(metavar="IMAGE", help="Image of nearly cubic voxels, or its BIDS URI."),
    ],
    axis: Annotated[
        list[str], typer.Option(metavar="AXIS", help="Slice axis R, A or S; repeatable.")
    ],
    thickness: Annotated[
        list[float], typer.Option(metavar="MM", help="Slice thickness in mm, one per axis.")
    ],
    output: Outputs,
    profile: Annotated[
        str, typer.Option(metavar="NAME", help="Slice profile: box, gaussian or point.")
    ] = "box",
    spacing: Annotated[
        list[float] | None,
        typer.Option(
            metavar="MM", help="Distance of slice centres in mm, one per axis; default: thickness."
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Source that the sidecars name; default: IMAGE."),
    ] = None,
    command: Command = None,
) -> None:
    """Simulate thick-slice views of an image.

    Give one --thickness and one -o for each --axis, in the same order.
    """
    from ..acquisition.profile import ProfileShape, SliceProfile
    from ..acquisition.simulate import acquire
    from ..acquisition.slice_geometry import is_possible
    from ..bids.metadata import metadata_of, shared_metadata
    from ..bids.names import sidecar_path
    from ..bids.reference import RESAMPLED_KEY, as_reference, in_other_dataset
    from ..bids.sidecars import image_sidecar
    from ..bids.uris import resolve_bids_uri
    from ..bids.view_files import view_fields
    from ..errors import InputError
    from ..files import write_json
    from ..imaging.volume import load_reference, save_volume
    from .checks import check_images

    spacings = spacing or thickness
    if not len(axis) == len(thickness) == len(spacings) == len(output):
        raise InputError("simulate: give one --thickness, one -o (and one --spacing) per --axis.")
    check_images(output, [image])
    image_path = resolve_bids_uri(image, output[0])
    volume = load_reference(image_path)
    metadata = metadata_of(image_path)
    resampled = str(metadata.get(RESAMPLED_KEY, ""))
    if in_other_dataset(image):
        volume, resampled = as_reference(image_path, volume)
    views = []
    for letter, mm, gap in zip(axis, thickness, spacings, strict=True):
        along = volume.grid.axis_along(letter)
        try:
            views.append(acquire(volume, along, SliceProfile(cast(ProfileShape, profile), mm), gap))
        except InputError as error:
            raise InputError(f"{image}: {error}") from error
        if not is_possible(mm, gap):
            raise InputError(
                f"simulate: slices of {mm:g} mm every {gap:g} mm are none that a scanner makes; "
                "choose a thickness of 0.4 to 3 spacings."
            )
    raw = f"raw image, resampled {resampled}" if resampled else "raw image"
    shared = shared_metadata([metadata])
    for letter, view, path in zip(axis, views, output, strict=True):
        save_volume(path, view.volume.array, view.volume.grid)
        text = f"Thick-slice view of the {raw}, slices along {letter}."
        fields = shared | view_fields(view)
        sidecar = image_sidecar(path, [source or image], text, command, **fields)
        write_json(sidecar_path(path), sidecar)
