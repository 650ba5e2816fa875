"""The coordinate network: positions in mm to intensity."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .encoding import FourierEncoding, PlainCoordinates
from .lattices import FeatureLattices, Lattice
from .settings import ActivationName, EncodingName

SIREN_OMEGA = 30.0
"""Frequency factor of a SIREN, Sitzmann et al., NeurIPS 2020, section 3.2."""


@dataclass(frozen=True)
class Architecture:
    """The configuration of a network, without its weights.

    Attributes:
        encoding: "fourier", "siren" (plain coordinates, sine layers) or "none" (plain coordinates).
        fourier_dim: number of Fourier frequencies; unused by the other encodings.
        sigma: standard deviation of the Fourier frequencies, cycles/mm.
        half_extent: half of the longest extent of the domain in mm, for the other encodings.
        width: units of each hidden layer.
        depth: number of hidden layers.
        activation: of the hidden layers; a SIREN always uses "sine".
        dropout: probability, during the fit only.
        members: number of networks of an ensemble, which are evaluated together.
        channels: features per lattice point.
        lattices: feature lattices beside the encoding; empty for a plain coordinate network.
    """

    encoding: EncodingName
    fourier_dim: int
    sigma: float
    half_extent: float
    width: int
    depth: int
    activation: ActivationName
    dropout: float
    members: int = 1
    channels: int = 0
    lattices: tuple[Lattice, ...] = ()

    @classmethod
    def from_header(cls, fields: dict[str, Any]) -> "Architecture":
        """An architecture from the JSON that `dataclasses.asdict` made of one."""
        lattices = tuple(
            Lattice(tuple(stored["shape"]), tuple(map(tuple, stored["to_index"])))
            for stored in fields["lattices"]
        )
        return cls(**(fields | {"lattices": lattices}))

    @property
    def parameters(self) -> int:
        """Number of parameters to learn, all members together."""
        encoded = 2 * self.fourier_dim if self.encoding == "fourier" else 3
        inputs = encoded + len(self.lattices) * self.channels
        mlp = self.width * (inputs + 1 + (self.depth - 1) * (self.width + 1) + 1) + 1
        points = sum(math.prod(lattice.shape) for lattice in self.lattices)
        return self.members * (mlp + points * self.channels)


class CoordinateNetwork(nn.Module):
    """An MLP from positions in mm (relative to the field of view's centre) to intensity.

    Its first layer sees the encoded position and, where there are lattices, their features. All
    weights have the members of the ensemble as first axis; the members are independent.
    """

    def __init__(self, architecture: Architecture, seed: int = 0) -> None:
        super().__init__()
        self.architecture = a = architecture
        generator = torch.Generator().manual_seed(seed)
        self.encoding = (
            FourierEncoding(a.fourier_dim, a.sigma, a.members, generator)
            if a.encoding == "fourier"
            else PlainCoordinates(a.half_extent, a.members)
        )
        self.lattices = (
            FeatureLattices(a.lattices, a.channels, a.members, generator) if a.lattices else None
        )
        self.siren = a.encoding == "siren"
        self.activation = "sine" if self.siren else a.activation

        def matrix(rows: int, columns: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(a.members, rows, columns))

        self.from_position = matrix(self.encoding.features, a.width)
        self.from_lattices = matrix(self.lattices.features, a.width) if self.lattices else None
        self.hidden = nn.ParameterList(matrix(a.width, a.width) for _ in range(a.depth - 1))
        self.biases = nn.ParameterList(matrix(1, a.width) for _ in range(a.depth))
        self.last, self.last_bias = matrix(a.width, 1), matrix(1, 1)
        self._initialise(generator)

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator) -> None:
        first = self.from_position if self.from_lattices is None else self.from_lattices
        for k, weight in enumerate([first, *self.hidden]):
            n = weight.shape[1]
            if self.siren:
                # Sitzmann et al. 2020: U(-1/n, 1/n) first, U(-sqrt(6/n)/omega, ..) after that
                bound = 1 / n if k == 0 else math.sqrt(6 / n) / SIREN_OMEGA
            else:
                # He et al. 2015, equation 10: standard deviation sqrt(2/n), here uniform
                bound = math.sqrt(6 / n)
            weight.uniform_(-bound, bound, generator=generator)
            bias = 0.0 if self.lattices else 1 / math.sqrt(n)
            self.biases[k].uniform_(-bias, bias, generator=generator)
        if self.lattices:
            # Random Fourier features would fill with noise what no view measures.
            self.from_position.zero_()
        bound = math.sqrt((3 if self.lattices else 1) / self.last.shape[1])
        self.last.uniform_(-bound, bound, generator=generator)
        self.last_bias.zero_()

    def forward(self, xyz: Tensor) -> Tensor:
        """Intensity (members, n) at positions (n, 3) in mm."""
        return self._from_first_layer(self.encoding(xyz) @ self.from_position, xyz)

    def along_offsets(self, places: Sequence[tuple[Tensor, Tensor]]) -> list[Tensor]:
        """Intensity at the samples around each position, for several arrangements of samples.

        Args:
            places: pairs of positions (n, 3) and offsets from them to the samples (q, 3), in mm.

        Returns:
            (members, n, q) per pair.
        """
        samples = [(xyz[:, None] + offsets).flatten(0, 1) for xyz, offsets in places]
        first = torch.cat([self._first_layer(*place) for place in places], dim=1)
        intensity = self._from_first_layer(first, torch.cat(samples))
        parts = intensity.split([len(part) for part in samples], dim=1)
        return [
            part.unflatten(1, (len(xyz), len(offsets)))
            for part, (xyz, offsets) in zip(parts, places, strict=True)
        ]

    def _first_layer(self, xyz: Tensor, offsets: Tensor) -> Tensor:
        """The position's part of the first layer at all samples, (members, n * q, width)."""
        if not isinstance(self.encoding, FourierEncoding):
            samples = (xyz[:, None] + offsets).flatten(0, 1)
            return self.encoding(samples) @ self.from_position
        weights = self.encoding.rotate_weights(self.from_position, offsets)
        members, _, width = self.from_position.shape
        return (self.encoding(xyz) @ weights.flatten(2)).view(members, -1, width)

    def _from_first_layer(self, hidden: Tensor, xyz: Tensor) -> Tensor:
        """Intensity (members, n); `hidden` (members, n, width) is the position's part so far."""
        if self.lattices:
            hidden = hidden + self.lattices(xyz) @ self.from_lattices
        hidden = self._activate(hidden + self.biases[0])
        for weight, bias in zip(self.hidden, self.biases[1:], strict=True):
            hidden = self._activate(hidden @ weight + bias)
        # In float32 whatever the autocast: 8 bits of mantissa would show as steps in the image.
        with torch.autocast(hidden.device.type, enabled=False):
            return (hidden.float() @ self.last + self.last_bias).squeeze(-1)

    def _activate(self, x: Tensor) -> Tensor:
        if self.activation == "sine":
            x = torch.sin(SIREN_OMEGA * x) if self.siren else torch.sin(x)
        elif self.activation == "gelu":
            x = nn.functional.gelu(x)
        else:
            x = torch.relu(x)
        return nn.functional.dropout(x, self.architecture.dropout, self.training)
