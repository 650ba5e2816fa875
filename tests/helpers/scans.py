"""Thick-slice scans of an image, made by splines of the image instead of the forward model."""

from collections.abc import Callable

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.view import View
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume

SUB_SLICES = 7
"""Number of thin slices whose mean is a thick one."""

WITHIN = (-0.25, 0.25)
"""Positions in voxels of the samples within a voxel, along each axis of the plane."""


BODY_SHAPE = (44, 50, 56)
"""Voxels of 1 mm of `body`."""


def body(seed: int = 0) -> Volume:
    """Smooth structures of several sizes within an ellipsoid, 1 mm."""
    rng = np.random.default_rng(seed)
    grid = Grid(BODY_SHAPE, np.eye(4))
    world = grid.centres() - grid.centre
    inside = 1 / (1 + np.exp(6 * (np.linalg.norm(world / [18, 21, 30], axis=1) - 1)))
    texture = np.zeros(grid.size)
    for wavelength in (30, 18, 12, 8):
        for _ in range(4):
            wave = rng.normal(size=3)
            wave *= 2 * np.pi / wavelength / np.linalg.norm(wave)
            texture += np.sin(world @ wave + rng.uniform(0, 6.3))
    return Volume((inside * (300 + 60 * texture)).reshape(BODY_SHAPE).astype(np.float32), grid)


def displacement(centre: np.ndarray, degrees: np.ndarray, shift_mm: np.ndarray) -> np.ndarray:
    """(4, 4) a rotation about a centre (world mm), given as rotation vector, then a translation."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(np.radians(degrees)).as_matrix()
    matrix[:3, 3] = centre + shift_mm - matrix[:3, :3] @ centre
    return matrix


def scan(
    image: Volume,
    axis: str,
    *,
    thickness: float,
    spacing: float,
    in_plane: float,
    tilt: float = 0.0,
    moved: np.ndarray | None = None,
    gain: float = 1.0,
    noise: float = 0.0,
    seed: int = 0,
    name: str = "scan",
    shifts: Callable[[int], np.ndarray] | None = None,
    shape: tuple[int, int, int] | None = None,
) -> View:
    """A stack of thick slices of an image, whose header knows nothing of a displacement.

    Args:
        image: of near isotropic voxels.
        axis: world axis across the slices, "R", "A" or "S".
        thickness: mm of a box profile.
        spacing: mm between slices.
        in_plane: voxel size in the plane, mm.
        tilt: degrees by which the slices are turned.
        moved: (4, 4) positions by the header to true ones; None for at rest.
        gain: factor of the intensities.
        noise: standard deviation of Rician noise, as a fraction of the 99.9th percentile.
        seed: of the noise.
        name: of the view.
        shifts: gives the (slices, 3) world mm by which each slice lies elsewhere, besides `moved`,
            for a number of slices; None for none.
        shape: voxels in the plane and slices, around the middle of the image, which are 0 where
            they lie outside of it; None for as many as fit into its extent.
    """
    across = "RAS".index(axis)
    others = [k for k in range(3) if k != across]
    turn = Rotation.from_rotvec(np.radians(tilt) * np.eye(3)[others[0]]).as_matrix()
    directions = turn @ np.eye(3)[:, [*others, across]]
    sizes = np.array([in_plane, in_plane, spacing])
    if shape is None:
        extent = np.ptp(image.grid.corners, axis=0)[[*others, across]]
        extent[2] -= thickness
        columns, rows, slices = (int(n) for n in extent / sizes)
        shape = columns, rows, slices
    affine = np.eye(4)
    affine[:3, :3] = directions * sizes
    affine[:3, 3] = image.grid.centre - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    true = (np.eye(4) if moved is None else moved) @ affine
    coefficients = ndimage.spline_filter(image.array.astype(float), order=3, mode="mirror")
    index = np.stack(np.unravel_index(np.arange(np.prod(shape)), shape), axis=-1)
    total = np.zeros(len(index))
    elsewhere = np.zeros((shape[2], 3)) if shifts is None else shifts(shape[2])
    for part in (np.arange(SUB_SLICES) + 0.5) / SUB_SLICES - 0.5:
        for one in WITHIN:
            for other in WITHIN:
                at = index + np.array([one, other, part * thickness / spacing])
                world = at @ true[:3, :3].T + true[:3, 3] + elsewhere[index[:, 2]]
                total += ndimage.map_coordinates(
                    coefficients, image.grid.index(world).T, order=3, prefilter=False
                )
    rng = np.random.default_rng(seed)
    signal = gain * total / (SUB_SLICES * len(WITHIN) ** 2)
    level = noise * gain * np.percentile(image.array, 99.9)
    array = np.hypot(
        signal + level * rng.normal(size=signal.shape), level * rng.normal(size=signal.shape)
    )
    if not noise:
        array = signal
    volume = Volume(array.reshape(shape).astype(np.float32), Grid(shape, affine))
    return View(volume, 2, SliceProfile("box", thickness), name)
