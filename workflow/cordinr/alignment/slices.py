"""How slices of a stack moved against each other: a translation for each, found on their lines.

A patient who moves during a scan displaces the slices that are measured afterwards, most often
every second one, as slices are measured in interleaved passes. A slice that moved in its plane
shows its lines displaced; one that moved across its plane crosses the slices of the other stacks
elsewhere. Both tell where it is, as in Kim et al. 2010 (see `crossings`).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy
from scipy.spatial.transform import Rotation

from ..acquisition.view import View
from .crossings import Crossing
from .lines import MIN_BRIGHTNESS, MIN_POINTS, huber_weights
from .search import RADIUS_MM, PoseSearch

LEVELS = ((3.0, 3.0, 20_000, 6.0), (1.5, 2.0, 30_000, 4.0), (0.5, 1.0, 60_000, 3.0))
"""Blur in mm, step along the lines in mm, number of points per crossing, and the displacement in mm
that is still to be found, from coarse to fine."""

ROUNDS = 8
"""Maximum number of steps of least squares at each level."""

PRIOR_MM = 2.0
"""Standard deviation of the displacement of a slice, along each axis, that is expected
beforehand."""

GRADIENT_MM = 0.5
"""Distance in mm to both sides over which the gradients of intensities are taken."""

CONVERGED_MM = 0.01
"""Largest change of a displacement in mm at which a level has converged."""

MAX_STEP_MM = 1.5
"""Largest change of a displacement in mm, along each axis, in a step of least squares."""

MIN_MOVED_MM = 0.1
"""Displacement of a slice in mm below which it counts as lying in its place."""

MIN_WORST_MM = 0.3
"""Largest displacement in mm below which all slices of a stack count as lying in their places."""

MIN_STANDARD_ERRORS = 4.0
"""Displacement of a slice along an axis, in units of its standard error, below which it counts as
lying in its place."""


class SliceSearch:
    """Displacements of slices, found jointly with the rotations of their stacks.

    Attributes:
        shifts: (all slices, 3) world mm, of one stack after the other.
        errors: (all slices, 3) their standard errors.
        points: (all slices,) number of points on the lines of each.
    """

    def __init__(self, search: PoseSearch, views: Sequence[View]) -> None:
        """Prepare the search.

        Args:
            search: with poses near the truth; they are refined.
            views: the stacks, their intensities corrected, perhaps with displacements to begin
                with.
        """
        self._search, self._views = search, views
        paired = {number for pair in search.pairs for number in pair}
        self._free = [number for number in search.free if number in paired]
        self._starts = np.cumsum([0, *(view.volume.grid.shape[view.axis] for view in views)])
        none = (np.zeros((view.volume.grid.shape[view.axis], 3)) for view in views)
        known = (view.shifts for view in views)
        self.shifts = np.concatenate(
            [zero if own is None else own for zero, own in zip(none, known, strict=True)]
        )
        self.errors = np.full_like(self.shifts, np.inf)
        self.points = np.zeros(self._starts[-1], int)

    def run(self) -> list[np.ndarray | None]:
        """Find the displacements, coarse to fine; the poses of the search follow.

        Returns:
            Of each stack (slices, 3) world mm, 0 for slices in their place; None for a stack all of
            whose slices are.
        """
        for level in LEVELS:
            self._search.views = self._displaced()
            self._search.set_level(*level)
            self._search.gains = self._search.estimate_gains()
            for _ in range(ROUNDS):
                if self._step() < CONVERGED_MM:
                    break
        self._move_stacks()
        sizes = np.linalg.norm(self.shifts, axis=1)
        certain = (np.abs(self.shifts) > MIN_STANDARD_ERRORS * self.errors).any(axis=1)
        moved = (sizes > MIN_MOVED_MM) & certain & (self.points >= MIN_POINTS)
        self.shifts[~moved] = 0
        worst = [np.linalg.norm(each, axis=1).max() for each in self._by_stack(self.shifts)]
        return [
            each if most > MIN_WORST_MM else None
            for each, most in zip(self._by_stack(self.shifts), worst, strict=True)
        ]

    def _by_stack(self, rows: np.ndarray) -> list[np.ndarray]:
        return [rows[start:stop] for start, stop in itertools.pairwise(self._starts)]

    def _displaced(self) -> list[View]:
        shifts = self._by_stack(self.shifts)
        return [replace(view, shifts=own) for view, own in zip(self._views, shifts, strict=True)]

    def _step(self) -> float:
        """A step of least squares, robust and drawn to zero.

        Returns:
            The largest change of a displacement in mm.
        """
        matrices, shifts = self._search.matrices(self._search.poses), self._by_stack(self.shifts)
        changes = [
            _Changes.on(crossing, shifts, matrices, self._search.gains)
            for crossing in self._search.crossings
        ]
        scale = np.percentile(np.concatenate([each.brightness for each in changes]), 99)
        changes = [each.part(each.brightness > MIN_BRIGHTNESS * scale) for each in changes]
        jacobian = scipy.sparse.vstack([self._columns(each) for each in changes], format="csr")
        residual = np.concatenate([each.difference for each in changes])
        robust = huber_weights(residual)
        noise = max(float(np.average(residual**2, weights=robust)), (1e-4 * scale) ** 2)
        weighted = jacobian.T @ scipy.sparse.diags_array(robust / noise)
        normal, right = (weighted @ jacobian).toarray(), -(weighted @ residual)
        slices = np.arange(self.shifts.size)
        normal[slices, slices] += 1 / PRIOR_MM**2
        right[slices] -= self.shifts.ravel() / PRIOR_MM**2
        # What all slices have in common no line tells: the fixed stack holds them on average.
        first, last = self._starts[self._search.fixed : self._search.fixed + 2]
        for axis in range(3):
            held = np.zeros(len(normal))
            held[3 * first + axis : 3 * last : 3] = 1 / (last - first)
            normal += 1e3 * np.trace(normal) / len(normal) * np.outer(held, held)
        spread = np.linalg.inv(normal)
        change = np.clip(spread @ right, -MAX_STEP_MM, MAX_STEP_MM)
        self.shifts += change[slices].reshape(-1, 3)
        self.errors = np.sqrt(np.diag(spread)[slices]).reshape(-1, 3)
        self.points = self._count(changes)
        for number, turn in zip(self._free, change[self.shifts.size :].reshape(-1, 3), strict=True):
            self._turn(number, turn / RADIUS_MM)
        return float(np.abs(change).max())

    def _columns(self, change: "_Changes") -> "scipy.sparse.csr_array":
        """(points, parameters): shifts of all slices, then rotations times `RADIUS_MM`."""
        values, columns = [], []
        for side, number in enumerate(change.numbers):
            slopes = change.slopes[side]
            values.append(slopes)
            columns.append(3 * (self._starts[number] + change.slices[side])[:, None])
            if number in self._free:
                # A rotation w about c moves x by w x (x - c), and w . ((x - c) x slope) is what
                # that changes.
                arms = (change.world - self._search.centre) / RADIUS_MM
                values.append(np.cross(arms, slopes))
                first = self.shifts.size + 3 * self._free.index(number)
                columns.append(np.full((len(slopes), 1), first))
        every = (np.stack(columns, axis=1) + np.arange(3)).ravel()
        entries = np.hstack(values)
        ends = np.arange(len(entries) + 1) * entries.shape[1]
        size = self.shifts.size + 3 * len(self._free)
        return scipy.sparse.csr_array((entries.ravel(), every, ends), shape=(len(entries), size))

    def _count(self, changes: Sequence["_Changes"]) -> np.ndarray:
        counts = np.zeros(self._starts[-1], int)
        for change in changes:
            for number, slices in zip(change.numbers, change.slices, strict=True):
                counts += np.bincount(self._starts[number] + slices, minlength=len(counts))
        return counts

    def _turn(self, number: int, turn: np.ndarray) -> None:
        """Turn a stack further by a rotation vector, about the centre of the search."""
        pose, further = self._search.poses[number], Rotation.from_rotvec(turn)
        rotation = further * Rotation.from_rotvec(pose[:3] / RADIUS_MM)
        pose[:3] = rotation.as_rotvec() * RADIUS_MM
        pose[3:] = further.apply(pose[3:])

    def _move_stacks(self) -> None:
        """Let the pose of each stack hold what most of its slices have in common."""
        parts = zip(self._by_stack(self.shifts), self._by_stack(self.points), strict=True)
        common = [common_shift(own[points >= MIN_POINTS]) for own, points in parts]
        for number, own in enumerate(self._by_stack(self.shifts)):
            own -= common[number]
            if number in self._free:
                self._search.poses[number, 3:] += common[number] - common[self._search.fixed]


@dataclass(frozen=True, eq=False)
class _Changes:
    """Differences on the lines of two stacks, and how they change as slices move.

    Attributes:
        numbers: of both stacks.
        difference: (n,) intensities of the first minus those of the second.
        slopes: (2, n, 3) per mm that the slice of the first, and that of the second, moves.
        slices: (2, n) numbers of the slices of both.
        world: (n, 3) mm.
        brightness: (n,) the higher intensity of both.
    """

    numbers: tuple[int, int]
    difference: np.ndarray
    slopes: np.ndarray
    slices: np.ndarray
    world: np.ndarray
    brightness: np.ndarray

    @classmethod
    def on(
        cls,
        crossing: Crossing,
        shifts: Sequence[np.ndarray],
        matrices: Sequence[np.ndarray],
        gains: np.ndarray,
    ) -> "_Changes":
        """The differences on the lines of a crossing where both stacks were measured.

        Args:
            crossing: of two stacks.
            shifts: of each stack (slices, 3).
            matrices: (4, 4) displacement of each stack.
            gains: of each stack.
        """
        first, second = crossing.numbers
        one, other = crossing.stacks
        one, other = replace(one, shifts=shifts[first]), replace(other, shifts=shifts[second])
        crossing = replace(crossing, stacks=(one, other))
        placed = matrices[first], matrices[second]
        world, slices = crossing.points(*placed), crossing.slices
        values, gradients, measured = [], [], np.ones(len(world), bool)
        for stack, matrix, numbers in zip(crossing.stacks, placed, slices, strict=True):
            value, known = stack.sample(world, matrix, numbers)
            gradient = np.zeros_like(world)
            for axis in (k for k in range(3) if k != stack.axis):
                step = GRADIENT_MM * stack.place(matrix).directions[:, axis]
                ahead, is_ahead = stack.sample(world + step, matrix, numbers)
                behind, is_behind = stack.sample(world - step, matrix, numbers)
                known &= is_ahead & is_behind
                gradient += np.outer(ahead - behind, step) / (2 * GRADIENT_MM**2)
            values.append(value)
            gradients.append(gradient)
            measured &= known
        values = [value / gains[k] for value, k in zip(values, crossing.numbers, strict=True)]
        ours, theirs = (g / gains[k] for g, k in zip(gradients, crossing.numbers, strict=True))
        # A slice that moves by t carries its line along: by (n . t) a, where a leaves the plane of
        # the other slice and the place along the line as they are.
        normals = np.stack(
            [s.place(m).directions[:, s.axis] for s, m in zip(crossing.stacks, placed, strict=True)]
        )
        line = np.cross(*normals)
        leads = np.linalg.inv(np.vstack([normals, line / np.linalg.norm(line)]))
        carried = (ours - theirs) @ leads[:, :2]
        slopes = np.stack(
            [
                np.outer(carried[:, 0], normals[0]) - ours,
                np.outer(carried[:, 1], normals[1]) + theirs,
            ]
        )
        found = cls(
            crossing.numbers, values[0] - values[1], slopes, slices, world, np.maximum(*values)
        )
        return found.part(measured)

    def part(self, chosen: np.ndarray) -> "_Changes":
        """Those at some of the points, bool (n,)."""
        return _Changes(
            self.numbers,
            self.difference[chosen],
            self.slopes[:, chosen],
            self.slices[:, chosen],
            self.world[chosen],
            self.brightness[chosen],
        )


def common_shift(shifts: np.ndarray) -> np.ndarray:
    """(3,) the displacement that most of the slices of a stack have, out of (slices, 3).

    Where one pass of two was displaced, that of the other, never one in between.
    """
    if not len(shifts):
        return np.zeros(3)
    apart = np.linalg.norm(shifts[:, None] - shifts, axis=2)
    nearest = np.argsort(apart[apart.sum(axis=1).argmin()], kind="stable")
    return shifts[nearest[: (len(shifts) + 1) // 2]].mean(axis=0)
