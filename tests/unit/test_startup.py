"""What a process does not load, as each job of the workflow is one."""

import subprocess
import sys

import pytest

NUMERICS = {"torch", "pandas", "matplotlib", "skimage.metrics", "scipy.optimize", "bids", "datalad"}


@pytest.mark.parametrize(
    ("rooms", "unwanted"),
    [
        ("cli", NUMERICS | {"numpy"}),
        ("needs", NUMERICS),
        ("baselines cli.views derivatives metrics table", NUMERICS),
        ("cli.showing", {"torch", "skimage.metrics", "scipy.optimize"}),
        ("cli.fitting", {"torch._dynamo", "pandas", "matplotlib", "scipy.optimize", "jsonschema"}),
    ],
)
def test_rooms_load_no_library_that_most_jobs_do_not_need(rooms, unwanted):
    names = ", ".join(f"cordinr.{room}" for room in rooms.split())
    code = f"import {names}, sys; print(*sys.modules)"
    words = [sys.executable, "-c", code]
    loaded = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    assert unwanted.isdisjoint(loaded), unwanted.intersection(loaded)
