"""What tests share: a small analytic image, views of it, real images, and the command in-process."""

import sys
from pathlib import Path

import numpy as np
import pytest

from cordinr.acquisition import SliceProfile, View, acquire
from cordinr.volume import Grid, Volume, save_volume

ROOT = Path(__file__).parents[1]
SPINE_T2W = ROOT.parent / "shared" / "data" / "spine-t2w"


@pytest.fixture(scope="session")
def spine_t2w() -> Path:
    """Real spine MRI beside the checkout; a clone elsewhere does not have it."""
    if not SPINE_T2W.is_dir():
        pytest.skip(f"the real images are not at {SPINE_T2W}")
    return SPINE_T2W


@pytest.fixture
def smooth_volume() -> Volume:
    """24 x 20 x 16 voxels of 1 mm, a few smooth blobs, R-A-S+."""
    return blobs((24, 20, 16), np.eye(4))


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


@pytest.fixture
def command(monkeypatch, capsys):
    """Run `cordinr` with arguments in this process: exit code, stdout and stderr."""
    from cordinr.cli import main

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cordinr", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        output = capsys.readouterr()
        return int(stopped.value.code or 0), output.out, output.err

    return run


@pytest.fixture
def view_files(tmp_path, smooth_volume, command) -> list[Path]:
    """Two views of the smooth volume as files with sidecars, and the image they came from."""
    image = tmp_path / "image.nii.gz"
    save_volume(image, smooth_volume.array, smooth_volume.grid)
    views = [tmp_path / "axial.nii.gz", tmp_path / "sagittal.nii.gz"]
    options = "--axis S --thickness 4 --axis R --thickness 4".split()
    assert command("simulate", image, *options, "-o", views[0], "-o", views[1])[0] == 0
    return views
