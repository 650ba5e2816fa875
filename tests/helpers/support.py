"""What tests compute with: a small analytic image on any grid, and views of it."""

from pathlib import Path

import numpy as np

from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.acquisition.view import View
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume

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
