"""Files of git-annex whose content was never fetched: links to nothing, and small files of text."""

import os
from pathlib import Path

ANNEX_MARK = b"/annex/objects/"
"""What an unfetched git-annex file contains; `exists()` and `islink()` do not tell."""

POINTER_BYTES = 200
"""Number of bytes at the start of a pointer within which the mark stands."""


def is_annex_pointer(path: Path) -> bool:
    """Whether a file stands for git-annex content that was not fetched.

    False for a file that cannot be read; whoever reads it next reports why.
    """
    # os.path, as methods of Path raise where a name is too long or a folder is closed
    if os.path.islink(path) and not os.path.exists(path):
        return ANNEX_MARK in os.fsencode(os.readlink(path))
    if not os.path.isfile(path):
        return False  # reading from a pipe or device may never end
    try:
        with open(path, "rb") as stream:
            start = stream.read(POINTER_BYTES)
    except OSError:
        return False
    # A sidecar may name an annexed file, but begins as JSON does.
    return ANNEX_MARK in start and start.lstrip()[:1] not in (b"{", b"[")
