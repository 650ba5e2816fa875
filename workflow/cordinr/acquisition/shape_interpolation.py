"""Segmentations of thick slices, interpolated across the slices by the shapes of their labels."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy

from ..imaging.grid import Grid
from ..imaging.volume import Volume

IN_PLANE = 2
"""Factor by which slices are refined in their plane."""

CROP_MARGIN = 2
"""Pixels around a label within which its distance is computed."""

ALL = 0
"""Key of the shape that all labels have together."""

Crop = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class Ends:
    """How the connected pieces of labels end if the next slice does not show them.

    Attributes:
        depth: (rows, columns) mm by which the deepest pixel of the piece lies within it.
        cap: (rows, columns) mm by which a pixel counts as outside in the next slice.
    """

    depth: np.ndarray
    cap: np.ndarray

    def bound(self, distance: np.ndarray, at: Crop | None = None) -> np.ndarray:
        """A distance (mm, not negative) in the next slice; of the cap if much above the depth."""
        depth, cap = (self.depth, self.cap) if at is None else (self.depth[at], self.cap[at])
        far = np.clip(distance / depth - 1, 0, 1)
        return distance + far * (cap - distance)


@dataclass(frozen=True, eq=False)
class Shape:
    """A label in a slice, within its crop.

    Attributes:
        distance: (rows, columns) mm from its edge, positive within.
        ends: of the piece to which the nearest pixel of the label belongs.
    """

    distance: np.ndarray
    ends: Ends


@dataclass(frozen=True, eq=False)
class Plane:
    """A slice.

    Attributes:
        shapes: of the labels that it shows, and of `ALL`.
        ends: of the label or hole to which a pixel belongs; the depth of the background around the
            labels is infinite.
        background: bool (rows, columns).
    """

    shapes: Mapping[int, Shape]
    ends: Ends
    background: np.ndarray


def between_slices(segmentation: Volume, axis: int) -> Volume:
    """Interpolate a segmentation across its slices, label by label.

    In each slice a label is replaced by the signed distance in mm from its edge, positive within,
    and this distance is interpolated between slices (Raya and Udupa, IEEE TMI 9:32, 1990). Of the
    labels that either slice shows at a position the one with the largest value wins, if one is
    positive. It also wins if the same for all labels taken together is positive, so that no gap
    opens between labels that follow each other.

    What one slice shows and the next does not, or only farther away than it is deep, ends between
    them in a round cap with the volume of half a slice, within another label as well (`_ends_of`).
    Beyond the first and the last slice of the stack labels go on for half a slice spacing.

    Args:
        segmentation: numbers of labels, unsigned, from 1 on; 0 is the background. At least one
            voxel has a label.
        axis: array axis across its slices.

    Returns:
        The part of the segmentation that has labels, of the same type, with finer voxels: of about
        the size of a pixel along `axis`, of 1 / `IN_PLANE` pixel along the other axes.
    """
    grid = segmentation.grid
    low, high = labelled_box(segmentation.array)
    low, high = np.maximum(low - 1, 0), np.minimum(high + 1, grid.shape)
    stack = np.moveaxis(segmentation.array[tuple(map(slice, low, high))], axis, 0)
    pixels = np.delete(grid.voxel_sizes, axis)
    factor = int(np.ceil(grid.voxel_sizes[axis] / pixels.min() - 1e-6))
    crops = _crops(stack)
    fine = np.zeros((factor * len(stack), *(IN_PLANE * n for n in stack.shape[1:])), stack.dtype)
    last = len(stack) - 1
    position = np.clip((np.arange(len(fine)) + 0.5) / factor - 0.5, 0, last)
    before = np.floor(position)
    ahead = _plane(stack[0], crops, pixels)
    for k in range(last + 1):
        here, ahead = ahead, _plane(stack[min(k + 1, last)], crops, pixels)
        rows = np.flatnonzero(before == k)
        fine[rows] = _largest(here, ahead, position[rows] - k, crops, fine)
    factors = np.insert(np.full(2, IN_PLANE), axis, factor)
    return Volume(np.moveaxis(fine, 0, axis), _refined(grid.cropped(low, high - low), factors))


def labelled_box(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first index along each axis with a voxel that is not 0, and the one after the last."""
    found = [np.flatnonzero(array.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    return np.array([each[0] for each in found]), np.array([each[-1] + 1 for each in found])


def _crops(stack: np.ndarray) -> dict[int, Crop]:
    """The part of the plane that each label occupies in any slice, with a margin."""
    rows, columns = stack.shape[1:]
    crops: dict[int, Crop] = {ALL: (slice(0, rows), slice(0, columns))}
    for label, found in enumerate(scipy.ndimage.find_objects(stack), start=1):
        if found is not None:
            first, second = (
                slice(max(0, each.start - CROP_MARGIN), min(n, each.stop + CROP_MARGIN))
                for each, n in zip(found[1:], (rows, columns), strict=True)
            )
            crops[label] = first, second
    return crops


def _plane(plane: np.ndarray, crops: Mapping[int, Crop], pixels: np.ndarray) -> Plane:
    """Measure the shapes in a slice."""
    shown = np.unique(plane)
    shapes = {}
    ends = Ends(np.full(plane.shape, np.inf, np.float32), np.zeros(plane.shape, np.float32))
    for label in (ALL, *shown[shown > 0].tolist()):
        part = plane[crops[label]]
        mask = part > 0 if label == ALL else part == label
        if mask.any():
            shapes[label] = _signed_distance(mask, pixels)
            ends.depth[crops[label]][mask] = shapes[label].ends.depth[mask]
            ends.cap[crops[label]][mask] = shapes[label].ends.cap[mask]
    background = plane == 0
    holes = scipy.ndimage.binary_fill_holes(~background) & background
    if holes.any():
        of_holes = _signed_distance(holes, pixels).ends
        ends.depth[holes], ends.cap[holes] = of_holes.depth[holes], of_holes.cap[holes]
    return Plane(shapes, ends, background)


def _signed_distance(mask: np.ndarray, pixels: np.ndarray) -> Shape:
    """Measure a shape.

    Args:
        mask: bool (rows, columns), not empty.
        pixels: (2,) mm.
    """
    edge = pixels.min() / 2
    if mask.all():
        inside = np.full(mask.shape, np.hypot(*(pixels * mask.shape)))
    else:
        inside = scipy.ndimage.distance_transform_edt(mask, sampling=pixels) - edge
    outside, nearest = scipy.ndimage.distance_transform_edt(
        ~mask, sampling=pixels, return_indices=True
    )
    distance = np.where(mask, inside, edge - outside).astype(np.float32)
    ends = _ends_of(distance, mask)
    nearest = tuple(nearest)
    return Shape(distance, Ends(ends.depth[nearest], ends.cap[nearest]))


def _ends_of(distance: np.ndarray, mask: np.ndarray) -> Ends:
    """Let a shape end in a round cap.

    A pixel as deep as a fraction u of the deepest one in its connected piece ends at
    t = end (1 - (1 - u)^2) of the way to the next slice: the cap of a cylinder is a paraboloid.
    `end` is such that t is 1/2 on average, because a shape that is drawn where it fills half of a
    slice ends at any place between that slice and the next. Linear interpolation between the
    distance d within the shape and -d (1 - t) / t crosses zero at t.

    Args:
        distance: from the edge, positive within.
        mask: the shape.

    Returns:
        Depth of the piece and d (1 - t) / t within the mask, 0 elsewhere.
    """
    pieces, count = scipy.ndimage.label(mask)
    number = pieces[mask] - 1
    within = distance[mask]
    deepest = np.asarray(scipy.ndimage.maximum(distance, pieces, np.arange(1, count + 1)))[number]
    fraction = 1 - (1 - within / deepest) ** 2
    mean = np.bincount(number, fraction) / np.bincount(number)
    fraction *= np.minimum(1, 0.5 / mean)[number]
    ends = Ends(*np.zeros((2, *mask.shape), np.float32))
    ends.depth[mask], ends.cap[mask] = deepest, within * (1 - fraction) / fraction
    return ends


def _largest(
    here: Plane,
    ahead: Plane,
    share: np.ndarray,
    crops: Mapping[int, Crop],
    like: np.ndarray,
) -> np.ndarray:
    """The label at positions between two slices.

    Args:
        here: the slice before.
        ahead: the slice behind.
        share: (n,) how far the positions are on the way from the one to the other, 0 to 1.
        crops: of the labels.
        like: array whose planes and type the result has.

    Returns:
        Array (n, rows, columns).
    """
    best = np.full((len(share), *like.shape[1:]), -np.inf, np.float32)
    winner = np.zeros(best.shape, like.dtype)
    together = np.zeros(best.shape, bool)
    for label in sorted(here.shapes.keys() | ahead.shapes.keys()):
        shown = [each.shapes[label] for each in (here, ahead) if label in each.shapes]
        present = np.logical_or.reduce([_finer(each.distance) >= 0 for each in shown])
        near = _finer(_seen_from(ahead, here, label, crops[label]))
        far = _finer(_seen_from(here, ahead, label, crops[label]))
        fine = tuple(slice(IN_PLANE * each.start, IN_PLANE * each.stop) for each in crops[label])
        for n, part in enumerate(share.astype(np.float32)):
            value = near + part * (far - near)
            if label == ALL:
                together[n][fine] = value > 0
                continue
            wins = present & (value > best[n][fine])
            best[n][fine][wins] = value[wins]
            winner[n][fine][wins] = label
    return np.where(together | (best > 0), winner, 0)


def _seen_from(other: Plane, plane: Plane, label: int, crop: Crop) -> np.ndarray:
    """The signed distance of a label in a slice, within the bounds that the other slice sets."""
    shape, elsewhere = plane.shapes.get(label), other.shapes.get(label)
    if shape is None:
        return -other.shapes[label].ends.cap
    outside, inside = np.maximum(-shape.distance, 0), np.maximum(shape.distance, 0)
    if elsewhere is not None:
        outside = elsewhere.ends.bound(outside)
    bounded = other.ends.bound(inside, crop)
    if label == ALL:
        bounded = np.where(other.background[crop], bounded, inside)
    return np.where(shape.distance > 0, bounded, -outside)


def _finer(plane: np.ndarray) -> np.ndarray:
    """A plane interpolated linearly at the centres of half pixels."""
    for axis in (0, 1):
        before = np.take(plane, np.maximum(np.arange(plane.shape[axis]) - 1, 0), axis)
        behind = np.take(
            plane, np.minimum(np.arange(plane.shape[axis]) + 1, plane.shape[axis] - 1), axis
        )
        halves = np.stack([0.75 * plane + 0.25 * before, 0.75 * plane + 0.25 * behind], axis + 1)
        shape = list(plane.shape)
        shape[axis] *= IN_PLANE
        plane = halves.reshape(shape)
    return plane


def _refined(grid: Grid, factors: np.ndarray) -> Grid:
    """The grid over the same field of view with `factors` (3,) voxels in place of one."""
    affine = grid.affine.copy()
    affine[:3, :3] /= factors
    affine[:3, 3] = grid.world((1 / factors - 1) / 2)
    x, y, z = (int(n) for n in np.array(grid.shape) * factors)
    return Grid((x, y, z), affine, grid.space)
