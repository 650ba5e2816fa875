"""Which voxels of a scan were measured: not its padding, its empty slices, its not-a-numbers.

Taken for data they are dark anatomy that no other scan confirms. Left out, they cost nothing where
another scan measures the same place, and are filled by the prior of the method where none does.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy

from .acquisition import View
from .errors import InputError
from .volume import Grid, Volume

log = logging.getLogger(__name__)

MAX_UNMEASURED = 0.9
"""Part of a scan that was never measured, above which it is refused."""


def find_measured(array: np.ndarray, axis: int) -> np.ndarray:
    """Voxels that a scanner can have measured, bool of the shape of `array`.

    Not measured are voxels that are not finite; slices that hold one value only, wherever they
    are; and planes at the borders that hold one value only across all other slices (padding).
    Real intensities carry noise, so that not even air is constant over a whole plane.

    Args:
        array: 3D.
        axis: along which the slices follow each other.
    """
    measured = np.isfinite(array)
    for along in (axis, *(k for k in range(3) if k != axis)) * 2:
        flat = _constant_planes(array, measured, along)
        if along != axis:
            flat = _runs_at_the_ends(flat)
        measured[(slice(None),) * along + (flat,)] = False
    return measured


def leave_unmeasured_out(views: Sequence[View]) -> list[View]:
    """Views whose `measured` is what is to be fitted, and whose arrays are finite everywhere.

    Planes of padding at a side where no other scan has measured are cut off. What is unmeasured
    within a scan, or at its border where another scan has measured, is left out; its value becomes
    the nearest measured one, for interpolation. Where no scan has measured anything there is
    nothing to find: the rest stays, as zero.

    Args:
        views: of one place, as `read_view` gives them.

    Raises:
        InputError: next to nothing of a view was measured.
    """
    return [view if view.measured is None else _leave_out(view, views) for view in views]


def _leave_out(view: View, views: Sequence[View]) -> View:
    missing = ~view.measured
    part = float(missing.mean())
    if part > MAX_UNMEASURED:
        raise InputError(
            f"{view.name}: {100 * part:.0f} % of its voxels were never measured (padding, constant "
            "slices or not finite); give the scan as it came from the scanner."
        )
    unseen = _outside(view)
    centres = view.volume.grid.world(np.argwhere(unseen))
    for other in views:
        if other is not view and centres.size:
            beyond = ~reaches(other, centres)
            unseen[unseen], centres = beyond, centres[beyond]
    log.warning(
        "%s: %d of its %d voxels were never measured (%s) and are left out.",
        view.name,
        missing.sum(),
        missing.size,
        _kinds(view),
    )
    box = _box_without_padding(unseen)
    array, missing, unseen = view.volume.array[box], missing[box], unseen[box]
    left_out = missing & ~unseen
    if left_out.any():
        nearest = scipy.ndimage.distance_transform_edt(
            missing,
            sampling=view.volume.grid.voxel_sizes,
            return_distances=False,
            return_indices=True,
        )
        array = np.where(left_out, array[tuple(nearest)], array)
    array = np.where(unseen, 0, array).astype(np.float32)
    return replace(
        view,
        volume=Volume(array, _part_of(view.volume.grid, box)),
        measured=~left_out if left_out.any() else None,
        cropped=array.shape != view.volume.array.shape,
    )


def _outside(view: View) -> np.ndarray:
    """What is missing around a scan, not within it: slices within are lost, not padding."""
    axis, missing = view.axis, ~view.measured
    other = tuple(k for k in range(3) if k != axis)
    slices = missing.all(axis=other)
    around = missing.copy()
    around[(slice(None),) * axis + (slices & ~_runs_at_the_ends(slices),)] = False
    labels, _ = scipy.ndimage.label(around)
    ends = [np.moveaxis(labels, each, 0)[[0, -1]].ravel() for each in range(3)]
    return around & np.isin(labels, np.unique(np.concatenate(ends)))


def _box_without_padding(unseen: np.ndarray) -> tuple[slice, ...]:
    """The array without the planes at its ends that nobody has measured."""
    box = []
    for axis in range(3):
        other = tuple(k for k in range(3) if k != axis)
        kept = np.flatnonzero(~_runs_at_the_ends(unseen.all(axis=other)))
        box.append(slice(int(kept[0]), int(kept[-1]) + 1))
    return tuple(box)


def _part_of(grid: Grid, box: tuple[slice, ...]) -> Grid:
    """The grid of a box of voxels of another."""
    low, high = ([each.start for each in box], [each.stop for each in box])
    affine = grid.affine.copy()
    affine[:3, 3] = grid.world(np.array(low))
    return Grid(tuple(np.subtract(high, low).tolist()), affine, grid.space)


def reaches(view: View, world: np.ndarray) -> np.ndarray:
    """Whether positions (n, 3) in world mm lie within what a view shows, measured or lost."""
    grid: Grid = view.volume.grid
    index = np.rint(grid.index(world)).astype(int)
    inside = ((index >= 0) & (index < grid.shape)).all(axis=1)
    if view.measured is not None:
        inside[inside] = ~_outside(view)[tuple(index[inside].T)]
    return inside


def _kinds(view: View) -> str:
    """Of what kind the unmeasured voxels of a view are, for a note."""
    array, axis = view.volume.array, view.axis
    other = tuple(k for k in range(3) if k != axis)
    holes = ~np.isfinite(array)
    empty = int((~view.measured).all(axis=other).sum())
    padding = int((~view.measured & ~holes).sum()) - empty * array.size // array.shape[axis]
    kinds = [
        f"{empty} constant slices" if empty else "",
        f"{holes.sum()} not finite" if holes.any() else "",
        "padding" if padding > 0 else "",
    ]
    return ", ".join(filter(None, kinds))


def _constant_planes(array: np.ndarray, measured: np.ndarray, axis: int) -> np.ndarray:
    """Which planes across an axis hold one value at most among what is measured; bool (n,)."""
    other = tuple(k for k in range(3) if k != axis)
    low = np.where(measured, array, np.inf).min(axis=other)
    high = np.where(measured, array, -np.inf).max(axis=other)
    return low >= high


def _runs_at_the_ends(flat: np.ndarray) -> np.ndarray:
    """Of the planes marked, those in an unbroken run from the first or to the last one."""
    return np.logical_and.accumulate(flat) | np.logical_and.accumulate(flat[::-1])[::-1]
