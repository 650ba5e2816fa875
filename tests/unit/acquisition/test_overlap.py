"""What several views show of the same place."""

from dataclasses import replace

import numpy as np
import pytest

from cordinr.acquisition.domain import FitDomain
from cordinr.acquisition.overlap import common_grid, count_directions, coverage, regions_of
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.acquisition.view import View
from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
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


def moved(view: View, millimetres: np.ndarray) -> View:
    grid = view.volume.grid
    affine = grid.affine.copy()
    affine[:3, 3] += millimetres
    return replace(view, volume=Volume(view.volume.array, Grid(grid.shape, affine)))


@pytest.mark.parametrize("affine", [np.eye(4), PSR])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("part", [0.13, 0.5, 0.8])
def test_the_common_grid_lies_on_the_pixels_of_the_views(affine, first, part):
    """Slices that do not end where voxels end, as thick ones with a gaussian profile do not."""
    volume = blobs((13, 15, 11), affine)
    views = [moved(view, part * view.normal) for view in two_views(volume)]
    views = [views[first], views[1 - first]]
    grid = common_grid(views)
    np.testing.assert_allclose(grid.voxel_sizes, 1)
    places = volume.grid.index(grid.centres())
    np.testing.assert_allclose(places, np.rint(places), atol=1e-6)
    # Every voxel of the reference that both see, and no other.
    assert coverage(views, grid).all()
    assert grid.size == coverage(views, volume.grid).sum()


def test_the_common_grid_lies_on_the_pixels_of_the_first_view_that_has_them():
    axial, sagittal = two_views(blobs((13, 15, 11), np.eye(4)))
    axial = moved(axial, np.array([0.3, 0.2, 0.1]))
    for views in ([axial, sagittal], [sagittal, axial]):
        grid = common_grid(views)
        first = grid.index(axial.volume.grid.world(np.zeros(3)))
        other = grid.index(sagittal.volume.grid.world(np.zeros(3)))
        # Along A both have pixels, along R the axial one, along S the sagittal one.
        places = [first[0], (first if views[0] is axial else other)[1], other[2]]
        np.testing.assert_allclose(places, np.rint(places), atol=1e-6)


def test_a_grid_without_such_pixels_lies_about_the_middle_of_the_field():
    views = two_views(blobs((13, 15, 11), np.eye(4)))
    shifts = [np.zeros((view.volume.grid.shape[view.axis], 3)) for view in views]
    slice_by_slice = [replace(view, shifts=each) for view, each in zip(views, shifts, strict=True)]
    for each, voxel in ((slice_by_slice, 1.0), (views, 0.9)):
        grid = common_grid(each, voxel_mm=voxel)
        # Slices of 4 mm cover 12 mm along R and 8 mm along S, from -0.5 mm.
        assert grid.shape == tuple(np.floor(np.array([12, 15, 8]) / voxel))
        np.testing.assert_allclose(grid.centre, [5.5, 7, 3.5])


def test_views_that_do_not_overlap_are_refused():
    here = two_views(blobs((12, 12, 12), np.eye(4)))[0]
    away = np.eye(4)
    away[0, 3] = 500
    there = two_views(blobs((12, 12, 12), away))[1]
    with pytest.raises(InputError, match="do not overlap"):
        regions_of([here, there])


def chunked() -> list[View]:
    """A sagittal scan 40 mm tall, and two axial chunks that see 12 mm of it each, 8 mm apart."""
    body = blobs((24, 20, 40), np.eye(4))
    sagittal = acquire(body, 0, SliceProfile("box", 4.0), 4.0)
    chunks = []
    for low in (4, 24):
        affine = np.eye(4)
        affine[2, 3] = low
        part = Volume(
            np.ascontiguousarray(body.array[:, :, low : low + 12]), Grid((24, 20, 12), affine)
        )
        chunks.append(acquire(part, 2, SliceProfile("box", 4.0), 4.0))
    return [sagittal, *chunks]


def test_chunks_that_do_not_touch_are_covered_each_where_the_other_direction_sees_them():
    views = chunked()
    grid = common_grid(views)
    assert grid.shape == (24, 20, 32)
    domain = FitDomain.of(views)
    # Voxels lie at their numbers in mm: the chunks show 3.5 to 15.5 and 23.5 to 35.5 along S.
    heights = np.array([4.0, 15.0, 19.5, 24.0, 35.0])
    places = np.column_stack([np.full(5, 12.0), np.full(5, 10.0), heights])
    assert FitDomain.of(views).contains(places).tolist() == [True] * 2 + [True] + [True] * 2
    narrow = replace(domain, margin=1.0)
    assert narrow.contains(places).tolist() == [True, True, False, True, True]
    assert common_grid(views, field="union").shape == (24, 20, 40)
    with pytest.raises(InputError, match="do not overlap"):
        common_grid(views, field="overlap")


def test_two_chunks_of_one_direction_that_share_a_slice_cover_nothing_by_that():
    """Where no other direction sees them, nothing is crossed."""
    sagittal, *chunks = chunked()
    moved = []
    for up in (0, 4):
        affine = chunks[0].volume.grid.affine.copy()
        affine[:3, 3] += [20, 0, up]  # the sagittal scan, 24 mm wide, sees their left end alone
        chunk = Volume(chunks[0].volume.array, Grid((24, 20, 3), affine))
        moved.append(replace(chunks[0], volume=chunk))
    domain = replace(FitDomain.of([sagittal, *moved]), margin=0.0)
    seen = domain.contains(np.array([[21.0, 10, 10], [30.0, 10, 10]]))
    assert seen.tolist() == [True, False]


def test_directions_are_counted_not_scans():
    views = chunked()
    count = count_directions([*views, views[0]], Grid((24, 20, 40), np.eye(4)))
    along = count[12, 10]
    assert along[:4].tolist() == [1] * 4 and along[4:16].tolist() == [2] * 12
    assert along[16:24].tolist() == [1] * 8 and along[36:].tolist() == [1] * 4


def test_a_scan_that_no_other_direction_sees_is_named():
    views = chunked()
    affine = views[1].volume.grid.affine.copy()
    affine[2, 3] += 500
    away = View(
        Volume(views[1].volume.array, Grid((24, 20, 3), affine)), 2, views[1].profile, "away"
    )
    with pytest.raises(InputError, match=r"^away and view: the views do not overlap"):
        regions_of([*views, away])
    assert len(regions_of([*views, away], "union")) == 4


def test_scans_of_one_direction_cover_what_any_sees():
    _, *chunks = chunked()
    assert common_grid(chunks).shape == (24, 20, 32)


def test_a_field_of_another_name_is_refused():
    with pytest.raises(InputError, match="field 'all' is not known; use crossed, union, overlap"):
        regions_of(chunked(), "all")


def test_beyond_a_tilted_scan_nothing_is_covered():
    """Its bounding box along the axes of the first scan has corners that it does not see."""
    volume = blobs((40, 40, 40), np.eye(4))
    sagittal, axial = two_views(volume)[::-1]
    turn = np.eye(4)
    turn[1:3, 1:3] = [[0.8, -0.6], [0.6, 0.8]]
    turn[:3, 3] = volume.grid.centre - turn[:3, :3] @ volume.grid.centre
    tilted = replace(
        axial,
        volume=Volume(
            axial.volume.array, Grid(axial.volume.grid.shape, turn @ axial.volume.grid.affine)
        ),
    )
    domain = replace(FitDomain.of([sagittal, tilted]), margin=0.0)
    world = volume.grid.centres()
    inside = tilted.volume.grid.contains(tilted.volume.grid.index(world))
    inside &= sagittal.volume.grid.contains(sagittal.volume.grid.index(world))
    np.testing.assert_array_equal(domain.contains(world), inside)
    assert 0.6 < inside.mean() < 0.95
    assert not domain.encloses(volume.grid) and domain.count(volume.grid) == inside.sum()
