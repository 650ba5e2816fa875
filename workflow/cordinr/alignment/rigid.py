"""Poses and gains of scans, found where their slices cross."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..acquisition.view import View
from ..errors import InputError
from ..imaging.volume import Volume
from .intensity import SliceIntensities, estimate_slices
from .mask import Mask
from .outcome import MIN_GAIN, MIN_SHIFT_MM, MIN_TURN_DEGREES, Alignment
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
    before = search.correlations(np.zeros_like(search.poses))
    found = _outcome(search, views, problems, after, before)
    if found.is_uneven:
        # Poses were found with slices that mislead; now without them.
        levelled = [
            replace(each, volume=Volume(each.volume.array, view.volume.grid))
            for view, each in zip(views, found.apply(views), strict=True)
        ]
        search.refine_further(levelled)
        after = search.correlations(search.poses)
        search.views = views
        search.set_level(*LEVELS[-1])
        search.gains = search.estimate_gains()
        found = _outcome(search, views, problems, after, before)
    return found


def _outcome(
    search: PoseSearch,
    views: Sequence[View],
    problems: dict[int, str],
    after: np.ndarray,
    before: np.ndarray,
) -> Alignment:
    """What a search has found; completes its gains, and takes back what does not matter."""
    search.poses[list(problems)] = 0
    search.gains[list(problems)] = 1
    _keep_at_rest(search)
    shadings, slices = _find_brightness(search, views, problems)
    return Alignment(
        poses=tuple(Pose(search.centre, each[:3] / RADIUS_MM, each[3:]) for each in search.poses),
        gains=search.gains.copy(),
        shadings=tuple(shadings),
        slices=tuple(slices),
        correlation=after,
        correlation_before=before,
        fixed=search.fixed,
        problems=problems,
    )


def _keep_at_rest(search: PoseSearch) -> None:
    """Take displacements back that are too small to matter, or make no difference."""
    for number in search.free:
        pose = Pose(search.centre, search.poses[number, :3] / RADIUS_MM, search.poses[number, 3:])
        middle = search.views[number].volume.grid.centre
        moved = (pose.matrix @ np.append(middle, 1))[:3] - middle
        small = np.linalg.norm(moved) < MIN_SHIFT_MM and pose.degrees < MIN_TURN_DEGREES
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
