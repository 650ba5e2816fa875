"""The exception that the command reports as one sentence instead of a traceback, and its texts."""

import errno
import reprlib
from typing import Any


class InputError(Exception):
    """An input that cannot be used; the message names it and says how to correct it."""


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception means that the machine ran out of memory.

    Code that reports any exception of another library as a damaged file has to let these exceptions
    through first, because the file is not at fault.

    Args:
        error: exception raised by Python or by another library.
    """
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    # torch raises a plain RuntimeError on the CPU, and a subclass of RuntimeError on the GPU.
    return isinstance(error, RuntimeError) and "allocate" in str(error) and "memory" in str(error)


def first_line(error: Exception) -> str:
    """Return the first line of an exception's message, or its class name if it has no message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def shorten(text: str, most: int = 1000) -> str:
    """Shorten a text for a message by leaving out its middle.

    Args:
        text: text to show.
        most: length in characters up to which the text is returned unchanged.
    """
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 2 :]}"


def brief(value: Any) -> str:
    """Return a short text for a value in a message, however deeply nested or long the value is."""
    return reprlib.repr(value).strip("'\"")
