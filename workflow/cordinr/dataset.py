"""Getting a BIDS dataset through DataLad.

Every call that changes a clone holds a lock on it, so that many jobs may fetch from one clone.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from .errors import InputError
from .index import some
from .volume import is_annex_pointer

IDENTITY = {"NAME": "cordinr", "EMAIL": "cordinr@localhost"}
"""Who commits where git knows nobody: `datalad clone` fails without an identity."""

SOURCE_KEY = "cordinr.source"
"""Where a clone keeps what it was cloned from: git and DataLad both rewrite the remote's URL."""


def clone(source: str, version: str, dest: Path) -> str:
    """Clone a dataset at a pinned version, or bring an existing clone of it there.

    Args:
        source: URL or path of anything that DataLad can clone.
        version: tag or commit.
        dest: folder of the clone; appears whole or not at all.

    Returns:
        The commit, 40 hexadecimal digits.

    Raises:
        InputError: the source cannot be cloned, has no such version, or `dest` is something else.
    """
    origin = str(Path(source).resolve()) if Path(source).exists() else source
    with _locked(dest):
        if dest.exists():
            _check_origin(dest, origin)
        else:
            _clone_whole(origin, dest)
        commit = _resolve(dest, version)
        if commit is None:
            _git(dest, "fetch", "--tags", "origin")
            commit = _resolve(dest, version)
        if commit is None:
            raise InputError(
                f"{source}: has no version '{version}'; choose one of its tags "
                f"({_known_tags(dest)}) or a commit."
            )
        if _git(dest, "rev-parse", "HEAD") != commit:
            _git(dest, "checkout", "--quiet", "--detach", commit)
    return commit


def get_content(dest: Path, path: str) -> Path:
    """Make sure that a file of the dataset is really there.

    Args:
        dest: root of the clone.
        path: of the file below it.

    Returns:
        The path of the file on disk.

    Raises:
        InputError: the dataset has no such file, or no remote can give its content.
    """
    target = dest / path
    if not os.path.lexists(target):
        raise InputError(f"{target}: the dataset has no such file; correct dataset.subjects.")
    if is_annex_pointer(target):
        import datalad.api as dl

        with _locked(dest):
            results = dl.get(
                path=str(target.absolute()),
                dataset=dl.Dataset(str(dest.absolute())),
                on_failure="ignore",
                result_renderer="disabled",
            )
    if is_annex_pointer(target):
        failed = [r for r in results if r["status"] not in ("ok", "notneeded")]
        raise InputError(
            f"{target}: its content cannot be got ({_reason(failed)}); "
            f"see where it is with `git -C {dest} annex whereis {path}`."
        )
    return target


def create(dest: Path, description: str) -> None:
    """Turn a folder of files into a DataLad dataset, images in git-annex, all saved, tagged v1.

    Images are unlocked pointers, as in the spine-generic datasets.
    """
    import datalad.api as dl

    with _environment():
        dataset = dl.create(str(dest), force=True, result_renderer="disabled", description="source")
        _git(dest, "config", "annex.addunlocked", "true")
        attributes = "* annex.largefiles=nothing\n*.nii.gz filter=annex annex.largefiles=anything\n"
        (dest / ".gitattributes").write_text(attributes)
        dataset.save(message=description, version_tag="v1", result_renderer="disabled")


def _clone_whole(origin: str, dest: Path) -> None:
    import datalad.api as dl
    from datalad.support.exceptions import IncompleteResultsError

    partial = dest.with_name(f".partial-{dest.name}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        dl.clone(origin, str(partial), result_renderer="disabled")
    except IncompleteResultsError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise InputError(
            f"{origin}: cannot be cloned by DataLad ({_reason(error.failed)}); "
            "check dataset.source."
        ) from error
    _git(partial, "config", SOURCE_KEY, origin)
    partial.rename(dest)


def _reason(failed: list[dict[str, Any]]) -> str:
    """The message of the first failed DataLad result, on one line."""
    message = failed[0].get("message", "") if failed else ""
    if isinstance(message, tuple):
        message = message[0] % message[1:]
    return " ".join(str(message).split()) or "unknown reason"


def _check_origin(dest: Path, origin: str) -> None:
    try:
        cloned_from = _git(dest, "config", "--local", "--get", SOURCE_KEY)
    except InputError:
        cloned_from = "something else"
    if cloned_from != origin:
        raise InputError(
            f"{dest}: is there already, cloned from {cloned_from}, not from {origin}; move it away."
        )


def _resolve(dest: Path, version: str) -> str | None:
    command = ["git", "-C", str(dest), "rev-parse", "--verify", "--quiet", f"{version}^{{commit}}"]
    answer = subprocess.run(command, capture_output=True, text=True)
    return answer.stdout.strip() or None


def _known_tags(dest: Path) -> str:
    return some(_git(dest, "tag", "--sort=-creatordate").split()) or "it has no tags"


def _git(dest: Path, *arguments: str) -> str:
    answer = subprocess.run(["git", "-C", str(dest), *arguments], capture_output=True, text=True)
    if answer.returncode:
        raise InputError(f"{dest}: git {arguments[0]} failed ({answer.stderr.strip()}).")
    return answer.stdout.strip()


@contextmanager
def _locked(dest: Path) -> Iterator[None]:
    """One process at a time works on a clone, in an environment where git and annex run."""
    lock = FileLock(dest.with_name(f".{dest.name}.lock"))
    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise InputError(f"{dest.parent}: cannot be written ({error.strerror}).") from error
    try:
        with _environment():
            yield
    finally:
        lock.release()


@contextmanager
def _environment() -> Iterator[None]:
    """git-annex on PATH (pip puts it beside python) and a git identity if there is none."""
    before = dict(os.environ)
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before.get("PATH", "")])
    for key, value in IDENTITY.items():
        known = subprocess.run(["git", "config", f"user.{key.lower()}"], capture_output=True).stdout
        if not known:
            for role in ("AUTHOR", "COMMITTER"):
                os.environ.setdefault(f"GIT_{role}_{key}", value)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
