"""What a fit asks of a cluster, against what it takes."""

import gzip
import subprocess
import sys

import numpy as np
import pytest

from cordinr.acquisition.domain import FitDomain
from cordinr.bids.view_files import read_view
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import save_volume
from cordinr.inr.estimates import BASE_MB, estimate_points, fit_memory_mb, fit_minutes
from cordinr.inr.lattices import lattices_for


@pytest.fixture
def views(tmp_path):
    """Makes files of an axial and a sagittal view of noise, 4 mm slices of 0.8 mm."""

    def make(size):
        paths = []
        for axis in (2, 0):
            shape = [size] * 3
            spacing = [0.8] * 3
            shape[axis], spacing[axis] = size // 5, 4.0
            paths.append(tmp_path / f"{size}-{axis}.nii.gz")
            grid = Grid(tuple(shape), np.diag([*spacing, 1.0]))
            array = np.random.default_rng(0).random(shape, np.float32)
            save_volume(paths[-1], array, grid)
        return paths

    return make


def test_points_are_those_of_the_lattices(views):
    paths = views(100)
    loaded = [read_view(path) for path in paths]
    field = FitDomain.of(loaded)
    lattices = lattices_for(loaded, field, field.grid.centre)
    fine, lattice = estimate_points(paths)
    assert fine == pytest.approx(100**3)
    assert lattice == pytest.approx(sum(np.prod(each.shape) for each in lattices), rel=0.15)


FIT = """
import sys
import cordinr.inr.checkpoint
from cordinr.bids.view_files import read_view
from cordinr.inr.fit import fit_inr
from cordinr.run.cost_meter import peak_memory_mb
from cordinr.inr.settings import FitSettings
from pathlib import Path
cordinr.inr.checkpoint.INTERVAL = 0.0
settings = FitSettings(members=int(sys.argv[1]), max_steps=3)
views = [read_view(path) for path in sys.argv[2:]]
fit_inr(views, 32, settings, checkpoint=Path(sys.argv[2] + ".checkpoint"))
print(peak_memory_mb())
"""


@pytest.mark.parametrize("members", [1, 3])
def test_a_fit_gets_along_with_what_it_asks_for(views, members):
    paths = views(100)
    words = [sys.executable, "-c", FIT, str(members), *map(str, paths)]
    taken = float(subprocess.run(words, capture_output=True, check=True, text=True).stdout)
    asked = fit_memory_mb(paths, {"members": members, "channels": 4, "tv_prior": 0.005})
    assert taken < asked < 3 * taken


def test_larger_images_and_ensembles_ask_for_more(views):
    small, large = views(20), views(60)
    one, four = ({"members": members, "channels": 4, "tv_prior": 0.005} for members in (1, 4))
    for ask in (fit_memory_mb, fit_minutes):
        assert ask(small, one) < ask(large, one) < ask(large, four)
    plain, alone = one | {"channels": 0}, {"tv_prior": 0}
    assert BASE_MB < fit_memory_mb(large, plain | alone) < fit_memory_mb(large, plain)
    assert fit_memory_mb(large, plain) < fit_memory_mb(large, one)


def test_only_the_header_is_read(views):
    path = views(60)[0]
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content[:400]))
    assert estimate_points([path])[0] == pytest.approx(60**3)


def test_views_that_are_not_there_yet_are_missing_files(tmp_path):
    # Of these, and where the error names the input, a dry-run says that they are to be determined.
    missing = str(tmp_path / "none.nii.gz")
    with pytest.raises(FileNotFoundError) as error:
        estimate_points([missing])
    assert error.value.filename == missing
