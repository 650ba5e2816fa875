"""Which images a raw BIDS dataset has, found once with pybids and kept in `inputs.tsv`."""

import csv
import fnmatch
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from .dataset import ROOT_FILE, some
from .errors import InputError, brief
from .files import atomic

EXCLUDE_FILE = "exclude.yml"

LABEL = re.compile("[A-Za-z0-9]+")

NAME = re.compile(
    r"sub-[A-Za-z0-9]+(/ses-[A-Za-z0-9]+)?/[a-z]+/"
    r"sub-[A-Za-z0-9]+(_(?!res-|desc-)[a-z]+-[A-Za-z0-9]+)*_[A-Za-z0-9]+\.nii(\.gz)?"
)
"""Where BIDS has raw images; others, such as copies by hand, are passed over."""


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
        site: of the subject by participants.tsv, or empty.
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


def find_images(
    dest: Path,
    subjects: Sequence[str] | None,
    suffix: str,
    mask: str,
    truth: str,
    entities: Mapping[str, Sequence[str]] = MappingProxyType({}),
    leave_out: Collection[str] = (),
) -> list[Input]:
    """Find the images of a raw BIDS dataset with pybids; content need not be there.

    Args:
        dest: root of the dataset.
        subjects: labels, with or without "sub-", in the order wanted; None for all.
        suffix: of the images, such as T2w.
        mask, truth: path patterns below `dest` with {folder}, {image} and {suffix}; the truth's may
            hold `*` for its resolution. Empty for none.
        entities: pybids names, such as session or acquisition, to the labels to take; an empty
            label stands for images without that entity.
        leave_out: labels of subjects not to take.

    Returns:
        One row per image; one with a `problem` per subject asked for that has none.

    Raises:
        InputError: the folder is no BIDS dataset, or no subject has such an image.
    """
    from bids import BIDSLayout, BIDSLayoutIndexer

    if not (dest / ROOT_FILE).exists():
        raise InputError(f"{dest}: has no {ROOT_FILE}; give a BIDS dataset.")
    # Whatever else is in the dataset costs time and is never asked for.
    others = re.compile(rf"^/(?!sub-)|^(?!.*_{suffix}\.nii(\.gz)?$).*\.[^/]*$")
    indexer = BIDSLayoutIndexer(ignore=[others], index_metadata=False)
    layout = BIDSLayout(dest, validate=False, indexer=indexer)
    _check_entities(entities, layout.get_entities())
    # Not layout.get_subjects(), which asks the database once per file of the dataset.
    present = sorted(path.name[4:] for path in dest.glob("sub-*") if path.is_dir())
    wanted = present if subjects is None else [str(s).removeprefix("sub-") for s in subjects]
    for subject in wanted:
        if not LABEL.fullmatch(subject):
            raise InputError(f"subject {brief(subject)}: is no BIDS label; use letters and digits.")
    wanted = [subject for subject in wanted if subject not in leave_out]
    paths: dict[str, list[str]] = {subject: [] for subject in wanted}
    for found in layout.get(suffix=suffix, extension=[".nii.gz", ".nii"]):
        subject = found.entities.get("subject")
        if subject in paths and NAME.fullmatch(found.relpath) and _chosen(found, entities):
            paths[subject].append(found.relpath)
    rows = []
    for subject, images in paths.items():
        rows += [_describe(dest, subject, path, suffix, mask, truth) for path in sorted(images)]
        if not images:
            chosen = "".join(
                f", {name} {' or '.join(of) or 'none'}" for name, of in entities.items()
            )
            reason = f"has no {suffix} image{chosen}"
            if subject not in present:
                reason = f"is not in the dataset (it has {some(present)})"
            problem = f"{dest}: subject {subject} {reason}; correct dataset.subjects."
            name = f"sub-{subject}"
            rows.append(Input(subject, "", f"{name}/anat", name, problem=problem))
    _check_twice(dest, rows)
    sites = sites_of(dest)
    rows = [replace(row, site=sites.get(row.subject, "")) for row in rows]
    if not any(row.path for row in rows):
        raise InputError(rows[0].problem if rows else f"{dest}: has no subjects to take.")
    return rows


def left_out(dest: Path, key: str) -> dict[str, str]:
    """Subjects that a dataset's own `exclude.yml` advises against, label to reason.

    The file maps keys such as csa_t2 to lists of subjects (`sub-...`) and of sites, which are
    values of `institution_id` in participants.tsv, as in the spine-generic datasets.

    Args:
        dest: root of the dataset; without an exclude.yml nobody is left out.
        key: whose list to take; empty for none.

    Raises:
        InputError: the file is no such mapping or lacks the key.
    """
    path = dest / EXCLUDE_FILE
    if not key or not path.exists():
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, yaml.SafeLoader)
        lists = {node.value: entries.value for node, entries in root.value}
        entries = [(entry.value, entry.end_mark) for entry in lists.get(key, [])]
    except (OSError, ValueError, AttributeError, TypeError, yaml.YAMLError) as error:
        first = str(error).splitlines()[0]
        raise InputError(
            f"{path}: is not a mapping of keys to lists of subjects ({first}); correct it, or set "
            'dataset.exclude to "".'
        ) from error
    if key not in lists:
        raise InputError(f"{path}: has no key '{key}'; set dataset.exclude to {some([*lists])}.")
    sites = sites_of(dest)
    reasons = {}
    for entry, end in entries:
        comment = text.splitlines()[end.line].partition("#")[2].strip()
        why = f"{EXCLUDE_FILE}, {key}: {entry}" + (f", {comment}" if comment else "")
        at_site = [label for label, site in sites.items() if site == entry]
        labels = [entry[4:]] if entry.startswith("sub-") else at_site
        reasons |= dict.fromkeys(labels, why)
    return reasons


def sites_of(dest: Path) -> dict[str, str]:
    """The site of each subject that participants.tsv gives one: label to its name.

    It is the column `institution_id`, as in the spine-generic datasets, else `site`.

    Args:
        dest: root of the dataset.
    """
    path = dest / "participants.tsv"
    if not path.exists():
        return {}
    with open(path, newline="", encoding="utf-8-sig", errors="replace") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    sites = {}
    for row in rows:
        site = row.get("institution_id") or row.get("site") or ""
        label = (row.get("participant_id") or "").removeprefix("sub-")
        # Names go into tables and pictures, where a control character would end a file.
        sites[label] = "".join(filter(str.isprintable, site)).strip()
    return {label: site for label, site in sites.items() if site not in ("", "n/a")}


def _check_entities(entities: Mapping[str, Sequence[str]], known: Collection[str]) -> None:
    for name in entities:
        if name not in known:
            raise InputError(
                f"dataset.entities: the dataset has no '{name}'; use {', '.join(sorted(known))}."
            )


def _chosen(found: Any, entities: Mapping[str, Sequence[str]]) -> bool:
    """Whether an image has the labels asked for; 1 and 01 are the same run."""
    for name, labels in entities.items():
        label = str(found.entities.get(name, ""))
        alike = {label, label.lstrip("0")} if label.isdigit() else {label}
        if not any(wanted in alike or wanted.lstrip("0") in alike - {""} for wanted in labels):
            return False
    return True


def _check_twice(dest: Path, rows: Sequence[Input]) -> None:
    names = [row.image for row in rows]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"{dest}: {min(twice)} is there as .nii and .nii.gz; remove one.")


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
    if os.path.isabs(folder) or ".." in folder.split("/"):
        raise InputError(f"'{pattern}' leads out of the dataset; give a path below its root.")
    if not name or not (dest / folder).is_dir():
        return ""
    names = sorted(fnmatch.filter(os.listdir(dest / folder), name))
    return f"{folder}/{names[0]}" if names else ""
