"""Which points stand for which voxels of the views: groups that share their sample points.

Where thick box slices of several views lie on one voxel lattice, as simulated ones do, a cell of
that lattice (say 5 x 1 x 5 voxels) holds whole voxels of every view: one evaluation of its points
serves them all. Every other voxel is sampled along its own slice profile.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..acquisition.domain import FitDomain
from ..acquisition.view import View
from ..imaging.grid import Grid

MAX_CELL_POINTS = 512
"""Maximum number of points of a shared cell; views with larger cells are sampled one by one."""

LATTICE_TOLERANCE = 1e-2
"""Fraction of a voxel by which a view may miss the lattice that all views are to share."""

POINTS_PER_BLOCK = 1 << 20
"""Number of points whose positions are held in memory at a time."""


@dataclass(frozen=True, eq=False)
class PointGroup:
    """Places at which voxels of the views are predicted from the same arrangement of points.

    Attributes:
        centres: (n, 3) mm relative to the field of view's centre.
        offsets: (q, 3) mm from a centre to the points.
        weights: (q, r) of the points in each of the r voxels there; columns sum to one.
        differences: (q, d * q) intensities at the points to forward differences per fine voxel,
            along d axes one after the other; zero where a point has no neighbour.
        values: (n, r) voxels in units of the intensity scale.
        batch: number of places used per step.
        trust: (n, r) weights of the squared errors of the voxels; None for 1.
        targets: (n, q) intensities that the points are drawn to, NaN where there is none; None for
            no targets at all.
    """

    centres: Tensor
    offsets: Tensor
    weights: Tensor
    differences: Tensor
    values: Tensor
    batch: int = 1
    trust: Tensor | None = None
    targets: Tensor | None = None

    @property
    def steps_per_pass(self) -> int:
        """Batches in one pass over the places."""
        return max(1, len(self.values) // self.batch)

    def with_batch(self, batch: int, voxels: int) -> "PointGroup":
        """The same group, with its share of a batch of `batch` view voxels out of `voxels`."""
        share = round(batch / voxels * len(self.values))
        return replace(self, batch=min(max(1, share), len(self.values)))

    def digest(self) -> str:
        """A checksum of the views' geometry and voxels, which determine a target without prior."""
        parts = [self.centres, self.offsets, self.weights, self.differences, self.values]
        parts += [] if self.trust is None else [self.trust]
        return hashlib.sha256(b"".join(part.cpu().numpy().tobytes() for part in parts)).hexdigest()

    def indices(self, grid: Grid, centre: np.ndarray) -> Iterator[Tensor]:
        """Where the points lie in a grid, in blocks of places.

        Args:
            grid: any.
            centre: (3,) world mm that is the origin of the group.

        Yields:
            Fractional indices (m, q, 3) of m places at a time, all n of them in order.
        """
        inverse = np.linalg.inv(grid.affine)
        shift = inverse[:3, :3] @ centre + inverse[:3, 3]
        turn, shift = (self.centres.new_tensor(part) for part in (inverse[:3, :3].T, shift))
        for centres in self.centres.split(max(1, POINTS_PER_BLOCK // len(self.offsets))):
            yield (centres @ turn + shift)[:, None] + self.offsets @ turn

    def permutation(self, seed: int, which_pass: int) -> Tensor:
        """(n,) the order of the places in a pass; another one in every pass.

        It is drawn on the CPU, so that a fit sees its data in the same order on every device.
        """
        generator = torch.Generator().manual_seed(seed * 100_003 + which_pass)
        return torch.randperm(len(self.values), generator=generator).to(self.values.device)


def make_point_groups(
    views: Sequence[View],
    domain: FitDomain,
    centre: np.ndarray,
    *,
    scale: float,
    points: int,
    device: torch.device | str,
    pairs: bool = False,
) -> list[PointGroup]:
    """All measured voxels that the views have in a domain, each in one group.

    Args:
        views: at least one.
        domain: of the views; the voxel size of its grid is the unit of differences.
        centre: (3,) world mm that becomes the origin.
        scale: intensity that becomes 1.
        points: number of samples per slice thickness for a voxel that shares none.
        device: of the tensors.
        pairs: shared cells have two points along the axes that no view is thick along, so that
            there too differences can be taken.
    """
    left = [
        np.ones(view.volume.grid.shape, bool) if view.measured is None else view.measured.copy()
        for view in views
    ]
    regular = all(view.trust is None and view.shifts is None for view in views)
    parts = _shared_cells(views, left, 2 if pairs else 1) if regular else []
    trust: list[np.ndarray | None] = [None] * len(parts)
    voxel = float(domain.grid.voxel_sizes.min())
    for view, alone in zip(views, left, strict=True):
        centres = view.world(np.argwhere(alone))
        inside = domain.contains(centres)
        if inside.any():
            along = _along_profile(view, points, voxel)
            parts.append((centres[inside], *along, view.sharp[alone][inside][:, None]))
            trust.append(None if view.trust is None else view.voxel_trust[alone][inside][:, None])

    def tensor(array: np.ndarray) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(array), dtype=torch.float32, device=device)

    return [
        PointGroup(
            tensor(centres - centre),
            tensor(offsets),
            tensor(weights),
            tensor(differences),
            tensor(values / scale),
            trust=None if each is None else tensor(each),
        )
        for (centres, offsets, weights, differences, values), each in zip(parts, trust, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class _AlignedView:
    """A view turned to common axes: how many fine voxels each of its voxels spans, and from where.

    Attributes:
        array: its voxels, axes in the common order and direction.
        spans: (3,) whole fine voxels per voxel.
        starts: (3,) fine voxels from the origin to the first edge.
        turn: `array` is the view's array transposed and flipped thus.
    """

    array: np.ndarray
    spans: np.ndarray
    starts: np.ndarray
    turn: tuple[np.ndarray, tuple[slice, ...]]

    @property
    def ends(self) -> np.ndarray:
        """(3,) fine voxels from the origin to the last edge."""
        return self.starts + self.spans * self.array.shape


def _along_profile(
    view: View, points: int, voxel: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Offsets (q, 3) in mm, weights (q, 1) and differences (q, q) of one voxel's slice profile."""
    count = max(1, math.ceil(points * view.profile.extent / view.profile.thickness))
    offsets, weights = view.offsets(count, voxel)
    apart = np.linalg.norm(np.diff(offsets[:count], axis=0), axis=1)
    ahead = (np.eye(count, k=-1) - np.eye(count))[:, :-1] * (voxel / apart)
    along = np.pad(ahead, ((0, 0), (0, 1)))
    places = np.eye(len(offsets) // count)
    return offsets, weights[:, None], np.kron(places, along)


def _shared_cells(
    views: Sequence[View], left: Sequence[np.ndarray], least: int
) -> list[tuple[np.ndarray, ...]]:
    """Centres, offsets, weights, differences and values of the cells that views share.

    Empty where there is one view only, or the views do not lie on one lattice. Cells of which every
    voxel is in `left` are taken out of it; others are passed over. A cell is at least `least` fine
    voxels long along each axis.
    """
    directions = views[0].volume.grid.directions
    fine = np.min([_along(view, directions)[1] for view in views], axis=0)
    edge = (views[0].volume.grid.corners @ directions).min(axis=0)
    aligned = [_place(view, directions, fine, edge) for view in views]
    placed = [each for each in aligned if each is not None]
    if len(views) < 2 or len(placed) < len(views):
        return []
    cells = _common_cells(placed, least)
    if cells is None:
        return []
    size, low, count = cells
    points, weights, values, waiting = _indices(size), [], [], []
    for one, alone in zip(placed, left, strict=True):
        begin, per_cell = (low - one.starts) // one.spans, size // one.spans
        box = tuple(slice(b, b + n * k) for b, n, k in zip(begin, count, per_cell, strict=True))
        axes, flips = one.turn
        waiting.append(alone.transpose(axes)[flips][box])  # a view of `alone`, to be written to
        values.append(_by_cell(one.array[box], count, per_cell))
        voxel = np.ravel_multi_index((points // one.spans).T, per_cell)
        weights.append((voxel[:, None] == np.arange(per_cell.prod())) / one.spans.prod())
    whole = np.all([_by_cell(each, count, each.shape // count).all(axis=1) for each in waiting], 0)
    if not whole.any():
        return []
    for each in waiting:
        each &= ~np.kron(whole.reshape(count), np.ones(each.shape // count, bool))
    centres = (edge + (low + size * (_indices(count)[whole] + 0.5)) * fine) @ directions.T
    offsets = ((points + 0.5 - size / 2) * fine) @ directions.T
    shared = np.hstack(weights), _forward_differences(points, size), np.hstack(values)[whole]
    return [(centres, offsets, *shared)]


def _by_cell(array: np.ndarray, count: np.ndarray, per_cell: np.ndarray) -> np.ndarray:
    """Voxels (count * per_cell along each axis) by cell, (cells, voxels of a cell)."""
    shape = [k for pair in zip(count, per_cell, strict=True) for k in pair]
    return array.reshape(shape).transpose(0, 2, 4, 1, 3, 5).reshape(count.prod(), -1)


def _common_cells(
    placed: Sequence[_AlignedView], least: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Size of a cell, first edge (fine voxels) and number of cells, (3,) each; None without any."""
    size = np.maximum(np.max([one.spans for one in placed], axis=0), least)
    if (size % [one.spans for one in placed]).any() or size.prod() > MAX_CELL_POINTS:
        return None
    low = np.max([one.starts for one in placed], axis=0)
    high = np.min([one.ends for one in placed], axis=0)
    for axis in range(3):
        thick = [one for one in placed if one.spans[axis] == size[axis]]
        phases = {int(one.starts[axis] % size[axis]) for one in thick}
        if len(phases) > 1:
            return None
        if phases:
            low[axis] += (phases.pop() - low[axis]) % size[axis]
    count = (high - low) // size
    if (count < 1).any() or any(((low - one.starts) % one.spans).any() for one in placed):
        return None
    return size, low, count


def _indices(shape: np.ndarray) -> np.ndarray:
    """All indices of an array, C order, (n, 3)."""
    return np.stack(np.unravel_index(np.arange(shape.prod()), shape), axis=-1)


def _forward_differences(points: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(q, 3 q): intensities at the points (q, 3) of a cell to differences along the three axes."""
    blocks = []
    for step in np.eye(3, dtype=int):
        ahead = points + step
        to = (points[:, None] == ahead).all(axis=-1)
        blocks.append(to.astype(float) - np.eye(len(points)) * (ahead < size).all(axis=1))
    return np.hstack(blocks)


def _along(view: View, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The view's array axis closest to each direction (columns), and its voxel size along it."""
    grid = view.volume.grid
    axes = np.abs(directions.T @ grid.directions).argmax(axis=1)
    return axes, grid.voxel_sizes[axes]


def _place(
    view: View, directions: np.ndarray, fine: np.ndarray, edge: np.ndarray
) -> _AlignedView | None:
    """The view on the lattice of `fine` mm along `directions` from `edge`; None if not on it."""
    grid = view.volume.grid
    axes, sizes = _along(view, directions)
    signs = (directions.T @ grid.directions)[np.arange(3), axes]
    spans = sizes / fine
    contiguous = abs(view.profile.thickness / grid.voxel_sizes[view.axis] - 1) < LATTICE_TOLERANCE
    if view.profile.shape != "box" or not contiguous or len(set(axes)) < 3:
        return None
    if not np.allclose(np.abs(directions.T @ grid.directions)[:, axes], np.eye(3), atol=1e-5):
        return None
    starts = ((grid.corners @ directions).min(axis=0) - edge) / fine
    drift = np.abs(spans - spans.round()) * np.array(grid.shape)[axes]
    if (drift > LATTICE_TOLERANCE).any() or (
        np.abs(starts - starts.round()) > LATTICE_TOLERANCE
    ).any():
        return None
    flips = tuple(slice(None, None, 1 if sign > 0 else -1) for sign in signs)
    array = view.sharp.transpose(axes)[flips]
    return _AlignedView(array, spans.round().astype(int), starts.round().astype(int), (axes, flips))
