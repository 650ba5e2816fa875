"""How two lists of intensities compare, slice by slice and all together."""

from dataclasses import dataclass

import numpy as np

from ..acquisition.view import View

MIN_VOXELS = 30
"""Number of voxels below which nothing is said of a slice."""


MIN_WEIGHT = 0.5
"""Weight of a slice in a reconstruction from which it has a say in the totals of its stack."""


@dataclass(frozen=True, eq=False)
class SliceNumbers:
    """How what a stack measured compares with what it should have measured.

    Attributes:
        voxels: (slices,) how many were compared.
        difference: (slices,) root mean square (RMS) of the differences, relative to R; NaN for a
            slice of fewer than `MIN_VOXELS` voxels, as in the others.
        correlation: (slices,) Pearson's; NaN for a constant slice.
        gain: (slices,) how many times as bright the slice is: the ratio of both RMS intensities.
        total_difference, total_correlation, total_gain: of the voxels of all slices that have a say
            together; NaN for none.
    """

    voxels: np.ndarray
    difference: np.ndarray
    correlation: np.ndarray
    gain: np.ndarray
    total_difference: float
    total_correlation: float
    total_gain: float

    @classmethod
    def compare(
        cls,
        measured: np.ndarray,
        expected: np.ndarray,
        numbers: np.ndarray,
        peak: float,
        counted: np.ndarray,
    ) -> "SliceNumbers":
        """Compare voxels.

        Args:
            measured: (n,) intensities.
            expected: (n,) what they should be.
            numbers: (n,) of the slice of each.
            peak: R, the intensity that differences are relative to.
            counted: (slices,) bool, which slices have a say in the totals.
        """
        measured, expected = measured.astype(float), expected.astype(float)
        products = {
            "one": np.ones_like(measured),
            "m": measured,
            "e": expected,
            "mm": measured**2,
            "ee": expected**2,
            "me": measured * expected,
        }
        sums = {
            name: np.bincount(numbers, values, minlength=len(counted))
            for name, values in products.items()
        }
        count = sums["one"]
        per_slice = _compare_sums(sums, peak)
        per_slice[:, count < MIN_VOXELS] = np.nan
        together = {name: values[counted].sum(keepdims=True) for name, values in sums.items()}
        total = _compare_sums(together, peak)[:, 0]
        if together["one"][0] < MIN_VOXELS:
            total[:] = np.nan
        difference, correlation, gain = per_slice
        return cls(count.astype(int), difference, correlation, gain, *map(float, total))

    @property
    def total_voxels(self) -> int:
        """Number of voxels of all slices that were compared."""
        return int(self.voxels.sum())


def counted_slices(view: View) -> np.ndarray:
    """Slices of a view that a reconstruction counts on, by their weights; bool (slices,)."""
    count = view.volume.grid.shape[view.axis]
    return np.ones(count, bool) if view.trust is None else view.trust >= MIN_WEIGHT


def _compare_sums(sums: dict[str, np.ndarray], peak: float) -> np.ndarray:
    """Differences, correlations and gains (3, n) from sums (n,) of products."""
    with np.errstate(divide="ignore", invalid="ignore"):
        count = sums["one"]
        square = np.maximum(sums["mm"] + sums["ee"] - 2 * sums["me"], 0) / count
        covariance = sums["me"] / count - sums["m"] * sums["e"] / count**2
        variance = sums["mm"] / count - (sums["m"] / count) ** 2
        other = sums["ee"] / count - (sums["e"] / count) ** 2
        flat = np.minimum(variance, other) <= 1e-12 * (sums["mm"] + sums["ee"]) / count
        correlation = np.where(flat, np.nan, covariance / np.sqrt(np.abs(variance * other)))
        gain = np.where(sums["ee"] > 0, np.sqrt(sums["mm"] / sums["ee"]), np.nan)
        return np.stack([np.sqrt(square) / peak, correlation, gain])
