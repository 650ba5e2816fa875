"""Coordinate encodings: what the network sees of a position in millimetres.

An encoding turns positions into features, and turns a *shift* of the position into a change of the
first layer's weights, so that the samples of a slice profile share one evaluation of the features.
"""

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
        phase = (2 * math.pi) * xyz @ self.frequencies.T
        return torch.cat([phase.sin(), phase.cos()], dim=-1)

    def shifted(self, layer: nn.Linear, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """The layer that, fed with features of x, answers as `layer` would at x + offset.

        By the angle addition theorems, sin(a + d) = sin a cos d + cos a sin d.

        Args:
            layer: first layer of the network, weight (width, 2 * fourier_dim).
            offsets: (q, 3) mm.

        Returns:
            Weights (q, width, 2 * fourier_dim) and biases (q, width).
        """
        turn = (2 * math.pi) * offsets @ self.frequencies.T
        cos, sin = turn.cos()[:, None], turn.sin()[:, None]
        on_sin, on_cos = layer.weight.chunk(2, dim=1)
        weight = torch.cat([on_sin * cos - on_cos * sin, on_sin * sin + on_cos * cos], dim=-1)
        return weight, layer.bias.expand(len(offsets), -1)


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

    def shifted(self, layer: nn.Linear, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """As `FourierEncoding.shifted`: a shift of the position adds to the bias."""
        bias = layer.bias + (offsets / self.half_extent) @ layer.weight.T
        return layer.weight.expand(len(offsets), -1, -1), bias
