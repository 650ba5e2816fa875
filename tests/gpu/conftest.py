"""Tests on a real GPU; without one they are skipped, and with `CORDINR_REQUIRE=gpu` they fail."""

from collections.abc import Callable, Iterator

import pytest
import torch

from cordinr.inr.settings import FitSettings
from tests.helpers.requirements import skip_without

SMALLEST_GAP, LARGEST_GAP = 2**9, 2**26
"""Bytes of the parts in which what torch holds, and has not given to a tensor, is filled."""


@pytest.fixture(scope="session", autouse=True)
def gpu() -> torch.device:
    """The GPU that the tests compute on."""
    if not torch.cuda.is_available():
        skip_without("gpu", "torch sees no GPU on this machine")
    return torch.device("cuda", 0)


@pytest.fixture
def settings() -> FitSettings:
    """A network of every kind of part, and few steps."""
    return FitSettings(width=32, channels=2, batch=1024, passes=16)


@pytest.fixture
def full_precision(monkeypatch) -> None:
    """Fits multiply in float32 on every device, so that devices differ by rounding alone."""
    off = {"dtype": torch.bfloat16, "enabled": False}
    monkeypatch.setattr(
        "cordinr.inr.training.autocast", lambda device: torch.autocast(device.type, **off)
    )


@pytest.fixture
def memory_limit(gpu) -> Iterator[Callable[[int], None]]:
    """Let torch take this many bytes of the GPU, beyond what it holds now; with 0 not one more."""
    total = torch.cuda.get_device_properties(gpu).total_memory
    held: list[torch.Tensor] = []

    def limit(extra: int) -> None:
        torch.cuda.empty_cache()
        allowed = torch.cuda.memory_reserved(gpu) + extra
        torch.cuda.set_per_process_memory_fraction(allowed / total, gpu)
        size = 0 if extra else LARGEST_GAP
        while size >= SMALLEST_GAP:
            try:
                held.append(torch.empty(size, dtype=torch.uint8, device=gpu))
            except torch.OutOfMemoryError:
                size //= 2

    yield limit
    held.clear()
    torch.cuda.set_per_process_memory_fraction(1.0, gpu)
    torch.cuda.empty_cache()
