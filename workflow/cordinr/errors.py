"""The one exception that reaches the person at the keyboard as a sentence, not a traceback."""


class InputError(Exception):
    """What the user gave cannot be used; the message names it and says what to do."""
