"""The one exception that reaches the person at the keyboard as a sentence, not a traceback."""

import reprlib
from typing import Any


class InputError(Exception):
    """What the user gave cannot be used; the message names it and says what to do."""


def shorten(text: str, most: int = 1000) -> str:
    """A text for a message, its middle left out where it is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 2 :]}"


def brief(value: Any) -> str:
    """A value for a message, however deep or long it is."""
    return reprlib.repr(value).strip("'\"")
