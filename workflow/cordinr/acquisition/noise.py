"""How noisy scans are, read from the scans themselves."""

from collections.abc import Sequence

import numpy as np

from .view import View

MAD_OF_NORMAL = 0.6745
"""Ratio of the median absolute deviation of a normal distribution to its standard deviation."""

ANATOMY_AS_NOISE = 0.014
"""Noise level that the estimator reports for noise-free images of fine anatomy, in units of the
intensity scale; it is subtracted."""

NOISE_IN_DISAGREEMENT = 0.3
"""Noise variance that the blur by the slice profile of another scan leaves, as a fraction of it."""

CONTRADICTION_FACTOR = 5.0
"""Factor on the variance of what scans contradict each other in: unlike noise it is alike over many
voxels and does not average out. Chosen on people whose scans were spoilt, `benchmarks/NOTES.md`."""

MIN_BODY = 0.1
"""Least intensity of the body, in units of the intensity scale."""


def excess_noise(views: Sequence[View], scale: float) -> float:
    """Variance of what the views say and no object explains, in units of `scale` squared.

    Noise beyond `ANATOMY_AS_NOISE`, and what scans of one object contradict each other in: motion
    within a scan, distortion, fat that lies elsewhere. A reconstruction that follows both scans in
    every detail would invent what neither shows.
    """
    noise = max(0.0, noise_level(views, scale) ** 2 - ANATOMY_AS_NOISE**2)
    return noise + CONTRADICTION_FACTOR * contradiction(views, scale)


def contradiction(views: Sequence[View], scale: float) -> float:
    """Variance of what scans contradict each other in beyond their noise, in units of `scale`."""
    if all(view.is_parallel_to(views[0]) for view in views):
        return 0.0
    told = float(np.mean([_contradiction_of(view, scale) for view in views]))
    return max(0.0, told - NOISE_IN_DISAGREEMENT * noise_level(views, scale) ** 2)


def _contradiction_of(view: View, scale: float) -> float:
    """Variance that a view's median difference from the others tells, half of it its own."""
    if not view.disagreement:
        return 0.0
    body = view.voxels[view.voxels > MIN_BODY * scale]
    level = float(np.median(body)) / scale if body.size else 0.0
    return (view.disagreement * level / MAD_OF_NORMAL) ** 2 / 2


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
