"""Subjects of a raw BIDS dataset: their folders, files and sites, and names that are not BIDS."""

import csv
import io
import logging
import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from ..errors import InputError, brief
from ..files import read_json
from .annex import read_annexed_text
from .source import first_few

log = logging.getLogger(__name__)

PARTICIPANTS = "participants.tsv"
"""Name of the table of the subjects at the root of a dataset."""

LABEL_PATTERN = re.compile("[A-Za-z0-9+]+")
"""Pattern of the label of a BIDS entity: letters, digits and plus signs."""

ONE_PERSON_PATTERN = re.compile(r"single[\s_-]*subject", re.IGNORECASE)
"""Pattern in the names of datasets whose subjects are one person, scanned in many places."""

RAW_IMAGE_PATTERN = re.compile(
    r"sub-(?P<sub>[A-Za-z0-9+]+)(/ses-(?P<ses>[A-Za-z0-9+]+))?/[a-z]+/"
    r"sub-[A-Za-z0-9+]+(_(?!res-|desc-)[a-z]+-[A-Za-z0-9+]+)*_[A-Za-z0-9]+\.nii(\.gz)?"
)
"""Pattern of the path of a raw image in BIDS; other images, such as copies, are passed over."""


def subjects_of(dest: Path) -> list[str]:
    """List the labels of the subject folders of a dataset, sorted; names unlike BIDS are left out.

    Args:
        dest: root of the dataset.
    """
    return sorted(
        entry.name[4:]
        for entry in os.scandir(dest)
        if entry.name.startswith("sub-") and _is_subject(entry)
    )


def note_odd_subjects(dest: Path) -> None:
    """Warn of entries at the root of a dataset that look like subjects but are not, by BIDS.

    Args:
        dest: root of the dataset.
    """
    odd = [
        entry.name
        for entry in os.scandir(dest)
        if entry.name.lower().startswith("sub-") and not _is_subject(entry)
    ]
    if odd:
        log.warning(
            "%s: %s passed over, as no readable folder of a subject is named so; BIDS has "
            "sub-<letters, digits or plus signs>.",
            *(dest, _names_and_verb(odd)),
        )


def note_odd_images(
    dest: Path, subjects: Sequence[str], suffix: str, taken: Collection[str]
) -> None:
    """Warn of files that look like images of a suffix but are not named as BIDS demands.

    Args:
        dest: root of the dataset.
        subjects: labels of the subjects to check.
        suffix: suffix of the images, such as T2w.
        taken: paths below `dest` of the images that are named as BIDS demands.
    """
    alike = re.compile(rf"(?!\.)(.*_)?{suffix}(?![A-Za-z0-9]).*\.nii(\.gz)?", re.IGNORECASE)
    paths = [path for subject in subjects for path in files_of(dest, subject)]
    odd = [path for path in paths if alike.fullmatch(os.path.basename(path)) and path not in taken]
    misplaced = [path for path in odd if name_contradicts_folder(path)]
    if misplaced:
        log.warning(
            "%s: %s passed over, as the name is of another subject or session than the folder.",
            *(dest, _names_and_verb(misplaced)),
        )
    misnamed = [path for path in odd if path not in misplaced]
    if misnamed:
        log.warning(
            "%s: %s passed over, as raw images of BIDS are not named so.",
            dest,
            _names_and_verb(misnamed),
        )


def name_contradicts_folder(path: str) -> bool:
    """Tell whether the name of an image states another subject or session than its folders.

    Args:
        path: path of the image below the root of the dataset.
    """
    *folders, name = path.split("/")
    for key in ("sub", "ses"):
        parents = [part for part in folders if part.startswith(f"{key}-")]
        entity = re.search(rf"(?:^|_)({key}-[A-Za-z0-9+]+)", name)
        if parents and entity and entity[1] != parents[0]:
            return True
    return False


def files_of(dest: Path, subject: str) -> Iterator[str]:
    """Iterate over the files of a subject, broken links included, as sorted paths below `dest`.

    Args:
        dest: root of the dataset.
        subject: label without "sub-".
    """
    for folder, folders, names in os.walk(dest / f"sub-{subject}"):
        folders.sort()
        for name in sorted(names):
            yield os.path.relpath(os.path.join(folder, name), dest)


def sites_of(dest: Path) -> dict[str, str]:
    """Read the sites of the subjects from participants.tsv.

    The site is in the column `institution_id`, as in the spine-generic datasets, or `site`. For a
    table that cannot be got or read, a warning is logged and no subject has a site.

    Args:
        dest: root of the dataset.

    Returns:
        The name of the site by the label of the subject, for subjects that have one.
    """
    try:
        text = read_annexed_text(dest, PARTICIPANTS, "a table")
        rows = list(csv.DictReader(io.StringIO(text or ""), delimiter="\t"))
    except csv.Error as error:
        log.warning("%s: is not a table (%s); going on without it.", dest / PARTICIPANTS, error)
        return {}
    except InputError as error:
        log.warning("%s Going on without it.", error)
        return {}
    sites = {}
    for row in rows:
        site = row.get("institution_id") or row.get("site") or ""
        label = (row.get("participant_id") or "").strip().removeprefix("sub-")
        # Names go into tables and pictures, where a control character would end a file.
        sites[label] = "".join(filter(str.isprintable, site)).strip()
    return {label: site for label, site in sites.items() if site not in ("", "n/a")}


def refuse_one_person(description: Path) -> None:
    """Refuse to learn from some subjects of a dataset and leave others out, if all are one person.

    Spine-generic's data-single-subject has one person under 19 labels, one for each scanner: a
    prior that learnt from some of them has seen the person of the others. No field of BIDS says so.

    Args:
        description: JSON with the `Name` of the dataset, as dataset_description.json has it.

    Raises:
        InputError: the name says that it is of a single subject, or the file is not readable JSON.
    """
    name = str(read_json(description).get("Name", ""))
    if ONE_PERSON_PATTERN.search(name):
        raise InputError(
            f"{description}: the dataset is called '{brief(name)}', so that all its subjects are "
            "one person, whom no prior that learnt from any of them may reconstruct; take the "
            "prior of cordinr (learned), or a dataset of several people."
        )


def _is_subject(entry: os.DirEntry) -> bool:
    labelled = entry.name.startswith("sub-") and LABEL_PATTERN.fullmatch(entry.name[4:])
    return bool(labelled) and entry.is_dir() and os.access(entry.path, os.R_OK | os.X_OK)


def _names_and_verb(names: Sequence[str]) -> str:
    """Join the first few names, followed by "is" or "are"."""
    return f"{first_few(sorted(names))} {'is' if len(names) == 1 else 'are'}"
