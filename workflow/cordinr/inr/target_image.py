"""An image on a grid that a fit knows before it begins: a target of its points, or its start.

Where a fit has time to learn an image anew, the image is a target that the points are drawn to
where the views leave them free. Where it has not, the fit begins at the image: the network then
learns only what the image lacks, and a rendering is the sum of both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from ..imaging.grid import Grid
from .point_groups import PointGroup
from .splines import spline_at, spline_coefficients

STORED_TYPE = torch.float16
"""Type of a start in a model file: half the size, at an error far below the noise."""


@dataclass(frozen=True, eq=False)
class TargetImage:
    """Intensities on a grid.

    Attributes:
        values: float32 of the shape of the grid, in units of the intensity scale of a model.
        grid: of the values.
    """

    values: Tensor
    grid: Grid

    @cached_property
    def coefficients(self) -> Tensor:
        """Of the splines through the values."""
        return spline_coefficients(self.values)

    def at(self, index: Tensor) -> Tensor:
        """Intensities (...) at fractional indices (..., 3) of the grid, by cubic splines.

        Between two voxels linear interpolation would take the finest detail away, which an INR that
        has its points there could not bring back. Beyond the centres of the outermost voxels the
        image goes on as it ends.
        """
        return spline_at(self.coefficients, index)

    def at_world(self, world: np.ndarray) -> np.ndarray:
        """Intensities (n,) at positions (n, 3) in world mm."""
        return self.at(self._index(world)).cpu().numpy()

    def between_at_world(self, world: np.ndarray) -> np.ndarray:
        """As `at_world`, but trilinearly, so that it is never beyond the values of the voxels."""
        index = self._index(world)
        last = index.new_tensor(self.grid.shape) - 1
        # grid_sample takes the last axis first, -1 and 1 for the centres of the outermost voxels.
        place = (2 * index / last.clamp(min=1) - 1).flip(-1)
        sampled = grid_sample(
            self.values[None, None],
            place.reshape(1, 1, 1, -1, 3),
            padding_mode="border",
            align_corners=True,
        )
        return sampled.flatten().cpu().numpy()

    def _index(self, world: np.ndarray) -> Tensor:
        index = torch.as_tensor(self.grid.index(world), dtype=torch.float32)
        return index.to(self.values.device)

    def to(self, device: torch.device | str) -> "TargetImage":
        """The same image with its values on a device."""
        return replace(self, values=self.values.to(device))

    def rounded(self) -> "TargetImage":
        """The image with the precision that it has in a model file."""
        return replace(self, values=self.values.to(STORED_TYPE).float())


def with_targets(
    groups: Sequence[PointGroup], image: TargetImage, centre: np.ndarray
) -> list[PointGroup]:
    """The groups with the intensities that their points are drawn to, NaN outside the grid.

    Args:
        groups: of views.
        image: on the device of the groups.
        centre: (3,) world mm that is the origin of the groups.
    """

    def inside(index: Tensor) -> Tensor:
        return image.at(index).where(image.grid.contains(index), torch.nan)

    return [
        replace(group, targets=torch.cat([inside(i) for i in group.indices(image.grid, centre)]))
        for group in groups
    ]


def relative_to(
    groups: Sequence[PointGroup], image: TargetImage, centre: np.ndarray
) -> list[PointGroup]:
    """The groups with what is left of their voxels without the image, and points drawn to zero.

    Args:
        groups: of views.
        image: on the device of the groups.
        centre: (3,) world mm that is the origin of the groups.
    """
    relative = []
    for group in groups:
        predicted = torch.cat(
            [image.at(index) @ group.weights for index in group.indices(image.grid, centre)]
        )
        zeros = group.values.new_zeros(()).expand(len(group.values), len(group.offsets))
        relative.append(replace(group, values=group.values - predicted, targets=zeros))
    return relative
