"""Cubic splines through the voxels of an image, at any points and on any device.

Thevenaz, Blu and Unser, "Interpolation revisited", IEEE Transactions on Medical Imaging 2000.
"""

import numpy as np
import scipy
import torch
from torch import Tensor


def spline_coefficients(values: Tensor) -> Tensor:
    """Weights (x, y, z) of the B-splines whose sum passes through the values (x, y, z)."""
    array = values.cpu().numpy()
    found = scipy.ndimage.spline_filter(array, order=3, output=np.float32, mode="mirror")
    return torch.as_tensor(found, device=values.device)


def spline_at(coefficients: Tensor, index: Tensor) -> Tensor:
    """The sum of B-splines at fractional indices.

    Args:
        coefficients: (x, y, z), as `spline_coefficients` gives them.
        index: (..., 3), on the same device; beyond the outermost voxels what is there goes on.

    Returns:
        float32 (...).
    """
    places, weights = [], []
    for axis, count in enumerate(coefficients.shape):
        position = index[..., axis].clamp(0, count - 1)
        before = position.floor()
        weights.append(_weights(position - before))
        near = [before.long() + step for step in range(-1, 3)]
        stride = coefficients.stride(axis)
        places.append([_mirrored(each, count) * stride for each in near])
    flat = coefficients.reshape(-1)
    total = torch.zeros(index.shape[:-1], device=index.device)
    for first, x in zip(places[0], weights[0], strict=True):
        for second, y in zip(places[1], weights[1], strict=True):
            row = first + second
            line = sum(
                flat[row + third] * z for third, z in zip(places[2], weights[2], strict=True)
            )
            total += x * y * line
    return total


def _weights(part: Tensor) -> list[Tensor]:
    """Values of the four B-splines that reach a point, at a part of a voxel behind the second."""
    rest = 1 - part
    return [
        rest**3 / 6,
        2 / 3 - part**2 * (2 - part) / 2,
        2 / 3 - rest**2 * (2 - rest) / 2,
        part**3 / 6,
    ]


def _mirrored(place: Tensor, count: int) -> Tensor:
    """Places up to two voxels beyond an axis, mirrored at its outermost voxels."""
    last = count - 1
    return (last - (last - place.abs()).abs()).clamp(min=0)
