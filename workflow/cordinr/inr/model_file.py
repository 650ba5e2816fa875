"""A fitted INR and its file: safetensors with the whole configuration in the header."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..acquisition.domain import FitDomain
from ..errors import InputError, first_line, is_out_of_memory
from ..files import atomic, check_file
from ..imaging.grid import Grid
from .network import Architecture, CoordinateNetwork

FORMAT_PREFIX = "cordinr-inr-"


FORMAT = f"{FORMAT_PREFIX}4"
"""Key of the header in the file's metadata."""


CONSTANTS = {"encoding.frequencies", "encoding.half_extent", "lattices.shift"}
"""Tensors of the file that are drawn or given, not learnt."""


TABLE_NAME = "lattices.table"


TABLE_TYPE = torch.float16
"""Of the lattice features in the file: half the size, an error far below the image's noise."""


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
    def field(self) -> FitDomain:
        """Where it was fitted; beyond, it knows nothing."""
        grid = self.provenance["grid"]
        common = Grid(tuple(grid["shape"]), np.array(grid["affine"]), grid["space"])
        limits = tuple(
            Grid(tuple(each["shape"]), np.array(each["affine"]))
            for each in self.provenance["limits"]
        )
        return FitDomain(common, self.provenance["margin"], limits)


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
        tensors[TABLE_NAME] = tensors[TABLE_NAME].to(TABLE_TYPE)
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
                if any(key.startswith(FORMAT_PREFIX) for key in metadata):
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
