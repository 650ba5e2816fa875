"""Segmentations of thick slices, interpolated across the slices by the shapes of their labels."""

from collections.abc import Mapping

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
Shape = tuple[np.ndarray, np.ndarray]


def between_slices(segmentation: Volume, axis: int) -> Volume:
    """Interpolate a segmentation across its slices, label by label.

    In each slice a label is replaced by the signed distance in mm from its edge, positive within,
    and this distance is interpolated between slices (Raya and Udupa, IEEE TMI 9:32, 1990). Of the
    labels that either slice shows at a position the one with the largest value wins, if one is
    positive. It also wins if the same for all labels taken together is positive, so that no gap
    opens between labels that follow each other.

    What one slice shows and the next does not, ends in a tip midway between them: nothing counts as
    farther from a label than this label is deep. Beyond the first and the last slice of the stack
    labels go on for half a slice spacing.

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
    ahead = _shapes(stack[0], crops, pixels)
    for k in range(last + 1):
        here, ahead = ahead, _shapes(stack[min(k + 1, last)], crops, pixels)
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


def _shapes(plane: np.ndarray, crops: Mapping[int, Crop], pixels: np.ndarray) -> dict[int, Shape]:
    """The signed distance and the depth of each label of a slice, and of all labels together."""
    shown = np.unique(plane)
    shapes = {}
    for label in (ALL, *shown[shown > 0].tolist()):
        part = plane[crops[label]]
        mask = part > 0 if label == ALL else part == label
        if mask.any():
            shapes[label] = _signed_distance(mask, pixels)
    return shapes


def _signed_distance(mask: np.ndarray, pixels: np.ndarray) -> Shape:
    """Distance from the edge of a shape in mm, and how deep the nearest piece of the shape is.

    Args:
        mask: bool (rows, columns), not empty.
        pixels: (2,) mm.

    Returns:
        Two float32 arrays of the shape of the mask: the distance of pixel centres from the edge,
        positive within; the largest such distance within the nearest connected piece.
    """
    edge = pixels.min() / 2
    # The frame is background, but beyond the image a shape may go on.
    if mask.all():
        inside = np.full(mask.shape, np.hypot(*(pixels * mask.shape)))
    else:
        inside = scipy.ndimage.distance_transform_edt(mask, sampling=pixels) - edge
    outside, nearest = scipy.ndimage.distance_transform_edt(
        ~mask, sampling=pixels, return_indices=True
    )
    distance = np.where(mask, inside, edge - outside).astype(np.float32)
    pieces, count = scipy.ndimage.label(mask)
    deepest = scipy.ndimage.maximum(distance, pieces, np.arange(1, count + 1))
    return distance, np.asarray(deepest, np.float32)[pieces[tuple(nearest)] - 1]


def _largest(
    here: Mapping[int, Shape],
    ahead: Mapping[int, Shape],
    share: np.ndarray,
    crops: Mapping[int, Crop],
    like: np.ndarray,
) -> np.ndarray:
    """The label at positions between two slices.

    Args:
        here: shapes of the labels of the slice before.
        ahead: those of the slice behind.
        share: (n,) how far the positions are on the way from the one to the other, 0 to 1.
        crops: of the labels.
        like: array whose planes and type the result has.

    Returns:
        Array (n, rows, columns).
    """
    best = np.full((len(share), *like.shape[1:]), -np.inf, np.float32)
    winner = np.zeros(best.shape, like.dtype)
    together = np.zeros(best.shape, bool)
    for label in sorted(here.keys() | ahead.keys()):
        near, far = _ends(here.get(label), ahead.get(label))
        shown = [_finer(each[label][0]) >= 0 for each in (here, ahead) if label in each]
        fine = tuple(slice(IN_PLANE * each.start, IN_PLANE * each.stop) for each in crops[label])
        near, far, present = _finer(near), _finer(far), np.logical_or.reduce(shown)
        for n, part in enumerate(share.astype(np.float32)):
            value = near + part * (far - near)
            if label == ALL:
                together[n][fine] = value > 0
                continue
            wins = present & (value > best[n][fine])
            best[n][fine][wins] = value[wins]
            winner[n][fine][wins] = label
    return np.where(together | (best > 0), winner, 0)


def _ends(here: Shape | None, ahead: Shape | None) -> tuple[np.ndarray, np.ndarray]:
    """The signed distances of a label in two slices, no farther out than the other's depth."""
    if here is None:
        assert ahead is not None
        return -ahead[1], ahead[0]
    if ahead is None:
        return here[0], -here[1]
    return np.maximum(here[0], -ahead[1]), np.maximum(ahead[0], -here[1])


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
