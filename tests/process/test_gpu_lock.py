"""Which GPU a job takes: real processes compete for devices that are only names."""

import os
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from cordinr.inr import device, gpu_lock
from cordinr.inr.device import choose_device
from cordinr.inr.gpu_lock import acquire_gpu

WORKFLOW = Path(gpu_lock.__file__).parents[2]


JOB = """
import sys
from pathlib import Path
from cordinr.inr.gpu_lock import acquire_gpu

folder, *devices = sys.argv[1:]
sys.stdin.readline()
print(devices[acquire_gpu(devices, Path(folder))], flush=True)
sys.stdin.readline()
"""


class Job:
    """A process that takes a device when told, and keeps it until told or killed."""

    def __init__(self, folder: Path, *devices: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", JOB, folder, *devices],
            env=os.environ | {"PYTHONPATH": str(WORKFLOW)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def say(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def device(self) -> str:
        return self.process.stdout.readline().strip()

    def take(self) -> str:
        self.say()
        return self.device()

    def __enter__(self) -> "Job":
        return self

    def __exit__(self, *failure: object) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def jobs(tmp_path):
    """Starts processes that compete in one folder, and ends them."""
    with ExitStack() as stack:
        yield lambda *devices: stack.enter_context(Job(tmp_path / "claims", *devices))


@pytest.fixture(autouse=True)
def _no_claims_of_our_own(monkeypatch):
    monkeypatch.setattr(gpu_lock, "_claims", {})


def test_jobs_that_begin_at_once_spread_over_all_devices(jobs):
    devices = ["GPU-a", "GPU-b", "GPU-c"]
    waiting = [jobs(*devices) for _ in range(6)]
    for job in waiting:
        job.say()
    assert Counter(job.device() for job in waiting) == dict.fromkeys(devices, 2)


def test_who_shares_is_told(jobs):
    first, second = jobs("GPU-a"), jobs("GPU-a")
    assert first.take() == second.take() == "GPU-a"
    second.say()
    assert "all of 1 GPUs are in use by 1 other processes" in second.process.stderr.read()
    first.say()
    assert first.process.stderr.read() == ""


def test_a_killed_job_frees_its_device_and_a_finished_one_too(jobs, tmp_path):
    devices = ["GPU-a", "GPU-b"]
    killed, finished = jobs(*devices), jobs(*devices)
    assert [killed.take(), finished.take()] == devices
    killed.process.kill()
    killed.process.wait()
    assert jobs(*devices).take() == "GPU-a"
    finished.say()
    finished.process.wait()
    assert jobs(*devices).take() == "GPU-b"
    assert len(list((tmp_path / "claims").glob("*.claim"))) == 2


def test_the_least_busy_device_is_shared(jobs):
    devices = ["GPU-a", "GPU-b"]
    crowd = [jobs(*devices) for _ in range(4)]
    assert [job.take() for job in crowd] == devices * 2
    for job in crowd[1::2]:
        job.process.kill()
        job.process.wait()
    assert [jobs(*devices).take() for _ in range(2)] == ["GPU-b", "GPU-b"]


def test_only_visible_devices_are_taken_by_whatever_number(jobs):
    """What CUDA_VISIBLE_DEVICES hides is not in the list; what it renumbers has its own name."""
    assert jobs("GPU-b").take() == "GPU-b"
    assert jobs("GPU-b", "GPU-a").take() == "GPU-a"
    assert jobs("GPU-a", "GPU-b", "GPU-c").take() == "GPU-c"


def test_a_process_that_asks_again_keeps_its_device(tmp_path, jobs):
    assert jobs("GPU-a", "GPU-b").take() == "GPU-a"
    assert [acquire_gpu(["GPU-a", "GPU-b"], tmp_path / "claims") for _ in range(3)] == [1, 1, 1]
    assert acquire_gpu(["GPU-b"], tmp_path / "claims") == 0


def test_torch_gets_the_number_of_the_free_device(tmp_path, jobs, monkeypatch):
    import torch

    properties = [SimpleNamespace(uuid=name) for name in ("GPU-a", "GPU-b")]
    chosen = []
    monkeypatch.setattr(gpu_lock.tempfile, "gettempdir", lambda: str(tmp_path))
    (tmp_path / "claims").symlink_to(tmp_path / f"cordinr-{os.getuid()}")
    (tmp_path / f"cordinr-{os.getuid()}").mkdir()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", properties.__getitem__)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(device, "_try_kernels", lambda where: None)
    assert jobs("GPU-a", "GPU-b").take() == "GPU-a"
    assert choose_device("cpu") == torch.device("cpu") and not chosen
    assert choose_device("auto") == choose_device("cuda") == torch.device("cuda", 1)
    assert chosen == [1, 1]
