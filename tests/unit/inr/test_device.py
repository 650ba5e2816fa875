"""Which device a fit computes on."""

from types import SimpleNamespace

import pytest
import torch

from cordinr.errors import InputError
from cordinr.inr import device, gpu_lock
from cordinr.inr.device import choose_device, on_device_or_cpu


@pytest.fixture(autouse=True)
def _no_claims_of_our_own(monkeypatch):
    monkeypatch.setattr(gpu_lock, "_claims", {})


@pytest.fixture
def unusable_gpu(monkeypatch):
    """torch says that there are GPUs, and their first kernel fails, as on a card that is too old.

    Only what says so is replaced; torch's own build here has no CUDA at all.
    """
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.set_device", lambda number: None)
    monkeypatch.setattr(
        "torch.cuda.get_device_properties", lambda number: SimpleNamespace(uuid=f"GPU-{number}")
    )
    words = "CUDA error: no kernel image is available for execution on the device\nmore advice"

    def fail(where):
        raise RuntimeError(words)

    monkeypatch.setattr(device, "_try_kernels", fail)


def test_a_gpu_that_torch_cannot_use_is_left_alone_with_a_note(unusable_gpu, notes):
    assert choose_device("auto").type == "cpu"
    (note,) = (note for note in notes() if "GPUs are in use" not in note)
    assert "no kernel image" in note and "going on with the CPU" in note and "\n" not in note
    assert choose_device("cpu").type == "cpu"


def test_a_gpu_that_was_asked_for_and_cannot_be_used_is_one_sentence(unusable_gpu):
    with pytest.raises(
        InputError, match=r"cannot use the GPU \(CUDA error: no kernel image"
    ) as told:
        choose_device("cuda")
    assert "\n" not in str(told.value)


def test_of_two_gpus_the_one_that_works_is_taken(unusable_gpu, monkeypatch):
    def only_the_second(where):
        if where.index == 0:
            raise RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable")

    claimed = []
    monkeypatch.setattr(device, "_try_kernels", only_the_second)
    monkeypatch.setattr(device, "acquire_gpu", lambda devices: claimed.append(devices) or 0)
    assert str(choose_device("auto")) == "cuda:1"
    assert claimed == [["GPU-0", "GPU-1"], ["GPU-1"]]  # so that others see which is in use


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_a_build_without_cuda_that_says_there_is_a_gpu(monkeypatch, name, notes):
    """The real calls of this build, which raise an AssertionError."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    if name == "auto":
        assert choose_device(name).type == "cpu" and "going on with the CPU" in notes()[0]
    else:
        with pytest.raises(InputError, match="cannot use the GPU"):
            choose_device(name)


def test_what_does_not_fit_the_gpu_is_computed_on_the_cpu(notes):
    gpu, asked = torch.device("cuda"), []

    def compute(where):
        asked.append(where.type)
        if where == gpu:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return 7

    assert on_device_or_cpu(compute, gpu, "this image") == 7
    assert asked == ["cuda", "cpu"]
    assert any("this image is computed on the CPU" in note for note in notes())

    def fail(where):
        asked.append(where.type)
        raise RuntimeError("of another kind")

    with pytest.raises(RuntimeError, match="of another kind"):
        on_device_or_cpu(fail, gpu, "this image")
    assert asked == ["cuda", "cpu", "cuda"]
