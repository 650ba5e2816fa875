"""A computation on fixed tensors that a GPU is told once and then repeats by itself."""

import logging
from collections.abc import Callable

import torch
from torch import Tensor

log = logging.getLogger(__name__)

WARMUP_CALLS = 3
"""Ordinary calls before the recording: libraries set themselves up and optimisers their states."""


class CudaGraphed:
    """Calls a function; on a GPU it is recorded as a CUDA graph after `WARMUP_CALLS` calls.

    Launching hundreds of small kernels one by one takes Python longer than the GPU needs to run
    them; a graph is one launch. Where the GPU cannot record the function it is called as ever.

    Nguyen et al., "Accelerating PyTorch with CUDA Graphs", PyTorch blog, 2021.

    Args:
        function: reads and writes the same tensors at every call, and never waits for the GPU.
        device: where its tensors live; on a CPU it is merely called.
    """

    def __init__(self, function: Callable[[], Tensor], device: torch.device) -> None:
        self.function = function
        self.recordable = device.type == "cuda"
        self.forget()

    def forget(self) -> None:
        """Record anew, after a change of what the function does."""
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._result: Tensor | None = None

    def __call__(self) -> Tensor:
        """What the function returns; the tensor of a recording is overwritten by the next call."""
        if not self.recordable:
            return self.function()
        if self._graph is None and self._calls == WARMUP_CALLS:
            self._record()
        if self._graph is not None:
            self._graph.replay()
            return self._result
        self._calls += 1
        return self._aside()

    def _aside(self) -> Tensor:
        """Call the function on another stream, as has to be before a recording."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            result = self.function()
        torch.cuda.current_stream().wait_stream(stream)
        return result

    def _record(self) -> None:
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                self._result = self.function()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self.recordable = False
            log.warning("going on without a CUDA graph (%s).", error)
        else:
            self._graph = graph
