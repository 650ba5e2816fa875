"""A learnt prior as a file: safetensors of half precision, and a header that says who was in it.

The weights are stored as float16, at half the size and an error far below that of the network.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ..errors import InputError, first_line, is_out_of_memory
from ..files import atomic, check_file
from .features import CHANNELS
from .known import KnownViews
from .network import PriorArchitecture, PriorNetwork
from .people import Learner

FORMAT_PREFIX = "cordinr-prior-"
"""Beginning of the header's key in the metadata of a prior of any version."""

FORMAT = f"{FORMAT_PREFIX}1"
"""Key of the header in the metadata of a prior; its number changes with channels and network."""

CALIBRATION_LIMITS = (0.1, 10.0)
"""Smallest and largest factor on the standard error that a file may hold."""

UNREADABLE = (
    *(SafetensorError, OSError, RuntimeError),
    *(TypeError, ValueError, OverflowError, RecursionError),
)
"""What a file that is not a prior makes its readers raise."""

MAX_WEIGHTS = 20_000_000
"""Largest number of weights of a prior; that of the package has half a million."""


@dataclass(frozen=True, eq=False)
class Prior:
    """A network that has learnt, and what has to be known of it.

    Attributes:
        network: from channels to a correction and a variance.
        learners: who was in it.
        known: which views it has seen.
        calibration: factor on the standard error, measured on people that were not in it.
        record: JSON-serialisable, for people: licence, version, settings, scores.
    """

    network: PriorNetwork
    learners: tuple[Learner, ...]
    known: KnownViews
    calibration: float = 1.0
    record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def people(self) -> set[str]:
        """The people who were in it."""
        return {learner.person for learner in self.learners}

    @property
    def digest(self) -> str:
        """A checksum of all that its images depend on."""
        said = [asdict(self.network.architecture), asdict(self.known), self.calibration]
        said.append(self.network.digest)
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def save_prior(path: Path | str, prior: Prior) -> None:
    """Write a prior to one file, whole or not at all, the same bytes for the same prior.

    Raises:
        InputError: the file cannot be written, or a weight does not fit half precision.
    """
    header = {
        "architecture": asdict(prior.network.architecture),
        "learners": [asdict(learner) for learner in prior.learners],
        "known": asdict(prior.known),
        "calibration": prior.calibration,
        "record": dict(prior.record),
    }
    weights = prior.network.state_dict()
    tensors = {name: each.detach().cpu().half().contiguous() for name, each in weights.items()}
    if not all(each.isfinite().all() for each in tensors.values()):
        raise InputError(f"{path}: the prior's weights are not finite; learn it again.")
    with atomic(path) as partial:
        # One key only: safetensors writes several in random order.
        save_file(tensors, partial, metadata={FORMAT: json.dumps(header)})


def load_prior(path: Path | str) -> Prior:
    """Read a prior that `save_prior` wrote.

    Raises:
        InputError: the file is missing, is not a safetensors file, is no prior of this version of
            cordinr, or its header and its weights do not belong together.
    """
    check_file(path)
    try:
        # By its descriptor, as safetensors takes no path that is not UTF-8.
        with open(path, "rb") as file, safe_open(f"/dev/fd/{file.fileno()}", "pt") as stored:
            metadata = stored.metadata() or {}
            if FORMAT not in metadata:
                if any(key.startswith(FORMAT_PREFIX) for key in metadata):
                    raise InputError(f"{path}: is of another version of cordinr; learn it again.")
                raise InputError(f"{path}: is not a prior; give a file `cordinr learn` wrote.")
            prior = _read(json.loads(metadata[FORMAT], parse_constant=_refuse, parse_float=_number))
            expected = {name: each.shape for name, each in prior.network.state_dict().items()}
            shapes = {
                name: torch.Size(stored.get_slice(name).get_shape())
                for name in stored.keys()  # noqa: SIM118
            }
            if shapes != expected:
                raise ValueError("its weights have other names or shapes than its header says")
            tensors = {name: stored.get_tensor(name) for name in expected}
    except UNREADABLE as error:
        if is_out_of_memory(error):
            raise
        raise InputError(
            f"{path}: is not a readable prior ({first_line(error)}); copy or learn it again."
        ) from error
    for name, tensor in tensors.items():
        if tensor.dtype != torch.float16 or not tensor.isfinite().all():
            raise InputError(f"{path}: its {name} is not of finite numbers; learn it again.")
    prior.network.load_state_dict({name: each.float() for name, each in tensors.items()})
    prior.network.eval()
    return prior


def _read(header: Any) -> Prior:
    """A prior with weights still to be filled in.

    Raises:
        ValueError: the header is not one that `save_prior` writes.
    """
    if not isinstance(header, dict) or not isinstance(header.get("record"), dict):
        raise ValueError("its header is not what cordinr writes")
    architecture = PriorArchitecture.from_header(header.get("architecture") or {})
    if architecture.channels != CHANNELS:
        raise ValueError(f"it expects {architecture.channels} channels instead of {CHANNELS}")
    with torch.device("meta"):
        weights = sum(each.numel() for each in PriorNetwork(architecture).parameters())
    if weights > MAX_WEIGHTS:
        raise ValueError(f"its header says {weights} weights")
    calibration = header.get("calibration")
    low, high = CALIBRATION_LIMITS
    if not isinstance(calibration, int | float) or not low <= calibration <= high:
        raise ValueError("in its header the calibration is not what cordinr writes")
    listed = header.get("learners")
    if not isinstance(listed, list) or not listed:
        raise ValueError("its header does not say who was in it")
    learners = []
    for fields in listed:
        if not isinstance(fields, dict) or set(fields) != {"person", "dataset", "site"}:
            raise ValueError("its header does not say who was in it")
        if not all(isinstance(text, str) for text in fields.values()) or not fields["person"]:
            raise ValueError("its header does not say who was in it")
        learners.append(Learner(**fields))
    return Prior(
        network=PriorNetwork(architecture),
        learners=tuple(learners),
        known=KnownViews.from_header(header.get("known") or {}),
        calibration=float(calibration),
        record=header["record"],
    )


def _number(text: str) -> float:
    """A finite number of JSON, which 1e999 is not."""
    return float(text) if math.isfinite(float(text)) else _refuse(text)


def _refuse(text: str) -> float:
    """Refuse NaN and Infinity, which are no JSON."""
    raise ValueError(f"its header holds {text}")
