"""Git and git-annex: where they run, one process at a time, and what they said."""

import errno
import os
import pwd
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from ..errors import InputError

SOURCE_KEY = "cordinr.source"
"""Where a clone keeps what it was cloned from: git and DataLad both rewrite the remote's URL."""

FALLBACK_IDENTITY = {"NAME": "cordinr", "EMAIL": "cordinr@localhost"}
"""Who commits where git knows nobody: `datalad clone` fails without an identity."""


def git(root: Path, *arguments: str) -> str:
    """What a git command says.

    Raises:
        InputError: it failed, as where the repository belongs to another user.
    """
    command = ["git", "-C", str(root), *arguments]
    # Names of files may be no UTF-8.
    answer = subprocess.run(command, capture_output=True, text=True, errors="surrogateescape")
    if answer.returncode:
        said = " ".join(answer.stderr.split())
        raise InputError(
            foreign_owner_message(root, answer.stderr)
            or f"{root}: git {arguments[0]} failed ({said})."
        )
    return answer.stdout.strip()


def check_owner(root: Path) -> None:
    """Refuse a repository that git does not work in, as it belongs to another user.

    Others would only say that it is not a repository, or nothing.

    Raises:
        InputError: it does, or is not a repository at all.
    """
    git(root, "rev-parse", "--git-dir")


def foreign_owner_message(root: Path | str, said: str) -> str:
    """The sentence that helps where git refuses a repository of another user.

    Args:
        root: of the repository.
        said: by git, or by a program that passes on what git said.

    Returns:
        Whose it is and the line to type; empty where git said something else.
    """
    if "dubious ownership" not in said:
        return ""
    named = re.search(r"--add safe\.directory ('[^']*'|\S+)", said)
    folder = named[1] if named else shlex.quote(os.path.abspath(root))
    return (
        f"{root}: belongs to another user ({owner_of(root)}), and git does not work in it; if you "
        f"trust it, run `git config --global --add safe.directory {folder}`."
    )


def owner_of(path: Path | str) -> str:
    """The name of the user who owns a file, or the number where there is no name."""
    try:
        number = os.stat(path).st_uid
    except OSError:
        return "unknown"
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user id {number}"


def is_repository(folder: Path) -> bool:
    """Whether a folder is the root of a git repository, bare ones included."""
    return (folder / ".git").exists() or (
        (folder / "HEAD").is_file() and (folder / "objects").is_dir()
    )


def sources_of(root: Path) -> list[str]:
    """What a clone was cloned from: as it was written then, and as git has it now."""
    found = []
    for key in (SOURCE_KEY, "remote.origin.url"):
        with suppress(InputError):
            found.append(git(root, "config", "--local", "--get", key))
    return list(filter(None, found))


def source_of(root: Path) -> str:
    """What a clone was cloned from, or an empty text."""
    return next(iter(sources_of(root)), "")


def reason(failed: Sequence[dict[str, Any]]) -> str:
    """The message of the first failed DataLad result, on one line.

    What git-annex says of a download has a key of its own, and a line for each way it tried.
    """
    result = failed[0] if failed else {}
    message = result.get("message") or result.get("error_message") or ""
    if isinstance(message, tuple):
        message = message[0] % message[1:]
    lines = dict.fromkeys(" ".join(line.split()) for line in str(message).splitlines())
    return "; ".join(filter(None, lines)) or "unknown reason"


@contextmanager
def clone_lock(dest: Path) -> Iterator[None]:
    """One process at a time works on a clone, in an environment where git and annex run.

    Raises:
        InputError: the folder beside which the lock lies cannot be written.
    """
    lock = FileLock(dest.with_name(f".{dest.name}.lock"))
    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise InputError(_lock_failure(dest, lock.lock_file, error)) from error
    try:
        with environment():
            yield
    finally:
        lock.release()


def _lock_failure(dest: Path, lock: str, error: OSError) -> str:
    """The sentence that helps: another owner does not where the disk is full."""
    said = error.strerror or str(error)
    if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"{dest.parent}: the lock {lock} cannot be acquired ({said}); mend that, or take "
            "another folder for the results."
        )
    there = next(path for path in (Path(lock), *dest.parents) if path.exists())
    return (
        f"{dest.parent}: cannot be written ({said}; {there} belongs to {owner_of(there)}); change "
        "the owner, or take another folder for the results."
    )


@contextmanager
def environment() -> Iterator[None]:
    """git-annex on PATH (pip puts it beside python) and a git identity if there is none."""
    before = dict(os.environ)
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before.get("PATH", "")])
    for key, value in FALLBACK_IDENTITY.items():
        known = subprocess.run(["git", "config", f"user.{key.lower()}"], capture_output=True).stdout
        if not known:
            for role in ("AUTHOR", "COMMITTER"):
                os.environ.setdefault(f"GIT_{role}_{key}", value)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
