"""What all views show, and what is done beyond."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cordinr.acquisition.domain import FitDomain
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.acquisition.view import View
from cordinr.cli.fitting import render_image
from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from cordinr.inr.fit import fit_inr
from cordinr.inr.lattices import lattices_for
from cordinr.inr.point_groups import make_point_groups
from cordinr.inr.render import render_with_std
from cordinr.inr.settings import FitSettings
from tests.helpers.support import blobs, two_views

BOX = SliceProfile("box", 4.0)
CPU = torch.device("cpu")


def shifted(shape: tuple[int, int, int], place: tuple[float, float, float]) -> Volume:
    """Blobs on voxels of 1 mm, the first one at `place`."""
    affine = np.eye(4)
    affine[:3, 3] = place
    return blobs(shape, affine)


@pytest.fixture
def wide_and_long():
    """An axial view 40 mm wide and 16 tall, a sagittal one 16 wide and 40 tall, as scans are."""
    axial = acquire(shifted((40, 12, 16), (-20, 0, -8)), 2, BOX, 4.0)
    sagittal = acquire(shifted((16, 12, 40), (-8, 0, -20)), 0, BOX, 4.0)
    return [axial, sagittal]


def test_the_field_is_the_overlap_and_a_slice_around_it(wide_and_long):
    domain = FitDomain.of(wide_and_long)
    assert domain.grid.shape == (16, 12, 16) and domain.margin == 4.0
    corners = domain.corners(wide_and_long)
    # Edges of the overlap: -8.5 to 7.5 along R and S; along A both end at -0.5 and 11.5.
    np.testing.assert_allclose(corners.min(axis=0), [-12.5, -0.5, -12.5])
    np.testing.assert_allclose(corners.max(axis=0), [11.5, 11.5, 11.5])
    inside = [[0, 0, 0], [-12.4, 0, 11.4], [0, -4.4, 0]]
    assert domain.contains(np.array(inside)).all()
    assert not domain.contains(np.array([[-12.6, 0, 0], [0, 0, 11.6], [0, 16, 0]])).any()


@pytest.mark.parametrize("shape", ["box", "gaussian", "point"])
def test_nothing_is_left_out_of_views_of_one_image(shape):
    volume = blobs((23, 14, 22), np.eye(4))
    views = [acquire(volume, axis, SliceProfile(shape, 5.0), 5.0) for axis in (2, 0)]
    domain = FitDomain.of(views)
    shown = np.concatenate([view.volume.grid.corners for view in views])
    np.testing.assert_array_equal(domain.corners(views), shown)
    groups = make_point_groups(views, domain, np.zeros(3), scale=1.0, points=5, device=CPU)
    assert sum(s.values.numel() for s in groups) == sum(v.volume.grid.size for v in views)


def test_what_one_view_shows_alone_takes_no_part(wide_and_long):
    domain = FitDomain.of(wide_and_long)
    groups = make_point_groups(wide_and_long, domain, np.zeros(3), scale=1.0, points=5, device=CPU)
    within = sum(domain.contains(view.volume.grid.centres()).sum() for view in wide_and_long)
    assert sum(group.values.numel() for group in groups) == within
    assert all(domain.contains(group.centres.numpy()).all() for group in groups)
    points = sum(np.prod(lattice.shape) for lattice in lattices_for(wide_and_long, domain, 0))
    everything = replace(domain, margin=100.0)
    assert points < 0.6 * sum(
        np.prod(lattice.shape) for lattice in lattices_for(wide_and_long, everything, 0)
    )


@pytest.mark.slow
def test_where_intensities_lie_far_beyond_the_overlap_changes_nothing(wide_and_long):
    axial, sagittal = wide_and_long
    array = axial.volume.array.copy()
    array[0], array[-1] = array[-1].copy(), array[0].copy()
    other = View(Volume(array, axial.volume.grid), axial.axis, axial.profile)
    settings = FitSettings(width=16, channels=2, batch=256, passes=4)
    models = [fit_inr([view, sagittal], 8, settings) for view in (axial, other)]
    states = [list(model.network.state_dict().values()) for model in models]
    assert all(map(torch.equal, *states))


def test_a_rendering_is_zero_beyond_the_field(wide_and_long):
    inr = fit_inr(wide_and_long, 8, FitSettings(width=16, channels=2, passes=4, members=2))
    grid = Grid((50, 12, 50), shifted((1, 1, 1), (-25, 0, -25)).grid.affine)
    image, std = render_with_std(inr, grid)
    inside = inr.domain.contains(grid.centres()).reshape(grid.shape)
    assert not image[~inside].any() and not std[~inside].any()
    assert (image[inside] > 0).all() and (std[inside] > 0).all()
    assert inr.domain.count(grid) == inside.sum()
    assert inr.domain.count(inr.domain.grid) == inr.domain.grid.size


def test_it_is_said_how_much_of_an_image_is_beyond_the_field(wide_and_long, tmp_path, notes):
    inr = fit_inr(wide_and_long, 8, FitSettings(width=16, channels=2, max_steps=1))
    grid = Grid((40, 12, 16), wide_and_long[0].volume.grid.affine @ np.diag([1, 1, 0.25, 1]))
    render_image(inr, grid, tmp_path / "sub-1_T2w.nii.gz", CPU)
    # 24 of the 40 columns are within 4 mm of the 16 that both views show.
    (note,) = notes()
    assert "3072 of its 7680 voxels lie beyond" in note
    render_image(inr, inr.domain.grid, tmp_path / "sub-2_T2w.nii.gz", CPU)
    assert notes() == [note]


def test_views_without_overlap_have_no_field():
    views = two_views(blobs((12, 12, 12), np.eye(4)))
    far = acquire(shifted((12, 12, 12), (90, 0, 0)), 0, BOX, 4.0)
    with pytest.raises(InputError, match="do not overlap"):
        FitDomain.of([views[0], far])
