"""Derivatives as a DataLad dataset: the raw dataset below them, each command in a run record.

The sidecar of an image names the command that makes it from within the dataset. What one command
makes is saved in one commit with a `datalad run` record, so that `datalad rerun` repeats it there
or in a clone elsewhere.
"""

import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..bids.metadata import sidecars_of
from ..bids.names import entities, image_of, sidecar_path, uncertainty_path
from ..bids.uris import resolve_bids_uri
from ..errors import InputError
from ..files import read_json, write_text
from .git import clone_lock, git, reason
from .source import GIT_ATTRIBUTES, SOURCE_KEY, without_credentials

RAW_FOLDER = "sourcedata/raw"
"""The raw dataset as subdataset, where the YODA principles have what results are made from."""

SETTINGS_FILES = {
    ".gitattributes": GIT_ATTRIBUTES,
    # What a verb that runs at the same time has not finished; pages, which hold copies of images.
    ".gitignore": ".partial-*\n*.checkpoint\n*.html\n",
}

DATALAD_OPTIONS = {
    "return_type": "list",
    "result_xfm": None,
    "result_renderer": "disabled",
    "on_failure": "ignore",
}
"""How DataLad answers with what it did, instead of objects, exceptions and words on stdout."""


@dataclass(frozen=True)
class Step:
    """A command that works in the root of the dataset; paths are relative to it.

    Attributes:
        command: as someone would type it.
        inputs: files that it reads, those of the raw dataset included.
        outputs: images that it makes, each with its sidecar.
    """

    command: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def title(self) -> str:
        """What the command made of which image, for people."""
        labels = [entities(path) for path in self.outputs]
        names = [
            named.get("res" if named.get("desc") == "simulated" else "desc", "") for named in labels
        ]
        verb, image = shlex.split(self.command)[1], image_of(self.outputs[0])
        return f"{verb} {image}: {', '.join(dict.fromkeys(names))}"


def save_results(root: Path, raw: Path) -> str:
    """Save what is new or changed in a derivatives dataset; it becomes a DataLad dataset first.

    Images go to git-annex as unlocked files, which a workflow may replace; all else goes to git.

    Args:
        root: of the derivatives dataset.
        raw: DataLad clone of the raw dataset.

    Returns:
        The commit, 40 hexadecimal digits.

    Raises:
        InputError: `raw` is not a clone, `root` is some other git repository or does not say that
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
    """Files of a repository, relative to it, that the last commit has not or has otherwise."""
    new = git(root, "ls-files", "-z", "--others", "--exclude-standard")
    other = git(root, "diff", "-z", "--name-only", "--no-renames", "--ignore-submodules", "HEAD")
    return {path for listed in (new, other) for path in listed.split("\0") if path}


def steps_behind(root: Path, raw: Path, changed: Iterable[str]) -> list[Step]:
    """The commands that made the changed images, those first that others depend on.

    Images whose sidecar names no command that makes them from within the dataset have no step.
    """
    steps = {}
    for path in sorted(changed):
        step = _step_behind(root, raw, path)
        if step and path in step.outputs:
            steps[step.command] = step
    made = {path for step in steps.values() for path in step.outputs}

    def order(step: Step) -> tuple[str, bool, str]:
        return os.path.dirname(step.outputs[0]), not made.isdisjoint(step.inputs), step.command

    return sorted(steps.values(), key=order)


def _step_behind(root: Path, raw: Path, path: str) -> Step | None:
    """The step that the sidecar of an image, or a sidecar itself, names."""
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
    images += [
        str(uncertainty_path(image)) for image in images if _has_uncertainty_map(root / image)
    ]
    inputs = [_file_named_by(root, word, images[0]) for word in words if word not in images]
    read = [
        file for path in inputs if path for file in (path, *_sidecars_of_image(root, raw, path))
    ]
    made = [file for image in images for file in (image, str(sidecar_path(image)))]
    made = [file for file in made if (root / file).is_file()]
    return Step(shlex.join(words), tuple(dict.fromkeys(read)), tuple(made))


def _has_uncertainty_map(image: Path) -> bool:
    """Whether an image has an uncertainty map; one of older settings may lie beside it."""
    sidecar = sidecar_path(image)
    several = sidecar.exists() and read_json(sidecar).get("Members", 1) > 1
    return several and uncertainty_path(image).is_file()


def _file_named_by(root: Path, word: str, image: str) -> str:
    """The file that a word of a command names, relative to the dataset; empty for other words."""
    if word.startswith("bids:"):
        return os.path.relpath(resolve_bids_uri(word, root / image), root)
    return word if (root / word).is_file() else ""


def _sidecars_of_image(root: Path, raw: Path, path: str) -> list[str]:
    """The JSON files that apply to an image of the dataset or of its raw dataset."""
    if not path.endswith((".nii.gz", ".nii")):
        return []
    if not path.startswith(f"{RAW_FOLDER}/"):
        return sidecars_of(root, path)
    return [
        f"{RAW_FOLDER}/{sidecar}"
        for sidecar in sidecars_of(raw, path.removeprefix(f"{RAW_FOLDER}/"))
    ]


def _open_dataset(root: Path) -> Any:
    """The DataLad dataset at `root`, made where there is none yet."""
    import datalad.api as dl

    # The git-annex branch comes before the first commit of a dataset.
    commits = ["rev-list", "--max-count=1", "--exclude=refs/heads/git-annex", "--all"]
    born = (root / ".git").exists() and git(root, *commits)
    if born and not git(root, "ls-files", ".datalad/config"):
        raise InputError(
            f"{root}: is a git repository but no DataLad dataset; move it away or set "
            "results.datalad to false."
        )
    if not born:
        _check_results(root, dl.create(str(root), force=True, **DATALAD_OPTIONS))
    if git(root, "diff", "--cached", "--name-only"):
        # What an interrupted run had staged would go into the next commit, whatever it is about.
        git(root, "reset", "--quiet")
    return dl.Dataset(str(root))


def _register_raw_dataset(root: Path, raw: Path) -> None:
    """Make the raw dataset a subdataset at the commit of its clone; here it stays empty."""
    # In the git-annex branch, so that it holds in clones too.
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
    """The commit of a clone, and what .gitmodules says of it for whoever clones the results."""
    known = ["config", "--default", "", "--get"]
    url = git(raw, *known, SOURCE_KEY) or git(raw, *known, "remote.origin.url")
    identity = git(raw, *known[:1], "--file", ".datalad/config", *known[1:], "datalad.dataset.id")
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
