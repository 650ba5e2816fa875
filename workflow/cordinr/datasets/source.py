"""Raw BIDS datasets: clones by DataLad at a pinned version, or plain folders used in place.

In both cases the dataset has one path below the results: a clone, or a link to the folder.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..annex_pointer import is_annex_pointer
from ..errors import InputError
from ..files import read_json
from .annex import get_content
from .git import (
    SOURCE_KEY,
    check_owner,
    clone_lock,
    environment,
    foreign_owner_message,
    git,
    is_repository,
    reason,
    sources_of,
)

DESCRIPTION_FILE = "dataset_description.json"
"""Name of the file that every BIDS dataset has at its root."""

GIT_ATTRIBUTES = "* annex.largefiles=nothing\n*.nii.gz filter=annex annex.largefiles=anything\n"
"""Text of .gitattributes: images go to git-annex, as in spine-generic, all else to git."""


def clone_or_link(source: str, version: str, dest: Path) -> str:
    """Clone a dataset, or link a plain folder; images of a clone stay pointers for now.

    Args:
        source: URL or path of anything that DataLad can clone, or a plain folder. A plain
            folder is never written to.
        version: tag or commit; empty for a plain folder, and for the newest commit of a clone.
        dest: folder of the clone, or the link to a plain folder; appears complete or not at all.

    Returns:
        The commit, 40 hexadecimal digits; empty for a plain folder.

    Raises:
        InputError: the source cannot be cloned or lacks the version, or `dest` already exists and
            is something else.
    """
    folder = Path(source).expanduser()
    origin = str(folder.resolve()) if folder.exists() else source
    with clone_lock(dest):
        if folder.is_dir() and not is_repository(folder):
            return _link(origin, version, dest)
        if not os.path.lexists(dest):
            _clone_whole(origin, dest)
        _check_origin(dest, origin)
        return _check_out(dest, source, version)


def describe_source(dest: Path, source: str, version: str, commit: str) -> dict[str, Any]:
    """Describe a raw dataset as its derivatives have to, JSON-serialisable.

    Args:
        dest: root of the dataset.
        source: URL or path from which it was cloned.
        version: version that was asked for, or empty.
        commit: commit of the clone, or empty.

    Returns:
        `Name`, `Authors`, `License` and `DOI` as the dataset states them, and its `URL` (without
        credentials), `Version` and `Commit`; keys without a value are left out.

    Raises:
        InputError: `check_bids` fails, or dataset_description.json is not a JSON object.
    """
    check_bids(dest)
    contents = read_json(dest / DESCRIPTION_FILE)
    description = {key: contents.get(key) for key in ("Name", "License")}
    authors = contents.get("Authors")
    description["Authors"] = list(map(str, authors)) if isinstance(authors, list) else None
    description["DOI"] = contents.get("DatasetDOI")
    description |= {"URL": without_credentials(source), "Version": version, "Commit": commit}
    return {key: value for key, value in description.items() if value}


def check_bids(dest: Path) -> None:
    """Check that a folder is a BIDS dataset, and get its dataset_description.json if annexed.

    Args:
        dest: root of the dataset.

    Raises:
        InputError: the file does not exist, or its content cannot be got.
    """
    if not os.path.lexists(dest / DESCRIPTION_FILE):
        raise InputError(f"{dest}: has no {DESCRIPTION_FILE}; give a BIDS dataset.")
    if is_annex_pointer(dest / DESCRIPTION_FILE):
        get_content(dest, [DESCRIPTION_FILE])


def create(dest: Path, description: str) -> None:
    """Turn a folder of files into a DataLad dataset, saved and tagged v1.

    Images go to git-annex as unlocked pointers, as in the spine-generic datasets.

    Args:
        dest: folder to turn into a dataset.
        description: message of the commit.
    """
    import datalad.api as dl

    with environment():
        dataset = dl.create(str(dest), force=True, result_renderer="disabled", description="source")
        git(dest, "config", "annex.addunlocked", "true")
        (dest / ".gitattributes").write_text(GIT_ATTRIBUTES)
        dataset.save(message=description, version_tag="v1", result_renderer="disabled")


def _link(folder: str, version: str, dest: Path) -> str:
    if version:
        raise InputError(
            f"{folder}: is a plain folder without versions, so there is no '{version}'; "
            'set dataset.version to "".'
        )
    if os.path.lexists(dest) and str(dest.resolve()) != folder:
        raise InputError(f"{dest}: already exists and is not {folder}; move it away.")
    if not os.path.lexists(dest):
        dest.symlink_to(folder, target_is_directory=True)
    return ""


def _clone_whole(origin: str, dest: Path) -> None:
    import datalad.api as dl

    partial = dest.with_name(f".partial-{dest.name}")
    shutil.rmtree(partial, ignore_errors=True)
    results = dl.clone(
        origin,
        str(partial),
        result_renderer="disabled",
        on_failure="ignore",
        return_type="list",
        result_xfm=None,
    )
    # Failures other than that of the clone itself concern remotes of the source; they do no harm.
    if not any(each["action"] == "install" and each["status"] == "ok" for each in results):
        shutil.rmtree(partial, ignore_errors=True)
        message = reason([each for each in results if each["status"] != "ok"])
        raise InputError(
            foreign_owner_message(origin, message)
            or f"{origin}: cannot be cloned by DataLad ({message}); check dataset.source."
        )
    git(partial, "config", SOURCE_KEY, origin)
    partial.rename(dest)


def _check_origin(dest: Path, origin: str) -> None:
    """Refuse a folder that is not a clone of `origin`; a clone made by hand is accepted."""
    sources: list[str] = []
    if is_repository(dest) and not dest.is_symlink():
        check_owner(dest)
        sources = sources_of(dest)
    if origin not in sources:
        cloned_from = " or ".join(sorted(set(sources))) or "something else"
        raise InputError(
            f"{dest}: already exists as a clone of {cloned_from}, not from {origin}; move it away."
        )


def _check_out(dest: Path, source: str, version: str) -> str:
    if not version:
        return git(dest, "rev-parse", "HEAD")
    commit = _resolve_commit(dest, version)
    if commit is None:
        git(dest, "fetch", "--tags", "origin")
        commit = _resolve_commit(dest, version)
    if commit is None:
        tags = git(dest, "tag", "--sort=-creatordate").split()
        raise InputError(
            f"{source}: has no version '{version}'; choose one of its tags "
            f"({first_few(tags) or 'it has none'}) or a commit."
        )
    if git(dest, "rev-parse", "HEAD") != commit:
        git(dest, "checkout", "--quiet", "--detach", commit)
    return commit


def _resolve_commit(dest: Path, version: str) -> str | None:
    command = ["git", "-C", str(dest), "rev-parse", "--verify", "--quiet", "--end-of-options"]
    command.append(f"{version}^{{commit}}")
    answer = subprocess.run(command, capture_output=True, text=True)
    return answer.stdout.strip() or None


def without_credentials(source: str) -> str:
    """Return a URL without its user name and password."""
    parts = urlsplit(source)
    if not parts.scheme or "@" not in parts.netloc:
        return source
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def first_few(names: Sequence[str], limit: int = 8) -> str:
    """Join the first few names, for a message."""
    return ", ".join(names[:limit]) + (", ..." if len(names) > limit else "")
