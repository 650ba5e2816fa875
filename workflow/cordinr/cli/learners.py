"""References that a prior learns from: those of datasets, and phantoms."""

import logging
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from ..bids.reference import as_reference
from ..datasets.raw_images import find_raw_images
from ..datasets.subjects import sites_of
from ..errors import InputError
from ..imaging.volume import load_reference
from ..phantom.scan import draw_scan
from ..prior.examples import MIN_VOXELS, Reference
from ..prior.folds import person_of
from ..prior.prior_file import load_prior
from ..prior.scores import Score

log = logging.getLogger(__name__)

PHANTOM_SEED = 1000
"""Seed of the phantoms that a prior learns from; those that are scored have others."""

PHANTOM_DATASET = "phantom"
"""Name of the dataset that phantoms belong to."""


def find_references(
    datasets: Sequence[Path], suffix: str, excluded: Collection[str]
) -> tuple[list[Reference], list[Reference]]:
    """Find the images of datasets, with the sites of their subjects.

    Args:
        datasets: roots of raw BIDS datasets, whose content is present.
        suffix: of the images, such as T2w.
        excluded: labels of subjects to leave out of all datasets, with or without "sub-".

    Returns:
        The references to learn from, and those of the people who are to be left out; images that
        cannot be read or are too small are in neither, and a warning names them.

    Raises:
        InputError: a folder is not a BIDS dataset, or a person who is to be left out is in none.
    """
    left_out = {person_of(label) for label in excluded}
    references, met = [], set()
    for dataset in datasets:
        sites = sites_of(dataset)
        for image in find_raw_images(dataset, suffix, {}):
            person = person_of(image.subject)
            met.add(person)
            path = dataset / image.path
            try:
                volume, _ = as_reference(path, load_reference(path))
            except InputError as error:
                log.warning("%s It is left out.", error)
                continue
            if min(volume.grid.shape) < MIN_VOXELS:
                log.warning("%s: is too small to learn from, and is left out.", path)
                continue
            site = sites.get(image.subject, "")
            references.append(Reference(person, volume, Path(os.path.abspath(dataset)).name, site))
    missing = sorted(left_out - met)
    if missing:
        raise InputError(
            f"{', '.join(missing)}: none of the datasets has such a subject to leave out; check "
            "--exclude-subject."
        )
    kept = [each for each in references if each.person not in left_out]
    return kept, [each for each in references if each.person in left_out]


def draw_phantoms(count: int) -> list[Reference]:
    """Phantoms of other seeds than those that are scored."""
    return [
        Reference(f"sub-phantom{number}", draw_scan(number, PHANTOM_SEED), PHANTOM_DATASET)
        for number in range(1, count + 1)
    ]


def read_scores(paths: Sequence[Path]) -> list[Score]:
    """The scores that priors hold of people who were left out of them.

    Raises:
        InputError: a file is no prior, or nobody was left out of it.
    """
    scores = []
    for path in paths:
        rows = load_prior(path).record.get("scores")
        if not isinstance(rows, list) or not rows:
            raise InputError(
                f"{path}: holds no scores; give a prior that was learnt with --fold or "
                "--exclude-subject."
            )
        try:
            scores += [Score.from_record(row) for row in rows]
        except ValueError as error:
            raise InputError(f"{path}: {error}; learn it again.") from error
    return scores
