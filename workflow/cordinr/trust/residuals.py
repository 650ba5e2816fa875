"""What of the scans a reconstruction does not explain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..acquisition.noise import noise_of
from ..acquisition.view import View
from ..imaging.body import foreground, intensity_range
from ..imaging.volume import Volume
from .prediction import Covered, predict_slices
from .slice_numbers import SliceNumbers, counted_slices


@dataclass(frozen=True, eq=False)
class StackResidual:
    """What a reconstruction explains of a stack, within the body.

    Attributes:
        numbers: measured voxels against those that the forward model predicts.
        noise: standard deviation of the noise of the stack, relative to R.
        predicted: float32 of the shape of the stack; NaN where the image covers no whole profile.
        peak: R, the 99.9th percentile of all measured voxels of all stacks.
    """

    numbers: SliceNumbers
    noise: float
    predicted: np.ndarray
    peak: float

    @property
    def excess(self) -> float:
        """RMS residual beyond the noise, relative to R."""
        return float(np.sqrt(max(self.numbers.total_difference**2 - self.noise**2, 0.0)))


def range_of(views: Sequence[View]) -> float:
    """R of scans, the 99.9th percentile of all their measured voxels."""
    return intensity_range(np.concatenate([view.voxels for view in views])) or 1.0


def find_residuals(
    views: Sequence[View], image: Volume, covered: Covered = None
) -> list[StackResidual]:
    """Compare views with what the forward model predicts of them.

    Args:
        views: aligned, of equal gain.
        image: the reconstruction.
        covered: where it holds anything.
    """
    peak = range_of(views)
    return [_find_residual(view, image, covered, peak) for view in views]


def _find_residual(view: View, image: Volume, covered: Covered, peak: float) -> StackResidual:
    predicted = predict_slices(view, image, covered)
    numbers = compare_slices(view, predicted, body_of(view, predicted), peak)
    return StackResidual(numbers, noise_of(view) / peak, predicted, peak)


def compare_slices(
    view: View, predicted: np.ndarray, body: np.ndarray, peak: float
) -> SliceNumbers:
    """Compare the measured voxels of a view, within the body, with predicted ones.

    Args:
        view: the stack.
        predicted: of its shape; NaN for unknown.
        body: bool of its shape.
        peak: R.
    """
    measured = view.volume.array
    used = np.isfinite(predicted) & body
    if view.measured is not None:
        used &= view.measured
    numbers = np.broadcast_to(
        np.expand_dims(np.arange(measured.shape[view.axis]), list(view.in_plane)), measured.shape
    )
    counted = counted_slices(view)
    return SliceNumbers.compare(measured[used], predicted[used], numbers[used], peak, counted)


def body_of(view: View, predicted: np.ndarray) -> np.ndarray:
    """Where a view or its prediction shows the body; bool of its shape.

    Both count, as a slice that was lost shows none, though there is one.
    """
    brighter = np.fmax(view.volume.array, predicted)
    return foreground(brighter, view.volume.grid.voxel_sizes)
