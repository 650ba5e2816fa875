"""Poses and gains of scans, found where their slices cross."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..acquisition.view import View
from ..errors import InputError
from .pose import Pose
from .search import RADIUS_MM, PoseSearch

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
        if number == self.fixed or number in self.problems:
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
    problems: dict[int, str] = {}
    while True:
        search = PoseSearch(views, pairs, centre, fixed)
        search.run()
        after = search.correlations(search.poses)
        failed = {
            number: problem
            for number in search.free
            if number not in problems and (problem := _find_problem(search.poses, after, number))
        }
        if not failed:
            break
        # The worst alone: what shows something else lowers the correlation of the others, too.
        worst = min(failed, key=lambda number: np.nan_to_num(after[number], nan=-1.0))
        problems[worst] = failed[worst]
        remaining = [pair for pair in pairs if worst not in pair]
        if not remaining:
            problems |= failed
            break
        pairs = remaining
    before = search.correlations(np.zeros_like(search.poses))
    search.poses[list(problems)] = 0
    search.gains[list(problems)] = 1
    poses = tuple(Pose(centre, each[:3] / RADIUS_MM, each[3:]) for each in search.poses)
    return Alignment(poses, search.gains, after, before, fixed, problems)


def _find_problem(poses: np.ndarray, correlations: np.ndarray, number: int) -> str | None:
    """Why a stack could not be aligned; None if it could."""
    if np.isnan(correlations[number]):
        return "shares too little with the scans of other directions"
    if correlations[number] < MIN_CORRELATION:
        return (
            "does not show what the scans of other directions show (correlation "
            f"{correlations[number]:.2f})"
        )
    if np.linalg.norm(poses[number, 3:]) > MAX_SHIFT_MM:
        return f"would be displaced by more than {MAX_SHIFT_MM:g} mm, which is not credible"
    return None


def crossing_pairs(views: Sequence[View]) -> list[tuple[int, int]]:
    """The pairs of stacks whose slices are not parallel.

    Raises:
        InputError: there is none.
    """
    pairs = [
        (one, other)
        for one, other in itertools.combinations(range(len(views)), 2)
        if not views[one].is_parallel_to(views[other])
    ]
    if not pairs:
        names = " and ".join(view.name for view in views)
        raise InputError(
            f"{names}: have slices in one direction only, which cannot be aligned with each other; "
            "add a scan of another direction."
        )
    return pairs
