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
        members: number of networks of an ensemble; each has its own B.
        generator: random numbers for B.
    """

    frequencies: Tensor

    def __init__(
        self, fourier_dim: int, sigma: float, members: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        frequencies = torch.randn(members, fourier_dim, 3, generator=generator) * sigma
        self.register_buffer("frequencies", frequencies)
        self.features = 2 * fourier_dim

    def forward(self, xyz: Tensor) -> Tensor:
        """Features (members, n, 2 * fourier_dim) of positions (n, 3) in mm, float32."""
        phase = self._phase(xyz)
        return torch.cat([phase.sin(), phase.cos()], dim=-1)

    def rotate_weights(self, weights: Tensor, offsets: Tensor) -> Tensor:
        """Weights that act on features of x as the given ones act on features of x + offset.

        By the addition theorems, sin(a + b) = sin a cos b + cos a sin b, and cos(a + b) likewise:
        rotating the few weights replaces encoding every sample of a slice profile.

        Args:
            weights: (members, 2 * fourier_dim, width).
            offsets: (q, 3) mm.

        Returns:
            (members, 2 * fourier_dim, q, width).
        """
        phase = self._phase(offsets).transpose(1, 2)[..., None]
        of_sine, of_cosine = weights[:, :, None].chunk(2, dim=1)
        sine, cosine = phase.sin(), phase.cos()
        rotated = cosine * of_sine - sine * of_cosine, sine * of_sine + cosine * of_cosine
        return torch.cat(rotated, dim=1)

    def _phase(self, xyz: Tensor) -> Tensor:
        # bfloat16 rounds 30 mm to a quarter of a millimetre: no autocast for positions and phases.
        with torch.autocast(xyz.device.type, enabled=False):
            return (2 * math.pi) * (xyz @ self.frequencies.transpose(1, 2))


class PlainCoordinates(nn.Module):
    """Coordinates divided by the half extent of the field of view, so that they span [-1, 1].

    Args:
        half_extent: millimetres, one number, so that the space stays isotropic.
        members: number of networks of an ensemble.
    """

    half_extent: Tensor

    def __init__(self, half_extent: float, members: int) -> None:
        super().__init__()
        self.register_buffer("half_extent", torch.tensor(float(half_extent)))
        self.features, self.members = 3, members

    def forward(self, xyz: Tensor) -> Tensor:
        """Features (members, n, 3) of positions (n, 3) in mm."""
        return (xyz / self.half_extent).expand(self.members, -1, -1)
