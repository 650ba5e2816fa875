"""Poses and gains of stacks, found where their slices cross.

Coarse to fine: first a search over translations by correlation, then least squares on the
differences of both stacks on all lines, robust against what is not the same in both.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from ..acquisition.view import View
from ..errors import InputError
from .crossings import Crossing
from .pose import Pose

MIN_ANGLE_DEG = 30.0
"""Angle in degrees between the normals of two stacks below which their slices count as parallel."""

LEVELS = ((4.0, 4.0, 8_000, 25.0), (1.5, 2.0, 20_000, 5.0), (0.0, 1.0, 30_000, 2.0))
"""Blur in mm, step along the lines in mm, number of points per crossing, and displacement in mm that
is still to be found, from coarse to fine."""

SEARCH_MM = ((-10.0, -5.0, 0.0, 5.0, 10.0), (-2.5, 0.0, 2.5))
"""Translations in mm along each axis that are tried, in both rounds of the search."""

RADIUS_MM = 50.0
"""Distance in mm from the centre at which a rotation is measured as a movement, so that all
parameters of a pose have one unit."""

DERIVATIVE_STEP_MM = 0.05
"""Step in mm of the numerical derivatives by the parameters of a pose."""

ROUNDS = 3
"""Maximum number of rounds of gains and poses at each level."""

CONVERGED_MM = 0.01
"""Largest change of a parameter in mm at which a level has converged."""

MIN_POINTS = 200
"""Number of points below which two stacks share too little to be compared."""

MAX_SHIFT_MM = 30.0
"""Largest translation in mm that is believed."""

MIN_CORRELATION = 0.5
"""Correlation of two aligned stacks below which they count as images of different things."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where stacks are and how bright.

    Attributes:
        poses: of the stacks.
        gains: by which their intensities have to be divided.
        correlation: of each stack with those that cross it, aligned; NaN where none does.
        correlation_before: the same by the headers.
        fixed: number of the stack that stays.
        problems: why a stack could not be aligned, by its number; it keeps its header's pose.
    """

    poses: tuple[Pose, ...]
    gains: np.ndarray
    correlation: np.ndarray
    correlation_before: np.ndarray
    fixed: int
    problems: dict[int, str]

    def describe(self, number: int) -> str:
        """What was found for a stack, in words."""
        pose = self.poses[number]
        if number == self.fixed:
            return "stays where its header puts it."
        right, front, up = pose.translation
        turns = np.degrees(pose.rotation)
        return (
            f"is displaced by {pose.millimetres:.1f} mm (right {right:+.1f}, anterior "
            f"{front:+.1f}, superior {up:+.1f}) and {pose.degrees:.1f} degrees (about these axes "
            f"{turns[0]:+.1f}, {turns[1]:+.1f}, {turns[2]:+.1f}), gain {self.gains[number]:.2f}; "
            f"correlation with the others {self.correlation_before[number]:.3f}, aligned "
            f"{self.correlation[number]:.3f}."
        )

    def fields(self, number: int) -> dict[str, object]:
        """What the sidecar of an aligned stack says of its displacement."""
        pose = self.poses[number]
        return {
            "AlignmentRotationCentre": [round(float(mm), 4) for mm in pose.centre],
            "AlignmentRotationVector": [round(float(turn), 7) for turn in pose.rotation],
            "AlignmentTranslation": [round(float(mm), 4) for mm in pose.translation],
            "AlignmentGain": round(float(self.gains[number]), 5),
        }

    def failures(self, views: Sequence[View]) -> list[str]:
        """Sentences about the stacks that could not be aligned, which keep their header's pose."""
        return [
            f"{views[number].name}: {problem}; it stays where its header puts it."
            for number, problem in self.problems.items()
        ]

    def apply(self, views: Sequence[View]) -> list[View]:
        """The views, each where it really is and as bright as the fixed one."""
        return [
            pose.move(view, float(gain))
            for view, pose, gain in zip(views, self.poses, self.gains, strict=True)
        ]


def align_rigidly(views: Sequence[View], fixed: int = 0) -> Alignment:
    """Find a rigid pose and a gain for each stack.

    Args:
        views: stacks of one object; of at least two slice directions.
        fixed: number of the stack that stays where its header puts it, with a gain of 1.

    Raises:
        InputError: no two stacks cross.
    """
    pairs = crossing_pairs(views)
    centre = np.mean([view.volume.grid.centre for view in views], axis=0)
    problem = _Problem(views, pairs, centre, fixed)
    for number, level in enumerate(LEVELS):
        problem.set_level(*level)
        if number == 0:
            problem.search()
        problem.refine()
    before = problem.correlations(np.zeros_like(problem.poses))
    after = problem.correlations(problem.poses)
    problems = {}
    for number in problem.free:
        if np.isnan(after[number]):
            problems[number] = "shares too little with the scans of other directions"
        elif after[number] < MIN_CORRELATION:
            problems[number] = (
                "does not show what the scans of other directions show (correlation "
                f"{after[number]:.2f})"
            )
        elif np.linalg.norm(problem.poses[number, 3:]) > MAX_SHIFT_MM:
            problems[number] = (
                f"would be displaced by more than {MAX_SHIFT_MM:g} mm, which is not credible"
            )
    for number in problems:
        problem.poses[number] = 0
        problem.gains[number] = 1
    poses = tuple(Pose(centre, each[:3] / RADIUS_MM, each[3:]) for each in problem.poses)
    return Alignment(poses, problem.gains, after, before, fixed, problems)


def crossing_pairs(views: Sequence[View]) -> list[tuple[int, int]]:
    """The pairs of stacks whose slices are not parallel.

    Raises:
        InputError: there is none.
    """
    limit = np.cos(np.radians(MIN_ANGLE_DEG))
    pairs = [
        (one, other)
        for one, other in itertools.combinations(range(len(views)), 2)
        if abs(views[one].normal @ views[other].normal) < limit
    ]
    if not pairs:
        names = " and ".join(view.name for view in views)
        raise InputError(
            f"{names}: have slices in one direction only, which cannot be aligned with each other; "
            "add a scan of another direction."
        )
    return pairs


class _Problem:
    """Stacks at one level of the search: their crossings, and the poses and gains so far.

    Attributes:
        poses: (stacks, 6) rotation vectors times `RADIUS_MM`, then translations, in mm.
        gains: (stacks,).
    """

    def __init__(
        self,
        views: Sequence[View],
        pairs: Sequence[tuple[int, int]],
        centre: np.ndarray,
        fixed: int,
    ) -> None:
        self.views, self.pairs, self.centre, self.fixed = views, pairs, centre, fixed
        self.free = [k for k in range(len(views)) if k != fixed]
        self.poses = np.zeros((len(views), 6))
        self.gains = np.ones(len(views))
        self.set_level(*LEVELS[0])

    def matrices(self, poses: np.ndarray) -> list[np.ndarray]:
        """(4, 4) displacement of each stack."""
        return [Pose(self.centre, each[:3] / RADIUS_MM, each[3:]).matrix for each in poses]

    def set_level(self, blur_mm: float, step_mm: float, points: int, margin_mm: float) -> None:
        """Blur the stacks, and choose the points to compare near the poses so far."""
        matrices = self.matrices(self.poses)
        self.crossings = [
            Crossing.of(
                (self.views[one], self.views[other]),
                (one, other),
                (matrices[one], matrices[other]),
                blur_mm=blur_mm,
                step_mm=step_mm,
                points=points,
                margin_mm=margin_mm,
            )
            for one, other in self.pairs
        ]

    def compare(self, poses: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """What the stacks of each crossing show, at these poses."""
        matrices = self.matrices(poses)
        return [
            crossing.compare(*(matrices[number] for number in crossing.numbers))
            for crossing in self.crossings
        ]

    def correlations(self, poses: np.ndarray) -> np.ndarray:
        """(stacks,) correlation of each stack with all that cross it, weighted by their points."""
        total, weight = np.zeros(len(self.views)), np.zeros(len(self.views))
        for crossing, compared in zip(self.crossings, self.compare(poses), strict=True):
            one, other, both = compared
            points = both.sum()
            if points >= MIN_POINTS:
                value = np.corrcoef(one[both], other[both])[0, 1]
                total[list(crossing.numbers)] += points * value
                weight[list(crossing.numbers)] += points
        return np.where(weight > 0, total / np.maximum(weight, 1), np.nan)

    def search(self) -> None:
        """Try translations of one stack after the other, and keep the best."""
        for steps in SEARCH_MM:
            for number in self.free:
                tried = []
                for shift in itertools.product(steps, repeat=3):
                    poses = self.poses.copy()
                    poses[number, 3:] += shift
                    tried.append((self._score(poses), -np.abs(shift).sum(), poses))
                self.poses = max(tried, key=lambda each: each[:2])[2]

    def _score(self, poses: np.ndarray) -> float:
        correlations = self.correlations(poses)
        return float(np.where(np.isnan(correlations), -1, correlations).sum())

    def refine(self) -> None:
        """Gains and poses in turn, until the poses change no more."""
        for _ in range(ROUNDS):
            self.gains = self.estimate_gains()
            before = self.poses[self.free].ravel()
            start = self.residuals(before)
            scale = 2 * 1.5 * float(np.median(np.abs(start[start != 0]))) if start.any() else 1.0
            solution = least_squares(
                self.residuals,
                before,
                jac=self.derivatives,
                loss="soft_l1",
                f_scale=scale,
                max_nfev=12,
            )
            self.poses[self.free] = solution.x.reshape(-1, 6)
            if np.abs(solution.x - before).max() < CONVERGED_MM:
                break

    def estimate_gains(self) -> np.ndarray:
        """(stacks,) gains from the ratios of all pairs, the fixed stack's being 1."""
        rows, ratios = [], []
        for crossing, compared in zip(self.crossings, self.compare(self.poses), strict=True):
            one, other, both = compared
            weight = np.sqrt(both.sum())
            if both.sum() >= MIN_POINTS and one[both].any() and other[both].any():
                row = np.zeros(len(self.views))
                row[list(crossing.numbers)] = weight, -weight
                rows.append(row)
                ratio = np.linalg.norm(one[both]) / np.linalg.norm(other[both])
                ratios.append(weight * np.log(ratio))
        rows.append(1e6 * np.eye(len(self.views))[self.fixed])
        ratios.append(0.0)
        return np.exp(np.linalg.lstsq(np.array(rows), np.array(ratios), rcond=None)[0])

    def residuals(self, parameters: np.ndarray) -> np.ndarray:
        """Differences on all lines, over the root of their number, in units of the fixed stack."""
        matrices = self.matrices(self._with_free(parameters))
        return np.concatenate([self._difference(each, matrices) for each in self.crossings])

    def derivatives(self, parameters: np.ndarray) -> np.ndarray:
        """(points, parameters) of the residuals, by central differences."""
        columns = []
        for number, step in enumerate(DERIVATIVE_STEP_MM * np.eye(len(parameters))):
            ahead = self.matrices(self._with_free(parameters + step))
            behind = self.matrices(self._with_free(parameters - step))
            moved = self.free[number // 6]
            columns.append(
                np.concatenate(
                    [
                        self._difference(each, ahead) - self._difference(each, behind)
                        if moved in each.numbers
                        else np.zeros(len(each.chosen))
                        for each in self.crossings
                    ]
                )
            )
        return np.stack(columns, axis=1) / (2 * DERIVATIVE_STEP_MM)

    def _with_free(self, parameters: np.ndarray) -> np.ndarray:
        poses = self.poses.copy()
        poses[self.free] = parameters.reshape(-1, 6)
        return poses

    def _difference(self, crossing: Crossing, matrices: Sequence[np.ndarray]) -> np.ndarray:
        """(points,) of one crossing, 0 where one of its stacks was not measured."""
        first, second = crossing.numbers
        one, other, both = crossing.compare(matrices[first], matrices[second])
        difference = np.where(both, one / self.gains[first] - other / self.gains[second], 0)
        return difference / np.sqrt(max(both.sum(), MIN_POINTS))
