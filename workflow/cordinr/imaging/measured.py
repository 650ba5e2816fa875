"""Which voxels of a scan were measured: not its padding, its empty slices, its not-a-numbers."""

import numpy as np

MAX_UNMEASURED = 0.9
"""Part of a scan that was never measured, above which it is refused."""

MAX_EQUAL = 0.5
"""Part of the pairs of neighbours that are equal, above which an image is one without noise."""

MAX_FLAT_RANGE = 1e-5
"""Range of values over a plane that is none but for rounding, as part of that of the image."""


def find_measured(array: np.ndarray, axis: int) -> np.ndarray:
    """Voxels that a scanner can have measured, bool of the shape of `array`.

    Not measured are voxels that are not finite; slices that hold one value only, wherever they
    are; and planes at the borders that hold one value only across all other slices (padding).
    Real intensities carry noise, so that not even air is constant over a whole plane. In an image
    without noise, as of a simple object, constant planes are nothing odd: there only what is not
    finite counts, and what another view denies (see `leave_unmeasured_out`).

    Args:
        array: 3D.
        axis: along which the slices follow each other.
    """
    finite = np.isfinite(array)
    measured = finite.copy()
    for along in (axis, *(k for k in range(3) if k != axis)) * 2:
        flat = constant_planes(array, measured, along)
        if along != axis:
            flat = runs_at_the_ends(flat)
        measured[(slice(None),) * along + (flat,)] = False
    nothing_odd = np.array_equal(measured, finite)
    return measured if nothing_odd or has_noise(array, finite) else finite


def has_noise(array: np.ndarray, finite: np.ndarray) -> bool:
    """Whether neighbours along every axis mostly differ, as the intensities of a scanner do.

    The most common value, as of padding, is not looked at.

    Args:
        array: 3D.
        finite: bool of its shape, the voxels that are numbers.
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
    """Which planes across an axis hold one value at most among what is measured; bool (n,)."""
    other = tuple(k for k in range(3) if k != axis)
    low = np.where(measured, array, np.inf).min(axis=other)
    high = np.where(measured, array, -np.inf).max(axis=other)
    shown = array[measured]
    rounding = (
        MAX_FLAT_RANGE * float(np.subtract(*np.percentile(shown, (99, 1)))) if shown.size else 0.0
    )
    with np.errstate(invalid="ignore"):  # infinity less infinity, of planes without any
        return ((high - low <= rounding) & (measured.sum(axis=other) > 1)) | (low > high)


def in_planes(planes: np.ndarray, axis: int, shape: tuple[int, ...]) -> np.ndarray:
    """A mask of whole planes across an axis, those marked in `planes` (n,)."""
    return np.broadcast_to(np.expand_dims(planes, [k for k in range(3) if k != axis]), shape)


def runs_at_the_ends(flat: np.ndarray) -> np.ndarray:
    """Of the planes marked, those in an unbroken run from the first or to the last one."""
    return np.logical_and.accumulate(flat) | np.logical_and.accumulate(flat[::-1])[::-1]
