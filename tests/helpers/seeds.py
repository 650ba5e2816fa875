"""The seed of all that is random in the tests."""

import os

SEED = int(os.environ.get("CORDINR_TEST_SEED", "0"))
"""Seed of every random choice of the tests, the same in every run unless the environment says so.

pytest prints it at the top, so that a failure can be repeated.
"""
