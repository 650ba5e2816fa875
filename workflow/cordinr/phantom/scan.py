"""The scan of a phantom: voxel averages on a grid, its cord mask and the noise of a scanner."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .anatomy import CHUNK, CORD_SIGNAL, Phantom


def default_grid(
    voxel_mm: float, extent_mm=(40.0, 70.0, 48.0)
) -> tuple[tuple[int, int, int], np.ndarray]:
    """Shape and R-A-S+ affine (4, 4) of isotropic voxels in a field of view about the origin.

    The shape is `extent_mm` / `voxel_mm` to the nearest voxel: (40, 70, 48) at 1 mm and
    (80, 140, 96) at 0.5 mm, over the same field. Raises ValueError when a length is not positive.
    """
    extent = np.asarray(extent_mm, dtype=float)
    if voxel_mm <= 0 or extent.shape != (3,) or np.any(extent <= 0):
        raise ValueError(
            f"Voxel and three extents must be positive mm, got {voxel_mm} and {extent_mm}."
        )
    shape = np.maximum(np.rint(extent / voxel_mm), 1).astype(int)
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = -voxel_mm * (shape - 1) / 2
    return tuple(int(n) for n in shape), affine


def _points(shape, affine, offsets) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield blocks of the flat voxel index with their world points (voxels * offsets, 3) in mm.

    A block has at most 4 `CHUNK` points, whatever the shape; `offsets` (M, 3) are in voxels.
    """
    affine = np.asarray(affine, dtype=float)
    if len(shape) != 3 or affine.shape != (4, 4):
        raise ValueError(
            f"A grid needs three axes and a 4 x 4 affine, got {tuple(shape)} and {affine.shape}."
        )
    count, block = int(np.prod(shape)), max(4 * CHUNK // len(offsets), 1)
    for start in range(0, count, block):
        part = slice(start, min(start + block, count))
        index = np.stack(np.unravel_index(np.arange(part.start, part.stop), shape), axis=1)
        index = (index[:, None, :] + offsets).reshape(-1, 3)
        yield part, index @ affine[:3, :3].T + affine[:3, 3]


def sample(phantom: Phantom, shape, affine, supersample: int = 3) -> np.ndarray:
    """Voxel averages, float32 `shape`, of the noise-free signal on the grid (`shape`, `affine`).

    `affine` maps voxels to world mm. Each value is the mean over `supersample`^3 points, the
    centres of as many equal cells of the voxel. Memory stays under 100 MB above the result.
    Raises ValueError for a malformed grid or `supersample` < 1.
    """
    if supersample < 1:
        raise ValueError(f"supersample must be at least 1, got {supersample}.")
    ticks = (np.arange(supersample) + 0.5) / supersample - 0.5
    offsets = np.stack(np.meshgrid(ticks, ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 3)
    image = np.empty(int(np.prod(shape)), np.float32)
    for part, points in _points(shape, affine, offsets):
        image[part] = phantom.intensity(points).reshape(-1, len(offsets)).mean(axis=1)
    return image.reshape(shape)


def cord_mask(phantom: Phantom, shape, affine) -> np.ndarray:
    """Cord (1) or not (0), uint8, at the voxel centres of the grid (`shape`, `affine`).

    Raises ValueError for a malformed grid.
    """
    mask = np.empty(int(np.prod(shape)), np.uint8)
    for part, points in _points(shape, affine, np.zeros((1, 3))):
        mask[part] = phantom.cord(points)
    return mask.reshape(shape)


def add_rician_noise(image: np.ndarray, snr: float, rng, signal: float = CORD_SIGNAL) -> np.ndarray:
    """Magnitude |image + n1 + i n2|, float32 of the same shape, n1 and n2 Gaussian.

    Each channel has standard deviation sigma = `signal` / `snr`: SNR is the mean of a tissue over
    sigma. By default `signal` is the nominal mean cord, `CORD_SIGNAL`; pass `image[mask].mean()`
    for the SNR of this very cord. Where the image is 0 the result is Rayleigh with mean
    sigma sqrt(pi/2) (Gudbjartsson and Patz 1995, MRM 34:910). Raises ValueError unless `snr` and
    `signal` are positive.
    """
    if snr <= 0 or signal <= 0:
        raise ValueError(f"SNR and signal must be positive, got {snr} and {signal}.")
    real, imaginary = rng.normal(scale=signal / snr, size=(2, *np.shape(image)))
    return np.hypot(image + real, imaginary).astype(np.float32)
