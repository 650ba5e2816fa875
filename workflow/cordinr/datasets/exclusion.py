"""Who is left out on the advice of the dataset itself: the lists of its `exclude.yml`."""

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

NO_LABEL = "/"
"""A label that nothing has."""

DATATYPES = {"anat", "dwi", "fmap", "func", "perf"}
"""Names of folders of a subject; any other word at the end of a name is a suffix."""


@dataclass(frozen=True)
class Target:
    """What a name such as `sub-01/anat/sub-01_run-2_T2w.nii.gz` stands for.

    Attributes:
        entities: keys to labels, such as sub to 01; a label may hold `*` and `?`.
        suffix: of the images, or empty for any.
        folders: in which they lie, such as anat.
    """

    entities: Mapping[str, str]
    suffix: str = ""
    folders: frozenset[str] = frozenset()

    @property
    def is_narrowed(self) -> bool:
        """Whether it is about some images of a subject, not about all."""
        return bool(self.suffix or self.folders or self.entities.keys() - {"sub"})

    def with_names(self, names: Sequence[str]) -> "Target":
        """The same, narrowed down by more names, such as ses-02."""
        more = target_of(names)
        return Target(
            {**self.entities, **more.entities},
            more.suffix or self.suffix,
            self.folders | more.folders,
        )

    def covers(self, image: str) -> bool:
        """Whether an image, a path below the root of the dataset, is meant."""
        other = target_of([image])
        return (
            fnmatch.fnmatchcase(other.suffix, self.suffix or "*")
            and self.folders <= other.folders
            and all(
                _labels_match(other.entities.get(k, ""), label)
                for k, label in self.entities.items()
            )
        )


def excluded_subjects(dest: Path, key: str, suffix: str = "T2w") -> dict[str, str]:
    """What a dataset's own `exclude.yml` advises against: what to leave out, to the reason.

    The file maps keys such as csa_t2 to lists of subjects and of sites, which are values of
    `institution_id` in participants.tsv, as in the spine-generic datasets; other forms are read as
    well (see `exclude_file`). The key is a wish: a note says where the file lacks it, or has names
    that are nobody's.

    Args:
        dest: root of the dataset; without an exclude.yml nobody is left out.
        key: whose list to take; empty for none.
        suffix: of the images that matter.

    Returns:
        Names without "sub-", of whole subjects (01) and of images (01_ses-02_T2w), to the reason.

    Raises:
        InputError: the file is not YAML, or not of a form that can be used.
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
        found = _names_of_images(
            dest, fnmatch.filter(labels, target.entities.get("sub", "*")), target
        )
        if not found:
            log.warning("%s: '%s', under '%s', is not an image of the dataset.", path, words, key)
        reason = ", ".join(filter(None, [f"{path.name}, {key}: {words}", entry.reason]))
        for name, its_suffix in found.items():
            if its_suffix in ("", suffix):
                reasons.setdefault(name, reason)
    return reasons


@dataclass(frozen=True)
class People:
    """The subjects of a dataset, by their labels, and the sites of those that have one."""

    subjects: Sequence[str]
    sites: Mapping[str, str]

    def is_known_name(self, name: str) -> bool:
        """Whether a name is of anybody."""
        return bool(self.resolve(name)[0])

    def resolve(self, name: str) -> tuple[list[str], Target]:
        """The labels of a site's subjects, or of a subject, and what of them is meant."""
        at_site = [label for label in self.subjects if self.sites.get(label) == name]
        if at_site or name in self.subjects:
            # A dataset of one subject per site may call both alike.
            return at_site or [name], Target({})
        if not WORD_PATTERN.fullmatch(name):
            return [], Target({})  # "sub-01_ses-02 (motion)" is a name and a reason
        for spelling in (name, f"sub-{name}"):
            target = target_of([spelling])
            labels = fnmatch.filter(self.subjects, target.entities.get("sub", ""))
            if labels:
                return labels, target
        return [], Target({})


def target_of(names: Sequence[str]) -> Target:
    """What names mean together, such as `sub-01` and `ses-02`, or the path of an image."""
    entities: dict[str, str] = {}
    suffix, folders = "", set()
    for name in names:
        path = PurePosixPath(name.strip().replace("\\", "/"))
        for part in path.parts:
            for word in part.partition(".")[0].split("_"):
                key, dash, label = word.partition("-")
                if dash:
                    # A file of sub-02 in the folder of sub-01 is nobody's.
                    entities[key] = label if entities.get(key, label) == label else NO_LABEL
                elif word in DATATYPES or part != path.name:
                    folders.add(word)
                else:
                    suffix = word
    return Target(entities, suffix, frozenset(folders - {"", "/"}))


def _names_of_images(dest: Path, labels: Sequence[str], target: Target) -> dict[str, str]:
    """Names without "sub-" to suffixes: of images, or whole subjects, which have no suffix."""
    if not target.is_narrowed:
        return dict.fromkeys(labels, "")
    found = {}
    for path in (path for label in labels for path in files_of(dest, label)):
        name = PurePosixPath(path).name
        if name.endswith((".nii", ".nii.gz")) and target.covers(path):
            stem = name.partition(".")[0].removeprefix("sub-")
            found[stem] = stem.rpartition("_")[2]
    return found


def _labels_match(label: str, wanted: str) -> bool:
    """Whether a label is the one wanted, which may hold `*`; 1 and 01 are alike."""
    numbers = label.isdecimal() and wanted.isdecimal()
    return int(label) == int(wanted) if numbers else fnmatch.fnmatchcase(label, wanted)
