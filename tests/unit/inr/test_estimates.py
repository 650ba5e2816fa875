"""What a fit asks of a cluster."""

import gzip

import numpy as np
import pytest

from cordinr.acquisition.domain import FitDomain
from cordinr.bids.view_files import read_view
from cordinr.inr.estimates import BASE_MB, estimate_points, fit_memory_mb, fit_minutes
from cordinr.inr.lattices import lattices_for
from tests.helpers.support import save_noise_views


def test_points_are_those_of_the_lattices(tmp_path):
    paths = save_noise_views(tmp_path, 100)
    loaded = [read_view(path) for path in paths]
    domain = FitDomain.of(loaded)
    lattices = lattices_for(loaded, domain, domain.grid.centre)
    fine, lattice = estimate_points(paths)
    assert fine == pytest.approx(100**3)
    assert lattice == pytest.approx(sum(np.prod(each.shape) for each in lattices), rel=0.15)


def test_larger_images_and_ensembles_ask_for_more(tmp_path):
    small, large = save_noise_views(tmp_path, 20), save_noise_views(tmp_path, 60)
    one, four = ({"members": members, "channels": 4, "tv_prior": 0.005} for members in (1, 4))
    for ask in (fit_memory_mb, fit_minutes):
        assert ask(small, one) < ask(large, one) < ask(large, four)
    plain, alone = one | {"channels": 0}, {"tv_prior": 0}
    assert BASE_MB < fit_memory_mb(large, plain | alone) < fit_memory_mb(large, plain)
    assert fit_memory_mb(large, plain) < fit_memory_mb(large, one)


def test_only_the_header_is_read(tmp_path):
    path = save_noise_views(tmp_path, 60)[0]
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content[:400]))
    assert estimate_points([path])[0] == pytest.approx(60**3)


def test_views_that_are_not_there_yet_are_missing_files(tmp_path):
    # Of these, and where the error names the input, a dry-run says that they are to be determined.
    missing = str(tmp_path / "none.nii.gz")
    with pytest.raises(FileNotFoundError) as error:
        estimate_points([missing])
    assert error.value.filename == missing
