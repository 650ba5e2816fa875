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
from .settings import FitSettings
from .target_image import STORED_TYPE, TargetImage

FORMAT_PREFIX = "cordinr-inr-"
"""Beginning of the header's key in the metadata of a model file of any version."""

FORMAT = f"{FORMAT_PREFIX}9"
"""Key of the header in the metadata of a model file."""

IMAGES = {"start": "image that the fit began at", "error": "standard error"}
"""Names of the tensors of images in a model file, which are those of the attributes of an INR, and
what they are."""

CONSTANTS = {"encoding.frequencies", "encoding.half_extent", "lattices.shift", *IMAGES}
"""Names of the tensors of a model file that are drawn or given, not learnt."""

TABLE_NAME = "lattices.table"
"""Name of the tensor of lattice features in a model file."""

TABLE_TYPE = torch.float16
"""Type of the lattice features in a model file: half the size, at an error far below the noise."""


@dataclass(frozen=True, eq=False)
class INR:
    """A fitted network with all that is needed to render it.

    Attributes:
        network: maps positions relative to `centre` (mm) to intensity in units of `scale`.
        domain: where it was fitted; outside of it the network knows nothing.
        centre: (3,) world mm, middle of what the views show of the domain.
        scale: intensity in the input's units that the network calls 1.
        settings: of the fit.
        start: image that the fit began at, in units of `scale`: the intensity at a position is the
            sum of it and of what the network adds. None for the network alone.
        error: standard error of the image that the fit was drawn to, in units of `scale`; None
            where nobody says.
        views: names of the views, normally their paths.
        metadata: JSON-serialisable; what the sidecars of its renderings say of the views.
        fit_record: JSON-serialisable record of the fit, for people; nothing depends on it but the
            number of threads that a command names in a sidecar.
    """

    network: CoordinateNetwork
    domain: FitDomain
    centre: tuple[float, float, float]
    scale: float
    settings: FitSettings
    start: TargetImage | None = None
    error: TargetImage | None = None
    views: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    fit_record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fourier_dim(self) -> int:
        """Number of Fourier frequencies."""
        return self.network.architecture.fourier_dim

    @property
    def members(self) -> int:
        """Number of networks of the ensemble."""
        return self.network.architecture.members


def save_inr(path: Path | str, inr: INR) -> None:
    """Write weights and configuration to one safetensors file, whole or not at all."""
    images: dict[str, TargetImage | None] = {name: getattr(inr, name) for name in IMAGES}
    # One key only: safetensors writes several in random order.
    header = {
        "architecture": asdict(inr.network.architecture),
        "domain": {
            "grid": _grid_fields(inr.domain.grid),
            "margin": inr.domain.margin,
            "limits": [_grid_fields(limit) for limit in inr.domain.limits],
            "regions": [[_grid_fields(grid) for grid in each] for each in inr.domain.regions],
        },
        "centre": inr.centre,
        "scale": inr.scale,
        "settings": asdict(inr.settings),
        **{name: image and _grid_fields(image.grid) for name, image in images.items()},
        "views": list(inr.views),
        "metadata": dict(inr.metadata),
        "fit_record": dict(inr.fit_record),
    }
    tensors = {k: v.detach().cpu().contiguous() for k, v in inr.network.state_dict().items()}
    if inr.network.lattices:
        tensors[TABLE_NAME] = tensors[TABLE_NAME].to(TABLE_TYPE)
    for name, image in images.items():
        if image:
            tensors[name] = image.values.cpu().to(STORED_TYPE).contiguous()
    with atomic(path) as partial:
        save_file(tensors, partial, metadata={FORMAT: json.dumps(header)})


def load_inr(path: Path | str) -> INR:
    """Read a model that `save_inr` wrote.

    Raises:
        InputError: the file is missing, is not a safetensors file, was not written by cordinr, or
            its header and its weights do not belong together.
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
            images = {
                name: header[name] and _image(name, header[name], tensors.pop(name, None))
                for name in IMAGES
            }
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
    domain = header["domain"]
    return INR(
        network=network.eval(),
        domain=FitDomain(
            grid=_read_grid(domain["grid"]),
            margin=domain["margin"],
            limits=tuple(map(_read_grid, domain["limits"])),
            regions=tuple(tuple(map(_read_grid, each)) for each in domain["regions"]),
        ),
        centre=tuple(header["centre"]),
        scale=header["scale"],
        settings=FitSettings.from_mapping(header["settings"], str(path)),
        **images,
        views=tuple(header["views"]),
        metadata=header["metadata"],
        fit_record=header["fit_record"],
    )


def _grid_fields(grid: Grid) -> dict[str, Any]:
    return {"shape": grid.shape, "affine": grid.affine.tolist(), "space": grid.space}


def _read_grid(fields: Mapping[str, Any]) -> Grid:
    return Grid(tuple(fields["shape"]), np.array(fields["affine"]), fields["space"])


def _image(name: str, fields: Mapping[str, Any], values: Tensor | None) -> TargetImage:
    """An image of a model, by its name.

    Raises:
        ValueError: it is missing, or of another shape than its grid.
    """
    if values is None or list(values.shape) != list(fields["shape"]):
        raise ValueError(f"the {IMAGES[name]} is not what its header says")
    return TargetImage(values.float(), _read_grid(fields))


def _check_size(stored: safe_open, architecture: Architecture) -> None:
    """Refuse, before anything is allocated, a header that speaks of another network."""
    shapes = {name: stored.get_slice(name).get_shape() for name in stored.keys()}  # noqa: SIM118
    held = sum(math.prod(shape) for name, shape in shapes.items() if name not in CONSTANTS)
    if held != architecture.parameters:
        raise ValueError(f"its header says {architecture.parameters} weights, it holds {held}")


def _finite(stored: safe_open, name: str) -> Tensor:
    """A tensor of the file.

    Raises:
        ValueError: it holds NaN or infinity, or is of another type than a model has.
    """
    tensor = stored.get_tensor(name)
    if tensor.dtype not in (torch.float32, TABLE_TYPE) or not tensor.isfinite().all():
        raise ValueError(f"its {name} is not of finite numbers")
    return tensor
