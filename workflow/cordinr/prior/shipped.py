"""The prior that comes with cordinr, and how priors are called: by the word `learned` or by a path.

`docs/prior.md` says from whom it learnt, what it is worth and what it has not seen.
"""

from pathlib import Path

from ..methods import LEARNED
from .prior_file import Prior, load_prior

SHIPPED_FILE = Path(__file__).with_name("shipped.safetensors")
"""The file of the prior that comes with cordinr."""


def shipped_prior() -> Prior:
    """Read the prior that comes with cordinr.

    Raises:
        InputError: its file is missing or damaged.
    """
    return load_prior(SHIPPED_FILE)


def find_prior(name: Path | str) -> Prior:
    """Read the prior that a word or a path names.

    Args:
        name: `learned` for the one that comes with cordinr, or the path of a file that `cordinr
            learn` wrote.

    Raises:
        InputError: the file is missing or is no prior.
    """
    return shipped_prior() if str(name) == LEARNED else load_prior(name)
