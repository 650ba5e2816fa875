"""Derivatives as a DataLad dataset, with the raw dataset as subdataset and a record per command.

The sidecar of an image states the command that makes it from within the dataset. The outputs of a
command are saved in one commit with a `datalad run` record, so that `datalad rerun` repeats the
command there or in a clone elsewhere.
"""

import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..bids.metadata import sidecars_of
from ..bids.names import entities, image_of, sidecar_path, transform_path
from ..bids.sidecars import uncertainty_map
from ..bids.uris import resolve_bids_uri
from ..errors import InputError
from ..files import read_json, write_text
from .git import clone_lock, git, reason
from .source import GIT_ATTRIBUTES, SOURCE_KEY, without_credentials

RAW_FOLDER = "sourcedata/raw"
"""Path of the raw dataset in the derivatives; the YODA principles put inputs there."""

SETTINGS_FILES = {
    ".gitattributes": GIT_ATTRIBUTES,
    # Unfinished files of commands that run at the same time, and pages, which embed the images.
    ".gitignore": ".partial-*\n*.partial\n*.checkpoint\n*.html\n",
}
"""Texts of the git settings files at the root of the derivatives, by file name."""

DATALAD_OPTIONS = {
    "return_type": "list",
    "result_xfm": None,
    "result_renderer": "disabled",
    "on_failure": "ignore",
}
"""Options for DataLad to return its results as a list, without exceptions and printed output."""


@dataclass(frozen=True)
class Step:
    """A command that runs in the root of the dataset, to which its paths are relative.

    Attributes:
        command: command line as a user would type it.
        inputs: paths of the files that it reads, including those of the raw dataset.
        outputs: paths of the images that it writes, their sidecars and their transforms.
    """

    command: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def title(self) -> str:
        """Title of the commit: the verb, the image and the labels of the outputs.

        Of scans, which are aligned together, the image is what their names have in common.
        """
        labels = [entities(path) for path in self.outputs]
        names = [
            named.get("res" if named.get("desc") == "simulated" else "desc", "") for named in labels
        ]
        parts = [image_of(path).split("_") for path in self.outputs if path.endswith(".json")]
        image = "_".join(part for part in parts[0] if all(part in each for each in parts))
        verb = shlex.split(self.command)[1]
        return f"{verb} {image}: {', '.join(dict.fromkeys(names))}"


def save_results(root: Path, raw: Path) -> str:
    """Save new and changed files of the derivatives in a DataLad dataset, created if needed.

    Images go to git-annex as unlocked files, which a workflow may replace; all else goes to git.

    Args:
        root: root of the derivatives dataset.
        raw: DataLad clone of the raw dataset.

    Returns:
        The commit, 40 hexadecimal digits.

    Raises:
        InputError: `raw` is not a clone, `root` is another git repository or does not state that
            its raw dataset is at `RAW_FOLDER`, or DataLad fails.
    """
    if not (raw / ".git").exists():
        raise InputError(
            f"{raw}: is not a DataLad clone, so nothing could be made anew from a version of it; "
            "take a DataLad dataset as dataset.source or set results.datalad to false."
        )
    description = root / "dataset_description.json"
    if read_json(description).get("DatasetLinks", {}).get("raw") != RAW_FOLDER:
        raise InputError(
            f"{description}: does not say that the raw dataset is at {RAW_FOLDER}; write it with "
            f"`cordinr describe --link {RAW_FOLDER}`."
        )
    with clone_lock(root):
        dataset = _open_dataset(root.resolve())
        _register_raw_dataset(dataset.pathobj, raw)
        changed = changed_files(dataset.pathobj)
        steps = steps_behind(dataset.pathobj, raw, changed)
        rest = changed.difference(*(step.outputs for step in steps))
        if rest:
            paths = [str(dataset.pathobj / path) for path in sorted(rest)]
            _check_results(
                root, dataset.save(path=paths, message="Describe the dataset", **DATALAD_OPTIONS)
            )
        for step in steps:
            _check_results(root, _save_step(dataset, step))
        return git(root, "rev-parse", "HEAD")


def changed_files(root: Path) -> set[str]:
    """List the files that differ from the last commit, as paths below the root of a repository."""
    new = git(root, "ls-files", "-z", "--others", "--exclude-standard")
    other = git(root, "diff", "-z", "--name-only", "--no-renames", "--ignore-submodules", "HEAD")
    return {path for listed in (new, other) for path in listed.split("\0") if path}


def steps_behind(root: Path, raw: Path, changed: Iterable[str]) -> list[Step]:
    """Return the commands that made the changed images, in the order of their dependencies.

    Images whose sidecar states no command that makes them from within the dataset have no step.

    Args:
        root: root of the derivatives dataset.
        raw: DataLad clone of the raw dataset.
        changed: paths of the changed files below `root`.
    """
    steps = {}
    for path in sorted(changed):
        step = _step_behind(root, raw, path)
        if step and path in step.outputs:
            steps[step.command] = step
    outputs = {path for step in steps.values() for path in step.outputs}

    def order(step: Step) -> tuple[str, bool, str]:
        return os.path.dirname(step.outputs[0]), not outputs.isdisjoint(step.inputs), step.command

    return sorted(steps.values(), key=order)


def _step_behind(root: Path, raw: Path, path: str) -> Step | None:
    """Return the step stated in a sidecar, given by its own path or that of its image."""
    if not path.startswith("sub-") or not path.endswith((".nii.gz", ".json")):
        return None
    sidecar = root / (path if path.endswith(".json") else sidecar_path(path))
    try:
        words = shlex.split(read_json(sidecar)["Command"]) if sidecar.exists() else []
    except (KeyError, ValueError, AttributeError):
        return None
    images = [word for option, word in pairwise(words) if option in ("-o", "--output")]
    if not images or not all((root / image).is_file() for image in images):
        return None
    maps = [uncertainty_map(root / image) for image in images]
    images += [str(path.relative_to(root)) for path in maps if path]
    sources = [_file_named_by(root, word, images[0]) for word in words if word not in images]
    inputs = [
        file for path in sources if path for file in (path, *_sidecars_of_image(root, raw, path))
    ]
    outputs = [
        file
        for image in images
        for file in (image, str(sidecar_path(image)), str(transform_path(image)))
    ]
    outputs = [file for file in outputs if (root / file).is_file()]
    return Step(shlex.join(words), tuple(dict.fromkeys(inputs)), tuple(outputs))


def _file_named_by(root: Path, word: str, image: str) -> str:
    """Return the path below the root of the file that a word names; empty for other words."""
    if word.startswith("bids:"):
        return os.path.relpath(resolve_bids_uri(word, root / image), root)
    # What lies elsewhere, such as a prior, is no part of the dataset.
    return word if not os.path.isabs(word) and (root / word).is_file() else ""


def _sidecars_of_image(root: Path, raw: Path, path: str) -> list[str]:
    """Return the JSON files that apply to an image of the derivatives or of the raw dataset."""
    if not path.endswith((".nii.gz", ".nii")):
        return []
    if not path.startswith(f"{RAW_FOLDER}/"):
        return sidecars_of(root, path)
    return [
        f"{RAW_FOLDER}/{sidecar}"
        for sidecar in sidecars_of(raw, path.removeprefix(f"{RAW_FOLDER}/"))
    ]


def _open_dataset(root: Path) -> Any:
    """Return the DataLad dataset at `root`, which is created if it does not exist."""
    import datalad.api as dl

    # The git-annex branch exists before the first commit of a dataset and does not count.
    commits = ["rev-list", "--max-count=1", "--exclude=refs/heads/git-annex", "--all"]
    has_commits = (root / ".git").exists() and git(root, *commits)
    if has_commits and not git(root, "ls-files", ".datalad/config"):
        raise InputError(
            f"{root}: is a git repository but no DataLad dataset; move it away or set "
            "results.datalad to false."
        )
    if not has_commits:
        _check_results(root, dl.create(str(root), force=True, **DATALAD_OPTIONS))
    if git(root, "diff", "--cached", "--name-only"):
        # Files that an interrupted run had staged would go into the next commit by mistake.
        git(root, "reset", "--quiet")
    return dl.Dataset(str(root))


def _register_raw_dataset(root: Path, raw: Path) -> None:
    """Register the raw dataset as a subdataset at the commit of its clone; it stays empty here."""
    # This setting is kept in the git-annex branch, so that it applies to clones as well.
    git(root, "annex", "config", "--set", "annex.addunlocked", "true")
    for name, text in SETTINGS_FILES.items():
        write_text(root / name, text)
    commit, fields = _commit_and_submodule(raw)
    for key, value in fields.items():
        git(root, "config", "--file", ".gitmodules", f"submodule.{RAW_FOLDER}.{key}", value)
    (root / RAW_FOLDER).mkdir(parents=True, exist_ok=True)
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{commit},{RAW_FOLDER}")
    git(root, "add", ".gitmodules", *SETTINGS_FILES)
    if git(root, "diff", "--cached", "--name-only"):
        message = f"Raw dataset at {commit[:12]} of {fields['url']}"
        git(root, "commit", "--quiet", "-m", message)


def _commit_and_submodule(raw: Path) -> tuple[str, dict[str, str]]:
    """Return the commit of a clone, and its fields for the .gitmodules of the derivatives."""
    config = ["config", "--default", "", "--get"]
    url = git(raw, *config, SOURCE_KEY) or git(raw, *config, "remote.origin.url")
    identity = git(raw, *config[:1], "--file", ".datalad/config", *config[1:], "datalad.dataset.id")
    fields = {"path": RAW_FOLDER, "url": without_credentials(url), "datalad-id": identity}
    return git(raw, "rev-parse", "HEAD"), {key: value for key, value in fields.items() if value}


def _save_step(dataset: Any, step: Step) -> list[dict[str, Any]]:
    """Save the outputs of a step with its run record, as if DataLad had run it."""
    from datalad.core.local.run import run_command

    results = run_command(
        step.command,
        dataset=dataset,
        inputs=list(step.inputs),
        outputs=list(step.outputs),
        message=step.title,
        extra_info={"exit": 0},
        explicit=True,
        inject=True,
    )
    return list(results)


def _check_results(root: Path, results: Sequence[dict[str, Any]]) -> None:
    failed = [result for result in results if result["status"] not in ("ok", "notneeded")]
    if failed:
        raise InputError(f"{root}: DataLad cannot save it ({reason(failed)}); see `git status`.")
