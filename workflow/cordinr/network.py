"""The coordinate network, and its file: safetensors with the whole configuration in the header."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from .encoding import FourierEncoding, PlainCoordinates
from .errors import InputError
from .files import atomic
from .settings import ActivationName, EncodingName

SIREN_OMEGA = 30.0
"""Frequency factor of a SIREN, Sitzmann et al., NeurIPS 2020, section 3.2."""

FORMAT = "cordinr-inr-1"
"""Key of the header in the file's metadata."""


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
    """

    encoding: EncodingName
    fourier_dim: int
    sigma: float
    half_extent: float
    width: int
    depth: int
    activation: ActivationName
    dropout: float


class CoordinateNetwork(nn.Module):
    """An MLP from positions in mm (relative to the field of view's centre) to intensity."""

    def __init__(self, architecture: Architecture, seed: int = 0) -> None:
        super().__init__()
        self.architecture = architecture
        generator = torch.Generator().manual_seed(seed)
        a = architecture
        self.encoding = (
            FourierEncoding(a.fourier_dim, a.sigma, generator)
            if a.encoding == "fourier"
            else PlainCoordinates(a.half_extent)
        )
        fan_in = [self.encoding.features] + [a.width] * (a.depth - 1)
        self.hidden = nn.ModuleList(nn.Linear(n, a.width) for n in fan_in)
        self.last = nn.Linear(a.width, 1)
        self.siren = a.encoding == "siren"
        self.activation = "sine" if self.siren else a.activation
        self._initialise(generator)

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator) -> None:
        for k, layer in enumerate(self.hidden):
            n = layer.in_features
            if self.siren:
                # Sitzmann et al. 2020: U(-1/n, 1/n) first, U(-sqrt(6/n)/omega, ..) after that
                bound = 1 / n if k == 0 else math.sqrt(6 / n) / SIREN_OMEGA
            else:
                # He et al. 2015, equation 10: standard deviation sqrt(2/n), here uniform
                bound = math.sqrt(6 / n)
            layer.weight.uniform_(-bound, bound, generator=generator)
            bias = 1 / math.sqrt(n)
            layer.bias.uniform_(-bias, bias, generator=generator)
        bound = 1 / math.sqrt(self.last.in_features)
        self.last.weight.uniform_(-bound, bound, generator=generator)
        self.last.bias.zero_()

    def forward(self, xyz: Tensor) -> Tensor:
        """Intensity (n,) at positions (n, 3) in mm."""
        hidden = self.encoding(xyz)
        for layer in self.hidden:
            hidden = self._activate(layer(hidden))
        # In float32 whatever the autocast: 8 bits of mantissa would show as steps in the image.
        with torch.autocast(hidden.device.type, enabled=False):
            return (hidden.float() @ self.last.weight.T).squeeze(-1) + self.last.bias

    def slice_mean(self, xyz: Tensor, offsets: Tensor, weights: Tensor) -> Tensor:
        """Profile-weighted mean of the intensity along the slice normal.

        Args:
            xyz: (n, 3) mm, centres of thick-slice voxels.
            offsets: (q, 3) mm from the centres to the samples of the profile.
            weights: (q,) summing to one.

        Returns:
            (n,) predicted voxels of the view.
        """
        samples = (xyz[:, None] + offsets).flatten(0, 1)
        # A product, not a matrix product: autocast would round the prediction to bfloat16.
        return (self(samples).reshape(len(xyz), len(offsets)) * weights).sum(dim=-1)

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
        centre: (3,) world mm, middle of the field of view of all views together.
        scale: intensity in the input's units that the network calls 1.
        provenance: JSON-serialisable record of the fit.
    """

    network: CoordinateNetwork
    centre: tuple[float, float, float]
    scale: float
    provenance: dict[str, Any]


def save_inr(path: Path | str, inr: INR) -> None:
    """Write weights and configuration to one safetensors file, whole or not at all."""
    # One key only: safetensors writes several in random order.
    header = {
        "architecture": asdict(inr.network.architecture),
        "centre": inr.centre,
        "scale": inr.scale,
        "provenance": inr.provenance,
    }
    tensors = {k: v.detach().cpu().contiguous() for k, v in inr.network.state_dict().items()}
    with atomic(path) as partial:
        save_file(tensors, partial, metadata={FORMAT: json.dumps(header)})


def load_inr(path: Path | str) -> INR:
    """Read a model that `save_inr` wrote.

    Raises:
        InputError: the file is missing, is no safetensors file, or was not written by cordinr.
    """
    try:
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata() or {}
            if FORMAT not in metadata:
                raise InputError(
                    f"{path}: is not a cordinr model; give a file `cordinr fit` wrote."
                )
            header = json.loads(metadata[FORMAT])
            network = CoordinateNetwork(Architecture(**header["architecture"]))
            network.load_state_dict({name: stored.get_tensor(name) for name in stored.keys()})  # noqa: SIM118
            centre, scale = tuple(header["centre"]), float(header["scale"])
            provenance = header["provenance"]
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; check the path.") from error
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{path}: is not a readable model ({str(error).splitlines()[0]}); fit it again."
        ) from error
    return INR(network.eval(), centre, scale, provenance)
