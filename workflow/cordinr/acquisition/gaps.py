"""Unmeasured parts of several views: padding, empty slices, NaN; judged by what other views show.

Taken for data they would be dark anatomy that no other scan confirms. Left out, they cost nothing
where another scan measures the same place, and are filled by the method's prior where none does.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import scipy

from ..errors import InputError
from ..imaging.grid import Grid
from ..imaging.measured import MAX_UNMEASURED, constant_planes, in_planes, runs_at_the_ends
from ..imaging.volume import Volume
from .view import View

log = logging.getLogger(__name__)

MIN_DENIED = 0.5
"""Difference between a constant slice and another view above which that view contradicts the slice,
as a fraction of the mean intensity of what both show."""


def leave_unmeasured_out(views: Sequence[View]) -> list[View]:
    """Mark the unmeasured voxels of views, so that they are not fitted.

    Unmeasured voxels get the value of the nearest measured one, for interpolation. In an image
    without noise, a constant slice is unmeasured as well where another view shows something else.
    Whole planes of padding that no other scan reaches are cut off. Where one scan confirms that
    zeros around another are not padding, the scans were made from an image with a black margin,
    and zeros that no scan contradicts are data.

    Args:
        views: of one place, as `read_view` gives them.

    Returns:
        Views whose `measured` is what is to be fitted, and whose arrays are finite everywhere.

    Raises:
        InputError: almost nothing of a view was measured.
    """
    views = [_judge_slices(view, views) for view in views]
    around = [_outside(view) for view in views]
    compared = [_compare(k, views, around) for k in range(len(views))]
    black_margin = any(confirmed.any() for _, confirmed in compared)
    return [
        view if view.measured is None else _leave_out(view, unseen, confirmed, black_margin)
        for view, (unseen, confirmed) in zip(views, compared, strict=True)
    ]


def _judge_slices(view: View, views: Sequence[View]) -> View:
    """A view whose constant slices count as measured where another view shows much the same there.

    They do not where another view contradicts them. Where no other view has measured, noise
    decides, as in `find_measured`.
    """
    array, axis = view.volume.array, view.axis
    finite = np.isfinite(array)
    flat = constant_planes(array, finite, axis)
    if not flat.any():
        return view
    measured = finite.copy() if view.measured is None else view.measured.copy()
    for number, denied in _verdicts(view, flat, views).items():
        at = (slice(None),) * axis + (number,)
        measured[at] = finite[at] & (not denied)
    return replace(view, measured=None if measured.all() else measured)


def _verdicts(view: View, flat: np.ndarray, views: Sequence[View]) -> dict[int, bool]:
    """Whether other views contradict a constant slice, by the number of the slice.

    Slices that no other view reaches have no verdict. Slices of the others that are constant
    themselves do not count. Mean intensities of what both show are compared, after the gain
    between the remaining slices is removed.
    """
    array = view.volume.array
    verdicts: dict[int, bool] = {}
    for other in (each for each in views if each is not view):
        doubtful = _outside(other) | in_planes(
            constant_planes(other.volume.array, np.isfinite(other.volume.array), other.axis),
            other.axis,
            other.volume.array.shape,
        )
        place = _voxel_of(other, doubtful, view.volume.grid)
        both = (place >= 0) & np.isfinite(array)
        both &= np.isfinite(other.volume.array).ravel()[place]
        values = np.where(both, other.volume.array.ravel()[place], 0)
        others = tuple(k for k in range(3) if k != view.axis)
        count = both.sum(axis=others)
        ours, theirs = (
            np.where(both, each, 0).sum(axis=others) / np.maximum(count, 1)
            for each in (array, values)
        )
        known = (count > 0) & ~flat
        level = np.abs(theirs[known]).mean() if known.any() else 0.0
        gain = np.abs(ours[known]).mean() / level if level > 0 else 1.0
        apart = np.abs(ours - gain * theirs) > MIN_DENIED * gain * level
        for number in np.flatnonzero(flat & (count > 0)):
            verdicts[int(number)] = verdicts.get(int(number), False) or bool(apart[number])
    return verdicts


def _compare(
    number: int, views: Sequence[View], around: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The padding of a view that no other view reaches, and the part that another view confirms.

    Args:
        number: of the view among all views.
        views: all of them.
        around: the padding of each view.
    """
    view, unseen = views[number], around[number].copy()
    confirmed = np.zeros(unseen.shape, bool)
    for other, padding in zip(views, around, strict=True):
        if other is not view and unseen.any():
            place = _voxel_of(other, padding, view.volume.grid)
            confirmed |= _confirmed_zeros(view, around[number], other, place)
            unseen &= place < 0
    return unseen, confirmed


def _leave_out(view: View, unseen: np.ndarray, confirmed: np.ndarray, black_margin: bool) -> View:
    missing = _unmeasured(view)
    part = float(missing.mean())
    if part > MAX_UNMEASURED:
        raise InputError(
            f"{view.name}: {100 * part:.0f} % of its voxels were never measured (padding, constant "
            "slices or not finite); give the scan as it came from the scanner."
        )
    if black_margin:
        zeros = unseen & (view.volume.array == 0)
        confirmed, unseen = confirmed | zeros, unseen & ~zeros
    lost = missing & ~confirmed
    if not lost.any():
        return replace(view, measured=None)
    log.warning(
        "%s: %d of its %d voxels were never measured (%s) and are left out.",
        view.name,
        lost.sum(),
        lost.size,
        _kinds(view),
    )
    box = _box_without_padding(unseen)
    lost, array = lost[box], view.volume.array[box]
    if lost.any():
        nearest = scipy.ndimage.distance_transform_edt(
            missing[box],
            sampling=view.volume.grid.voxel_sizes,
            return_distances=False,
            return_indices=True,
        )
        array = np.where(lost, array[tuple(nearest)], array)
    kept = box[view.axis]
    return replace(
        view,
        volume=Volume(array, _crop(view.volume.grid, box)),
        measured=~lost if lost.any() else None,
        cropped=array.shape != view.volume.array.shape,
        trust=None if view.trust is None else view.trust[kept],
        shifts=None if view.shifts is None else view.shifts[kept],
    )


def _voxel_of(view: View, padding: np.ndarray, grid: Grid) -> np.ndarray:
    """The voxel of a view in which each voxel centre of a grid lies, -1 for none or padding.

    Returns:
        int64 of shape `grid.shape`: places in the flattened array of the view.
    """
    shape, places = view.volume.grid.shape, np.full(grid.size, -1)
    for block, centres in grid.blocks():
        index = np.rint(view.volume.grid.index(centres)).astype(int)
        inside = ((index >= 0) & (index < shape)).all(axis=1)
        places[block][inside] = np.ravel_multi_index(index[inside].T, shape)
    places[padding.ravel()[places] & (places >= 0)] = -1
    return places.reshape(grid.shape)


def _confirmed_zeros(view: View, outside: np.ndarray, other: View, place: np.ndarray) -> np.ndarray:
    """Zeros at the border of a view that another view confirms, side by side; bool array.

    A thick slice of the other view that crosses the edge of the padding is as bright as the mean
    of this view's voxels in it, zeros included, if the zeros were there during the measurement. If
    they were added afterwards, it is as bright as the mean of the other voxels.

    Args:
        view: with padding.
        outside: its padding.
        other: view to compare with, after the gain between both is removed.
        place: as `_voxel_of` gives it for the other view.
    """
    confirmed = np.zeros(outside.shape, bool)
    zeros = outside & (view.volume.array == 0)
    if not zeros.any():
        return confirmed
    known = (place >= 0) & (view.measured | zeros)
    if other.measured is not None:
        known &= other.measured.ravel()[place]
    size = other.volume.array.size

    def per_voxel(mask: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        chosen = None if weights is None else weights[mask]
        return np.bincount(place[mask], chosen, minlength=size)

    count = np.maximum(per_voxel(known), 1)
    mean = per_voxel(known, view.volume.array.astype(float)) / count
    values = other.volume.array.ravel()
    whole = (per_voxel(known) > 0) & (per_voxel(known & zeros) == 0)
    brightness = values[whole].sum()
    gain = mean[whole].sum() / brightness if brightness > 0 else 1.0
    for side in _sides(outside):
        if not (known & zeros & side).any():
            continue
        part = per_voxel(known & zeros & side) / count
        across = part > 0
        expected = gain * values[across]
        if mean[across].sum() > (expected * (1 - part[across] / 2)).sum():
            confirmed |= zeros & side
    return confirmed


def _sides(outside: np.ndarray) -> Iterator[np.ndarray]:
    """The planes of padding at each of the six sides, as one bool array per side."""
    for axis in range(3):
        other = tuple(k for k in range(3) if k != axis)
        flat = np.asarray(outside.all(axis=other))
        for run in (np.logical_and.accumulate(flat), np.logical_and.accumulate(flat[::-1])[::-1]):
            side = np.zeros(outside.shape, bool)
            side[(slice(None),) * axis + (run,)] = True
            yield side


def _unmeasured(view: View) -> np.ndarray:
    """The voxels of a scan that were not measured, as a bool array."""
    if view.measured is None:
        return np.zeros(view.volume.array.shape, bool)
    return ~view.measured


def _outside(view: View) -> np.ndarray:
    """The padding around a scan, as a bool array; slices lost within the scan are not padding."""
    axis, missing = view.axis, _unmeasured(view)
    other = tuple(k for k in range(3) if k != axis)
    slices = np.asarray(missing.all(axis=other))
    around = missing.copy()
    np.moveaxis(around, axis, 0)[slices & ~runs_at_the_ends(slices)] = False
    labels, _ = scipy.ndimage.label(around)
    ends = [np.moveaxis(labels, each, 0)[[0, -1]].ravel() for each in range(3)]
    return around & np.isin(labels, np.unique(np.concatenate(ends)))


def _box_without_padding(unseen: np.ndarray) -> tuple[slice, ...]:
    """The box of an array without the planes at its ends that no view has measured."""
    box = []
    for axis in range(3):
        other = tuple(k for k in range(3) if k != axis)
        kept = np.flatnonzero(~runs_at_the_ends(np.asarray(unseen.all(axis=other))))
        box.append(slice(int(kept[0]), int(kept[-1]) + 1))
    return tuple(box)


def _crop(grid: Grid, box: tuple[slice, ...]) -> Grid:
    low, high = np.array([(each.start, each.stop) for each in box]).T
    return grid.cropped(low, high - low)


def _kinds(view: View) -> str:
    """The kinds of unmeasured voxels of a view, for a message."""
    array, axis = view.volume.array, view.axis
    other = tuple(k for k in range(3) if k != axis)
    missing, holes = _unmeasured(view), ~np.isfinite(array)
    empty = int(missing.all(axis=other).sum())
    padding = int((missing & ~holes).sum()) - empty * array.size // array.shape[axis]
    kinds = [
        f"{empty} constant slices" if empty else "",
        f"{holes.sum()} not finite" if holes.any() else "",
        "padding" if padding > 0 else "",
    ]
    return ", ".join(filter(None, kinds))
