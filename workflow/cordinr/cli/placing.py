"""What the verbs for scans of one patient share: the scans read, described and aligned."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..acquisition.scan_words import describe_scan
from ..acquisition.view import View
from ..alignment.mask import load_mask
from ..alignment.modes import MODES
from ..alignment.modes import align as align_scans
from ..alignment.outcome import Alignment
from ..bids.view_files import load_views, place_in_file
from ..errors import InputError

log = logging.getLogger(__name__)

ALIGNMENTS = ("none", *MODES)
"""What is looked for before a reconstruction: nothing, or what `align` looks for."""


@dataclass(frozen=True, eq=False)
class PlacedScans:
    """Scans of one patient, where they really are.

    Attributes:
        paths: of the images.
        views: aligned, of equal gain.
        alignment: what was found, slices counted as in the files; None where nothing was looked
            for.
        first_slices: number in its file of the first slice of each view.
    """

    paths: tuple[Path, ...]
    views: list[View]
    alignment: Alignment | None
    first_slices: tuple[int, ...]

    def fields(self) -> dict[str, Any]:
        """What the sidecar of a reconstruction says of the scans."""
        if self.alignment is None:
            return {}
        aligned = [
            {"Scan": path.name, **self.alignment.fields(number)}
            for number, path in enumerate(self.paths)
        ]
        return {"Alignment": aligned}


def place_scans(
    paths: Sequence[Path],
    *,
    align: str,
    fixed: int,
    mask: Path | None,
    strict: bool,
    insist: bool,
) -> PlacedScans:
    """Read scans, print what they were taken for, align them, and print what was found.

    Args:
        paths: of the images.
        align: one of `ALIGNMENTS`.
        fixed: number of the scan that stays, from 1.
        mask: image of where the scans are compared; None for everywhere.
        strict: whether a scan that could not be aligned is an error.
        insist: as for `load_views`.

    Raises:
        InputError: the scans do not belong together, or cannot be aligned.
    """
    if align not in ALIGNMENTS:
        raise InputError(f"--align is '{align}'; choose {' or '.join(ALIGNMENTS)}.")
    if not 1 <= fixed <= len(paths):
        raise InputError(f"--fixed is {fixed}, but there are {len(paths)} scans.")
    views = load_views(paths, insist=insist)
    places = [place_in_file(view) for view in views]
    first_slices = tuple(first for first, _ in places)
    for view in views:
        print(f"{view.name}: {describe_scan(view)}.")
    if len(views) == 1:
        print(
            f"{views[0].name}: one scan alone shows no detail across its slices; what lies between "
            "them is interpolated."
        )
        return PlacedScans(tuple(paths), views, None, first_slices)
    if align == "none":
        return PlacedScans(tuple(paths), views, None, first_slices)
    if all(view.is_parallel_to(views[0]) for view in views):
        names = " and ".join(view.name for view in views)
        raise InputError(
            f"{names}: have slices in one direction only, so that nothing tells how they lie to "
            "each other; add a scan of another direction, or take them as they are by --align none."
        )
    where = load_mask(mask, views) if mask else None
    found = align_scans(views, align, fixed - 1, where)
    alignment = found.for_files(places)
    for number, view in enumerate(views):
        print(f"{view.name}: {alignment.describe(number)}")
    for sentence in alignment.failures(views):
        if strict:
            raise InputError(sentence)
        log.warning("%s", sentence)
    return PlacedScans(tuple(paths), found.apply(views), alignment, first_slices)
