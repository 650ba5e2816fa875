"""The weights of the penalties that suit the noise of the views."""

from collections.abc import Sequence

from ..acquisition.noise import excess_noise
from ..acquisition.view import View, intensity_scale

NOISE_FREE_WEIGHTS = {"tikhonov": 0.003, "tv": 0.002}
"""Weights of the penalties for views without noise, for intensities of about [0, 1]."""

WEIGHTS_PER_NOISE = {"tikhonov": 10.0, "tv": 4.0}
"""What is added to them for each unit of the noise variance of the views; chosen on six people, see
`benchmarks/NOTES.md`."""


def automatic_weight(views: Sequence[View], method: str) -> float:
    """The weight of the penalty that suits the noise of the views; 0 where a method has none.

    Args:
        views: at least one.
        method: a key of `CLASSICAL`.
    """
    if method not in NOISE_FREE_WEIGHTS:
        return 0.0
    noise = excess_noise(views, intensity_scale(views))
    return NOISE_FREE_WEIGHTS[method] + WEIGHTS_PER_NOISE[method] * noise
