"""Git and git-annex: where they run, one process at a time, and what they said."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from .errors import InputError

IDENTITY = {"NAME": "cordinr", "EMAIL": "cordinr@localhost"}
"""Who commits where git knows nobody: `datalad clone` fails without an identity."""


def git(root: Path, *arguments: str) -> str:
    """What a git command says.

    Raises:
        InputError: it failed.
    """
    answer = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)
    if answer.returncode:
        raise InputError(f"{root}: git {arguments[0]} failed ({answer.stderr.strip()}).")
    return answer.stdout.strip()


def is_repository(folder: Path) -> bool:
    """Whether a folder is the root of a git repository, bare ones included."""
    return (folder / ".git").exists() or (
        (folder / "HEAD").is_file() and (folder / "objects").is_dir()
    )


def reason(failed: Sequence[dict[str, Any]]) -> str:
    """The message of the first failed DataLad result, on one line."""
    message = failed[0].get("message", "") if failed else ""
    if isinstance(message, tuple):
        message = message[0] % message[1:]
    return " ".join(str(message).split()) or "unknown reason"


@contextmanager
def locked(dest: Path) -> Iterator[None]:
    """One process at a time works on a clone, in an environment where git and annex run.

    Raises:
        InputError: the folder beside which the lock lies cannot be written.
    """
    lock = FileLock(dest.with_name(f".{dest.name}.lock"))
    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise InputError(f"{dest.parent}: cannot be written ({error.strerror}).") from error
    try:
        with environment():
            yield
    finally:
        lock.release()


@contextmanager
def environment() -> Iterator[None]:
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
