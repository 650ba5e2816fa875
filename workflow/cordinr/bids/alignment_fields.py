"""What `cordinr align` wrote into the sidecar of a scan, for those who read the scan."""

import numpy as np

from ..acquisition.slice_geometry import Statements
from ..errors import InputError


def scan_disagreement(stated: Statements) -> float:
    """Return how far an aligned scan differs from the others, by the sidecar that `align` writes.

    Args:
        stated: by the sidecars.

    Raises:
        InputError: it is not a number from 0 to 1.
    """
    value = stated.values.get("ScanDisagreement", 0)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise InputError(
            f"{stated.origins['ScanDisagreement']}: ScanDisagreement is not a number from 0 to 1; "
            "align the scans again."
        )
    return float(value)


def slice_weights(stated: Statements, count: int) -> np.ndarray | None:
    """Return the weights of slices in the sidecar of an aligned scan, which `align` writes.

    Args:
        stated: by the sidecars.
        count: number of slices.

    Returns:
        (count,) weights from 0 to 1; None where the sidecars state none.

    Raises:
        InputError: they are not so many numbers from 0 to 1.
    """
    weights = _per_slice(stated, "SliceWeights", (count,))
    if weights is not None and not ((weights >= 0) & (weights <= 1)).all():
        raise InputError(
            f"{stated.origins['SliceWeights']}: SliceWeights has numbers that are not from 0 to 1; "
            "align the scans again."
        )
    return weights


def slice_translations(stated: Statements, count: int) -> np.ndarray | None:
    """Return where slices really lie by the sidecar of an aligned scan, which `align` writes.

    Args:
        stated: by the sidecars.
        count: number of slices.

    Returns:
        (count, 3) world mm by which each slice lies elsewhere; None where the sidecars state none.

    Raises:
        InputError: they are not so many triples of numbers.
    """
    return _per_slice(stated, "SliceTranslations", (count, 3))


def _per_slice(stated: Statements, key: str, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return the numbers that a sidecar states for every slice, in an array of this shape."""
    value = stated.values.get(key)
    if value is None:
        return None
    try:
        numbers = np.array(value, float)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != shape or not np.isfinite(numbers).all():
        raise InputError(
            f"{stated.origins[key]}: {key} does not give {shape[0]} slices, as {stated.image} has, "
            f"{'a number' if len(shape) == 1 else 'three numbers'} each; align the scans again."
        )
    return numbers
