"""The network of the prior: a small 3D U-Net of residual blocks.

What two thick views leave open is local and fine, so that most channels are at full resolution;
what it has to be guessed from is wider, which coarser levels see at an eighth of the cost each.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

BLOCK_SCALE = 0.3
"""Factor on what a residual block adds. Unscaled blocks diverge: Szegedy et al., "Inception-v4,
Inception-ResNet and the impact of residual connections on learning", AAAI 2017, section 3.3."""

LAST_SCALE = 0.003
"""Factor on the first weights of the last layer, so that learning begins at total variation."""

FIRST_LOG_VARIANCE = -1.0
"""Logarithm of the error's variance at which learning begins, in units of the spread squared."""

LOG_VARIANCE_LIMITS = (-12.0, 6.0)
"""Bounds of the logarithm of the variance, in units of the spread squared."""

LAYOUT = torch.channels_last_3d
"""Order of the axes in memory in which convolutions are quickest; on a CPU three fifths of the time
of the usual one."""

MAX_WIDTH, MAX_LEVELS, MAX_BLOCKS = 256, 5, 8
"""Bounds of an architecture, beyond which a file is taken for damaged."""


@dataclass(frozen=True)
class PriorArchitecture:
    """The shape of the network.

    Attributes:
        channels: of the input.
        widths: channels at each level, from full resolution on; each level halves it.
        blocks: residual blocks at each level, on the way down and again on the way up; the coarsest
            level has them once.
    """

    channels: int
    widths: tuple[int, ...] = (24, 40, 48)
    blocks: tuple[int, ...] = (1, 1, 1)

    @classmethod
    def from_header(cls, fields: Mapping[str, Any]) -> "PriorArchitecture":
        """Read it from JSON.

        Raises:
            ValueError: it is not the architecture of a prior.
        """
        try:
            widths, blocks = tuple(map(int, fields["widths"])), tuple(map(int, fields["blocks"]))
            channels = int(fields["channels"])
        except (LookupError, TypeError, ValueError) as error:
            raise ValueError("its header holds no architecture") from error
        bounds = [(channels, MAX_WIDTH), *((width, MAX_WIDTH) for width in widths)]
        bounds += [(len(widths), MAX_LEVELS), *((count, MAX_BLOCKS) for count in blocks)]
        if len(widths) != len(blocks) or not all(1 <= number <= most for number, most in bounds):
            raise ValueError("its header holds an architecture that cannot be")
        return cls(channels, widths, blocks)

    @property
    def multiple(self) -> int:
        """What the voxels along every axis of an input have to be a multiple of."""
        return int(2 ** (len(self.widths) - 1))

    @property
    def reach(self) -> int:
        """How many voxels away an input may change an output, rounded up to `multiple`."""
        reach = 2.0  # the first layer and the last
        for level, count in enumerate(self.blocks):
            ways = 1 if level == len(self.blocks) - 1 else 2
            # Each block is of two layers, and a layer of level n sees voxels 2^n apart.
            reach += 2 * count * ways * 2**level
        reach += self.multiple - 1  # the place of a voxel within those of the coarsest level
        return int(-(-reach // self.multiple) * self.multiple)


class _Block(nn.Module):
    """x + BLOCK_SCALE * convolution(silu(convolution(silu(x))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv3d(width, width, 3, padding=1)
        self.second = nn.Conv3d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.add(x, self.second(silu(self.first(silu(x)))), alpha=BLOCK_SCALE)


class PriorNetwork(nn.Module):
    """From the channels of `features` to the mean and the variance of what is to be added to TV.

    He et al., "Deep residual learning for image recognition", CVPR 2016, within the levels of
    Ronneberger et al., "U-Net", MICCAI 2015; levels are halved by convolutions of 2 x 2 x 2, which
    a mirrored input passes mirrored.

    Args:
        architecture: its shape.
    """

    def __init__(self, architecture: PriorArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        widths, blocks = architecture.widths, architecture.blocks
        finer, coarser = widths[:-1], widths[1:]
        pairs = list(zip(finer, coarser, strict=True))
        self.stem = nn.Conv3d(architecture.channels, widths[0], 3, padding=1)
        self.descent = nn.ModuleList(_blocks(*each) for each in zip(widths, blocks, strict=True))
        self.down = nn.ModuleList(nn.Conv3d(fine, coarse, 2, stride=2) for fine, coarse in pairs)
        self.up = nn.ModuleList(
            nn.ConvTranspose3d(coarse, fine, 2, stride=2) for fine, coarse in pairs
        )
        self.ascent = nn.ModuleList(_blocks(*each) for each in zip(finer, blocks[:-1], strict=True))
        self.last = nn.Conv3d(widths[0], 2, 3, padding=1)
        with torch.no_grad():
            self.last.weight.mul_(LAST_SCALE)
            self.last.bias.copy_(torch.tensor([0.0, FIRST_LOG_VARIANCE]))  # type: ignore[union-attr]

    @property
    def digest(self) -> str:
        """A checksum of the weights."""
        digest = hashlib.sha256()
        for tensor in self.state_dict().values():
            digest.update(tensor.contiguous().cpu().numpy().tobytes())
        return digest.hexdigest()

    def forward(self, channels: Tensor) -> tuple[Tensor, Tensor]:
        """Correct total variation.

        Args:
            channels: (n, channels, x, y, z), each axis a multiple of `multiple`.

        Returns:
            What is to be added to total variation, and the logarithm of the variance of the error
            that stays, in units of the spread and of its square; (n, x, y, z) each.
        """
        x = self.stem(channels)
        passed = []
        for level, blocks in enumerate(self.descent):
            x = blocks(x)
            if level < len(self.down):
                passed.append(x)
                x = self.down[level](x)
        for level in reversed(range(len(self.up))):
            x = self.ascent[level](passed[level] + self.up[level](x))
        correction, log_variance = self.last(silu(x)).float().unbind(1)
        return correction, log_variance.clamp(*LOG_VARIANCE_LIMITS)


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(_Block(width) for _ in range(count)))
