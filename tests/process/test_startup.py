"""What a process does not load, as each job of the workflow is one."""

import subprocess
import sys

import pytest

from tests.helpers.support import ROOT

NUMERICS = {"torch", "pandas", "matplotlib", "skimage.metrics", "scipy.optimize", "bids", "datalad"}


@pytest.mark.parametrize(
    ("rooms", "unwanted"),
    [
        ("cli", NUMERICS | {"numpy", "pydantic"}),
        ("run.configuration", NUMERICS | {"scipy.ndimage"}),
        ("inr.estimates", NUMERICS),
        ("prior.estimates prior.folds prior.people", NUMERICS),
        (
            "classical.reconstruct bids.view_files bids.sidecars "
            "evaluation.metrics evaluation.table",
            NUMERICS,
        ),
        ("pages.subject", {"torch", "skimage.metrics", "scipy.optimize"}),
        ("cli.fitting", {"torch._dynamo", "pandas", "matplotlib", "scipy.optimize", "jsonschema"}),
    ],
)
def test_rooms_load_no_library_that_most_jobs_do_not_need(rooms, unwanted):
    names = ", ".join(f"cordinr.{room}" for room in rooms.split())
    code = f"import {names}, sys; print(*sys.modules)"
    words = [sys.executable, "-c", code]
    loaded = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    assert unwanted.isdisjoint(loaded), unwanted.intersection(loaded)


def test_a_fit_does_not_load_torchs_compiler():
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from cordinr.inr.fit import fit_inr
from cordinr.inr.settings import FitSettings
from tests.helpers.support import blobs, two_views
fit_inr(two_views(blobs((8, 8, 8), [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])), 8,
        FitSettings(max_steps=2))
sys.exit("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
