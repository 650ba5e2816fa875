"""How many steps a fit may take, and when it is too long to learn an image anew."""

import math
from collections.abc import Sequence

from .point_groups import PointGroup
from .settings import FitSettings

MAX_POINTS = 2.4e6
"""Maximum number of points in a pass over voxels that share none, as scans of a patient have them,
with which a fit learns an image anew; with more it begins at an image."""

MAX_POINTS_LEARNED = 1e6
"""The same where that image is a learned one, which a fit with few passes does not reach anew."""

MAX_STEPS_FROM_START = 96
"""Maximum number of steps of a fit that begins at an image."""

MAX_STEPS_PER_PASS = 48
"""Steps in which all voxels are seen once at most; more voxels make larger batches."""

PART_FROM_START = 0.25
"""Steps of a fit that begins at an image, as a fraction of the maximum in the settings."""


def most_steps(groups: Sequence[PointGroup], settings: FitSettings, begun: bool) -> int:
    """Maximum number of steps of a fit, which has fewer where the settings ask for fewer passes.

    Args:
        groups: of the views.
        settings: of the fit.
        begun: the fit begins at an image.
    """
    if begun:
        return min(MAX_STEPS_FROM_START, math.ceil(PART_FROM_START * settings.max_steps))
    points = points_of(groups)
    if points <= MAX_POINTS:
        return settings.max_steps
    # Nothing to begin at: as many points in all as the largest fit that is not cut.
    return min(settings.max_steps, math.ceil(FitSettings().max_steps * MAX_POINTS / points))


def batch_size(voxels: int, settings: FitSettings) -> int:
    """Number of view voxels in a step, of all that there are."""
    return min(max(settings.batch, voxels // MAX_STEPS_PER_PASS), voxels)


def step_count(voxels: int, settings: FitSettings, most: int) -> int:
    """Number of steps of a fit to so many view voxels, of which it takes `most` at most."""
    wanted = round(settings.passes * voxels / batch_size(voxels, settings))
    return max(1, min(wanted, most))


def passes_of(groups: Sequence[PointGroup], settings: FitSettings) -> float:
    """How often a fit that learns an image anew sees each voxel of the views."""
    voxels = sum(group.values.numel() for group in groups)
    steps = step_count(voxels, settings, most_steps(groups, settings, begun=False))
    return steps * batch_size(voxels, settings) / voxels


def points_of(groups: Sequence[PointGroup]) -> float:
    """Number of points in one pass over voxels that share none; 0 where any of them do."""
    if any(group.values.shape[1] > 1 for group in groups):
        return 0.0
    return float(sum(len(group.values) * len(group.offsets) for group in groups))
