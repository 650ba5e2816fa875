"""What a fit needs to go on after it was stopped: weights, optimiser states, step, loss curve.

A safetensors file beside the model, replaced as a whole, removed at the end. Never a pickle.
"""

import contextlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .adam import Adam
from .files import atomic
from .losses import Losses

INTERVAL = 30.0
"""Seconds between checkpoints."""


class Checkpoint:
    """Keeps the state of one fit on disk.

    Args:
        path: of the file, or None to keep nothing.
        network: whose parameters are stored.
        optimisers: whose states are stored.
        losses: whose curve is stored.
        identity: JSON-serialisable; a file of another identity is ignored.
    """

    def __init__(
        self,
        path: Path | None,
        network: torch.nn.Module,
        optimisers: Sequence[Adam],
        losses: Losses,
        identity: dict[str, Any],
    ) -> None:
        self.path, self.network, self.optimisers, self.losses = path, network, optimisers, losses
        self.identity = json.dumps(identity, sort_keys=True)
        self._last = time.perf_counter()

    def resume(self) -> tuple[int, float]:
        """Put a stored state back.

        Returns:
            Steps done and seconds spent; (0, 0.0) where there is no usable file.
        """
        if self.path is None or not self.path.is_file():
            return 0, 0.0
        with contextlib.suppress(SafetensorError, OSError, KeyError, ValueError, RuntimeError):
            with safe_open(self.path, framework="pt") as stored:
                header = stored.metadata() or {}
                if header.get("identity") != self.identity:
                    return 0, 0.0
                step, seconds = int(header["step"]), float(header["seconds"])
                losses = header["losses"]
                self._restore({name: stored.get_tensor(name) for name in stored.keys()})  # noqa: SIM118
                self.losses.restore(losses)
            return step, seconds
        return 0, 0.0

    def update(self, step: int, seconds: float) -> None:
        """Write the state if the last one is older than `INTERVAL`."""
        if time.perf_counter() - self._last >= INTERVAL:
            self.write(step, seconds)

    def write(self, step: int, seconds: float) -> None:
        """Write the state, where there is a file for it."""
        if self.path is None:
            return
        header = {
            "identity": self.identity,
            "step": str(step),
            "seconds": str(seconds),
            "losses": self.losses.text(),
        }
        with atomic(self.path) as partial:
            save_file(self._collect(), partial, metadata=header)
        self._last = time.perf_counter()

    def remove(self) -> None:
        """Delete the file, if there is one."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _collect(self) -> dict[str, Tensor]:
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        for number, optimiser in enumerate(self.optimisers):
            for parameter, state in optimiser.state_dict()["state"].items():
                for name, value in state.items():
                    tensors[f"optimiser.{number}.{parameter}.{name}"] = torch.as_tensor(value)
        return {k: v.detach().cpu().clone().contiguous() for k, v in tensors.items()}

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        states: list[dict[int, dict[str, Tensor]]] = [{} for _ in self.optimisers]
        weights = {}
        for key, value in tensors.items():
            kind, rest = key.split(".", 1)
            if kind == "network":
                weights[rest] = value
            else:
                number, parameter, name = rest.split(".")
                states[int(number)].setdefault(int(parameter), {})[name] = value
        self.network.load_state_dict(weights)
        for optimiser, state in zip(self.optimisers, states, strict=True):
            optimiser.load_state_dict({"state": state})
