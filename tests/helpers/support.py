"""What tests compute with: a small analytic image on any grid, and views of it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.acquisition.view import View
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume, save_volume

ROOT = Path(__file__).parents[2]


def blobs(shape: tuple[int, int, int], affine: np.ndarray) -> Volume:
    """A smooth positive function of world position, sampled on any grid."""
    grid = Grid(shape, np.array(affine, float))
    x, y, z = grid.centres().T
    array = 100 + 40 * np.sin(x / 4) * np.cos(y / 5) + 30 * np.cos(z / 3 + x / 6)
    return Volume(array.reshape(shape).astype(np.float32), grid)


def two_views(volume: Volume, thickness: float = 4.0) -> list[View]:
    """Box views along S and R."""
    profile = SliceProfile("box", thickness)
    grid = volume.grid
    return [acquire(volume, grid.axis_along(axis), profile, thickness) for axis in "SR"]


def with_noise(views: Sequence[View], sigma: float) -> list[View]:
    """The views with Gaussian noise of this standard deviation, the same in every call."""
    rng = np.random.default_rng(0)

    def noisy(volume: Volume) -> Volume:
        noise = rng.normal(0, sigma, volume.array.shape).astype(np.float32)
        return Volume(volume.array + noise, volume.grid)

    return [replace(view, volume=noisy(view.volume)) for view in views]


def save_noise_views(folder: Path, size: int) -> list[Path]:
    """Files of an axial and a sagittal view of noise: 4 mm slices with pixels of 0.8 mm."""
    paths = []
    for axis in (2, 0):
        shape, spacing = [size] * 3, [0.8] * 3
        shape[axis], spacing[axis] = size // 5, 4.0
        paths.append(folder / f"{size}-{axis}.nii.gz")
        array = np.random.default_rng(0).random(shape, np.float32)
        save_volume(paths[-1], array, Grid(tuple(shape), np.diag([*spacing, 1.0])))
    return paths
