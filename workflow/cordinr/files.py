"""Files that appear whole or not at all."""

import codecs
import json
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .annex_pointer import is_annex_pointer
from .errors import InputError, is_out_of_memory

log = logging.getLogger(__name__)

MAX_TEXT = 1 << 24
"""Maximum size of a JSON or YAML file in bytes; real ones have about a thousandth of it."""


BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # before that of UTF-16, with which it begins
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte-order marks at the start of a text, each with the encoding that it stands for."""


@contextmanager
def atomic(path: Path | str) -> Iterator[Path]:
    """A temporary name beside `path` to write to; it becomes `path` only if nothing fails.

    Raises:
        InputError: the folder cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".partial-", dir=path.parent))
    except OSError as error:
        raise _unwritable(path, error.strerror or error) from error
    partial = folder / path.name
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_file(path: Path | str) -> None:
    """Refuse to read anything but a regular file: a pipe would block, a device never end.

    Raises:
        InputError: there is no such file, its content was never fetched, or it cannot be read.
    """
    if is_annex_pointer(Path(path)):
        raise InputError(
            f"{path}: its content was never fetched (a git-annex pointer); run `datalad get` on it."
        )
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError as error:
        what = (
            "is a link to a file that does not exist" if os.path.lexists(path) else "no such file"
        )
        raise InputError(f"{path}: {what}; check the path.") from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason}); check the path.") from error
    if stat.S_ISDIR(mode):
        raise InputError(f"{path}: is a folder; give a file.")
    if not stat.S_ISREG(mode):
        raise InputError(f"{path}: is a pipe, socket or device; copy its content to a file.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: cannot be read (no permission); change its permissions.")


def check_writable(*paths: Path, inputs: Sequence[Path] = ()) -> None:
    """Refuse outputs that could not be written, before the work for them begins; makes nothing.

    Raises:
        InputError: an output is a folder or one of the inputs, or its own folder cannot be made or
            written.
    """
    for path in paths:
        if os.path.realpath(path) in map(os.path.realpath, inputs):
            raise InputError(f"{path}: would replace an input; choose another output.")
        if os.path.isdir(path):
            raise InputError(f"{path}: is a folder; choose another output.")
        # not Path.exists: it raises where a name is too long
        there = next(parent for parent in path.absolute().parents if os.path.exists(parent))
        if not there.is_dir():
            raise _unwritable(path, f"{there} is not a folder")
        if not os.access(there, os.W_OK | os.X_OK):
            raise _unwritable(path, f"no permission in {there}")
        if len(os.fsencode(path.name)) > os.pathconf(there, "PC_NAME_MAX"):
            raise InputError(f"{path}: is too long a name; choose another output.")


def _unwritable(path: Path, reason: object) -> InputError:
    return InputError(f"{path}: its folder cannot be written ({reason}); choose another output.")


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text, whole or not at all.

    Bytes of file names that are not UTF-8 are escaped, in the way that JSON reads back.
    """
    with atomic(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path | str, content: Mapping[str, Any]) -> None:
    """Write JSON, whole or not at all, keys in the order given."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_text(path: Path | str, kind: str) -> str:
    """Read text of a size that a person or this program writes.

    It should be UTF-8. What scanners, spreadsheets and Windows write as well is read with a note:
    a byte-order mark, UTF-16 or UTF-32 behind one, and Latin-1 (as Windows has it, code page 1252).
    Every kind of line end becomes a newline.

    Args:
        path: of the file.
        kind: what it should be, for the message: JSON, YAML.

    Raises:
        InputError: the file is missing, an unfetched annex pointer, larger than `MAX_TEXT`, or cut
            in the middle of a character.
    """
    check_file(path)
    size = os.path.getsize(path)
    if size > MAX_TEXT:
        raise InputError(f"{path}: has {size} bytes, too many for {kind}; check the path.")
    try:
        return _decode(Path(path).read_bytes(), path)
    except (OSError, ValueError) as error:
        if is_out_of_memory(error):
            raise
        raise InputError(f"{path}: is not readable {kind} ({error}); repair the file.") from error


def _decode(content: bytes, path: Path | str) -> str:
    """Text of whatever encoding, with a note where it is not plain UTF-8."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            log.warning("%s: begins with a byte-order mark; read as %s.", path, encoding)
            content = content.removeprefix(mark)
            break
    else:
        encoding = "utf-8"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise
        log.warning("%s: is not UTF-8; read as Latin-1.", path)
        text = _windows_1252(content)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _windows_1252(content: bytes) -> str:
    """Latin-1 as Windows has it, or as it is where one of the five bytes occurs that this lacks."""
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def read_json(path: Path | str) -> dict[str, Any]:
    """Read a JSON object; raw tabs and other control characters within strings are accepted.

    Raises:
        InputError: the file is missing, is not JSON, or holds something other than an object.
    """
    # without the end of a text file of DOS, and what is left of a block of it
    text = read_text(path, "JSON").rstrip("\0\x1a")
    try:
        content = _parse_json(text, path)
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else error
        raise InputError(f"{path}: is not readable JSON ({reason}); repair the file.") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: is not a JSON object; repair the file.")
    return content


def _parse_json(text: str, path: Path | str) -> Any:
    try:
        return json.loads(text, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        if "control character" not in error.msg:
            raise
    content = json.loads(text, parse_int=_whole_number, strict=False)
    log.warning("%s: has raw control characters within its texts; read all the same.", path)
    return content


def _whole_number(digits: str) -> int | float:
    """Numbers beyond 64 bits become floats, infinite if need be, as arithmetic expects them."""
    return int(digits) if len(digits) < 19 else float(digits)
