"""Views of many kinds, drawn at random, for a prior to learn from."""

from dataclasses import replace

import numpy as np
import scipy

from ..acquisition.forward import system_matrix
from ..acquisition.profile import ProfileShape, SliceProfile
from ..acquisition.simulate import slice_grid
from ..acquisition.view import View
from ..imaging.grid import Grid
from ..imaging.volume import Volume

THICKNESS = (3.0, 6.0)
"""Thinnest and thickest slices, in voxels."""

MAX_NOISE = 0.05
"""Largest standard deviation of the noise, as a fraction of the 99th percentile."""

MAX_GAP = 0.3
"""Largest gap between slices, as a fraction of their thickness."""

MAX_TILT = 15.0
"""Largest angle in degrees between slices and the axes of the grid."""

PART_NOISE_FREE = 0.4
PART_THREE, PART_SINGLE = 0.15, 0.04
PART_GAUSSIAN, PART_GAP, PART_TILTED, PART_COARSE = 0.25, 0.25, 0.2, 0.15
"""Parts of the examples of each kind; coarse ones have larger voxels in the planes of one stack."""


def simulate_views(volume: Volume, rng: np.random.Generator) -> list[View]:
    """Stacks of slices of a volume, of random kinds.

    Args:
        volume: of near isotropic voxels.
        rng: of all choices.
    """
    kind = rng.random()
    count = 3 if kind < PART_THREE else 1 if kind < PART_THREE + PART_SINGLE else 2
    axes = rng.permutation(3)[:count]
    common = rng.uniform(*THICKNESS)
    whole = rng.random() < 0.5
    same = rng.random() < 0.6
    gaussian, gap = rng.random() < PART_GAUSSIAN, rng.random() < PART_GAP
    tilted, coarse = rng.random() < PART_TILTED, rng.random() < PART_COARSE
    noise = 0.0 if rng.random() < PART_NOISE_FREE else MAX_NOISE * rng.uniform(0, 1) ** 1.5
    sigma = noise * float(np.percentile(volume.array, 99))
    views = []
    for number, axis in enumerate(map(int, axes)):
        thickness = common if same else rng.uniform(*THICKNESS)
        thickness = round(thickness) if whole else thickness
        voxel = float(volume.grid.voxel_sizes[axis])
        # A gaussian reaches farther, and the volume has to hold one slice.
        thickness = max(1.0, min(thickness, volume.grid.shape[axis] / 4)) * voxel
        spacing = thickness * (1 + (rng.uniform(0, MAX_GAP) if gap else 0.0))
        shape: ProfileShape = "gaussian" if gaussian else "box"
        profile = SliceProfile(shape, thickness)
        slices = slice_grid(volume.grid, axis, profile, spacing)
        last = number == count - 1
        if coarse and last:
            slices = _with_larger_voxels(slices, axis, rng.uniform(1.1, 1.7))
        if tilted and last:
            slices = _turned(slices, rng)
        views.append(with_noise(scan(volume, slices, axis, profile), sigma, rng))
    return views


def scan(volume: Volume, slices: Grid, axis: int, profile: SliceProfile) -> View:
    """A stack on any grid; what lies beyond the volume counts as not measured.

    The forward model makes it, so that its voxels are what the system matrix gives, and nobody has
    to read from them how sharp they are.

    Args:
        volume: to be sliced.
        slices: grid of the stack.
        axis: array axis of the stack along which slices follow each other.
        profile: of each slice.
    """
    empty = View(Volume(np.empty(slices.shape, np.float32), slices), axis, profile)
    matrix = system_matrix(empty, volume.grid)
    seen = (np.diff(matrix.indptr) > 0).reshape(slices.shape)
    array = (matrix @ volume.array.ravel()).reshape(slices.shape)
    blurred = replace(empty, lost=np.zeros(slices.shape, np.float32))
    if seen.all():
        return replace(blurred, volume=Volume(array, slices))
    index = volume.grid.index(slices.centres())
    nearest = scipy.ndimage.map_coordinates(volume.array, index.T, order=1, mode="nearest")
    array = np.where(seen, array, nearest.reshape(slices.shape)).astype(np.float32)
    return replace(blurred, volume=Volume(array, slices), measured=seen)


def with_noise(view: View, sigma: float, rng: np.random.Generator) -> View:
    """The view with Rician noise of a standard deviation in each channel."""
    if sigma == 0:
        return view
    array = np.maximum(view.volume.array, 0)
    real, imaginary = rng.normal(scale=sigma, size=(2, *array.shape))
    noisy = np.hypot(array + real, imaginary).astype(np.float32)
    return replace(view, volume=Volume(noisy, view.volume.grid))


def _turned(grid: Grid, rng: np.random.Generator) -> Grid:
    """A grid turned about its middle by up to `MAX_TILT` about a random axis."""
    axis = rng.normal(size=3)
    angle = np.radians(rng.uniform(2, MAX_TILT))
    turn = scipy.spatial.transform.Rotation.from_rotvec(axis / np.linalg.norm(axis) * angle)
    affine = grid.affine.copy()
    affine[:3, :3] = turn.as_matrix() @ affine[:3, :3]
    affine[:3, 3] = grid.centre - affine[:3, :3] @ ((np.array(grid.shape) - 1) / 2)
    return Grid(grid.shape, affine, grid.space)


def _with_larger_voxels(grid: Grid, axis: int, factor: float) -> Grid:
    """A grid over the same field of view whose voxels are larger in the planes of the slices."""
    factors = np.array([1.0 if each == axis else factor for each in range(3)])
    counts = np.maximum(1, (np.array(grid.shape) / factors + 1e-6).astype(int))
    affine = grid.affine.copy()
    affine[:3, :3] *= factors
    affine[:3, 3] = grid.centre - affine[:3, :3] @ ((counts - 1) / 2)
    first, second, third = map(int, counts)
    return Grid((first, second, third), affine, grid.space)
