"""The 48 ways in which a cube is turned and mirrored.

Views, noise and the forward model know no preferred axis, so that an example learnt in one position
holds in all of them.
"""

import itertools
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from .features import SHARED, axis_channels

Array = TypeVar("Array", np.ndarray, Tensor)


@dataclass(frozen=True)
class Symmetry:
    """A permutation of the axes, and then mirrors.

    Attributes:
        order: axis of the original along each axis of the result.
        mirrored: axes of the result that are reversed.
    """

    order: tuple[int, int, int]
    mirrored: tuple[int, ...]

    def turn(self, image: Array) -> Array:
        """Turn an image; its last three axes are x, y, z."""
        first: int = image.ndim - 3
        order = (*range(first), *(first + axis for axis in self.order))
        mirrored = tuple(first + axis for axis in self.mirrored)
        if isinstance(image, np.ndarray):
            return np.flip(image.transpose(order), mirrored)
        return image.permute(order).flip(mirrored)

    def turn_channels(self, channels: Array) -> Array:
        """Turn the channels (CHANNELS, x, y, z) of `features`, those of each axis along with it."""
        own = [slice(SHARED), *map(axis_channels, self.order)]
        if isinstance(channels, np.ndarray):
            return self.turn(np.concatenate([channels[each] for each in own]))
        return self.turn(torch.cat([channels[each] for each in own]))


SYMMETRIES = tuple(
    Symmetry((order[0], order[1], order[2]), mirrored)
    for order in itertools.permutations(range(3))
    for count in range(4)
    for mirrored in itertools.combinations(range(3), count)
)
"""All of them; the first changes nothing."""
