"""What a fit takes in memory, against what it asks of a cluster."""

import subprocess
import sys

import pytest

from cordinr.inr.estimates import fit_memory_mb
from tests.helpers.support import save_noise_views

FIT = """
import sys
import cordinr.inr.checkpoint
from cordinr.bids.view_files import read_view
from cordinr.inr.fit import fit_inr
from cordinr.run.cost_meter import peak_memory_mb
from cordinr.inr.settings import FitSettings
from cordinr.prior.shipped import shipped_prior
from pathlib import Path
cordinr.inr.checkpoint.INTERVAL_S = 0.0
settings = FitSettings(members=int(sys.argv[1]), max_steps=3)
views = [read_view(path) for path in sys.argv[3:]]
prior = shipped_prior() if sys.argv[2] == "learned" else None
fit_inr(views, 32, settings, checkpoint=Path(sys.argv[3] + ".checkpoint"), prior=prior)
print(peak_memory_mb())
"""


@pytest.mark.parametrize(("members", "prior"), [(1, "tv"), (3, "tv"), (1, "learned")])
def test_a_fit_gets_along_with_what_it_asks_for(tmp_path, members, prior):
    paths = save_noise_views(tmp_path, 100)
    words = [sys.executable, "-c", FIT, str(members), prior, *map(str, paths)]
    taken = float(subprocess.run(words, capture_output=True, check=True, text=True).stdout)
    asked = fit_memory_mb(paths, {"members": members, "channels": 4, "tv_prior": 0.005}, prior)
    assert taken < asked < 3 * taken
