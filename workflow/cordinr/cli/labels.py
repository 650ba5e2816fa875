"""The verb that carries segmentations between scans and reconstructions."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from . import Panel, verb

log = logging.getLogger(__name__)

Transform = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Transform that `align` wrote beside the scan on which the segmentation was drawn, if "
        "it was drawn on the scan as it came.",
    ),
]
LikeTransform = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="The same for the scan in --like, if it is the scan as it came."
    ),
]


@verb(Panel.SCANS, "ax_seg.nii.gz --like iso.nii.gz --transform ax_xfm.txt -o iso_seg.nii.gz")
def labels(
    segmentation: Annotated[
        Path, typer.Argument(metavar="SEGMENTATION", help="Image of whole numbers, one per label.")
    ],
    like: Annotated[
        Path,
        typer.Option(
            metavar="IMAGE",
            help="Reconstruction or scan, or its BIDS URI, whose grid the output gets.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Image to write, .nii.gz.")
    ],
    transform: Transform = None,
    like_transform: LikeTransform = None,
) -> None:
    """Carry a segmentation from a scan to a reconstruction, or the other way.

    A segmentation of thick slices is interpolated across them by the shapes
    of its labels. A voxel of the output gets the label that fills most of it,
    over the slice profile where the output has thick slices.
    """
    import numpy as np

    from ..acquisition.labels import carry_labels, fraction_inside
    from ..acquisition.slice_geometry import coarsest_axis, slice_geometry
    from ..alignment.itk import load_transform
    from ..bids.names import sidecar_path
    from ..bids.sidecars import image_sidecar
    from ..bids.uris import bids_uri, resolve_bids_uri
    from ..bids.view_files import statements_of
    from ..errors import InputError
    from ..files import write_json
    from ..imaging.masks import load_labels
    from ..imaging.volume import load_grid, save_volume
    from .checks import check_images

    image = resolve_bids_uri(like, output)
    transforms = [path for path in (transform, like_transform) if path]
    check_images([output], [segmentation, image, *transforms])
    drawn = load_labels(segmentation)
    grid = load_grid(image)
    to_header = load_transform(transform) if transform else np.eye(4)
    to_true = np.linalg.inv(load_transform(like_transform)) if like_transform else np.eye(4)
    to_segmentation = to_header @ to_true
    across = coarsest_axis(grid.voxel_sizes)
    slices = None if across is None else slice_geometry(grid, statements_of(image), insist=False)
    inside = fraction_inside(drawn, grid, to_segmentation)
    if not inside:
        raise InputError(
            f"{segmentation}: its labels lie beside {like}; give an image of the same place, or "
            "the transform that belongs to each."
        )
    carried = carry_labels(drawn, grid, slices, to_segmentation)
    from_slices = coarsest_axis(drawn.grid.voxel_sizes) is not None
    how = " and ".join(
        [
            "shape-based interpolation across the slices" if from_slices else "the voxels as boxes",
            "the label that fills most of "
            + (f"a slice voxel ({slices[1].shape} profile)" if slices else "a voxel"),
        ]
    )
    values = np.unique(drawn.array[drawn.array != 0])
    before, after = (
        np.count_nonzero(array) * np.abs(np.linalg.det(each.affine[:3, :3])) / 1000
        for array, each in ((drawn.array, drawn.grid), (carried, grid))
    )
    print(
        f"{segmentation}: {len(values)} label(s), {before:.3g} ml, become {after:.3g} ml, by {how}."
    )
    if inside < 1:
        log.warning(
            "%s: %.0f %% of its labelled voxels lie beyond the field of view of %s and are left "
            "out.",
            *(segmentation, 100 * (1 - inside), like),
        )
    lost = np.setdiff1d(values, carried)
    if lost.size:
        log.warning(
            "%s: label(s) %s fill most of no voxel of %s and are lost.",
            *(segmentation, ", ".join(map(str, lost)), like),
        )
    fields = {"SpatialReference": bids_uri(like, output), "LabelMethod": how}
    text = "Segmentation carried to another grid, label by label."
    sidecar = image_sidecar(output, [segmentation, *transforms], text, **fields)
    write_json(sidecar_path(output), sidecar)
    save_volume(output, carried, grid, str(carried.dtype))
