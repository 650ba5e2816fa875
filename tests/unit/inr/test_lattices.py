"""Feature lattices: interpolation and its gradient, coverage, the shape of the views."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from cordinr.acquisition.domain import FitDomain
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from cordinr.inr import lattices as lattice_module
from cordinr.inr.lattices import (
    FeatureLattices,
    Lattice,
    lattices_for,
    lattices_within_budget,
    scatter_scipy,
    scatter_torch,
)
from cordinr.inr.settings import ISOTROPIC_SPACINGS
from tests.helpers.support import two_views

AXES = ((0.5, 0.0, 0.0, 3.0), (0.0, 0.25, 0.0, 2.0), (0.1, 0.0, 1.0, 5.0))


def features(lattices, channels=2, members=1) -> FeatureLattices:
    return FeatureLattices(lattices, channels, members, torch.Generator().manual_seed(4))


def test_features_are_trilinear_interpolations():
    lattices = [Lattice((9, 8, 12), AXES), Lattice((4, 5, 6), AXES)]
    module = features(lattices, channels=3, members=2)
    xyz = torch.randn(50, 3)
    found = module(xyz).detach().numpy()
    tables = module.table.detach().numpy().reshape(2, -1, 3)
    for member in range(2):
        begin = 0
        for number, lattice in enumerate(lattices):
            points = np.prod(lattice.shape)
            table = tables[member, begin : begin + points].reshape(*lattice.shape, 3)
            begin += points
            rows = np.array(lattice.to_index)
            index = xyz.numpy() @ rows[:, :3].T + rows[:, 3]
            index = index + module.shift[member, 0, number].numpy()
            for channel in range(3):
                expected = map_coordinates(table[..., channel], index.T, order=1, mode="nearest")
                actual = found[member, :, 3 * number + channel]
                np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_the_gradient_is_the_transpose_of_the_interpolation():
    module = features([Lattice((5, 6, 7), AXES)])
    xyz = torch.randn(20, 3)
    towards = torch.randn(1, 20, 2)
    (module(xyz) * towards).sum().backward()
    direction = torch.randn_like(module.table)
    table = module.table.detach().clone()
    with torch.no_grad():
        module.table.copy_(direction)
        change = (module(xyz) * towards).sum()
        module.table.copy_(table)
    torch.testing.assert_close((module.table.grad * direction).sum(), change, rtol=1e-4, atol=1e-5)


def test_both_ways_to_scatter_agree():
    rows = torch.randint(0, 30, (40, 8), dtype=torch.int32)
    weights, gradient = torch.rand(40, 8), torch.randn(40, 3)
    expected = np.zeros((30, 3))
    for i, k in np.ndindex(40, 8):
        expected[rows[i, k]] += weights[i, k].item() * gradient[i].numpy()
    for scatter in (scatter_scipy, scatter_torch):
        np.testing.assert_allclose(scatter(gradient, rows, weights, 30), expected, rtol=1e-4)


@pytest.mark.parametrize("turned", [False, True])
def test_every_point_of_every_view_lies_within_every_lattice(smooth_volume, turned):
    volume = smooth_volume
    if turned:
        angle = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
        affine = volume.grid.affine.copy()
        affine[:3, :3] = angle @ affine[:3, :3]
        volume = Volume(volume.array, Grid(volume.grid.shape, affine))
    views = two_views(volume)
    centre = volume.grid.centre
    lattices = lattices_for(views, FitDomain.of(views), centre)
    assert len(lattices) == len(ISOTROPIC_SPACINGS) + 2 * len(views)
    corners = np.concatenate([view.volume.grid.corners for view in views]) - centre
    for lattice in lattices:
        rows = np.array(lattice.to_index)
        index = corners @ rows[:, :3].T + rows[:, 3]
        for shift in (0.0, 1.0):
            assert (index + shift >= -1e-4).all()
            assert (index + shift <= np.array(lattice.shape) - 1 + 1e-4).all()


def test_chunks_of_one_direction_share_their_lattices(smooth_volume):
    views = two_views(smooth_volume)
    chunks = [views[0], views[1], replace(views[1], name="another")]
    domain = FitDomain.of(chunks)
    wanted = lattices_for(views, domain, domain.grid.centre)
    assert lattices_for(chunks, domain, domain.grid.centre) == wanted


def test_lattices_grow_coarser_until_they_are_within_their_budget(smooth_volume, monkeypatch):
    views = two_views(smooth_volume)
    domain = FitDomain.of(views)

    def found(most, coarsest=8.0):
        monkeypatch.setattr(lattice_module, "MAX_POINTS", most)
        return lattices_within_budget(views, domain, domain.grid.centre, coarsest)

    def points(lattices):
        return sum(int(np.prod(each.shape)) for each in lattices)

    finest = lattices_for(views, domain, domain.grid.centre)
    assert found(1e9) == finest
    half = found(points(finest) / 2)
    assert points(finest) / 5 < points(half) <= points(finest) / 2
    # Never coarser than the image that the fit begins at.
    assert found(1, 1.3) == lattices_for(views, domain, domain.grid.centre, 1.3)
    assert found(1, 1.0) == finest


def test_lattices_of_a_view_are_coarse_across_its_slices(smooth_volume):
    grid = smooth_volume.grid
    axis = grid.axis_along("S")
    view = acquire(smooth_volume, axis, SliceProfile("box", 5.0), 5.0)
    shaped = lattices_for([view], FitDomain(grid, 4.0), grid.centre)[len(ISOTROPIC_SPACINGS) :]
    for lattice, expected in zip(shaped, (2.0, 4.0), strict=True):
        spacing = 1 / np.linalg.norm(np.array(lattice.to_index)[:, :3], axis=1)
        assert spacing[axis] == pytest.approx(expected)
        assert np.delete(spacing, axis) == pytest.approx(grid.voxel_sizes.min())
