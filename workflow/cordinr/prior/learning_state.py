"""What a learning run writes to go on after a stop: weights, moments and step, as safetensors."""

import json
import logging
import time
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..errors import first_line, is_out_of_memory
from ..files import atomic

log = logging.getLogger(__name__)

INTERVAL_S = 30.0
"""Seconds between two states on disk."""

MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""Names of the tensors that Adam keeps for each parameter."""


class LearningState:
    """Keeps the state of one learning run on disk.

    Args:
        path: of the file, or None to keep nothing.
        network: whose parameters are stored.
        optimiser: whose moments are stored.
        identity: JSON-serialisable; the state of another run is ignored.
    """

    def __init__(
        self,
        path: Path | None,
        network: torch.nn.Module,
        optimiser: torch.optim.Adam,
        identity: dict[str, Any],
    ) -> None:
        self.path, self.network, self.optimiser = path, network, optimiser
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
                header = json.loads((stored.metadata() or {})["state"])
                if header["identity"] != self.identity:
                    log.warning("%s: is of another run; beginning anew.", self.path)
                    return 0, 0.0
                tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
            moments = self._moments(tensors)
            step, seconds = int(header["step"]), float(header["seconds"])
            weights = self.network.state_dict()
            if any(
                tensors[f"network.{name}"].shape != each.shape for name, each in weights.items()
            ):
                raise ValueError("its weights are of another network")
        except (SafetensorError, OSError, LookupError, TypeError, ValueError) as error:
            if is_out_of_memory(error):
                raise
            log.warning("%s: is damaged; beginning anew (%s).", self.path, first_line(error))
            return 0, 0.0
        self.network.load_state_dict({name: tensors[f"network.{name}"] for name in weights})
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": moments, "param_groups": groups})
        return step, seconds

    @property
    def is_due(self) -> bool:
        """Whether the last state is older than `INTERVAL_S`."""
        return time.perf_counter() - self._last >= INTERVAL_S

    def write(self, step: int, seconds: float) -> None:
        """Write the state, where there is a file for it."""
        if self.path is None:
            return
        header = {"identity": self.identity, "step": step, "seconds": seconds}
        tensors = {f"network.{name}": each for name, each in self.network.state_dict().items()}
        for number, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{name}": moments[name] for name in MOMENTS}
        stored = {name: each.detach().cpu().contiguous() for name, each in tensors.items()}
        with atomic(self.path) as partial:
            save_file(stored, partial, metadata={"state": json.dumps(header)})
        self._last = time.perf_counter()

    def remove(self) -> None:
        """Delete the file, if there is one."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _moments(self, tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
        """Adam's moments by the number of the parameter.

        Raises:
            LookupError, ValueError: they are not there, or of another shape.
        """
        moments = {}
        for number, parameter in enumerate(self.network.parameters()):
            own = {name: tensors[f"optimiser.{number}.{name}"] for name in MOMENTS}
            if any(own[name].shape != parameter.shape for name in MOMENTS[1:]):
                raise ValueError("its moments are of another network")
            moments[number] = own
        return moments
