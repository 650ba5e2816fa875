"""CUDA graph capture of a training step.

A step launches hundreds of small kernels; a graph launches them all at once.
"""

import logging
from collections.abc import Callable

import torch
from torch import Tensor

log = logging.getLogger(__name__)

WARMUP_CALLS = 3
"""Number of ordinary calls before the capture, in which libraries and optimisers are set up."""


class CudaGraphed:
    """Calls a function; on a GPU it is captured as a CUDA graph after `WARMUP_CALLS` calls.

    Launching hundreds of small kernels one by one takes Python longer than the GPU needs to run
    them; a graph is one launch. Where the GPU cannot capture the function it is called as usual.

    Nguyen et al., "Accelerating PyTorch with CUDA Graphs", PyTorch blog, 2021.

    Args:
        function: reads and writes the same tensors at every call, and never waits for the GPU.
        device: of its tensors; on a CPU the function is merely called.
    """

    def __init__(self, function: Callable[[], Tensor], device: torch.device) -> None:
        self.function = function
        self.capturable = device.type == "cuda"
        self.forget()

    def forget(self) -> None:
        """Capture the function again, after a change of what it does."""
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._result: Tensor | None = None

    def __call__(self) -> Tensor:
        """Call the function; the tensor that a graph returns is overwritten by the next call."""
        if not self.capturable:
            return self.function()
        if self._graph is None and self._calls == WARMUP_CALLS:
            self._capture()
        if self._graph is not None and self._result is not None:
            self._graph.replay()
            return self._result
        self._calls += 1
        return self._call_on_side_stream()

    def _call_on_side_stream(self) -> Tensor:
        """Call the function on another stream, as CUDA demands before a capture."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            result = self.function()
        torch.cuda.current_stream().wait_stream(stream)
        return result

    def _capture(self) -> None:
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                self._result = self.function()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self.capturable = False
            log.warning("going on without a CUDA graph (%s).", error)
        else:
            self._graph = graph
