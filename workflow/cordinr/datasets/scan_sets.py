"""Sets of acquired scans: all those of a subject and session, of which one image is made."""

import posixpath
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from ..errors import InputError
from .index import IndexRow, finish_rows, images_by_subject, row_without_image
from .raw_images import Labels, RawImage, check_content, describe_labels, find_raw_images

SETTING = "views.acquired"
"""The setting of the configuration that says which scans are taken."""


def find_scan_sets(
    dest: Path,
    subjects: Sequence[str] | None,
    suffix: str,
    directions: Sequence[Labels],
    *,
    entities: Labels = MappingProxyType({}),
    leave_out: Collection[str] = (),
) -> list[IndexRow]:
    """Find the scans of every subject and session with pybids, present or not.

    Args:
        dest: root of the dataset.
        subjects: labels, with or without "sub-", in the order of the rows; None for all.
        suffix: suffix of the scans, such as T2w.
        directions: for each slice direction the labels of its scans, of which all are taken.
        entities: labels that every scan must have besides.
        leave_out: names without "sub-" of subjects (01) and scans (01_ses-02_T2w) to leave out.

    Returns:
        One row per subject and session. A set that lacks all scans of a direction has a row with a
        `problem` and says what it lacks in `incomplete`; that is empty where none of the sets of a
        subject that was asked for by name is complete. Other sets that cannot be used have a
        `problem` alone.

    Raises:
        InputError: the folder is not a BIDS dataset, a name of an entity is unknown, or no set can
            be used.
    """
    names = {name for labels in directions for name in labels}
    raw = find_raw_images(dest, suffix, {"dataset.entities": set(entities), SETTING: names})
    rows = []
    taken = images_by_subject(dest, raw, subjects, suffix, entities, leave_out)
    for subject, images in taken.items():
        kept = [image for image in images if image.exclusion_name not in leave_out]
        sets = [
            _row_of_set(dest, name, scans, suffix, directions)
            for name, scans in sorted(_sort_by_session(kept).items())
        ]
        if not images:
            sets = [row_without_image(dest, subject, suffix, entities)]
            if subjects is None:
                problem = f"{dest}: sub-{subject} has no {suffix} scan; it is left out."
                missing = "; ".join(map(_words, directions))
                sets = [replace(sets[0], problem=problem, incomplete=missing)]
        elif subjects is not None and not any(row.path for row in sets):
            sets = [replace(row, incomplete="") for row in sets]
        rows += sets
    if rows and not any(row.path for row in rows):
        raise InputError(
            f"{dest}: has no complete set of scans; correct {SETTING}. The first: {rows[0].problem}"
        )
    return finish_rows(dest, rows)


def _sort_by_session(images: Sequence[RawImage]) -> dict[tuple[str, str], list[RawImage]]:
    """Sort the images of a subject by folder of the session and name of the set, sub-01_ses-a."""
    sets: dict[tuple[str, str], list[RawImage]] = {}
    for image in images:
        parts = [part for part in image.stem.split("_") if part.startswith(("sub-", "ses-"))]
        session_folder = posixpath.dirname(posixpath.dirname(image.path))
        sets.setdefault((session_folder, "_".join(parts)), []).append(image)
    return sets


def _row_of_set(
    dest: Path,
    name: tuple[str, str],
    images: Sequence[RawImage],
    suffix: str,
    directions: Sequence[Labels],
) -> IndexRow:
    """Return the row of the set of a subject and session.

    Args:
        dest: root of the dataset.
        name: folder of the session and name of the set.
        images: those of the subject and session.
        suffix: of the scans.
        directions: for each slice direction the labels of its scans.
    """
    folder, set_name = name
    found = [sorted(i.path for i in images if i.has(labels)) for labels in directions]
    scans = [path for paths in found for path in paths]
    datatype = posixpath.dirname(scans[0]) if scans else f"{folder}/anat"
    session = set_name.partition("_ses-")[2]
    row = IndexRow(images[0].subject, session, datatype, set_name, scans=",".join(scans))
    missing = [labels for labels, paths in zip(directions, found, strict=True) if not paths]
    if missing:
        words = " and none with ".join(_words(labels) for labels in missing)
        problem = f"{dest}: {set_name} has no {suffix} scan with {words}; it is left out."
        return replace(row, problem=problem, incomplete="; ".join(map(_words, missing)))
    try:
        _check_scans(dest, set_name, found, directions)
    except InputError as error:
        return replace(row, scans="", problem=str(error))
    return replace(row, path=scans[0])


def _check_scans(
    dest: Path, set_name: str, found: Sequence[Sequence[str]], directions: Sequence[Labels]
) -> None:
    """Refuse scans that cannot be told apart, are not named as BIDS demands, or cannot be read.

    Args:
        dest: root of the dataset.
        set_name: name of the set.
        found: paths of the scans of each direction.
        directions: for each direction the labels of its scans.
    """
    places: dict[str, tuple[str, Labels]] = {}
    for paths, labels in zip(found, directions, strict=True):
        for path in paths:
            stem = posixpath.basename(path).partition(".")[0]
            other, other_labels = places.setdefault(stem, (path, labels))
            if other_labels is not labels:
                raise InputError(
                    f"{dest}: {path} has both {_words(other_labels)} and {_words(labels)}; tell "
                    f"them apart in {SETTING}."
                )
            if other != path:
                raise InputError(f"{dest}: {stem} exists twice ({other} and {path}); remove one.")
            if not stem.startswith(f"{set_name}_"):
                raise InputError(
                    f"{dest}: {path} is not named in the order of BIDS; rename it {set_name}_..."
                )
            check_content(dest, path)


def _words(labels: Labels) -> str:
    """Describe the labels of a direction, such as "acquisition ax, run none"."""
    return describe_labels(labels).removeprefix(", ")


def parse_directions(options: Sequence[str]) -> list[dict[str, list[str]]]:
    """Parse options of the form NAME=LABEL,NAME=LABEL, one for each slice direction.

    Args:
        options: options as given on the command line. A name may occur several times in one of
            them, for several labels; an empty label stands for scans without that entity.

    Raises:
        InputError: a part of an option has no equals sign.
    """
    directions = []
    for option in options:
        labels: dict[str, list[str]] = {}
        for part in option.split(","):
            name, equals, label = part.partition("=")
            if not equals:
                raise InputError(
                    f"--scans {option}: is not NAME=LABEL,...; write acquisition=ax, for instance."
                )
            labels.setdefault(name, []).append(label)
        directions.append(labels)
    return directions
