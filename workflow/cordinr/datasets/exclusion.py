"""Subjects and images that the `exclude.yml` of a dataset advises to leave out."""

import fnmatch
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .annex import read_annexed_text
from .exclude_file import read_entries
from .exclude_words import WORD_PATTERN
from .subjects import files_of, sites_of, subjects_of

log = logging.getLogger(__name__)

EXCLUDE_FILES = ("exclude.yml", "exclude.yaml")
"""Names of the file at the root of a dataset, of which the first that exists is read."""

NO_LABEL = "/"
"""Label that no entity can have, for names that contradict themselves."""

DATATYPES = {"anat", "dwi", "fmap", "func", "perf"}
"""Names of the BIDS datatype folders; any other word at the end of a name is a suffix."""


@dataclass(frozen=True)
class Target:
    """Images that a name such as `sub-01/anat/sub-01_run-2_T2w.nii.gz` stands for.

    Attributes:
        entities: labels by entity, such as 01 for sub; a label may contain `*` and `?`.
        suffix: suffix of the images, or empty for any.
        folders: names of folders in which the images lie, such as anat.
    """

    entities: Mapping[str, str]
    suffix: str = ""
    folders: frozenset[str] = frozenset()

    @property
    def is_narrowed(self) -> bool:
        """Whether the target is some images of a subject, not all of them."""
        return bool(self.suffix or self.folders or self.entities.keys() - {"sub"})

    def with_names(self, names: Sequence[str]) -> "Target":
        """Return a copy that is narrowed down by more names, such as ses-02."""
        more = target_of(names)
        return Target(
            {**self.entities, **more.entities},
            more.suffix or self.suffix,
            self.folders | more.folders,
        )

    def covers(self, image: str) -> bool:
        """Tell whether the target includes an image, given by its path below the root."""
        other = target_of([image])
        return (
            fnmatch.fnmatchcase(other.suffix, self.suffix or "*")
            and self.folders <= other.folders
            and all(
                _label_matches(other.entities.get(k, ""), label)
                for k, label in self.entities.items()
            )
        )


def excluded_subjects(dest: Path, key: str, suffix: str = "T2w") -> dict[str, str]:
    """Read which subjects and images the `exclude.yml` of a dataset advises to leave out.

    The file maps keys such as csa_t2 to lists of subjects and of sites, which are values of
    `institution_id` in participants.tsv, as in the spine-generic datasets; other forms are read as
    well (see `exclude_file`). A warning is logged for a key that the file lacks, and for names that
    the dataset does not have.

    Args:
        dest: root of the dataset; without an exclude.yml nothing is left out.
        key: key of the list to use; empty for none.
        suffix: suffix of the images that are reconstructed.

    Returns:
        The reasons by name without "sub-": whole subjects (01) and images (01_ses-02_T2w).

    Raises:
        InputError: the file is not YAML, or has neither a mapping nor a list.
    """
    path = next((dest / name for name in EXCLUDE_FILES if os.path.lexists(dest / name)), None)
    if not key or path is None:
        return {}
    text = read_annexed_text(dest, path.name, "YAML")
    if text is None:
        return {}
    people = People(subjects_of(dest), sites_of(dest))
    reasons: dict[str, str] = {}
    for entry in read_entries(path, text, key, people.is_known_name):
        words = " ".join([entry.name, *entry.narrowing])
        labels, target = people.resolve(entry.name)
        if not labels:
            log.warning("%s: '%s', under '%s', is nobody in the dataset.", path, words, key)
            continue
        target = target.with_names(entry.narrowing)
        suffixes = _names_of_images(
            dest, fnmatch.filter(labels, target.entities.get("sub", "*")), target
        )
        if not suffixes:
            log.warning("%s: '%s', under '%s', is not an image of the dataset.", path, words, key)
        reason = ", ".join(filter(None, [f"{path.name}, {key}: {words}", entry.reason]))
        for name, image_suffix in suffixes.items():
            if image_suffix in ("", suffix):
                reasons.setdefault(name, reason)
    return reasons


@dataclass(frozen=True)
class People:
    """Labels of the subjects of a dataset, and the sites of those that have one."""

    subjects: Sequence[str]
    sites: Mapping[str, str]

    def is_known_name(self, name: str) -> bool:
        """Tell whether a name stands for any subject or site of the dataset."""
        return bool(self.resolve(name)[0])

    def resolve(self, name: str) -> tuple[list[str], Target]:
        """Return the labels of the subjects that a name stands for, and the target within them."""
        site_labels = [label for label in self.subjects if self.sites.get(label) == name]
        if site_labels or name in self.subjects:
            # In a dataset of one subject per site both may have the same name.
            return site_labels or [name], Target({})
        if not WORD_PATTERN.fullmatch(name):
            return [], Target({})  # such as "sub-01_ses-02 (motion)", a name and a reason
        for spelling in (name, f"sub-{name}"):
            target = target_of([spelling])
            labels = fnmatch.filter(self.subjects, target.entities.get("sub", ""))
            if labels:
                return labels, target
        return [], Target({})


def target_of(names: Sequence[str]) -> Target:
    """Combine names, such as `sub-01` and `ses-02` or the path of an image, into a target."""
    entities: dict[str, str] = {}
    suffix, folders = "", set()
    for name in names:
        path = PurePosixPath(name.strip().replace("\\", "/"))
        for part in path.parts:
            for word in part.partition(".")[0].split("_"):
                key, dash, label = word.partition("-")
                if dash:
                    # A file of sub-02 in the folder of sub-01 belongs to neither.
                    entities[key] = label if entities.get(key, label) == label else NO_LABEL
                elif word in DATATYPES or part != path.name:
                    folders.add(word)
                else:
                    suffix = word
    return Target(entities, suffix, frozenset(folders - {"", "/"}))


def _names_of_images(dest: Path, labels: Sequence[str], target: Target) -> dict[str, str]:
    """Return suffixes by name without "sub-": of images, or empty ones for whole subjects."""
    if not target.is_narrowed:
        return dict.fromkeys(labels, "")
    suffixes = {}
    for path in (path for label in labels for path in files_of(dest, label)):
        name = PurePosixPath(path).name
        if name.endswith((".nii", ".nii.gz")) and target.covers(path):
            stem = name.partition(".")[0].removeprefix("sub-")
            suffixes[stem] = stem.rpartition("_")[2]
    return suffixes


def _label_matches(label: str, pattern: str) -> bool:
    """Tell whether a label matches a pattern, which may contain `*`; 1 and 01 are equal."""
    numbers = label.isdecimal() and pattern.isdecimal()
    return int(label) == int(pattern) if numbers else fnmatch.fnmatchcase(label, pattern)
