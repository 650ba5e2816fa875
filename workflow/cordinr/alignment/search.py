"""The search for poses and gains of scans, coarse to fine.

First translations are tried and compared by correlation; then least squares on the differences of
both scans on all lines, robust against what is not the same in both.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from scipy.optimize import least_squares

from ..acquisition.view import View
from .crossings import Crossing
from .lines import Lines
from .mask import Mask
from .pose import Pose

LEVELS = ((4.0, 4.0, 8_000, 25.0), (1.5, 2.0, 20_000, 5.0), (0.0, 1.0, 30_000, 2.0))
"""Blur in mm, step along the lines in mm, number of points per crossing, and the displacement in mm
that is still to be found, from coarse to fine."""

SEARCH_MM = ((-10.0, -5.0, 0.0, 5.0, 10.0), (-2.5, 0.0, 2.5))
"""Translations in mm along each axis that are tried, in both rounds of the search."""

RADIUS_MM = 50.0
"""Distance in mm from the centre at which a rotation is measured as a movement, so that all
parameters of a pose have one unit."""

DERIVATIVE_STEP_MM = 0.05
"""Step in mm of the numerical derivatives by the parameters of a pose."""

ROUNDS = 3
"""Maximum number of rounds of gains and poses at each level."""

PRECISION = 1e-4
"""Relative change of the squares or the parameters at which least squares have converged."""

MAX_EVALUATIONS = 12
"""Maximum number of evaluations of least squares in a round."""

OUTLIER_RATIO = 3.0
"""Difference in units of the median difference from which it counts less than by its square."""

CONVERGED_MM = 0.01
"""Largest change of a parameter in mm at which a level has converged."""

MIN_POINTS = 200
"""Number of points below which two stacks share too little to be compared."""


class PoseSearch:
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
        mask: Mask | None = None,
    ) -> None:
        self.views, self.pairs, self.centre, self.fixed = views, pairs, centre, fixed
        self.mask = mask
        self.free = [k for k in range(len(views)) if k != fixed]
        self.poses = np.zeros((len(views), 6))
        self.gains = np.ones(len(views))
        self.crossings: list[Crossing] = []

    def run(self) -> None:
        """Find poses and gains, coarse to fine."""
        self.set_level(*LEVELS[0])
        self.search()
        self.refine()
        self.refine_further(self.views)

    def refine_further(self, views: Sequence[View]) -> None:
        """Refine poses and gains on fine levels, by other images of the same stacks.

        Args:
            views: the stacks, their intensities corrected perhaps.
        """
        self.views = views
        for level in LEVELS[1:]:
            self.set_level(*level)
            self.refine()

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
                mask=self.mask,
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

    def cost(self, poses: np.ndarray) -> float:
        """Sum of the squared differences on all lines at these poses, where both are measured."""
        return float(np.sum(self.residuals(poses[self.free].ravel()) ** 2))

    def lines(self) -> list[Lines]:
        """What the stacks show on their lines at the poses and gains so far."""
        matrices, found = self.matrices(self.poses), []
        for crossing, compared in zip(self.crossings, self.compare(self.poses), strict=True):
            one, other, both = compared
            first, second = crossing.numbers
            found.append(
                Lines(
                    numbers=crossing.numbers,
                    values=np.stack([one / self.gains[first], other / self.gains[second]])[:, both],
                    slices=crossing.slices[:, both],
                    world=crossing.points(matrices[first], matrices[second])[both],
                )
            )
        return found

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
            typical = float(np.median(np.abs(start[start != 0]))) if start.any() else 1.0
            solution = least_squares(
                self.residuals,
                before,
                jac=self.derivatives,
                loss="soft_l1",
                f_scale=OUTLIER_RATIO * typical,
                ftol=PRECISION,
                xtol=PRECISION,
                max_nfev=MAX_EVALUATIONS,
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
