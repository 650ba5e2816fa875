"""The loss curve of a fit: means over stretches of steps, kept with the checkpoint."""

import json

import torch
from torch import Tensor

MAX_CURVE_POINTS = 100
"""Maximum number of points of a loss curve."""


class LossCurve:
    """Gathers the loss of every step without waiting for the device.

    Args:
        steps: number of steps of the whole fit.
    """

    def __init__(self, steps: int) -> None:
        self.every = -(-steps // MAX_CURVE_POINTS)
        self.last = steps
        self.steps: list[int] = []
        self.means: list[Tensor | float] = []
        self._sum: Tensor | float = 0.0
        self._count = 0

    def add(self, step: int, loss: Tensor) -> None:
        """Add the loss of a step, counted from 1; each `every` steps are one point of the curve."""
        self._sum = self._sum + loss
        self._count += 1
        if step % self.every == 0 or step == self.last:
            self.steps.append(step)
            self.means.append(self._sum / self._count)
            self._sum, self._count = 0.0, 0

    def curve(self) -> dict[str, list]:
        """The curve, ready for JSON: `steps` done and mean `loss` since the previous point.

        Waits for the device.
        """
        self.means = [float(f"{value:.5g}") for value in _numbers(self.means)]
        return {"steps": list(self.steps), "loss": list(self.means)}

    def text(self) -> str:
        """The curve and the sum of the point that is not complete yet, as JSON for a checkpoint."""
        return json.dumps(self.curve() | {"sum": float(self._sum), "count": self._count})

    def restore(self, text: str) -> None:
        """Continue the curve of a checkpoint; where that fails, nothing is changed.

        Raises:
            KeyError: a part of the curve is missing.
            TypeError: a part is of another type.
            ValueError: the text is not JSON, or not a curve.
        """
        stored = json.loads(text)
        steps = list(map(int, stored["steps"]))
        means: list[Tensor | float] = list(map(float, stored["loss"]))
        if len(steps) != len(means):
            raise ValueError("a curve has as many steps as losses")
        total, count = float(stored["sum"]), int(stored["count"])
        self.steps, self.means, self._sum, self._count = steps, means, total, count


def _numbers(means: list[Tensor | float]) -> list[float]:
    """The means as numbers, with one transfer from the device for all tensors."""
    on_device = [mean for mean in means if isinstance(mean, Tensor)]
    numbers = [mean for mean in means if not isinstance(mean, Tensor)]
    return numbers + (torch.stack(on_device).tolist() if on_device else [])
