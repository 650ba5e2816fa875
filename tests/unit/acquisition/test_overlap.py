"""What several views show of the same place."""

import numpy as np
import pytest

from cordinr.acquisition.overlap import common_grid, coverage, regions_of
from cordinr.errors import InputError
from tests.helpers.support import blobs, two_views

PSR = np.array([[0, 0, 1.0, -20], [-1.0, 0, 0, 30], [0, 1.0, 0, -40], [0, 0, 0, 1]])


def test_coverage_leaves_out_what_a_view_does_not_see():
    volume = blobs((24, 20, 18), np.eye(4))  # 18 mm along S: four slices of 4 mm, 2 mm left over
    covered = coverage(two_views(volume), volume.grid)
    assert covered[:, :, :16].all() and not covered[:, :, 16:].any()


def test_common_grid_is_what_all_views_show():
    volume = blobs((24, 20, 18), PSR)
    views = two_views(volume)
    grid = common_grid(views)
    np.testing.assert_allclose(grid.voxel_sizes, 1)
    assert coverage(views, grid).all()
    assert grid.size == coverage(views, volume.grid).sum()


def test_views_that_do_not_overlap_are_refused():
    here = two_views(blobs((12, 12, 12), np.eye(4)))[0]
    away = np.eye(4)
    away[0, 3] = 500
    there = two_views(blobs((12, 12, 12), away))[1]
    with pytest.raises(InputError, match="do not overlap"):
        regions_of([here, there])
