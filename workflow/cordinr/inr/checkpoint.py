"""What a fit needs to go on after it was stopped: weights, optimiser states, step, loss curve.

A safetensors file beside the model, replaced as a whole, removed at the end. Never a pickle.
"""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..errors import first_line, is_out_of_memory
from ..files import atomic
from .adam import Adam
from .loss_curve import LossCurve

log = logging.getLogger(__name__)

MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What Adam keeps of each parameter."""

INTERVAL_S = 30.0
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
        losses: LossCurve,
        identity: dict[str, Any],
    ) -> None:
        self.path, self.network, self.optimisers, self.losses = path, network, optimisers, losses
        self.identity = json.dumps(identity, sort_keys=True)
        self._last = time.perf_counter()

    def resume(self) -> tuple[int, float]:
        """Put a stored state back, all of it or nothing.

        Returns:
            Steps done and seconds spent; (0, 0.0) where there is no usable file.
        """
        if self.path is None or not self.path.is_file():
            return 0, 0.0
        try:
            with safe_open(self.path, framework="pt") as stored:
                header = stored.metadata() or {}
                if header.get("identity") != self.identity:
                    return 0, 0.0
                step, seconds = int(header["step"]), float(header["seconds"])
                tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
            weights, states = self._sorted(tensors)
            # The last that can fail, and it changes nothing then; what follows was checked.
            self.losses.restore(header["losses"])
        except (SafetensorError, OSError, LookupError, TypeError, ValueError) as error:
            if is_out_of_memory(error):
                raise
            log.warning("%s: is damaged; beginning anew (%s).", self.path, first_line(error))
            return 0, 0.0
        self.network.load_state_dict(weights)
        for optimiser, state in zip(self.optimisers, states, strict=True):
            optimiser.load_state_dict({"state": state})
        return step, seconds

    def update(self, step: int, seconds: float) -> None:
        """Write the state if the last one is older than `INTERVAL_S`."""
        if time.perf_counter() - self._last >= INTERVAL_S:
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

    def _sorted(
        self, tensors: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], list[dict[int, dict[str, Tensor]]]]:
        """The weights by name, and of each optimiser the states by the number of the parameter.

        Raises:
            LookupError, ValueError: they are not those of this network and its optimisers.
        """
        states: list[dict[int, dict[str, Tensor]]] = [{} for _ in self.optimisers]
        weights = {}
        for key, value in tensors.items():
            kind, rest = key.split(".", 1)
            if kind == "network":
                weights[rest] = value
            else:
                number, parameter, name = rest.split(".")
                states[int(number)].setdefault(int(parameter), {})[name] = value
        _check_shapes(weights, self.network.state_dict())
        for optimiser, state in zip(self.optimisers, states, strict=True):
            parameters = [each for group in optimiser.param_groups for each in group["params"]]
            for number, moments in state.items():
                like = torch.zeros(()), parameters[number]
                _check_shapes(moments, dict(zip(MOMENTS, (*like, like[1]), strict=True)))
        return weights, states


def _check_shapes(stored: dict[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    shapes = ({name: each.shape for name, each in some.items()} for some in (stored, expected))
    if len({str(sorted(each.items())) for each in shapes}) > 1:
        raise ValueError("its tensors have other names or shapes than the fit's")
