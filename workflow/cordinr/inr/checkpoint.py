"""Checkpoints of a fit: weights, optimiser state, step and loss curve, to resume from.

A checkpoint is a safetensors file beside the model, which is replaced as a whole and removed at the
end of the fit. It is never a pickle, which could run code.
"""

import json
import logging
import time
from collections.abc import Mapping
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
"""Names of the tensors that Adam keeps for each parameter."""

INTERVAL_S = 30.0
"""Seconds between checkpoints."""


class Checkpoint:
    """Keeps the state of one fit on disk.

    Args:
        path: of the file, or None to keep nothing.
        network: whose parameters are stored.
        optimiser: whose state is stored.
        losses: whose curve is stored.
        identity: JSON-serialisable; a file of another identity is ignored.
    """

    def __init__(
        self,
        path: Path | None,
        network: torch.nn.Module,
        optimiser: Adam,
        losses: LossCurve,
        identity: dict[str, Any],
    ) -> None:
        self.path, self.network, self.optimiser, self.losses = path, network, optimiser, losses
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
            weights, state = self._sorted(tensors)
            # The last call that can fail, and then it changes nothing; the rest was checked.
            self.losses.restore(header["losses"])
        except (SafetensorError, OSError, LookupError, TypeError, ValueError) as error:
            if is_out_of_memory(error):
                raise
            log.warning("%s: is damaged; beginning anew (%s).", self.path, first_line(error))
            return 0, 0.0
        self.network.load_state_dict(weights)
        self.optimiser.load_state_dict({"state": state})
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
        for number, moments in self.optimiser.state_dict()["state"].items():
            for name, value in moments.items():
                tensors[f"optimiser.{number}.{name}"] = torch.as_tensor(value)
        return {k: v.detach().cpu().contiguous() for k, v in tensors.items()}

    def _sorted(
        self, tensors: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[int, dict[str, Tensor]]]:
        """The weights by name, and the moments of the optimiser by the number of the parameter.

        Raises:
            LookupError: a tensor belongs to no parameter.
            ValueError: the tensors are not those of this network and its optimiser.
        """
        state: dict[int, dict[str, Tensor]] = {}
        weights = {}
        for key, value in tensors.items():
            kind, rest = key.split(".", 1)
            if kind == "network":
                weights[rest] = value
            else:
                number, name = rest.split(".")
                state.setdefault(int(number), {})[name] = value
        _check_shapes(weights, self.network.state_dict())
        parameters = [each for group in self.optimiser.param_groups for each in group["params"]]
        for index, moments in state.items():
            expected = torch.zeros(()), parameters[index], parameters[index]
            _check_shapes(moments, dict(zip(MOMENTS, expected, strict=True)))
        return weights, state


def _check_shapes(stored: dict[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    shapes = ({name: each.shape for name, each in some.items()} for some in (stored, expected))
    if len({str(sorted(each.items())) for each in shapes}) > 1:
        raise ValueError("its tensors have other names or shapes than the fit's")
