"""Poses and gains of scans, found where their slices cross."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..acquisition.view import View
from ..errors import InputError
from ..imaging.volume import Volume
from .intensity import SliceIntensities, estimate_slices
from .mask import Mask
from .outcome import MIN_GAIN, MIN_MOVE_MM, Alignment
from .pose import Pose
from .search import LEVELS, RADIUS_MM, PoseSearch
from .shading import Shading, estimate_shading

MAX_SHIFT_MM = 30.0
"""Largest translation in mm that is believed."""

MIN_CORRELATION = 0.5
"""Correlation of two aligned stacks below which they count as images of different things."""


MIN_IMPROVEMENT = 0.01
"""Relative decrease of the squared differences below which displacements are not believed."""


def align_rigidly(views: Sequence[View], fixed: int = 0, mask: Mask | None = None) -> Alignment:
    """Find a rigid pose and a gain for each stack, and gain and trust of each slice.

    Args:
        views: stacks of one object; of at least two slice directions.
        fixed: number of the stack that stays where its header puts it, with a gain of 1.
        mask: where the stacks are compared, in the world of the fixed stack; None for everywhere.

    Raises:
        InputError: no two stacks cross.
    """
    found = find_poses(views, fixed, mask)
    return outcome_of(found, views)


@dataclass(frozen=True, eq=False)
class Found:
    """A finished search for poses.

    Attributes:
        search: at the finest level, with the poses and gains that it found.
        problems: why a stack could not be aligned, by its number.
        before: correlation of each stack with those that cross it, by the headers.
    """

    search: PoseSearch
    problems: dict[int, str]
    before: np.ndarray


def find_poses(views: Sequence[View], fixed: int, mask: Mask | None) -> Found:
    """Find poses and gains of stacks, once more without those that show something else.

    Raises:
        InputError: no two stacks cross.
    """
    pairs = crossing_pairs(views)
    centre = np.mean([view.volume.grid.centre for view in views], axis=0)
    problems: dict[int, str] = {}
    while True:
        search = PoseSearch(views, pairs, centre, fixed, mask)
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
    return Found(search, problems, search.correlations(np.zeros_like(search.poses)))


def outcome_of(found: Found, views: Sequence[View]) -> Alignment:
    """Poses, gains and slices of stacks; slices that mislead are found, and do so no longer.

    Args:
        found: the poses; they are refined where slices misled.
        views: the stacks, perhaps with the displacements of their slices.
    """
    outcome = _outcome(found, views)
    if outcome.is_uneven:
        search = found.search
        search.refine_further(level(outcome, views))
        search.views = views
        search.set_level(*LEVELS[-1])
        search.gains = search.estimate_gains()
        outcome = _outcome(found, views)
    return outcome


def level(outcome: Alignment, views: Sequence[View]) -> list[View]:
    """Stacks by their headers, with intensities corrected, and without slices that disagree."""
    return [
        replace(each, volume=Volume(each.volume.array, view.volume.grid))
        for view, each in zip(views, outcome.apply(views), strict=True)
    ]


def _outcome(found: Found, views: Sequence[View]) -> Alignment:
    """What a search has found; completes its gains, and takes back what does not matter."""
    search = found.search
    after = search.correlations(search.poses)
    search.poses[list(found.problems)] = 0
    search.gains[list(found.problems)] = 1
    _keep_at_rest(search)
    shadings, slices = _find_brightness(search, views, found.problems)
    poses = search.poses.copy()  # the search may go on
    return Alignment(
        poses=tuple(Pose(search.centre, each[:3] / RADIUS_MM, each[3:]) for each in poses),
        gains=search.gains.copy(),
        shadings=tuple(shadings),
        slices=tuple(slices),
        shifts=tuple(_trusted_shifts(*each) for each in zip(views, slices, strict=True)),
        correlation=after,
        correlation_before=found.before,
        fixed=search.fixed,
        problems=found.problems,
    )


def _trusted_shifts(view: View, slices: SliceIntensities) -> np.ndarray | None:
    """The displacements of the slices of a view; a slice that is left out has none."""
    if view.shifts is None:
        return None
    shifts = np.where(slices.trust[:, None] > 0, view.shifts, 0)
    return shifts if shifts.any() else None


def _keep_at_rest(search: PoseSearch) -> None:
    """Take displacements back that are too small to matter, or make no difference."""
    for number in search.free:
        pose = Pose(search.centre, search.poses[number, :3] / RADIUS_MM, search.poses[number, 3:])
        corners = search.views[number].volume.grid.corners
        moved = corners @ pose.matrix[:3, :3].T + pose.matrix[:3, 3] - corners
        small = np.linalg.norm(moved, axis=1).max() < MIN_MOVE_MM
        rest = search.poses.copy()
        rest[number] = 0
        if small or search.cost(search.poses) > (1 - MIN_IMPROVEMENT) * search.cost(rest):
            search.poses = rest


def _find_brightness(
    search: PoseSearch, views: Sequence[View], problems: Mapping[int, str]
) -> tuple[list[Shading | None], list[SliceIntensities]]:
    """Shading and slices of all stacks, with the poses so far; completes the gains of the search.

    Nothing is said about stacks that could not be aligned.
    """
    lines = [each for each in search.lines() if not problems.keys() & set(each.numbers)]
    shadings: list[Shading | None] = [None] * len(views)
    slices = [SliceIntensities.none(view) for view in views]
    if any(each.values.size for each in lines):
        shadings = estimate_shading(lines, search.fixed, len(views))
        lines = [each.without(shadings) for each in lines]
        further, found = estimate_slices(views, lines, search.fixed)
        aligned = [k for k in range(len(views)) if k not in problems]
        slices = [found[k] if k in aligned else slices[k] for k in range(len(views))]
        search.gains[aligned] *= further[aligned]
    search.gains[np.abs(search.gains - 1) < MIN_GAIN] = 1
    return shadings, slices


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
