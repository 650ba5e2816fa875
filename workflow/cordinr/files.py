"""Checked reading of text and JSON, and writing of files that appear complete or not at all."""

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

MAX_TEXT_BYTES = 1 << 24
"""Maximum size in bytes of a JSON or YAML file; real files are about a thousand times smaller."""

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # The mark of UTF-32 begins with the mark of UTF-16, so it has to be compared first.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte-order marks at the start of a text, each with the encoding that it announces."""


@contextmanager
def atomic(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which is renamed to `path` if the block succeeds.

    Args:
        path: path of the file or folder to write.

    Yields:
        Path to write to, with the same name in a temporary folder.

    Raises:
        InputError: the folder or the file cannot be written.
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
        if partial.is_file():
            # safetensors keeps its files from everyone else, whatever the umask says.
            usual = folder / ".usual"
            usual.touch()
            partial.chmod(usual.stat().st_mode)
        os.replace(partial, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_file(path: Path | str) -> None:
    """Check that a path is a readable regular file: a pipe could block, a device may never end.

    Args:
        path: path of the file.

    Raises:
        InputError: the file does not exist, its content was never fetched, it is not a regular
            file, or it cannot be read.
    """
    if is_annex_pointer(Path(path)):
        raise InputError(
            f"{path}: its content was never fetched (a git-annex pointer); run `datalad get` on it."
        )
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError as error:
        problem = (
            "is a link to a file that does not exist" if os.path.lexists(path) else "no such file"
        )
        raise InputError(f"{path}: {problem}; check the path.") from error
    except (OSError, ValueError) as error:  # ValueError: null character in the path
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason}); check the path.") from error
    if stat.S_ISDIR(mode):
        raise InputError(f"{path}: is a folder; give a file.")
    if not stat.S_ISREG(mode):
        raise InputError(f"{path}: is a pipe, socket or device; copy its content to a file.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: cannot be read (no permission); change its permissions.")


def check_writable(*paths: Path, inputs: Sequence[Path] = ()) -> None:
    """Check before a long computation that its outputs can be written; nothing is created.

    Args:
        paths: paths of the outputs.
        inputs: paths of the inputs, which no output may replace.

    Raises:
        InputError: an output is a folder or one of the inputs, its name is too long, or its folder
            cannot be created or written.
    """
    for path in paths:
        if os.path.realpath(path) in map(os.path.realpath, inputs):
            raise InputError(f"{path}: would replace an input; choose another output.")
        if os.path.isdir(path):
            raise InputError(f"{path}: is a folder; choose another output.")
        # Path.exists raises an exception for a name that is too long; os.path.exists does not.
        parent = next(each for each in path.absolute().parents if os.path.exists(each))
        if not parent.is_dir():
            raise _unwritable(path, f"{parent} is not a folder")
        if not os.access(parent, os.W_OK | os.X_OK):
            raise _unwritable(path, f"no permission in {parent}")
        if len(os.fsencode(path.name)) > os.pathconf(parent, "PC_NAME_MAX"):
            raise InputError(f"{path}: is too long a name; choose another output.")


def _unwritable(path: Path, reason: object) -> InputError:
    """Build the error for an output whose folder cannot be written."""
    return InputError(f"{path}: its folder cannot be written ({reason}); choose another output.")


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text so that the file appears complete or not at all.

    Bytes of file names that are not UTF-8 are written as backslash escapes, which JSON can read.

    Args:
        path: path of the file.
        text: content of the file.

    Raises:
        InputError: the file cannot be written.
    """
    with atomic(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path | str, content: Mapping[str, Any]) -> None:
    """Write a JSON object so that the file appears complete or not at all.

    Args:
        path: path of the file.
        content: object to write; its keys keep their order.

    Raises:
        InputError: the file cannot be written.
    """
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_text(path: Path | str, kind: str) -> str:
    """Read a text file of moderate size.

    The text should be UTF-8. Other encodings that scanners, spreadsheets and Windows write are read
    with a warning: text with a byte-order mark (UTF-8, UTF-16 or UTF-32), and Latin-1 in the form
    of Windows code page 1252.

    Args:
        path: path of the file.
        kind: format that the file should have, for the message, such as JSON or YAML.

    Returns:
        The text, with every line ending converted to a newline.

    Raises:
        InputError: the file is missing, an unfetched annex pointer, larger than `MAX_TEXT_BYTES`,
            or truncated in the middle of a character.
    """
    check_file(path)
    size = os.path.getsize(path)
    if size > MAX_TEXT_BYTES:
        raise InputError(f"{path}: has {size} bytes, too many for {kind}; check the path.")
    try:
        return _decode(Path(path).read_bytes(), path)
    except (OSError, ValueError) as error:
        if is_out_of_memory(error):
            raise
        raise InputError(f"{path}: is not readable {kind} ({error}); repair the file.") from error


def _decode(content: bytes, path: Path | str) -> str:
    """Decode text and warn if it is not plain UTF-8."""
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
    """Decode code page 1252, or Latin-1 if a byte occurs that code page 1252 leaves undefined."""
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def read_json(path: Path | str) -> dict[str, Any]:
    """Read a JSON object; raw tabs and other control characters in its strings are accepted.

    Args:
        path: path of the file.

    Raises:
        InputError: the file is missing, is not JSON, or holds something other than an object.
    """
    # Text files of DOS can end in the character 0x1A, and in null bytes that fill the last block.
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
    """Parse JSON; warn if control characters in its strings had to be accepted."""
    try:
        return json.loads(text, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        if "control character" not in error.msg:
            raise
    content = json.loads(text, parse_int=_whole_number, strict=False)
    log.warning("%s: has raw control characters within its texts; read all the same.", path)
    return content


def _whole_number(digits: str) -> int | float:
    """Convert digits to an int, or to a float (possibly infinite) if 64 bits may be too few."""
    return int(digits) if len(digits) < 19 else float(digits)
