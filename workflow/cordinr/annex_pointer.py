"""Pointers of git-annex: broken links or short text files in place of content not yet fetched."""

import os
from pathlib import Path

ANNEX_MARK = b"/annex/objects/"
"""Part of the path that every git-annex pointer contains, as a link target or as text."""

POINTER_BYTES = 200
"""Number of bytes at the start of a file in which the mark is searched for."""


def is_annex_pointer(path: Path) -> bool:
    """Tell whether a file is a pointer to git-annex content that was never fetched.

    Args:
        path: path of the file.

    Returns:
        Whether it is a pointer; False for a file that cannot be read, as the code that reads it
        next reports the reason.
    """
    # The functions of os.path return False for a name that is too long or a folder without
    # permission, where the methods of Path raise an exception.
    if os.path.islink(path) and not os.path.exists(path):
        return ANNEX_MARK in os.fsencode(os.readlink(path))
    if not os.path.isfile(path):
        return False  # Reading from a pipe or a device may never end.
    try:
        with open(path, "rb") as stream:
            start = stream.read(POINTER_BYTES)
    except OSError:
        return False
    # A JSON sidecar may contain the path of an annexed file without being a pointer.
    return ANNEX_MARK in start and start.lstrip()[:1] not in (b"{", b"[")
