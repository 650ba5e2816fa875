"""Index of the images of a raw BIDS dataset, kept in `inputs.tsv`."""

import csv
import fnmatch
import io
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType

from ..errors import InputError, brief
from ..files import write_text
from .raw_images import RawImage, check_content, describe_labels, find_raw_images
from .source import first_few
from .subjects import (
    LABEL_PATTERN,
    note_odd_images,
    note_odd_subjects,
    sites_of,
    subjects_of,
)

ACQUIRED_COLUMNS = ("scans", "incomplete")
"""Columns of an index of acquired scans; one of images to simulate views from lacks them."""


@dataclass(frozen=True)
class IndexRow:
    """One row of `inputs.tsv`: an image to reconstruct, or the reason why it cannot be used.

    The image is one in the dataset, from which views are simulated, or one to be made of all scans
    of a subject and session.

    Attributes:
        subject: BIDS label of the subject, without prefix.
        session: BIDS label of the session, without prefix, or empty.
        folder: folder of the image in the dataset, such as sub-01/ses-a/anat.
        image: file name of the image up to the suffix, such as sub-01_ses-a_run-1.
        path: path of the image, or of the first of the scans, in the dataset, or empty.
        mask: path of the cord segmentation, or empty.
        truth: path of a finer, noise-free image, or empty.
        truth_res: BIDS `res` label of the truth, or empty.
        problem: reason why the image cannot be used or does not exist, or empty.
        site: site of the subject by participants.tsv, or empty.
        scans: paths of the scans with commas between them, or empty.
        incomplete: labels of which there is no scan, if that is the problem, or empty.
    """

    subject: str
    session: str
    folder: str
    image: str
    path: str = ""
    mask: str = ""
    truth: str = ""
    truth_res: str = ""
    problem: str = ""
    site: str = ""
    scans: str = ""
    incomplete: str = ""

    @property
    def scan_paths(self) -> list[str]:
        """Paths of the scans in the dataset, that which stays in its place first."""
        return self.scans.split(",") if self.scans else []


def find_images(
    dest: Path,
    subjects: Sequence[str] | None,
    suffix: str,
    *,
    mask: str | Sequence[str],
    truth: str,
    entities: Mapping[str, Sequence[str]] = MappingProxyType({}),
    leave_out: Collection[str] = (),
) -> list[IndexRow]:
    """Find the images of a raw BIDS dataset with pybids, whether or not their content is present.

    The headers of images that are present are read, so that images that cannot be references are
    detected early. Files whose names do not follow BIDS are passed over with a warning.

    Args:
        dest: root of the dataset.
        subjects: labels, with or without "sub-", in the order of the rows; None for all.
        suffix: suffix of the images, such as T2w.
        mask: path patterns below `dest` with {folder}, {image} and {suffix}, of which the first
            that matches a file is used; empty for none.
        truth: one such pattern, which may contain `*` for the resolution; empty for none.
        entities: labels to select by pybids name, such as session or acquisition; an empty label
            stands for images without that entity.
        leave_out: names without "sub-" of subjects (01) and images (01_ses-02_T2w) to leave out.

    Returns:
        One row per image. Images that cannot be used, and requested subjects without an image,
        have rows with a `problem`.

    Raises:
        InputError: the folder is not a BIDS dataset, or no subject has an image that can be used.
    """
    raw = find_raw_images(dest, suffix, {"dataset.entities": set(entities)})
    taken = images_by_subject(dest, raw, subjects, suffix, entities, leave_out)
    patterns = [mask] if isinstance(mask, str) else mask
    rows = []
    for subject, images in taken.items():
        paths = sorted(image.path for image in images if image.exclusion_name not in leave_out)
        found = [_row_of_image(dest, subject, path, suffix, patterns, truth) for path in paths]
        rows += [_check_image(dest, row) for row in _refuse_duplicates(dest, found)]
        if not images:
            rows.append(row_without_image(dest, subject, suffix, entities))
    return finish_rows(dest, rows)


def images_by_subject(
    dest: Path,
    images: Sequence[RawImage],
    subjects: Sequence[str] | None,
    suffix: str,
    entities: Mapping[str, Sequence[str]],
    leave_out: Collection[str],
) -> dict[str, list[RawImage]]:
    """Sort images by the subjects to take, and warn of names that are not those of BIDS.

    Args:
        dest: root of the dataset.
        images: all images of the suffix.
        subjects: labels, with or without "sub-", in the order of the result; None for all.
        suffix: suffix of the images, such as T2w.
        entities: labels that an image must have, by pybids name.
        leave_out: names without "sub-" of subjects to leave out; those of images do not count.

    Raises:
        InputError: a label of a subject is not one of BIDS.
    """
    present = subjects_of(dest)
    requested = _subjects_to_take(present, subjects, leave_out)
    taken: dict[str, list[RawImage]] = {subject: [] for subject in requested}
    for image in images:
        if image.subject in taken and image.has(entities):
            taken[image.subject].append(image)
    if subjects is None:
        note_odd_subjects(dest)
    searched = [subject for subject in requested if subject in present]
    note_odd_images(dest, searched, suffix, {image.path for image in images})
    return taken


def finish_rows(dest: Path, rows: Sequence[IndexRow]) -> list[IndexRow]:
    """Return the rows with the sites of their subjects.

    Raises:
        InputError: no row has an image that can be used.
    """
    sites = sites_of(dest)
    if not any(row.path for row in rows):
        raise InputError(rows[0].problem if rows else f"{dest}: has no subjects to take.")
    return [replace(row, site=sites.get(row.subject, "")) for row in rows]


def _subjects_to_take(
    present: Sequence[str], subjects: Sequence[str] | None, leave_out: Collection[str]
) -> list[str]:
    """Return the labels of the subjects to index."""
    labels = present if subjects is None else [str(s).removeprefix("sub-") for s in subjects]
    for subject in labels:
        if not LABEL_PATTERN.fullmatch(subject):
            raise InputError(
                f"subject {brief(subject)}: is not a BIDS label; use letters, digits and plus "
                "signs."
            )
    return [subject for subject in labels if subject not in leave_out]


def row_without_image(
    dest: Path, subject: str, suffix: str, entities: Mapping[str, Sequence[str]]
) -> IndexRow:
    """Return the row of a subject without an image."""
    reason = f"has no {suffix} image{describe_labels(entities)}"
    present = subjects_of(dest)
    if subject not in present:
        reason = f"is not in the dataset (it has {first_few(present)})"
    problem = f"{dest}: subject {subject} {reason}; correct dataset.subjects."
    return IndexRow(subject, "", f"sub-{subject}/anat", f"sub-{subject}", problem=problem)


def _refuse_duplicates(dest: Path, rows: Sequence[IndexRow]) -> list[IndexRow]:
    """Return the rows of a subject, with a problem for names that exist twice."""
    places: dict[str, list[str]] = {}
    for row in rows:
        places.setdefault(row.image, []).append(row.path)
    for image, paths in places.items():
        if len(paths) > 1:
            problem = f"{dest}: {image} exists twice ({' and '.join(paths)}); remove one."
            rows = [_with_problem(row, problem) if row.image == image else row for row in rows]
    return list(dict.fromkeys(rows))


def _check_image(dest: Path, row: IndexRow) -> IndexRow:
    """Return the row of an image, with a problem if its size or header shows it to be unusable."""
    if row.problem:
        return row
    from ..bids.reference import isotropic_voxel

    try:
        sizes = check_content(dest, row.path)
        if sizes is not None:
            isotropic_voxel(dest / row.path, sizes)
    except InputError as error:
        return _with_problem(row, str(error))
    return row


def _with_problem(row: IndexRow, problem: str) -> IndexRow:
    return replace(row, path="", mask="", truth="", truth_res="", problem=problem)


def save_index(path: Path | str, rows: Sequence[IndexRow]) -> None:
    """Write the rows of `inputs.tsv` to a path."""
    text = io.StringIO()
    of_scans = any(row.scans for row in rows)
    names = [field.name for field in fields(IndexRow)]
    names = [name for name in names if of_scans or name not in ACQUIRED_COLUMNS]
    writer = csv.DictWriter(text, names, delimiter="\t", lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    # `write_text` also writes names of folders that are not UTF-8, which a problem may contain.
    write_text(path, text.getvalue())


def load_index(path: Path | str) -> list[IndexRow]:
    """Read the rows of `inputs.tsv` from a path.

    Raises:
        InputError: the file is missing or has other columns.
    """
    try:
        with open(path, newline="", encoding="utf-8") as stream:
            return [IndexRow(**row) for row in csv.DictReader(stream, delimiter="\t")]
    except (OSError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: is not an index written by `cordinr index` ({error})."
        ) from error


def _row_of_image(
    dest: Path, subject: str, path: str, suffix: str, masks: Sequence[str], truth: str
) -> IndexRow:
    """Return the row of an image."""
    folder, name = os.path.split(path)
    image = name.split(".")[0].removesuffix(f"_{suffix}")
    labels = dict(part.split("-", 1) for part in image.split("_"))
    names = {"folder": folder, "image": image, "suffix": suffix}
    truth_path = _first_match(dest, truth, names)
    res = [p[4:] for p in Path(truth_path).name.split("_") if p.startswith("res-")]
    return IndexRow(
        subject=subject,
        session=labels.get("ses", ""),
        folder=folder,
        image=image,
        path=path,
        mask=next(filter(None, (_first_match(dest, mask, names) for mask in masks)), ""),
        truth=truth_path,
        truth_res=res[0] if res else "",
    )


def _first_match(dest: Path, pattern: str, names: dict[str, str]) -> str:
    """Return the first path below `dest` that matches, broken links included, or ""."""
    try:
        pattern = pattern.format(**names)
    except (KeyError, IndexError, ValueError) as error:
        raise InputError(
            f"'{pattern}' cannot be filled ({error}); use {{folder}}, {{image}} and {{suffix}}."
        ) from error
    folder, name = os.path.split(pattern)
    if os.path.isabs(folder) or ".." in folder.split("/"):
        raise InputError(f"'{pattern}' leads out of the dataset; give a path below its root.")
    if not name or not (dest / folder).is_dir():
        return ""
    matches = sorted(fnmatch.filter(os.listdir(dest / folder), name))
    return f"{folder}/{matches[0]}" if matches else ""
