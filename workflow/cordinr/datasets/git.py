"""Calls of git and git-annex: environment, locks, messages, and the sources of a clone."""

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
"""Git setting that keeps the source of a clone, as git and DataLad rewrite the remote's URL."""

FALLBACK_IDENTITY = {"NAME": "cordinr", "EMAIL": "cordinr@localhost"}
"""Author of commits where git has no identity, without which `datalad clone` fails."""


def git(root: Path, *arguments: str) -> str:
    """Run a git command in a repository.

    Args:
        root: root of the repository.
        *arguments: command and its arguments.

    Returns:
        The standard output, without surrounding whitespace.

    Raises:
        InputError: the command failed, for instance as the repository belongs to another user.
    """
    command = ["git", "-C", str(root), *arguments]
    # Names of files may not be valid UTF-8.
    answer = subprocess.run(command, capture_output=True, text=True, errors="surrogateescape")
    if answer.returncode:
        message = " ".join(answer.stderr.split())
        raise InputError(
            foreign_owner_message(root, answer.stderr)
            or f"{root}: git {arguments[0]} failed ({message})."
        )
    return answer.stdout.strip()


def check_owner(root: Path) -> None:
    """Refuse a repository in which git does not work, as it belongs to another user.

    DataLad and git-annex would report that it is not a repository, or nothing.

    Args:
        root: root of the repository.

    Raises:
        InputError: the repository belongs to another user, or `root` is not a repository.
    """
    git(root, "rev-parse", "--git-dir")


def foreign_owner_message(root: Path | str, output: str) -> str:
    """Compose the message for a repository that git refuses, as it belongs to another user.

    Args:
        root: root of the repository.
        output: error output of git, or of a program that passes it on.

    Returns:
        The owner and the command that helps; empty if the output reports something else.
    """
    if "dubious ownership" not in output:
        return ""
    suggestion = re.search(r"--add safe\.directory ('[^']*'|\S+)", output)
    folder = suggestion[1] if suggestion else shlex.quote(os.path.abspath(root))
    return (
        f"{root}: belongs to another user ({owner_of(root)}), and git does not work in it; if you "
        f"trust it, run `git config --global --add safe.directory {folder}`."
    )


def owner_of(path: Path | str) -> str:
    """Return the name of the user who owns a file, or the user id if it has no name."""
    try:
        number = os.stat(path).st_uid
    except OSError:
        return "unknown"
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user id {number}"


def is_repository(folder: Path) -> bool:
    """Tell whether a folder is the root of a git repository, which may be a bare one."""
    return (folder / ".git").exists() or (
        (folder / "HEAD").is_file() and (folder / "objects").is_dir()
    )


def sources_of(root: Path) -> list[str]:
    """Return the sources of a clone: the one given when it was cloned, and the URL of `origin`."""
    sources = []
    for key in (SOURCE_KEY, "remote.origin.url"):
        with suppress(InputError):
            sources.append(git(root, "config", "--local", "--get", key))
    return list(filter(None, sources))


def source_of(root: Path) -> str:
    """Return the source of a clone, or an empty string."""
    return next(iter(sources_of(root)), "")


def reason(failed: Sequence[dict[str, Any]]) -> str:
    """Return the message of the first failed DataLad result, on one line.

    Messages of git-annex have a key of their own, and a line for each remote it tried.
    """
    result = failed[0] if failed else {}
    message = result.get("message") or result.get("error_message") or ""
    if isinstance(message, tuple):
        message = message[0] % message[1:]
    lines = dict.fromkeys(" ".join(line.split()) for line in str(message).splitlines())
    return "; ".join(filter(None, lines)) or "unknown reason"


@contextmanager
def clone_lock(dest: Path) -> Iterator[None]:
    """Hold the lock of a clone, in an environment in which git and git-annex run.

    Args:
        dest: root of the clone; the lock lies beside it.

    Raises:
        InputError: the folder of the lock cannot be written.
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
    """Compose the message for a lock that cannot be acquired; name the owner if denied."""
    cause = error.strerror or str(error)
    if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"{dest.parent}: the lock {lock} cannot be acquired ({cause}); mend that, or take "
            "another folder for the results."
        )
    folder = next(path for path in (Path(lock), *dest.parents) if path.exists())
    return (
        f"{dest.parent}: cannot be written ({cause}; {folder} belongs to {owner_of(folder)}); "
        "change the owner, or take another folder for the results."
    )


@contextmanager
def environment() -> Iterator[None]:
    """Put git-annex on PATH (pip installs it beside python) and set a git identity if needed."""
    before = dict(os.environ)
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before.get("PATH", "")])
    for key, value in FALLBACK_IDENTITY.items():
        configured = subprocess.run(
            ["git", "config", f"user.{key.lower()}"], capture_output=True
        ).stdout
        if not configured:
            for role in ("AUTHOR", "COMMITTER"):
                os.environ.setdefault(f"GIT_{role}_{key}", value)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
