"""The choices a user makes about a fit, checked where they come in."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_type_hints

from ..errors import InputError, brief

EncodingName = Literal["fourier", "siren", "none"]
ActivationName = Literal["relu", "gelu", "sine"]

MAY_BE_ZERO = {"channels", "smoothing", "tv_prior", "dropout", "warmup", "seed"}

MOST = {"profile_points": 1000, "depth": 1000}
"""Beyond them nothing can be gained, and beyond `MOST_OF_ALL` no arithmetic is exact."""

MOST_OF_ALL = 10**9


@dataclass(frozen=True)
class FitSettings:
    """Every choice about a fit, as in the `fit:` section of `config.yaml`.

    Attributes:
        encoding: "fourier", "siren" or "none".
        sigma: spread of the Fourier frequencies, cycles/mm.
        channels: features per lattice point; 0 for a plain coordinate network without lattices.
        width, depth: units per hidden layer, number of hidden layers.
        activation: "relu", "gelu" or "sine".
        dropout: probability, 0 to below 1.
        members: networks of an ensemble; their mean is the image, their spread its uncertainty.
        loss: "mse" or "l1".
        smoothing: weight of the total variation between neighbouring points, in units of the noise
            variance that the views show; 0 for none.
        tv_prior: weight of the squared distance from the total variation reconstruction of the
            views, per voxel of it, against the squared errors of the views' voxels; 0 for none.
        rate: peak learning rate of the network.
        lattice_rate: of the lattice features.
        fourier_rate: of the weights from the Fourier features where there are lattices, divided by
            the Fourier dimension so that every dimension learns at one pace.
        warmup: steps over which the rates rise; after them they fall along a cosine to zero.
        batch: view voxels per step.
        passes: how often each view voxel is seen.
        max_steps: of the optimiser; larger volumes take larger batches and are seen less often.
        profile_points: samples per slice thickness where views share none.
        seed: of the frequencies, the initial weights, the order of the data and dropout.
    """

    encoding: EncodingName = "fourier"
    sigma: float = 0.025
    channels: int = 4
    width: int = 64
    depth: int = 2
    activation: ActivationName = "gelu"
    dropout: float = 0.0
    members: int = 1
    loss: Literal["mse", "l1"] = "mse"
    smoothing: float = 6.0
    tv_prior: float = 0.005
    rate: float = 0.005
    lattice_rate: float = 0.02
    fourier_rate: float = 0.8
    warmup: int = 20
    batch: int = 5120
    passes: float = 40.0
    max_steps: int = 600
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
                raise InputError(f"{origin}: unknown key fit.{brief(key)}; known are {known}.")
            _check(origin, key, value, hints[key])
        return cls(**mapping)


def _check(origin: str, key: str, value: Any, expected: Any) -> None:
    what, said = f"{origin}: fit.{key}", brief(value)
    choices = get_args(expected)
    if choices:
        if value not in choices:
            raise InputError(f"{what} is '{said}'; use {', '.join(choices)}.")
        return
    number = isinstance(value, int if expected is int else (int, float))
    if not number or isinstance(value, bool):
        kind = "a whole number" if expected is int else "a number"
        raise InputError(f"{what} is '{said}'; give {kind}.")
    if not value >= 0 or (value == 0 and key not in MAY_BE_ZERO):
        raise InputError(f"{what} is {said}; give a positive number.")
    most = MOST.get(key, MOST_OF_ALL)
    if value > most:
        raise InputError(f"{what} is {said}; give a number up to {most}.")
    if key == "dropout" and value >= 1:
        raise InputError(f"{what} is {said}; give a probability below 1.")
