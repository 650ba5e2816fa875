"""Which voxels of a scan were measured; padding, empty slices and NaN were not."""

import numpy as np

MAX_UNMEASURED = 0.9
"""Fraction of unmeasured voxels above which a scan is refused."""

MAX_EQUAL = 0.5
"""Fraction of pairs of equal neighbours above which an image counts as free of noise."""

MAX_FLAT_RANGE = 1e-5
"""Range of values within a plane that rounding may explain, as a fraction of the image's range."""


def find_measured(array: np.ndarray, axis: int) -> np.ndarray:
    """Voxels that a scanner may have measured, bool of the shape of `array`.

    Unmeasured are voxels that are not finite, slices of a single value anywhere, and planes of a
    single value at the borders (padding). Real intensities carry noise, so that not even air is
    constant over a whole plane. In an image without noise, as of a simple object, constant planes
    are normal: only voxels that are not finite count as unmeasured there, and slices that another
    view contradicts (see `leave_unmeasured_out`).

    Args:
        array: 3D.
        axis: array axis across the slices.
    """
    finite = np.isfinite(array)
    measured = finite.copy()
    for along in (axis, *(k for k in range(3) if k != axis)) * 2:
        flat = constant_planes(array, measured, along)
        if along != axis:
            flat = runs_at_the_ends(flat)
        measured[(slice(None),) * along + (flat,)] = False
    all_measured = np.array_equal(measured, finite)
    return measured if all_measured or has_noise(array, finite) else finite


def has_noise(array: np.ndarray, finite: np.ndarray) -> bool:
    """Whether neighbours along every axis mostly differ, as the intensities of a scanner do.

    The most common value, normally padding, is ignored.

    Args:
        array: 3D.
        finite: bool of its shape, the finite voxels.
    """
    values, counts = np.unique(array[finite], return_counts=True)
    shown = finite & (array != values[counts.argmax()])
    if shown.mean() < 1 - MAX_UNMEASURED:
        return False
    for axis in range(3):
        ahead, behind = (slice(1, None), slice(None, -1))
        at = (slice(None),) * axis
        pairs = shown[(*at, ahead)] & shown[(*at, behind)]
        equal = array[(*at, ahead)][pairs] == array[(*at, behind)][pairs]
        if equal.size and equal.mean() > MAX_EQUAL:
            return False
    return True


def constant_planes(array: np.ndarray, measured: np.ndarray, axis: int) -> np.ndarray:
    """Which planes across an axis hold at most one value among measured voxels; bool (n,)."""
    other = tuple(k for k in range(3) if k != axis)
    low = np.where(measured, array, np.inf).min(axis=other)
    high = np.where(measured, array, -np.inf).max(axis=other)
    shown = array[measured]
    contrast = float(np.subtract(*np.percentile(shown, (99, 1)))) if shown.size else 0.0
    rounding = MAX_FLAT_RANGE * contrast
    with np.errstate(invalid="ignore"):  # infinity minus infinity, where no voxel is measured
        return ((high - low <= rounding) & (measured.sum(axis=other) > 1)) | (low > high)


def in_planes(planes: np.ndarray, axis: int, shape: tuple[int, ...]) -> np.ndarray:
    """A bool array of whole planes across an axis, those marked in `planes` (n,)."""
    return np.broadcast_to(np.expand_dims(planes, [k for k in range(3) if k != axis]), shape)


def runs_at_the_ends(flat: np.ndarray) -> np.ndarray:
    """The marked planes that form an unbroken run from the first plane or to the last one."""
    return np.logical_and.accumulate(flat) | np.logical_and.accumulate(flat[::-1])[::-1]
