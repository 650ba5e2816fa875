"""How the loss fell during a fit: means over stretches of steps, kept with the checkpoint."""

import json

import torch
from torch import Tensor

MAX_CURVE_POINTS = 100
"""Of a curve at most."""


class LossCurve:
    """Gathers the loss of every step without waiting for the device.

    Args:
        steps: of the whole fit.
    """

    def __init__(self, steps: int) -> None:
        self.every = -(-steps // MAX_CURVE_POINTS)
        self.last = steps
        self.steps: list[int] = []
        self.means: list[Tensor | float] = []
        self._sum: Tensor | float = 0.0
        self._count = 0

    def add(self, step: int, loss: Tensor) -> None:
        """The loss of a step, counted from 1; every `every` steps and at the end it is a point."""
        self._sum = self._sum + loss
        self._count += 1
        if step % self.every == 0 or step == self.last:
            self.steps.append(step)
            self.means.append(self._sum / self._count)
            self._sum, self._count = 0.0, 0

    def curve(self) -> dict[str, list]:
        """JSON-serialisable: `steps` done, and the mean `loss` since the point before; waits."""
        self.means = [float(f"{value:.5g}") for value in _numbers(self.means)]
        return {"steps": list(self.steps), "loss": list(self.means)}

    def text(self) -> str:
        """For the checkpoint."""
        return json.dumps(self.curve() | {"sum": float(self._sum), "count": self._count})

    def restore(self, text: str) -> None:
        """Go on with the curve of a checkpoint; where that fails, everything is as before.

        Raises:
            KeyError, TypeError, ValueError: the text is no such curve.
        """
        kept = json.loads(text)
        steps, means = list(map(int, kept["steps"])), list(map(float, kept["loss"]))
        if len(steps) != len(means):
            raise ValueError("a curve has as many steps as losses")
        total, count = float(kept["sum"]), int(kept["count"])
        self.steps, self.means, self._sum, self._count = steps, means, total, count


def _numbers(means: list[Tensor | float]) -> list[float]:
    """With one transfer for all tensors."""
    waiting = [mean for mean in means if isinstance(mean, Tensor)]
    known = [mean for mean in means if not isinstance(mean, Tensor)]
    return known + (torch.stack(waiting).tolist() if waiting else [])
