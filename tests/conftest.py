"""What tests share: a small analytic image, views of it, real images, the command in-process."""

import os
import random
import sys
from pathlib import Path
from typing import Any

# Before NumPy and torch: with arrays so small, threads only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

from cordinr.imaging.volume import Volume, save_volume
from tests.helpers.requirements import skip_without
from tests.helpers.seeds import SEED
from tests.helpers.support import ROOT, blobs

TESTS = Path(__file__).parent

# Helpers whose assertions are to say what they compared.
for helper in ("browser", "kills", "runs", "slurm"):
    pytest.register_assert_rewrite(f"tests.helpers.{helper}")

REAL_IMAGES = ROOT.parent / "shared" / "data"


def pytest_report_header() -> str:
    return f"seed of the tests: {SEED}; CORDINR_TEST_SEED={SEED} repeats this run"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Hypothesis takes the seed of all tests, unless it was given one of its own."""
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(SEED)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test by its folder."""
    folder = item.path.relative_to(TESTS).parts[0]
    if folder != "unit":
        item.add_marker(folder)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give all tests of a whole run to one worker, and any other test to the next that is free."""
    from xdist.scheduler import LoadScopeScheduling

    class RunScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if file.startswith("tests/workflow/") else nodeid

    return RunScheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Any:
    """Some tests print names that are not text, which cannot be sent from worker to controller."""
    return printable((yield))


def printable(value: Any) -> Any:
    """The same nested value with every byte that is not text written as an escape."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {printable(key): printable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(printable, value))
    return value


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Seed the global generators; torch's only where it is loaded, as loading it takes seconds."""
    random.seed(SEED)
    np.random.seed(SEED)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(SEED)


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
        skip_without("images", f"the real images are not at {folder}")
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
    code, _, said = command("simulate", image, *options, "-o", views[0], "-o", views[1])
    assert code == 0, said
    return views
