"""Tools that not every machine has, and whose tests are skipped there unless they are required."""

import os
from typing import NoReturn

import pytest

REQUIRED = os.environ.get("CORDINR_REQUIRE", "").split(",")
"""Names of the tools whose absence is a failure, separated by commas, as in `slurm,browser`."""


def skip_without(tool: str, reason: str) -> NoReturn:
    """Skip the test that needs an absent tool, or fail it where the tool is required.

    Args:
        tool: name of the tool in `CORDINR_REQUIRE`.
        reason: what is missing and how to get it.
    """
    if tool in REQUIRED:
        pytest.fail(f"{reason}, and CORDINR_REQUIRE names {tool}", pytrace=False)
    pytest.skip(reason)
