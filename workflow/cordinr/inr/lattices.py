"""Feature lattices: learnt features on lattices of several spacings, interpolated between points.

Capacity that grows with the field of view, which no fixed MLP has. Beside isotropic lattices of
doubling spacing stand lattices shaped like the views: fine in the plane of the slices and coarse
across them. What either view sees is then cheap to represent, and what neither sees can only come
from how the network combines the two.

Multiresolution features: Mueller et al., "Instant Neural Graphics Primitives with a
Multiresolution Hash Encoding", SIGGRAPH 2022, section 3, here dense and without a hash.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
import torch
from torch import Tensor, nn

from ..acquisition.coarsening import FACTORS
from ..acquisition.domain import FitDomain
from ..acquisition.view import View
from .settings import ISOTROPIC_SPACINGS, SLICE_FRACTIONS

INITIAL_STD = 0.01
"""Standard deviation of the features before the fit; small, so that places which no view measures
are left to the coarse lattices."""

MAX_POINTS = 3e7
"""Largest number of points of the lattices of a fit that begins at an image, where coarser ones do:
with the usual number of features and Adam's moments these take 2 GB."""

CORNERS = tuple(np.ndindex(2, 2, 2))
"""Steps from the lowest corner of a lattice cell to all eight."""


@dataclass(frozen=True)
class Lattice:
    """Where the points of one lattice are, relative to the field of view's centre.

    Attributes:
        shape: points along its three axes.
        to_index: three rows of four; world mm (homogeneous) to fractional index.
    """

    shape: tuple[int, int, int]
    to_index: tuple[tuple[float, float, float, float], ...]


def lattices_for(
    views: Sequence[View], domain: FitDomain, centre: np.ndarray, factor: float = 1.0
) -> list[Lattice]:
    """The lattices over everything that the views show of a domain.

    Views whose slices have about the same direction, such as the chunks of a spine, share those
    that are shaped like the first of them.

    Args:
        views: that overlap.
        domain: of the views; its grid gives the finest spacing and the axes of isotropic lattices.
        centre: (3,) world mm that becomes the origin.
        factor: by which the finest spacing is longer than the voxels of the grid.
    """
    grid = domain.grid
    voxel = factor * float(grid.voxel_sizes.min())
    extents = domain.corners(views) - centre
    isotropic = [
        _lattice(grid.directions, np.full(3, times * voxel), extents)
        for times in ISOTROPIC_SPACINGS
    ]
    shaped: list[Lattice] = []
    directions: list[View] = []
    for view in views:
        if any(view.is_parallel_to(other) for other in directions):
            continue
        directions.append(view)
        for fraction in SLICE_FRACTIONS:
            spacing = np.full(3, voxel)
            spacing[view.axis] = max(voxel, fraction * view.profile.thickness)
            shaped.append(_lattice(view.volume.grid.directions, spacing, extents))
    return isotropic + shaped


def lattices_within_budget(
    views: Sequence[View], domain: FitDomain, centre: np.ndarray, coarsest: float
) -> list[Lattice]:
    """The finest lattices that have at most `MAX_POINTS` points in all.

    Args:
        views: as `lattices_for`.
        domain: likewise.
        centre: likewise.
        coarsest: largest `factor` that is taken, whatever the number of points.
    """
    for factor in FACTORS:
        lattices = lattices_for(views, domain, centre, min(factor, coarsest))
        if factor >= coarsest or sum(math.prod(each.shape) for each in lattices) <= MAX_POINTS:
            break
    return lattices


def _lattice(directions: np.ndarray, spacing: np.ndarray, corners: np.ndarray) -> Lattice:
    """A lattice along `directions` (columns) that holds all `corners`, one spacing to spare."""
    to_index = np.linalg.inv(directions * spacing)
    span = corners @ to_index.T
    low, high = span.min(axis=0), span.max(axis=0)
    shape = np.ceil(high - low - 1e-6).astype(int) + 2
    rows = np.column_stack([to_index, -low])
    x, y, z = map(int, shape)
    return Lattice((x, y, z), tuple((a, b, c, d) for a, b, c, d in rows.tolist()))


class FeatureLattices(nn.Module):
    """Interpolated features of all lattices side by side, for each member of an ensemble.

    Each member's lattices are shifted by a random part of their spacing, so that the members err
    in different places.

    Args:
        lattices: at least one.
        channels: features per lattice point.
        members: of the ensemble.
        generator: source of the initial features and of the shifts.
    """

    to_index: Tensor
    last_cell: Tensor
    steps: Tensor
    corners: Tensor
    shift: Tensor

    def __init__(
        self,
        lattices: Sequence[Lattice],
        channels: int,
        members: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.features = len(lattices) * channels
        shape = torch.tensor([lattice.shape for lattice in lattices])
        self.rows = int(shape.prod(dim=1).sum())
        self.table = nn.Parameter(torch.empty(members * self.rows, channels))
        nn.init.normal_(self.table, std=INITIAL_STD, generator=generator)
        self.register_buffer("shift", torch.rand(members, 1, len(lattices), 3, generator=generator))
        start = torch.arange(members)[:, None] * self.rows + (
            shape.prod(dim=1).cumsum(0) - shape.prod(dim=1)
        )
        steps = torch.stack([shape[:, 1] * shape[:, 2], shape[:, 2], torch.ones(len(shape))], 1)
        corners = (torch.tensor(CORNERS)[None] * steps[:, None]).sum(-1)
        to_index = torch.tensor([lattice.to_index for lattice in lattices])
        for name, buffer in {
            "to_index": to_index,
            "last_cell": (shape - 2).float(),
            "steps": steps.int(),
            "corners": (start[:, None, :, None] + corners).int(),
        }.items():
            self.register_buffer(name, buffer, persistent=False)

    def forward(self, xyz: Tensor) -> Tensor:
        """Features (members, n, lattices * channels) at positions (n, 3) in mm, float32."""
        with torch.autocast(xyz.device.type, enabled=False):
            index = torch.einsum("lij,nj->nli", self.to_index[..., :3], xyz)
            index = index + self.to_index[..., 3] + self.shift
            cell = index.floor().clamp_(min=0).minimum(self.last_cell)
            part = (index - cell).clamp_(0, 1)
            rows = (cell.int() * self.steps).sum(dim=-1, dtype=torch.int32)
            rows = rows[..., None] + self.corners
            x, y, z = torch.stack([1 - part, part], dim=-1).unbind(dim=-2)
            weights = x[..., :, None, None] * y[..., None, :, None] * z[..., None, None, :]
            found = _Interpolate.apply(self.table, rows.view(-1, 8), weights.reshape(-1, 8))
        return found.view(len(self.shift), len(xyz), self.features)


class _Interpolate(torch.autograd.Function):
    """Weighted sums of eight rows of a table: `embedding_bag`, with a faster backward pass."""

    @staticmethod
    def forward(context: Any, table: Tensor, rows: Tensor, weights: Tensor) -> Tensor:
        context.save_for_backward(rows, weights)
        context.length = len(table)
        return nn.functional.embedding_bag(rows, table, per_sample_weights=weights, mode="sum")

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        rows, weights = context.saved_tensors
        scatter = scatter_scipy if gradient.device.type == "cpu" else scatter_torch
        return scatter(gradient, rows, weights, context.length), None, None


def scatter_torch(gradient: Tensor, rows: Tensor, weights: Tensor, length: int) -> Tensor:
    """The transposed interpolation: gradient of a table (length, c) from that of its sums (n, c).

    Args:
        gradient: (n, c).
        rows: (n, 8) rows of the table in each sum.
        weights: (n, 8) their weights.
        length: number of rows of the table.
    """
    shares = (weights[..., None] * gradient[:, None]).flatten(0, 1)
    return gradient.new_zeros(length, gradient.shape[-1]).index_add_(0, rows.flatten(), shares)


def scatter_scipy(gradient: Tensor, rows: Tensor, weights: Tensor, length: int) -> Tensor:
    """As `scatter_torch`, on a CPU in a fifth of the time."""
    begins = np.arange(0, rows.numel() + 1, 8, dtype=np.int32)
    parts = weights.flatten().numpy(), rows.flatten().numpy(), begins
    transposed = scipy.sparse.csc_array(parts, shape=(length, len(rows)))
    return torch.from_numpy(transposed @ gradient.numpy())
