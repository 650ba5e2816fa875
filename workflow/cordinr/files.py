"""Files that appear whole or not at all."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import InputError


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


def check_writable(*paths: Path) -> None:
    """Refuse outputs that could not be written, before the work for them begins; makes nothing.

    Raises:
        InputError: the folder of an output cannot be made or written.
    """
    for path in paths:
        there = next(parent for parent in path.absolute().parents if parent.exists())
        if not there.is_dir():
            raise _unwritable(path, f"{there} is no folder")
        if not os.access(there, os.W_OK | os.X_OK):
            raise _unwritable(path, f"no permission in {there}")


def _unwritable(path: Path, reason: object) -> InputError:
    return InputError(f"{path}: its folder cannot be written ({reason}); choose another output.")


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with atomic(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path | str, content: Mapping[str, Any]) -> None:
    """Write JSON, whole or not at all, keys in the order given."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path | str) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InputError: the file is missing, is no JSON, or holds something else than an object.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; check the path.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is not readable JSON ({error}); repair the file.") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: is not a JSON object; repair the file.")
    return content
