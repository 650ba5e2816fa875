"""Slices that a reconstruction never saw, predicted by it and by interpolation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..acquisition.overlap import common_grid
from ..acquisition.view import View
from ..errors import InputError
from ..imaging.grid import Grid
from ..imaging.volume import Volume
from .prediction import predict_slices
from .residuals import body_of, compare_slices, range_of
from .slice_numbers import SliceNumbers

MIN_STEP = 2
"""Smallest distance in slices between two that are left out, so that both neighbours are kept."""

MAX_VOXELS = 300_000
"""Voxels of the quick reconstruction: beyond them it covers the middle of the field of view."""

TV_WEIGHT = 0.002
"""Weight of the total variation of the quick reconstruction, for intensities of about [0, 1]."""

Reconstruct = Callable[[Sequence[View]], Volume]
"""Makes an image from views, some of whose slices are not measured."""


@dataclass(frozen=True, eq=False)
class HoldOut:
    """How well left-out slices of a stack are predicted.

    Attributes:
        reconstruction: their voxels against those that a reconstruction of the others predicts.
        interpolation: against linear interpolation between the neighbouring slices of the stack.
    """

    reconstruction: SliceNumbers
    interpolation: SliceNumbers

    @property
    def ratio(self) -> float:
        """RMS error of the reconstruction over that of the interpolation; below 1 is better."""
        error = self.interpolation.total_difference
        return float(self.reconstruction.total_difference / error) if error > 0 else float("nan")


def hold_out(
    views: Sequence[View], step: int, reconstruct: Reconstruct | None = None
) -> list[HoldOut]:
    """Leave every `step`-th slice of every stack out, and predict them from the others.

    Args:
        views: aligned, of equal gain.
        step: from 2 on.
        reconstruct: makes the image; None for total variation, in the middle of the field of view.

    Raises:
        InputError: the step is too small, or a stack has no slice between two that are kept.
    """
    if step < MIN_STEP:
        raise InputError(f"every {step}-th slice cannot be left out; choose {MIN_STEP} or more.")
    left_out = [_choose(view, step) for view in views]
    kept = [_leave_out(view, numbers) for view, numbers in zip(views, left_out, strict=True)]
    image = (reconstruct or quick_reconstruction)(kept)
    peak = range_of(views)
    results = []
    for view, without, numbers in zip(views, kept, left_out, strict=True):
        rest = np.setdiff1d(np.arange(view.volume.grid.shape[view.axis]), numbers)
        predicted = predict_slices(view, image)
        np.moveaxis(predicted, view.axis, 0)[rest] = np.nan
        interpolated = np.where(np.isfinite(predicted), without.volume.array, np.nan)
        body = body_of(view, predicted)
        errors = [compare_slices(view, each, body, peak) for each in (predicted, interpolated)]
        results.append(HoldOut(*errors))
    return results


def quick_reconstruction(views: Sequence[View]) -> Volume:
    """Total variation on the finest voxel of the views, over the middle of what they cover."""
    from ..classical.reconstruct import reconstruct_baseline

    grid = _middle(common_grid(views))
    return Volume(reconstruct_baseline(views, grid, "tv", TV_WEIGHT), grid)


def _middle(grid: Grid) -> Grid:
    """A grid of at most `MAX_VOXELS` voxels around the centre of another, as cubic as can be."""
    shape = np.array(grid.shape)
    while shape.prod() > MAX_VOXELS:
        longest = int((shape * grid.voxel_sizes).argmax())
        shape[longest] = shape[longest] * 9 // 10
    return grid.cropped((np.array(grid.shape) - shape) // 2, shape)


def _choose(view: View, step: int) -> np.ndarray:
    """Numbers of the slices to leave out; the first and the last are kept."""
    count = view.volume.grid.shape[view.axis]
    if count < 3:
        raise InputError(
            f"{view.name}: has {count} slices, of which none lies between two others; give "
            "--hold-out 0."
        )
    return np.arange(min(step // 2, count - 2), count - 1, step)


def _leave_out(view: View, numbers: np.ndarray) -> View:
    """A view that has not measured some of its slices; they hold the mean of their neighbours."""
    array, axis = view.volume.array.copy(), view.axis
    measured = np.ones(array.shape, bool) if view.measured is None else view.measured.copy()
    slices = np.moveaxis(array, axis, 0)
    slices[numbers] = (slices[numbers - 1] + slices[numbers + 1]) / 2
    np.moveaxis(measured, axis, 0)[numbers] = False
    return replace(view, volume=Volume(array, view.volume.grid), measured=measured)
