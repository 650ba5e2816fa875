"""A fit small enough to look into."""

import torch

from cordinr.acquisition.domain import FitDomain
from cordinr.acquisition.view import intensity_scale
from cordinr.imaging.volume import Volume
from cordinr.inr.fit import middle
from cordinr.inr.lattices import lattices_for
from cordinr.inr.network import Architecture, CoordinateNetwork
from cordinr.inr.point_groups import make_point_groups
from cordinr.inr.settings import FitSettings
from cordinr.inr.tv_target import with_tv_targets
from tests.helpers.support import two_views


def small_training(volume: Volume, members: int = 1) -> tuple:
    """What a `Training` of a small network on two views of a volume takes."""
    views = two_views(volume)
    settings = FitSettings(batch=256, passes=16, members=members)
    field = FitDomain.of(views)
    centre, half_extent = middle(field.corners(views))
    architecture = Architecture(
        encoding="none",
        fourier_dim=1,
        sigma=1.0,
        half_extent=half_extent,
        width=8,
        depth=2,
        activation="relu",
        dropout=0.0,
        members=members,
        channels=2,
        lattices=tuple(lattices_for(views, field, centre)),
    )
    scale = intensity_scale(views)
    stacks = make_point_groups(views, field, centre, scale, 5, torch.device("cpu"))
    stacks = with_tv_targets(stacks, views, field.grid, centre, scale, noise=0.0)
    return CoordinateNetwork(architecture), stacks, settings, None, 0.0, settings.tv_prior
