"""The T2-weighted signal of a phantom as a function of position.

Tissues are painted from the skin inwards, each over the previous ones. Their edges are
`shapes.EDGE_WIDTH_MM` wide, so that few sample points suffice for the average over a voxel.
"""

import numpy as np

from ..errors import InputError
from . import tissues
from .anatomy import Phantom
from .shapes import EDGE_WIDTH_MM

POINTS_PER_CHUNK = 1 << 15
"""Number of points computed at a time, so that temporary arrays fit into the processor cache."""


def intensity(phantom: Phantom, xyz: np.ndarray) -> np.ndarray:
    """Compute the noise-free T2-weighted signal, with the shading of the receive coil.

    Args:
        phantom: anatomy of the subject.
        xyz: world coordinates (R-A-S+) in mm, of shape (N, 3).

    Returns:
        float32 of shape (N,); air is 0 and cerebrospinal fluid about 1000.

    Raises:
        InputError: `xyz` is not of shape (N, 3).
    """
    xyz = np.asarray(xyz)
    if xyz.ndim != 2 or xyz.shape[1] != 3:
        raise InputError(f"points must be an (N, 3) array in mm, not one of shape {xyz.shape}.")
    image = np.empty(len(xyz), np.float32)
    for start in range(0, len(xyz), POINTS_PER_CHUNK):
        part = slice(start, start + POINTS_PER_CHUNK)
        image[part] = _signal(phantom, phantom.frame(xyz[part])) * _coil(phantom, xyz[part])
    return image


def _coil(phantom: Phantom, xyz: np.ndarray) -> np.ndarray:
    """Compute the sensitivity (N,) of the receive coil: smooth, 1 at the origin, higher behind."""
    gain, phase_x, phase_z = phantom.shading
    x, y, z = xyz.astype(np.float32).T
    ripple = (1 + 0.05 * np.sin(x / 28 + phase_x)) * (1 + 0.06 * np.sin(z / 35 + phase_z))
    at_origin = (1 + 0.05 * np.sin(phase_x)) * (1 + 0.06 * np.sin(phase_z))
    return ripple / at_origin * (1 - gain * np.tanh(y / 45))


def _signal(phantom: Phantom, at: np.ndarray) -> np.ndarray:
    """Compute the signal (N,) without shading at the cord coordinates `at` (3, N).

    Each tissue is painted only on the points where it can be visible.
    """
    image = np.zeros(at.shape[1], np.float32)
    u, v, depth = np.abs(at[0]), at[1], phantom.depth(at)
    column = (u < 25) & (v > -phantom.spinous[0] - 4) & (v < phantom.body_front + 3)
    canal = (
        (u < phantom.sac_half[0] + 4)
        & (v > -phantom.sac_half[1] - 6)
        & (v < phantom.canal_front + 1)
    )
    for painter, visible in (
        (tissues.paint_soft, depth > -EDGE_WIDTH_MM),
        (tissues.paint_viscera, (depth > 3) & (v > phantom.body_front)),
        (tissues.paint_arches, column & (v < phantom.canal_front + 3)),
        (tissues.paint_column, column & (v > phantom.canal_front - 4)),
        (tissues.paint_foramina, column & (u > 5)),
        (tissues.paint_canal, canal),
    ):
        index = np.flatnonzero(visible)
        if len(index):
            inside = image[index]
            painter(phantom, inside, at[:, index])
            image[index] = inside
    return image
