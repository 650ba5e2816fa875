"""References that a prior learns from: those of datasets and of runs, and phantoms."""

import logging
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..bids.reference import as_reference
from ..datasets.index import load_index
from ..datasets.layout import ResultPaths
from ..datasets.raw_images import find_raw_images
from ..datasets.source import DESCRIPTION_FILE
from ..datasets.subjects import refuse_one_person, sites_of
from ..errors import InputError
from ..imaging.volume import load_reference
from ..phantom.scan import draw_scan
from ..prior.examples import MIN_VOXELS, Reference
from ..prior.people import Learner, person_of
from ..prior.prior_file import load_prior
from ..prior.scores import Score

log = logging.getLogger(__name__)

PHANTOM_SEED = 1000
"""Seed of the phantoms that a prior learns from; those that are scored have others."""

PHANTOM_DATASET = "phantom"
"""Name of the dataset that phantoms belong to."""


@dataclass(frozen=True)
class ReferenceFile:
    """An image to learn from that has not been read.

    Attributes:
        learner: who it is of.
        path: of the image.
    """

    learner: Learner
    path: Path


def find_files(datasets: Sequence[Path], suffix: str, name: str = "") -> list[ReferenceFile]:
    """Find the images of datasets, with the sites of their subjects.

    Args:
        datasets: roots of raw BIDS datasets, whose content is present, or folders of results of
            the workflow, whose references are taken.
        suffix: of the images of raw datasets, such as T2w.
        name: of the dataset; empty for the name of each folder. A folder of results is not called
            like its dataset, so that its people are then of a dataset that nobody knows.

    Raises:
        InputError: a folder is neither, or holds the results of acquired scans.
    """
    files = []
    for dataset in datasets:
        paths = ResultPaths(dataset, suffix)
        if paths.index.is_file():
            files += _files_of_run(paths, name)
            continue
        sites = sites_of(dataset)
        called = name or Path(os.path.abspath(dataset)).name
        for image in find_raw_images(dataset, suffix, {}):
            learner = Learner(person_of(image.subject), called, sites.get(image.subject, ""))
            files.append(ReferenceFile(learner, dataset / image.path))
    return files


def _files_of_run(paths: ResultPaths, name: str) -> list[ReferenceFile]:
    rows = [row for row in load_index(paths.index) if row.path]
    if any(row.scans for row in rows):
        raise InputError(
            f"{paths.index}: is of acquired scans, which have no references to learn from; give "
            "a raw dataset of isotropic images."
        )
    return [
        ReferenceFile(Learner(person_of(row.subject), name, row.site), paths.reference(row))
        for row in rows
    ]


def refuse_parts_of_one_person(datasets: Sequence[Path]) -> None:
    """Refuse to leave out some subjects of datasets whose subjects are all one person.

    Args:
        datasets: as of `find_files`.

    Raises:
        InputError: a dataset says that it is of a single subject.
    """
    for dataset in datasets:
        paths = ResultPaths(dataset)
        raw = dataset / DESCRIPTION_FILE
        refuse_one_person(paths.source if paths.index.is_file() else raw)


def leave_out(
    files: Sequence[ReferenceFile], people: Collection[str]
) -> tuple[list[ReferenceFile], list[ReferenceFile]]:
    """Divide images into those to learn from, and those of people who are to be left out.

    Args:
        files: of all people.
        people: labels of those to leave out, with or without "sub-".

    Raises:
        InputError: a person who is to be left out has no image.
    """
    left_out = {person_of(label) for label in people}
    missing = sorted(left_out - {file.learner.person for file in files})
    if missing:
        raise InputError(
            f"{', '.join(missing)}: none of the datasets has such a subject to leave out; check "
            "--exclude-subject."
        )
    kept = [file for file in files if file.learner.person not in left_out]
    return kept, [file for file in files if file.learner.person in left_out]


def load_references(files: Sequence[ReferenceFile]) -> list[Reference]:
    """Read images; those that cannot be read or are too small are left out with a warning."""
    references = []
    for file in files:
        try:
            volume, _ = as_reference(file.path, load_reference(file.path))
        except InputError as error:
            log.warning("%s It is left out.", error)
            continue
        if min(volume.grid.shape) < MIN_VOXELS:
            log.warning("%s: is too small to learn from, and is left out.", file.path)
            continue
        learner = file.learner
        references.append(Reference(learner.person, volume, learner.dataset, learner.site))
    return references


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
