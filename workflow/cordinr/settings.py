"""The choices a user makes about a fit, checked where they come in."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_type_hints

from .errors import InputError

EncodingName = Literal["fourier", "siren", "none"]
ActivationName = Literal["relu", "gelu", "sine"]

MAY_BE_ZERO = {"dropout", "warmup", "seed"}


@dataclass(frozen=True)
class FitSettings:
    """Every choice about a fit, as in the `fit:` section of `config.yaml`.

    Attributes:
        encoding: "fourier", "siren" or "none".
        sigma: spread of the Fourier frequencies, cycles/mm.
        width, depth: units per hidden layer, number of hidden layers.
        activation: "relu", "gelu" or "sine".
        dropout: probability, 0 to below 1.
        loss: "mse" or "l1".
        optimiser: "muon" (weight matrices by Muon, the rest by Adam) or "adam".
        muon_rate, adam_rate: peak learning rates.
        warmup: steps over which the rates rise; after them they fall along a cosine to zero.
        batch: view voxels per step.
        passes: how often each view voxel is seen.
        profile_points: samples of the slice profile per view voxel.
        seed: of the frequencies, the initial weights, the order of the data and dropout.
    """

    encoding: EncodingName = "fourier"
    sigma: float = 0.05
    width: int = 256
    depth: int = 3
    activation: ActivationName = "gelu"
    dropout: float = 0.0
    loss: Literal["mse", "l1"] = "mse"
    optimiser: Literal["muon", "adam"] = "muon"
    muon_rate: float = 0.02
    adam_rate: float = 0.01
    warmup: int = 20
    batch: int = 640
    passes: float = 20.0
    profile_points: int = 5
    seed: int = 0

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], origin: str) -> "FitSettings":
        """Check a mapping, as read from YAML.

        Raises:
            InputError: an unknown key, or a value of the wrong type or out of range.
        """
        hints = get_type_hints(cls)
        for key, value in mapping.items():
            if key not in hints:
                known = ", ".join(field.name for field in fields(cls))
                raise InputError(f"{origin}: unknown key fit.{key}; known are {known}.")
            _check(origin, key, value, hints[key])
        return cls(**mapping)


def _check(origin: str, key: str, value: Any, expected: Any) -> None:
    what = f"{origin}: fit.{key}"
    choices = get_args(expected)
    if choices:
        if value not in choices:
            raise InputError(f"{what} is '{value}'; use {', '.join(choices)}.")
        return
    number = isinstance(value, int if expected is int else (int, float))
    if not number or isinstance(value, bool):
        kind = "a whole number" if expected is int else "a number"
        raise InputError(f"{what} is '{value}'; give {kind}.")
    if not math.isfinite(value) or value < 0 or (value == 0 and key not in MAY_BE_ZERO):
        raise InputError(f"{what} is {value}; give a positive number.")
    if key == "dropout" and value >= 1:
        raise InputError(f"{what} is {value}; give a probability below 1.")
