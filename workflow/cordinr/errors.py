"""The one exception that reaches the person at the keyboard as a sentence, not a traceback."""

import errno
import reprlib
from typing import Any


class InputError(Exception):
    """What the user gave cannot be used; the message names it and says what to do."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the machine had too little memory, in whatever form a library says so.

    Readers that take any exception of another library for a damaged file let such ones pass first:
    the file is fine.
    """
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    # torch raises a plain RuntimeError on the CPU; its own class for the GPU is a subclass of that
    return isinstance(error, RuntimeError) and "allocate" in str(error) and "memory" in str(error)


def first_line(error: Exception) -> str:
    """What an exception of another library says, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def shorten(text: str, most: int = 1000) -> str:
    """A text for a message, its middle left out where it is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 2 :]}"


def brief(value: Any) -> str:
    """A value for a message, however deep or long it is."""
    return reprlib.repr(value).strip("'\"")
