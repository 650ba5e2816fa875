"""What tests share: a small analytic image, views of it, real images, the command in-process."""

import os
import sys
from pathlib import Path

# Before NumPy and torch: with arrays so small, threads only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

from cordinr.imaging.volume import Volume, save_volume
from tests.helpers.support import ROOT, blobs

REAL_IMAGES = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def spine_t2w() -> Path:
    """Real spine MRI beside the checkout; a clone elsewhere does not have it."""
    return real_images("spine-t2w")


@pytest.fixture(scope="session")
def pelvis_triple() -> Path:
    """Three real thick-slice scans of one patient, converted by dcm2niix."""
    return real_images("pelvis-triple")


def real_images(name: str) -> Path:
    """A folder of real images; the test is skipped where it is not there."""
    folder = REAL_IMAGES / name
    if not folder.is_dir():
        pytest.skip(f"the real images are not at {folder}")
    return folder


@pytest.fixture
def smooth_volume() -> Volume:
    """24 x 20 x 16 voxels of 1 mm, a few smooth blobs, R-A-S+."""
    return blobs((24, 20, 16), np.eye(4))


@pytest.fixture
def notes(caplog):
    """What the library has noted so far, each sentence once, in order."""
    return lambda: list(dict.fromkeys(record.getMessage() for record in caplog.records))


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
    options = ["--axis", "S", "--thickness", "4", "--axis", "R", "--thickness", "4"]
    assert command("simulate", image, *options, "-o", views[0], "-o", views[1])[0] == 0
    return views
