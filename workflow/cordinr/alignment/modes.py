"""The ways to align scans: each as a whole, or their slices as well."""

from collections.abc import Sequence
from dataclasses import replace

from ..acquisition.view import View
from ..errors import InputError
from ..imaging.volume import Volume
from .mask import Mask
from .outcome import Alignment
from .rigid import Found, align_rigidly, find_poses, level, outcome_of
from .search import LEVELS
from .slices import SliceSearch

MODES = ("rigid", "slices")
"""A displacement and a gain for each scan; or a translation for each slice as well."""


def align(
    views: Sequence[View], mode: str = "rigid", fixed: int = 0, mask: Mask | None = None
) -> Alignment:
    """Find where scans really are, how bright they are, and which of their slices to trust.

    Args:
        views: stacks of one object, by their headers; of at least two slice directions.
        mode: "rigid" for a pose of each stack; "slices" for a translation of each slice besides,
            where slices moved against each other.
        fixed: number of the stack that stays where its header puts it, with a gain of 1.
        mask: where the stacks are compared, in the world of the fixed stack; None for everywhere.

    Returns:
        What was found; `apply` gives views that are ready to be reconstructed.

    Raises:
        InputError: the mode is not known, or no two stacks cross.
    """
    if mode not in MODES:
        raise InputError(f"mode '{mode}' is not known; use {' or '.join(MODES)}.")
    if mode == "rigid":
        return align_rigidly(views, fixed, mask)
    return _align_slices(views, fixed, mask)


def _align_slices(views: Sequence[View], fixed: int, mask: Mask | None) -> Alignment:
    """The rigid alignment, and from there a translation for each slice.

    Slices that moved seem to disagree with the other scans. So all are moved before any is judged,
    and once more without those that still disagree where they then lie.
    """
    found = find_poses(views, fixed, mask)
    rigid = outcome_of(found, views)
    if all(set(pair) & set(found.problems) for pair in found.search.pairs):
        return rigid
    even = [
        replace(
            view,
            volume=Volume(rigid.correct(view.volume, view.axis, number).array, view.volume.grid),
        )
        for number, view in enumerate(views)
    ]
    moved = _move_slices(found, views, even)
    if all(view.shifts is None for view in moved):
        return rigid
    outcome = outcome_of(found, moved)
    if outcome.is_uneven:
        outcome = outcome_of(found, _move_slices(found, views, level(outcome, moved)))
    return rigid if all(each is None for each in outcome.shifts) else outcome


def _move_slices(found: Found, views: Sequence[View], even: Sequence[View]) -> list[View]:
    """The views with the displacements of their slices; the search goes on with them.

    Args:
        found: poses so far, which follow where slices moved.
        views: the stacks.
        even: the same with intensities corrected, and the displacements that are known so far.
    """
    search = found.search
    poses = search.poses.copy()
    shifts = SliceSearch(search, even).run()
    if all(each is None for each in shifts):
        search.poses = poses
    moved = [replace(view, shifts=own) for view, own in zip(views, shifts, strict=True)]
    search.views = moved
    search.set_level(*LEVELS[-1])
    search.gains = search.estimate_gains()
    return moved
