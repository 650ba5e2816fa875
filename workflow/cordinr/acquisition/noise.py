"""How noisy a scan is, read from the scan itself."""

import numpy as np

from .view import View

MAD_OF_NORMAL = 0.6745
"""Ratio of the median absolute deviation of a normal distribution to its standard deviation."""


def noise_of(view: View) -> float:
    """Standard deviation of the noise of a view, in the units of its intensities.

    From the finest diagonal Haar wavelet coefficients in the planes of the slices: Donoho and
    Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 1994, section 3. Detail
    of the anatomy is taken for noise, and noise that a scanner's interpolation smoothed is missed.
    Exact zeros, which a masked background is made of, are left out.
    """
    slices = np.moveaxis(view.volume.array, view.axis, 0)
    detail = np.diff(np.diff(slices, axis=1), axis=2)[:, ::2, ::2] / 2
    seen = np.abs(detail[detail != 0])
    return float(np.median(seen)) / MAD_OF_NORMAL if seen.size else 0.0
