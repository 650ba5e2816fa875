"""Coordinate encodings: what the network sees of a position in millimetres."""

import math

import torch
from torch import Tensor, nn


class FourierEncoding(nn.Module):
    """Random Fourier features `[sin 2 pi B x, cos 2 pi B x]`.

    Tancik et al., "Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional
    Domains", NeurIPS 2020, equation 5, with B in cycles per millimetre.

    Args:
        fourier_dim: rows of B.
        sigma: standard deviation of the entries of B, cycles/mm.
        generator: source of B.
    """

    def __init__(self, fourier_dim: int, sigma: float, generator: torch.Generator) -> None:
        super().__init__()
        frequencies = torch.randn(fourier_dim, 3, generator=generator) * sigma
        self.register_buffer("frequencies", frequencies)
        self.features = 2 * fourier_dim

    def forward(self, xyz: Tensor) -> Tensor:
        """Features (n, 2 * fourier_dim) of positions (n, 3) in mm, float32."""
        # bfloat16 holds 30 mm to a quarter of a millimetre: no autocast for positions and phases.
        with torch.autocast(xyz.device.type, enabled=False):
            phase = (2 * math.pi) * xyz @ self.frequencies.T
        return torch.cat([phase.sin(), phase.cos()], dim=-1)


class PlainCoordinates(nn.Module):
    """Coordinates divided by the half extent of the field of view, so that they span [-1, 1].

    Args:
        half_extent: millimetres, one number, so that the space stays isotropic.
    """

    def __init__(self, half_extent: float) -> None:
        super().__init__()
        self.register_buffer("half_extent", torch.tensor(float(half_extent)))
        self.features = 3

    def forward(self, xyz: Tensor) -> Tensor:
        """Features (n, 3) of positions (n, 3) in mm."""
        return xyz / self.half_extent
