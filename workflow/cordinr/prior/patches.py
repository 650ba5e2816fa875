"""Patches that a prior learns from: drawn from examples at random, turned and mirrored."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .examples import Example
from .symmetries import SYMMETRIES

BUSY_PART = 0.8
"""Part of the patches that are drawn where total variation is wrong rather than anywhere."""


class PatchPool:
    """Examples on a device, from which patches are drawn, turned and mirrored.

    Args:
        examples: to draw from.
        batch: patches per step.
        edge: of a patch in voxels.
        seed: of what is drawn.
        device: that holds them.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        batch: int,
        edge: int,
        seed: int,
        device: torch.device,
    ) -> None:
        self.batch, self.seed = batch, seed
        self.examples = [
            tuple(
                torch.as_tensor(array, device=device)
                for array in (example.channels, example.target, example.counts)
            )
            for example in examples
        ]
        # Patches are cubes, as they are turned: of a flat example what lies beyond is empty.
        self.edge = edge
        self.places = [_busy_places(example, self.edge) for example in examples]

    def draw(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """The batch of a step: channels (n, CHANNELS, ...), targets (n, ...), and what counts."""
        rng = np.random.default_rng([self.seed, step])
        parts = [self._patch(rng) for _ in range(self.batch)]
        channels, target, counts = (torch.stack(each) for each in zip(*parts, strict=True))
        return channels.float(), target.float(), counts.float()

    def _patch(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        number = int(rng.integers(len(self.examples)))
        corners, chances = self.places[number]
        busy = rng.random() < BUSY_PART
        corner = corners[rng.choice(len(corners), p=chances if busy else None)]
        symmetry = SYMMETRIES[rng.integers(len(SYMMETRIES))]
        x, y, z = (slice(start, start + self.edge) for start in corner)
        channels, target, counts = (
            self._whole(each[..., x, y, z]) for each in self.examples[number]
        )
        return symmetry.turn_channels(channels), symmetry.turn(target), symmetry.turn(counts)

    def _whole(self, patch: Tensor) -> Tensor:
        missing = [self.edge - length for length in patch.shape[-3:]]
        if not any(missing):
            return patch
        x, y, z = missing
        return torch.nn.functional.pad(patch, (0, z, 0, y, 0, x))


def _busy_places(example: Example, edge: int) -> tuple[np.ndarray, np.ndarray]:
    """Corners of patches (n, 3), and how likely each is to be drawn: where total variation errs."""
    steps = [
        np.unique(
            np.linspace(0, max(0, length - edge), max(1, (length - edge) // 6 + 2)).astype(int)
        )
        for length in example.target.shape
    ]
    corners = np.stack(np.meshgrid(*steps, indexing="ij"), -1).reshape(-1, 3)
    wrong = np.square(example.target, dtype=np.float32) * example.counts
    sums = np.pad(wrong.astype(np.float64).cumsum(0).cumsum(1).cumsum(2), ((1, 0),) * 3)
    ends = np.minimum(corners + edge, example.target.shape)
    total = np.zeros(len(corners))
    for corner in np.ndindex(2, 2, 2):
        at = np.where(corner, ends, corners)
        total += (-1) ** (3 - sum(corner)) * sums[tuple(at.T)]
    # The root, so that quieter places are not left out.
    total = np.sqrt(np.maximum(total, 0)) + 1e-9
    return corners, total / total.sum()
