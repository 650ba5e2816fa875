"""What scans were taken for and what a reconstruction of them covers, in words for people."""

from collections.abc import Sequence

import numpy as np

from ..imaging.grid import ANATOMICAL_AXES, Grid
from .overlap import count_directions
from .view import View

DIRECTIONS = {"R": "sagittal", "A": "coronal", "S": "axial"}
"""Names of slices across an anatomical axis."""

ENDS = (("left", "right"), ("posterior", "anterior"), ("inferior", "superior"))
"""Names of the two ends of an image along the world axes."""

MIN_TILT_DEGREES = 1.0
"""Angle between a slice normal and an anatomical axis from which a scan is called tilted."""

MIN_GAP = 0.02
"""Gap between slices, or their overlap, as a fraction of the spacing, from which it is said."""

MIN_LEFT_OUT_MM = 5.0
"""Length at an end of a scan that is not reconstructed, from which it is said."""


def describe_scan(view: View) -> str:
    """What `describe_slices` says of a scan, and its extent, for example "269 x 269 x 53 mm"."""
    grid = view.volume.grid
    extent = [n * mm for n, mm in zip(grid.shape, grid.voxel_sizes, strict=True)]
    lengths = [extent[axis] for axis in (*view.in_plane, view.axis)]
    return f"{describe_slices(view)}, {_product(lengths)} mm"


def describe_slices(view: View) -> str:
    """Direction, slices, gap and voxel size in the plane of a scan.

    For example "sagittal, 16 slices of 3 mm every 3.3 mm (gaps of 0.3 mm), 0.7 x 0.7 mm in the
    plane".
    """
    grid, normal = view.volume.grid, np.abs(view.normal)
    axis = int(normal.argmax())
    tilt = np.degrees(np.arccos(min(1.0, float(normal[axis]))))
    name = DIRECTIONS[ANATOMICAL_AXES[axis]]
    if tilt >= MIN_TILT_DEGREES:
        name += f" tilted by {tilt:.0f} degrees"
    thickness, spacing = view.profile.thickness, view.spacing
    slices = f"{grid.shape[view.axis]} slices of {thickness:.3g} mm"
    between = spacing - thickness
    if abs(between) > MIN_GAP * spacing:
        kind = "gaps" if between > 0 else "overlaps"
        slices += f" every {spacing:.3g} mm ({kind} of {abs(between):.2g} mm)"
    sizes = [grid.voxel_sizes[axis] for axis in view.in_plane]
    return f"{name}, {slices}, {sizes[0]:.2g} x {sizes[1]:.2g} mm in the plane"


def describe_field(views: Sequence[View], grid: Grid) -> list[str]:
    """What of the scans a reconstruction covers, and what of each it leaves out.

    Args:
        views: aligned.
        grid: of the reconstruction.
    """
    extent = np.array(grid.shape) * grid.voxel_sizes
    # Without the finest voxels, which cost time and say no more.
    coarse = grid.resampled(max(float(grid.voxel_sizes.max()), float(extent.max()) / 100))
    count = count_directions(views, coarse)
    said = [f"reconstructing {_product(extent)} mm; {_share(count)}."]
    low, high = _ends(grid)
    for view in views:
        first, last = _ends(view.volume.grid)
        beyond = np.stack([low - first, last - high], axis=1)
        parts = [
            f"{mm:.0f} mm at its {end} end"
            for axis, names in enumerate(ENDS)
            for end, mm in zip(names, beyond[axis], strict=True)
            if mm >= MIN_LEFT_OUT_MM
        ]
        if parts:
            said.append(
                f"{view.name}: {', '.join(parts)} are not reconstructed, as no scan of another "
                "direction sees them (--field union takes them)."
            )
    return said


def _share(count: np.ndarray) -> str:
    """How much of a volume how many slice directions see."""
    parts = [(k, float((count == k).mean())) for k in range(int(count.max()), -1, -1)]
    words = {0: "no direction", 1: "one slice direction"}
    return ", ".join(
        f"{100 * share:.0f} % of it seen by {words.get(k, f'{k} slice directions')}"
        for k, share in parts
        if share >= 0.005
    )


def _ends(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    corners = grid.corners
    return corners.min(axis=0), corners.max(axis=0)


def _product(lengths: Sequence[float] | np.ndarray) -> str:
    return " x ".join(f"{mm:.0f}" for mm in lengths)
