"""Simulated scans of a phantom: voxel averages on a grid, the cord mask, and scanner noise."""

import numpy as np

from ..errors import InputError
from ..imaging.grid import Grid
from ..imaging.volume import Volume
from .anatomy import CORD_SIGNAL, Phantom
from .signal import POINTS_PER_CHUNK, intensity

EXTENT_MM = (40.0, 70.0, 48.0)
"""Size of the default field of view along R, A and S in mm."""

POINTS_PER_BLOCK = 4 * POINTS_PER_CHUNK
"""Maximum number of points whose positions are in memory at the same time."""

LEARNING_VOXEL_MM = (0.8, 1.15)
"""Smallest and largest voxel size of a phantom that a prior learns from."""

LEARNING_SNR = (30.0, 80.0)
"""Noisiest and least noisy image of a phantom that a prior learns from."""


def default_grid(voxel_mm: float, extent_mm: tuple[float, float, float] = EXTENT_MM) -> Grid:
    """Return a grid of isotropic voxels along the world axes, centred on the origin.

    The number of voxels along an axis is `extent_mm` / `voxel_mm`, rounded: (40, 70, 48) at 1 mm
    and (80, 140, 96) at 0.5 mm for the default field of view.

    Args:
        voxel_mm: voxel size in mm.
        extent_mm: size of the field of view along each axis in mm.

    Raises:
        InputError: a length is not positive.
    """
    extent = np.asarray(extent_mm, dtype=float)
    if voxel_mm <= 0 or np.any(extent <= 0):
        raise InputError(f"voxel and extent must be positive mm, not {voxel_mm} and {extent_mm}.")
    return Grid.isotropic(np.zeros(3), np.eye(3), extent, voxel_mm, "nearest")


def sample(
    phantom: Phantom,
    grid: Grid,
    supersample: int | tuple[int, int, int] = 3,
    filled: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> np.ndarray:
    """Compute the noise-free image of a phantom, in which each voxel is an average of the signal.

    Besides the image it needs less than 100 MB of memory.

    Args:
        phantom: anatomy of the subject.
        grid: grid of the image.
        supersample: number of sample points along each axis of a voxel, evenly spaced; one for all
            axes or one for each.
        filled: part of a voxel along each axis over which the signal is averaged; of slices with
            gaps the thickness over the spacing.

    Returns:
        float32 of shape `grid.shape`.

    Raises:
        InputError: `supersample` is below 1.
    """
    counts = (supersample,) * 3 if isinstance(supersample, int) else supersample
    if min(counts) < 1:
        raise InputError(f"supersample must be at least 1, not {supersample}.")
    ticks = [
        part * ((np.arange(count) + 0.5) / count - 0.5)
        for count, part in zip(counts, filled, strict=True)
    ]
    offsets = np.stack(np.meshgrid(*ticks, indexing="ij"), axis=-1).reshape(-1, 3)
    image = np.empty(grid.size, np.float32)
    voxels = max(POINTS_PER_BLOCK // len(offsets), 1)
    for start in range(0, grid.size, voxels):
        block = slice(start, min(start + voxels, grid.size))
        index = np.stack(np.unravel_index(np.arange(block.start, block.stop), grid.shape), axis=1)
        points = grid.world((index[:, None, :] + offsets).reshape(-1, 3))
        image[block] = intensity(phantom, points).reshape(-1, len(offsets)).mean(axis=1)
    return image.reshape(grid.shape)


def draw_scan(number: int, seed: int) -> Volume:
    """Draw a phantom and scan it: a noisy image of random voxel size, for a prior to learn from.

    Args:
        number: of the subject, at least 0.
        seed: of all subjects; other seeds give other subjects.
    """
    rng = np.random.default_rng([seed, number, 1])
    phantom = Phantom.draw(number, seed)
    grid = default_grid(float(rng.uniform(*LEARNING_VOXEL_MM)))
    image = sample(phantom, grid, 2)
    return Volume(add_rician_noise(image, float(rng.uniform(*LEARNING_SNR)), rng), grid)


def cord_mask(phantom: Phantom, grid: Grid) -> np.ndarray:
    """Compute the cord mask of a phantom: the voxels whose centre lies inside the cord.

    Args:
        phantom: anatomy of the subject.
        grid: grid of the mask.

    Returns:
        uint8 of shape `grid.shape`, 1 inside the cord and 0 outside.
    """
    mask = np.empty(grid.size, np.uint8)
    for block, points in grid.blocks(POINTS_PER_BLOCK):
        mask[block] = phantom.cord(points)
    return mask.reshape(grid.shape)


def add_rician_noise(
    image: np.ndarray, snr: float, rng: np.random.Generator, signal: float = CORD_SIGNAL
) -> np.ndarray:
    """Add Rician noise: return |image + n1 + i n2|, where n1 and n2 are Gaussian noise.

    Where the image is 0, the result has a Rayleigh distribution with mean sigma sqrt(pi/2)
    (Gudbjartsson and Patz 1995, MRM 34:910).

    Args:
        image: noise-free signal of any shape.
        snr: ratio of `signal` to sigma, the standard deviation of n1 and of n2.
        rng: random number generator of the noise.
        signal: signal to which `snr` refers; `image[mask].mean()` for the SNR of the subject's own
            cord.

    Returns:
        float32 of the shape of `image`.

    Raises:
        InputError: `snr` or `signal` is not positive.
    """
    if snr <= 0 or signal <= 0:
        raise InputError(f"SNR and signal must be positive, not {snr} and {signal}.")
    real, imaginary = rng.normal(scale=signal / snr, size=(2, *np.shape(image)))
    return np.hypot(image + real, imaginary).astype(np.float32)
