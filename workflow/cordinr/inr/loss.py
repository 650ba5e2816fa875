"""The loss of a fit: the error at the views, and two terms for what the views leave open."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor

from ..classical.total_variation import smoothed_length
from .point_groups import PointGroup


def summed_loss(
    groups: Sequence[PointGroup],
    places: Sequence[Tensor],
    intensities: Sequence[Tensor],
    *,
    kind: Literal["mse", "l1"],
    smoothing_weight: float,
    target_weight: float,
) -> Tensor:
    """Sum the loss over the places that were drawn of each group, and over the members.

    Args:
        groups: the voxels of the views, and the points that stand for them.
        places: (n,) of each group, the places that were drawn.
        intensities: (members, n, q) of each group, what the network predicts at their points.
        kind: the error at the views, squared ("mse") or absolute ("l1").
        smoothing_weight: of the total variation at the points, against the squared errors.
        target_weight: of the squared distance of the points from their targets, likewise.
    """
    total = intensities[0].new_zeros(())
    for group, drawn, intensity in zip(groups, places, intensities, strict=True):
        error = intensity @ group.weights - group.values[drawn]
        if group.trust is not None:
            error = error * group.trust[drawn] ** (1 if kind == "l1" else 0.5)
        total = total + (error.abs() if kind == "l1" else error**2).sum()
        if smoothing_weight:
            total = total + smoothing_weight * total_variation(intensity, group)
        if target_weight and group.targets is not None:
            distance = squared_distance_to_target(intensity, group.targets[drawn])
            total = total + target_weight * distance
    return total


def total_variation(intensity: Tensor, group: PointGroup) -> Tensor:
    """Sum over all points of the length of the intensity's gradient, where points have neighbours.

    Rudin, Osher and Fatemi, "Nonlinear total variation based noise removal algorithms", Physica D
    1992, rounded near zero.

    Args:
        intensity: (members, n, q).
        group: whose `differences` are taken.
    """
    slopes = (intensity @ group.differences).unflatten(-1, (-1, intensity.shape[-1]))
    return smoothed_length(slopes, dim=-2).sum()


def squared_distance_to_target(intensity: Tensor, targets: Tensor) -> Tensor:
    """Sum over all points of the squared distance from their targets, where they have one.

    Args:
        intensity: (members, n, q).
        targets: (n, q), NaN where there is none.
    """
    return (intensity - targets).nan_to_num(0.0).square().sum()
