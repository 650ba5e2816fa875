"""Content of annexed files: its size, download, verification and removal."""

import contextlib
import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ..annex_pointer import is_annex_pointer
from ..errors import InputError
from ..files import read_text
from .git import check_owner, clone_lock, git, is_repository, reason, source_of
from .remotes import advice

log = logging.getLogger(__name__)

RETRY_DELAYS_S = (1.0, 4.0)
"""Delays in seconds before the second and the third attempt to get content."""

ANNEX_KEY = re.compile(r"(?P<backend>[A-Z0-9_]+)(?:-s(?P<size>\d+))?[^/]*?--(?P<hash>[^/\s]+)")
"""Pattern of a git-annex key; see https://git-annex.branchable.com/internals/key_format/."""


def missing_bytes(dest: Path, paths: Sequence[str]) -> int:
    """Return the bytes still to download for files, as far as their keys state sizes."""
    present = [dest / path for path in paths if os.path.lexists(dest / path)]
    sizes = [key_size(path) for path in present if is_annex_pointer(path)]
    return sum(size or 0 for size in sizes)


def get_content(dest: Path, paths: Sequence[str], jobs: int = 4) -> list[Path]:
    """Get the content of files of a dataset, and verify it.

    A failed download is tried again after a delay (`RETRY_DELAYS_S`); git-annex resumes an
    interrupted transfer. Size and checksum of the content are compared with its key.

    Args:
        dest: root of the clone, or the link to a plain folder.
        paths: paths of the files below `dest`.
        jobs: number of files to get at a time.

    Returns:
        The paths of the files on disk.

    Raises:
        InputError: the dataset lacks a file, or no remote can provide its content.
    """
    targets = [_path_inside(dest, path) for path in paths]
    if not is_repository(dest):
        _refuse_pointers(targets)
        return targets
    check_owner(dest)
    with clone_lock(dest):
        missing = _paths_without_content(dest, targets)
    for wait in (0.0, *RETRY_DELAYS_S) if missing else ():
        time.sleep(wait)
        with clone_lock(dest):
            failed = _download(dest, missing, jobs)
            missing = _paths_without_content(dest, missing)
        if not missing:
            break
    if missing:
        raise InputError(_unavailable_message(dest, missing[0], failed))
    return targets


def read_annexed_text(dest: Path, name: str, kind: str) -> str | None:
    """Read the text of an optional small file of a dataset, after downloading annexed content.

    Args:
        dest: root of the dataset.
        name: path of the file below `dest`.
        kind: kind of file that is expected, for the message.

    Returns:
        The text, or None if the file does not exist or its content cannot be downloaded; the
        latter is logged as a warning.

    Raises:
        InputError: the file exists and cannot be read.
    """
    path = dest / name
    if not os.path.lexists(path):
        return None
    if is_annex_pointer(path):
        try:
            get_content(dest, [name])
        except InputError as error:
            log.warning("%s Going on without it.", error)
            return None
    return read_text(path, kind)


def drop_content(dest: Path, paths: Sequence[str]) -> str | None:
    """Free the disk space of files whose content a remote has as well.

    Args:
        dest: root of the dataset; a plain folder is left as it is.
        paths: paths of the files below `dest`.

    Returns:
        A message that says why some content was kept, or None.
    """
    if not is_repository(dest):
        return None
    import datalad.api as dl

    with clone_lock(dest):
        results = dl.drop(
            path=[str((dest / path).absolute()) for path in paths],
            dataset=dl.Dataset(str(dest.absolute())),
            on_failure="ignore",
            result_renderer="disabled",
        )
    refused = [result for result in results if result["status"] not in ("ok", "notneeded")]
    return f"{dest}: content was kept ({reason(refused)})." if refused else None


def _path_inside(dest: Path, path: str) -> Path:
    """Return the path of a file on disk; refuse one outside the dataset or that does not exist."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise InputError(f"{path}: leads out of the dataset {dest}; name a file inside.")
    if not os.path.lexists(dest / path):
        raise InputError(f"{dest / path}: the dataset has no such file; correct dataset.subjects.")
    return dest / path


def _refuse_pointers(targets: Sequence[Path]) -> None:
    for target in targets:
        if is_annex_pointer(target):
            raise InputError(
                f"{target}: its content was never fetched (a git-annex pointer) and its folder is "
                "no repository; give the DataLad dataset itself as dataset.source."
            )


def _paths_without_content(dest: Path, targets: Sequence[Path]) -> list[Path]:
    """Return the paths whose content is missing, or does not match its key."""
    return [path for path in targets if is_annex_pointer(path) or not _verify(dest, path)]


def _download(dest: Path, targets: Sequence[Path], jobs: int) -> list[dict[str, Any]]:
    """Try once to download content; return the results that failed."""
    import datalad.api as dl

    results = dl.get(
        path=[str(target.absolute()) for target in targets],
        # With a string instead of a Dataset, paths would be relative to the working directory.
        dataset=dl.Dataset(str(dest.absolute())),
        jobs=jobs,
        on_failure="ignore",
        result_renderer="disabled",
    )
    return [result for result in results if result["status"] not in ("ok", "notneeded")]


def _verify(dest: Path, target: Path) -> bool:
    """Tell whether content has the size and checksum of its key; move it away if it does not.

    git-annex verifies each transfer, but does not notice later damage.
    """
    name = os.path.relpath(target, dest)
    try:
        key = ANNEX_KEY.fullmatch(git(dest, "annex", "lookupkey", name))
    except InputError:
        return True  # The file is in git itself.
    if key is None or _matches_key(target, key):
        return True
    log.warning("%s: is not what its key %s says; it is downloaded again.", target, key[0])
    # Moves bad content to .git/annex/bad and then exits with 1; the file itself stays as it was.
    with contextlib.suppress(InputError):
        git(dest, "annex", "fsck", "--quiet", "--", name)
    # Otherwise git may regard the damaged file, whose size and time it knows, as unchanged.
    target.unlink()
    git(dest, "checkout", "--quiet", "--", name)
    return not is_annex_pointer(target)


def _matches_key(path: Path, key: re.Match) -> bool:
    if key["size"] and path.stat().st_size != int(key["size"]):
        return False
    algorithm = key["backend"].removesuffix("E").lower()
    if algorithm not in hashlib.algorithms_available:
        return True
    with open(path, "rb") as stream:
        checksum = hashlib.file_digest(stream, algorithm).hexdigest()
    return checksum == key["hash"].split(".")[0]


def key_size(pointer: Path) -> int | None:
    """Return the size in bytes of the content of a pointer; None if its key does not state it."""
    key = ANNEX_KEY.fullmatch(_key_of_pointer(pointer))
    return int(key["size"]) if key and key["size"] else None


def _key_of_pointer(pointer: Path) -> str:
    """Return the git-annex key of a pointer: a symbolic link, or a file of an unlocked image."""
    content = os.fsencode(os.readlink(pointer)) if pointer.is_symlink() else pointer.read_bytes()
    return content.strip().splitlines()[0].rpartition(b"/")[2].decode(errors="replace")


def _unavailable_message(dest: Path, target: Path, failed: Sequence[dict[str, Any]]) -> str:
    """Compose the message for missing content: its key, the remotes that have it, what to do."""
    name = os.path.relpath(target, dest)
    with clone_lock(dest):
        holders = sorted(_holders(dest, name))
        location = f"known to be at {', '.join(holders)}" if holders else "no remote is known"
        key = f"key {_key_of_pointer(target)}, " if is_annex_pointer(target) else ""
        next_step = advice(dest, name, source_of(dest))
    return f"{target}: its content cannot be got ({reason(failed)}; {key}{location}); {next_step}."


def _holders(dest: Path, name: str) -> list[str]:
    """Return the descriptions of the remotes that are known to have a file."""
    try:
        whereis = json.loads(git(dest, "annex", "whereis", "--json", "--", name))
    except (InputError, ValueError):  # The command fails if no remote has the file.
        return []
    return [remote["description"] for remote in whereis["whereis"]]
