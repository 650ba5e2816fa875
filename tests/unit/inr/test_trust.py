"""Slices that count less in a fit, and fits that are shorter as their views share no points."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cordinr.acquisition.domain import FitDomain
from cordinr.acquisition.view import View
from cordinr.inr.loss import summed_loss
from cordinr.inr.point_groups import PointGroup, make_point_groups
from tests.helpers.support import blobs, two_views

CPU = torch.device("cpu")


def groups_of(views: list[View]) -> list[PointGroup]:
    domain = FitDomain.of(views)
    return make_point_groups(views, domain, np.zeros(3), scale=1.0, points=4, device=CPU)


def doubted() -> list[View]:
    """Two views, of which the third axial slice counts a quarter."""
    axial, sagittal = two_views(blobs((24, 20, 16), np.eye(4)))
    return [replace(axial, trust=np.array([1, 1, 0.25, 1])), sagittal]


def test_each_voxel_has_the_weight_of_its_slice():
    axial, sagittal = groups_of(doubted())
    assert sagittal.trust is None
    heights = axial.centres[:, 2]
    expected = torch.where((heights - 9.5).abs() < 0.1, 0.25, 1.0)
    torch.testing.assert_close(axial.trust[:, 0], expected)
    assert 0.2 < (expected == 0.25).float().mean() < 0.3


@pytest.mark.parametrize("kind", ["mse", "l1"])
def test_errors_count_by_their_weight(kind):
    group = groups_of(doubted())[0]
    places = torch.arange(len(group.values))
    generator = torch.Generator().manual_seed(0)
    seen = torch.rand(1, len(places), len(group.offsets), generator=generator) * 100
    options = {"kind": kind, "smoothing_weight": 0.0, "target_weight": 0.0}
    error = (seen @ group.weights - group.values)[0]
    size = error.abs() if kind == "l1" else error.square()
    loss = summed_loss([group], [places], [seen], **options)
    torch.testing.assert_close(loss, (group.trust * size).sum())
    assert loss < summed_loss([replace(group, trust=None)], [places], [seen], **options)


def test_weights_are_part_of_what_a_checkpoint_belongs_to():
    group = groups_of(doubted())[0]
    other = replace(group, trust=group.trust * 0.5)
    assert len({group.digest(), other.digest(), replace(group, trust=None).digest()}) == 3
