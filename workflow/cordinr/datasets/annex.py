"""The content of annexed files: how much is missing, getting it, checking it, dropping it."""

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
"""Seconds before the second and the third attempt to get content."""

ANNEX_KEY = re.compile(r"(?P<backend>[A-Z0-9_]+)(?:-s(?P<size>\d+))?[^/]*?--(?P<hash>[^/\s]+)")
"""A key of git-annex: https://git-annex.branchable.com/internals/key_format/"""


def missing_bytes(dest: Path, paths: Sequence[str]) -> int:
    """Bytes to download before all of these files are complete, as far as their keys state them."""
    waiting = [dest / path for path in paths if os.path.lexists(dest / path)]
    sizes = [key_size(path) for path in waiting if is_annex_pointer(path)]
    return sum(size or 0 for size in sizes)


def get_content(dest: Path, paths: Sequence[str], jobs: int = 4) -> list[Path]:
    """Make sure that files of the dataset are really there, and are what they should be.

    A failed download is tried again after a while (`RETRY_DELAYS_S`); git-annex resumes an
    interrupted transfer. Downloaded content has the size and checksum of its key.

    Args:
        dest: root of the clone, or the link to a plain folder.
        paths: of the files below it.
        jobs: files to get at a time.

    Returns:
        The paths on disk.

    Raises:
        InputError: the dataset has no such file, or no remote can give its content.
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
    """The text of a small file that a dataset may have, got first where git-annex has it.

    Args:
        dest: root of the dataset.
        name: of the file below it.
        kind: what it should be, for the message.

    Returns:
        The text; None where there is no such file, or it cannot be got, which a note says.

    Raises:
        InputError: the file is there and cannot be read.
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
    """Give the disk space of files back where a remote has them too.

    Returns:
        Why some of it was kept, or None.
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
    kept = [result for result in results if result["status"] not in ("ok", "notneeded")]
    return f"{dest}: content was kept ({reason(kept)})." if kept else None


def _path_inside(dest: Path, path: str) -> Path:
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
    """Those whose content is not there, or is not what its key says."""
    return [path for path in targets if is_annex_pointer(path) or not _verify(dest, path)]


def _download(dest: Path, targets: Sequence[Path], jobs: int) -> list[dict[str, Any]]:
    """One attempt; the results that were no success."""
    import datalad.api as dl

    results = dl.get(
        path=[str(target.absolute()) for target in targets],
        # With a string instead of a Dataset paths would be relative to the working directory.
        dataset=dl.Dataset(str(dest.absolute())),
        jobs=jobs,
        on_failure="ignore",
        result_renderer="disabled",
    )
    return [result for result in results if result["status"] not in ("ok", "notneeded")]


def _verify(dest: Path, target: Path) -> bool:
    """Whether content has the size and checksum of its key; if not, it is put aside.

    git-annex checks what it transfers, but not what went wrong since.
    """
    name = os.path.relpath(target, dest)
    try:
        key = ANNEX_KEY.fullmatch(git(dest, "annex", "lookupkey", name))
    except InputError:
        return True  # in git itself
    if key is None or _matches_key(target, key):
        return True
    log.warning("%s: is not what its key %s says; it is downloaded again.", target, key[0])
    # Moves bad content to .git/annex/bad and then exits with 1; the file itself stays as it was.
    with contextlib.suppress(InputError):
        git(dest, "annex", "fsck", "--quiet", "--", name)
    # Else git may take the damaged file, which has the size and time it knows, for unchanged.
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
        found = hashlib.file_digest(stream, algorithm).hexdigest()
    return found == key["hash"].split(".")[0]


def key_size(pointer: Path) -> int | None:
    """The bytes that a pointer stands for, where its key says so."""
    found = ANNEX_KEY.fullmatch(_key_of_pointer(pointer))
    return int(found["size"]) if found and found["size"] else None


def _key_of_pointer(pointer: Path) -> str:
    content = os.fsencode(os.readlink(pointer)) if pointer.is_symlink() else pointer.read_bytes()
    return content.strip().splitlines()[0].rpartition(b"/")[2].decode(errors="replace")


def _unavailable_message(dest: Path, target: Path, failed: Sequence[dict[str, Any]]) -> str:
    """The sentence that helps: which key, who has it, what to type."""
    name = os.path.relpath(target, dest)
    with clone_lock(dest):
        holders = sorted(_holders(dest, name))
        known = f"known to be at {', '.join(holders)}" if holders else "no remote is known"
        key = f"key {_key_of_pointer(target)}, " if is_annex_pointer(target) else ""
        todo = advice(dest, name, source_of(dest))
    return f"{target}: its content cannot be got ({reason(failed)}; {key}{known}); {todo}."


def _holders(dest: Path, name: str) -> list[str]:
    """The remotes that are known to have a file, by their descriptions."""
    try:
        answer = json.loads(git(dest, "annex", "whereis", "--json", "--", name))
    except (InputError, ValueError):  # it fails where no remote has it
        return []
    return [place["description"] for place in answer["whereis"]]
