"""What thick slices hide, read from the planes of other slices, which are fine."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..acquisition.noise import noise_of
from ..acquisition.view import View
from ..alignment.crossings import BlurredStack, profile_weights
from ..imaging.body import foreground


def hidden_detail(views: Sequence[View], number: int, peak: float) -> float:
    """What a slice of another stack averages away of the detail that this stack shows.

    Root mean square of the differences, within the body and beyond the noise, between the slices of
    a stack and the same slices blurred by the profile of a stack that crosses them; of the stack's
    own profile, along both axes of its plane, where none does.

    Args:
        views: all stacks.
        number: of the stack.
        peak: R, which the result is relative to.
    """
    view = views[number]
    others = [other for other in views if not view.is_parallel_to(other)]
    others = others or [replace(view, axis=axis) for axis in view.in_plane]
    body = foreground(view.volume.array, view.volume.grid.voxel_sizes)
    if view.measured is not None:
        body &= view.measured
    if not body.any():
        return 0.0
    squares = []
    for other in others:
        lost = (view.volume.array - BlurredStack.of(view, other, 0.0).array)[body]
        weights = blur_weights(view, other)
        weights[len(weights) // 2] -= 1
        noise = noise_of(view) ** 2 * float(weights @ weights)
        squares.append(max(float(np.mean(lost.astype(float) ** 2)) - noise, 0.0))
    return float(np.sqrt(np.mean(squares))) / peak


def blur_weights(view: View, other: View) -> np.ndarray:
    """Weights by which `BlurredStack` blurs a view along the normal of another one."""
    directions = view.volume.grid.directions
    along = max(view.in_plane, key=lambda axis: abs(directions[:, axis] @ other.normal))
    return profile_weights(other.profile, float(view.volume.grid.voxel_sizes[along]))
