"""Which images a raw BIDS dataset has, found once with pybids and kept in `inputs.tsv`."""

import csv
import fnmatch
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from .errors import InputError
from .files import atomic


@dataclass(frozen=True)
class Input:
    """One row of `inputs.tsv`: an image to reconstruct, or why there is none.

    Attributes:
        subject, session: BIDS labels without prefix; session may be empty.
        folder: of the image in the dataset, such as sub-01/ses-a/anat.
        image: file name up to the suffix, such as sub-01_ses-a_run-1.
        path: of the image in the dataset, empty where there is none.
        mask, truth: of the cord segmentation and of a finer, noise-free image, or empty.
        truth_res: BIDS `res` label of the truth, or empty.
        problem: why the subject has no image, or empty.
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


def find_images(
    dest: Path, subjects: Sequence[str] | None, suffix: str, mask: str, truth: str
) -> list[Input]:
    """Find the images of a raw BIDS dataset with pybids; content need not be there.

    Args:
        dest: root of the dataset.
        subjects: labels, with or without "sub-", in the order wanted; None for all.
        suffix: of the images, such as T2w.
        mask, truth: path patterns below `dest` with {folder}, {image} and {suffix}; the truth's may
            hold `*` for its resolution. Empty for none.

    Returns:
        One row per image; one with a `problem` per subject asked for that has none.

    Raises:
        InputError: the folder is no BIDS dataset, or no subject has such an image.
    """
    from bids import BIDSLayout, BIDSLayoutIndexer

    if not (dest / "dataset_description.json").exists():
        raise InputError(f"{dest}: has no dataset_description.json; give a BIDS dataset.")
    layout = BIDSLayout(dest, validate=False, indexer=BIDSLayoutIndexer(index_metadata=False))
    present = layout.get_subjects()
    wanted = present if subjects is None else [str(s).removeprefix("sub-") for s in subjects]
    found = layout.get(suffix=suffix, extension=[".nii.gz", ".nii"], subject=wanted or None)
    rows = []
    for subject in wanted:
        images = sorted(f.relpath for f in found if f.entities["subject"] == subject)
        described = [_describe(dest, subject, path, suffix, mask, truth) for path in images]
        twice = {
            row.image for row in described if [r.image for r in described].count(row.image) > 1
        }
        if twice:
            raise InputError(f"{dest}: {min(twice)} is there as .nii and .nii.gz; remove one.")
        rows += described
        if not images:
            reason = f"has no {suffix} image" if subject in present else "is not in the dataset"
            known = "" if subject in present else f" (it has {some(present)})"
            problem = f"{dest}: subject {subject} {reason}{known}; correct dataset.subjects."
            name = f"sub-{subject}"
            rows.append(Input(subject, "", f"{name}/anat", name, problem=problem))
    if not any(row.path for row in rows):
        raise InputError(rows[0].problem if rows else f"{dest}: has no subjects.")
    return rows


def save_index(path: Path | str, rows: Sequence[Input]) -> None:
    """Write `inputs.tsv`."""
    with atomic(path) as partial, open(partial, "w", newline="", encoding="utf-8") as stream:
        names = [field.name for field in fields(Input)]
        writer = csv.DictWriter(stream, names, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def load_index(path: Path | str) -> list[Input]:
    """Read `inputs.tsv`.

    Raises:
        InputError: the file is missing or has other columns.
    """
    try:
        with open(path, newline="", encoding="utf-8") as stream:
            return [Input(**row) for row in csv.DictReader(stream, delimiter="\t")]
    except (OSError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: is not an index written by `cordinr index` ({error})."
        ) from error


def _describe(dest: Path, subject: str, path: str, suffix: str, mask: str, truth: str) -> Input:
    folder, name = os.path.split(path)
    image = name.split(".")[0].removesuffix(f"_{suffix}")
    labels = dict(part.split("-", 1) for part in image.split("_"))
    names = {"folder": folder, "image": image, "suffix": suffix}
    found_truth = _match(dest, truth, names)
    res = [p[4:] for p in Path(found_truth).name.split("_") if p.startswith("res-")]
    return Input(
        subject=subject,
        session=labels.get("ses", ""),
        folder=folder,
        image=image,
        path=path,
        mask=_match(dest, mask, names),
        truth=found_truth,
        truth_res=res[0] if res else "",
    )


def _match(dest: Path, pattern: str, names: dict[str, str]) -> str:
    """The first file below `dest` that fits, dangling annex links included, or an empty string."""
    try:
        pattern = pattern.format(**names)
    except (KeyError, IndexError, ValueError) as error:
        raise InputError(
            f"'{pattern}' cannot be filled ({error}); use {{folder}}, {{image}} and {{suffix}}."
        ) from error
    folder, name = os.path.split(pattern)
    if not name or not (dest / folder).is_dir():
        return ""
    names = sorted(fnmatch.filter(os.listdir(dest / folder), name))
    return f"{folder}/{names[0]}" if names else ""


def some(names: Sequence[str], most: int = 8) -> str:
    """The first few names, for a message."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
