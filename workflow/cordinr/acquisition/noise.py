"""How noisy scans are, read from the scans themselves."""

from collections.abc import Sequence

import numpy as np

from .view import View

MAD_OF_NORMAL = 0.6745
"""Ratio of the median absolute deviation of a normal distribution to its standard deviation."""

ANATOMY_AS_NOISE = 0.014
"""Noise level that the estimator reports for noise-free images of fine anatomy, in units of the
intensity scale; it is subtracted."""


def excess_noise(views: Sequence[View], scale: float) -> float:
    """Noise variance of the views beyond `ANATOMY_AS_NOISE`, in units of `scale` squared."""
    return max(0.0, noise_level(views, scale) ** 2 - ANATOMY_AS_NOISE**2)


def noise_level(views: Sequence[View], scale: float) -> float:
    """Standard deviation of the noise of the least noisy view, in units of `scale`.

    The least noisy view counts, as detail of the anatomy is taken for noise.
    """
    return min(noise_of(view) for view in views) / scale


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
