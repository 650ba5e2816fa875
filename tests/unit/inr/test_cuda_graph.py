"""A step of a fit as a GPU repeats it: the same kernels on the same memory, again and again.

There need be no GPU: the operations of a step are noted as torch dispatches them, and replayed.
"""

import contextlib

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from cordinr.errors import InputError
from cordinr.inr.cuda_graph import WARMUP_CALLS
from cordinr.inr.training import Training
from tests.helpers.trainings import small_training

pytestmark = pytest.mark.slow

WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "_unique", "is_nonzero", "equal")
"""Operations whose result the processor has to wait for."""


class Tape(TorchDispatchMode):
    """Notes each operation with the tensors it read and wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = []
        self.ran = False

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        self.operations.append((function, *map(_memory, (args, kwargs or {}, result))))
        return result

    @torch.no_grad()
    def replay(self) -> None:
        """Run the operations again; what is new goes where the first results are.

        The first time they have just run: unlike a GPU, a tape works while it records.
        """
        if not self.ran:
            self.ran = True
            return
        for function, args, kwargs, before in self.operations:
            again = function(*args, **kwargs)
            pairs = zip(*map(tree_leaves, (before, again)), strict=True)
            for kept, new in pairs:
                if isinstance(kept, torch.Tensor) and kept.data_ptr() != new.data_ptr():
                    kept.copy_(new)


@pytest.fixture
def gpu(monkeypatch):
    """What torch.cuda does for a recording, with a tape in place of a graph."""
    monkeypatch.setattr("cordinr.inr.lattices.scatter_scipy", _scatter)
    monkeypatch.setattr("cordinr.inr.training.autocast", lambda device: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Tape)
    monkeypatch.setattr(torch.cuda, "graph", lambda tape: tape)
    monkeypatch.setattr(torch.cuda, "stream", contextlib.nullcontext)
    for name in ("Stream", "current_stream"):
        monkeypatch.setattr(torch.cuda, name, _Stream)


def _memory(tree):
    """The same tensors by themselves, without the history that they have for autograd."""
    return tree_map_only(torch.Tensor, torch.Tensor.detach, tree)


class _Stream:
    def wait_stream(self, other) -> None:
        """There is but one."""


def _scatter(*arguments):
    from cordinr.inr.lattices import scatter_torch

    return scatter_torch(*arguments)


def trained(volume, *, capturable: bool, steps: int = 8) -> tuple[Training, list[float]]:
    torch.manual_seed(0)
    training = small_training(volume, members=2)
    training.graphed.capturable = capturable
    if capturable:
        for group in training.optimiser.param_groups:
            group["lr"] = torch.tensor(group["lr"])
    return training, [float(training.step(step)) for step in range(steps)]


def test_a_recorded_step_does_what_a_called_one_does(smooth_volume, gpu):
    called, losses = trained(smooth_volume, capturable=False)
    recorded, again = trained(smooth_volume, capturable=True)
    assert recorded.graphed._graph is not None and len(set(losses)) == len(losses)
    assert again == pytest.approx(losses, rel=1e-3)
    for one, other in zip(called.network.parameters(), recorded.network.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-4)


def test_nothing_in_a_step_waits_for_the_gpu(smooth_volume, gpu):
    recorded, _ = trained(smooth_volume, capturable=True, steps=WARMUP_CALLS + 1)
    names = [str(function) for function, *_ in recorded.graphed._graph.operations]
    assert len(names) > 100
    assert not [name for name in names if any(word in name for word in WAITING)]


def test_what_cannot_be_recorded_is_called_as_ever(smooth_volume, gpu, monkeypatch, notes):
    @contextlib.contextmanager
    def refuse(tape):
        yield
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "graph", refuse)
    training = small_training(smooth_volume)
    training.graphed.capturable = True
    for step in range(WARMUP_CALLS + 2):
        training.step(step)
    assert not training.graphed.capturable
    assert any("without a CUDA graph (operation not permitted" in note for note in notes())


def test_out_of_memory_while_recording_halves_the_batch(smooth_volume, gpu, monkeypatch):
    @contextlib.contextmanager
    def full(tape):
        raise torch.OutOfMemoryError("CUDA out of memory")
        yield

    monkeypatch.setattr(torch.cuda, "graph", full)
    training = small_training(smooth_volume)
    training.graphed.capturable = True
    with pytest.raises(InputError, match="the GPU is out of memory with"):
        training.run(lambda progress: None, 1e9)
    assert training.graphed.capturable and training.parts > 2
