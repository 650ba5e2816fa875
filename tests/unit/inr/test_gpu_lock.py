"""Where a job notes which GPU it has taken."""

import pytest

from cordinr.inr import gpu_lock
from cordinr.inr.gpu_lock import acquire_gpu


@pytest.fixture(autouse=True)
def _no_claims_of_our_own(monkeypatch):
    monkeypatch.setattr(gpu_lock, "_claims", {})


def test_where_no_claim_can_be_kept_the_first_device_is_taken(tmp_path, notes):
    (tmp_path / "claims").write_text("a file where the folder should be")
    assert acquire_gpu(["GPU-a", "GPU-b"], tmp_path / "claims") == 0
    assert "taking the first GPU" in notes()[0]
