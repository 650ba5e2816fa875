"""The coordinate network, and its file: safetensors with the whole configuration in the header."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..acquisition.domain import Field
from ..errors import InputError, first_line, is_out_of_memory
from ..files import atomic, check_file
from ..imaging.volume import Grid
from .encoding import FourierEncoding, PlainCoordinates
from .lattices import FeatureLattices, Lattice
from .settings import ActivationName, EncodingName

SIREN_OMEGA = 30.0
"""Frequency factor of a SIREN, Sitzmann et al., NeurIPS 2020, section 3.2."""

FORMATS = "cordinr-inr-"
FORMAT = f"{FORMATS}4"
"""Key of the header in the file's metadata."""

CONSTANTS = {"encoding.frequencies", "encoding.half_extent", "lattices.shift"}
"""Tensors of the file that are drawn or given, not learnt."""

TABLE = "lattices.table"
TABLE_TYPE = torch.float16
"""Of the lattice features in the file: half the size, an error far below the image's noise."""


@dataclass(frozen=True)
class Architecture:
    """What has to be known to build a network before its weights are loaded.

    Attributes:
        encoding: "fourier", "siren" (plain coordinates, sine layers) or "none" (plain coordinates).
        fourier_dim: number of Fourier frequencies; without effect on the other encodings.
        sigma: their standard deviation, cycles/mm.
        half_extent: of the field of view in mm, for the other encodings.
        width: of each hidden layer.
        depth: number of hidden layers.
        activation: of the hidden layers; a SIREN always uses "sine".
        dropout: probability, during the fit only.
        members: networks of an ensemble, evaluated together.
        channels: features per lattice point.
        lattices: of features beside the encoding; none for a plain coordinate network.
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
        """From what `dataclasses.asdict` and JSON made of one."""
        lattices = tuple(
            Lattice(tuple(stored["shape"]), tuple(map(tuple, stored["to_index"])))
            for stored in fields["lattices"]
        )
        return cls(**(fields | {"lattices": lattices}))

    @property
    def parameters(self) -> int:
        """Numbers to learn, all members together."""
        encoded = 2 * self.fourier_dim if self.encoding == "fourier" else 3
        inputs = encoded + len(self.lattices) * self.channels
        mlp = self.width * (inputs + 1 + (self.depth - 1) * (self.width + 1) + 1) + 1
        points = sum(math.prod(lattice.shape) for lattice in self.lattices)
        return self.members * (mlp + points * self.channels)


class CoordinateNetwork(nn.Module):
    """An MLP from positions in mm (relative to the field of view's centre) to intensity.

    Its first layer sees the encoded position and, where there are lattices, their features. All
    weights have the members of the ensemble as first axis; the members never meet.
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
            # The position begins without a say: random features would fill what no view measures.
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
        weights = self.encoding.shifted(self.from_position, offsets)
        if weights is None:
            samples = (xyz[:, None] + offsets).flatten(0, 1)
            return self.encoding(samples) @ self.from_position
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


@dataclass(frozen=True, eq=False)
class INR:
    """A fitted network with what is needed to use it.

    Attributes:
        network: positions relative to `centre` (mm) to intensity in units of `scale`.
        centre: (3,) world mm, middle of what the views show of their field.
        scale: intensity in the input's units that the network calls 1.
        provenance: JSON-serialisable record of the fit.
        metadata: JSON-serialisable; what the sidecars of its renderings say of the views.
    """

    network: CoordinateNetwork
    centre: tuple[float, float, float]
    scale: float
    provenance: dict[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def field(self) -> Field:
        """Where it was fitted; beyond, it knows nothing."""
        grid = self.provenance["grid"]
        common = Grid(tuple(grid["shape"]), np.array(grid["affine"]), grid["space"])
        limits = tuple(
            Grid(tuple(each["shape"]), np.array(each["affine"]))
            for each in self.provenance["limits"]
        )
        return Field(common, self.provenance["margin"], limits)


def save_inr(path: Path | str, inr: INR) -> None:
    """Write weights and configuration to one safetensors file, whole or not at all."""
    # One key only: safetensors writes several in random order.
    header = {
        "architecture": asdict(inr.network.architecture),
        "centre": inr.centre,
        "scale": inr.scale,
        "provenance": inr.provenance,
        "metadata": dict(inr.metadata),
    }
    tensors = {k: v.detach().cpu().contiguous() for k, v in inr.network.state_dict().items()}
    if inr.network.lattices:
        tensors[TABLE] = tensors[TABLE].to(TABLE_TYPE)
    with atomic(path) as partial:
        save_file(tensors, partial, metadata={FORMAT: json.dumps(header)})


def load_inr(path: Path | str) -> INR:
    """Read a model that `save_inr` wrote.

    Raises:
        InputError: the file is missing, is no safetensors file, was not written by cordinr, or its
            header and its weights do not belong together.
    """
    from .model_header import read_header

    check_file(path)
    try:
        # By its descriptor, as safetensors takes no path that is not UTF-8.
        with open(path, "rb") as file, safe_open(f"/dev/fd/{file.fileno()}", "pt") as stored:
            metadata = stored.metadata() or {}
            if FORMAT not in metadata:
                if any(key.startswith(FORMATS) for key in metadata):
                    raise InputError(f"{path}: is of another version of cordinr; fit it again.")
                raise InputError(
                    f"{path}: is not a cordinr model; give a file `cordinr fit` wrote."
                )
            header = read_header(metadata[FORMAT])
            architecture = Architecture.from_header(header["architecture"])
            _check_size(stored, architecture)
            network = CoordinateNetwork(architecture)
            tensors = {name: _finite(stored, name) for name in stored.keys()}  # noqa: SIM118
            expected = {name: tensor.shape for name, tensor in network.state_dict().items()}
            if {name: tensor.shape for name, tensor in tensors.items()} != expected:
                raise ValueError("its weights have other names or shapes than its header says")
            network.load_state_dict(tensors)
    except (SafetensorError, OSError, TypeError, ValueError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise
        raise InputError(
            f"{path}: is not a readable model ({first_line(error)}); fit it again."
        ) from error
    return INR(
        network.eval(),
        tuple(header["centre"]),
        header["scale"],
        header["provenance"],
        header["metadata"],
    )


def _check_size(stored: safe_open, architecture: Architecture) -> None:
    """Refuse, before anything is allocated, a header that speaks of another network."""
    shapes = {name: stored.get_slice(name).get_shape() for name in stored.keys()}  # noqa: SIM118
    held = sum(math.prod(shape) for name, shape in shapes.items() if name not in CONSTANTS)
    if held != architecture.parameters:
        raise ValueError(f"its header says {architecture.parameters} weights, it holds {held}")


def _finite(stored: safe_open, name: str) -> Tensor:
    tensor = stored.get_tensor(name)
    if tensor.dtype not in (torch.float32, TABLE_TYPE) or not tensor.isfinite().all():
        raise ValueError(f"its {name} is not of finite numbers")
    return tensor
