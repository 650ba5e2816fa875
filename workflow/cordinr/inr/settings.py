"""The choices a user makes about a fit, checked where they come in."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

import yaml

from ..errors import InputError, brief
from ..files import read_text

EncodingName = Literal["fourier", "siren", "none"]
ActivationName = Literal["relu", "gelu", "sine"]

MAY_BE_ZERO = {"channels", "smoothing", "tv_prior", "dropout", "warmup", "seed"}

MAX_BY_SETTING = {"profile_points": 1000, "depth": 1000}
"""Beyond them nothing can be gained, and beyond `MAX_SETTING` no arithmetic is exact."""

MAX_SETTING = 10**9


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
    most = MAX_BY_SETTING.get(key, MAX_SETTING)
    if value > most:
        raise InputError(f"{what} is {said}; give a number up to {most}.")
    if key == "dropout" and value >= 1:
        raise InputError(f"{what} is {said}; give a probability below 1.")


ISOTROPIC_SPACINGS = (32, 16, 8, 4, 2, 1)
"""In units of the finest voxel size of the views."""


SLICE_FRACTIONS = (0.4, 0.8)
"""Spacings across the slices of the lattices shaped like a view; parts of its slice thickness."""


MAX_YAML_DEPTH = 20
"""Levels of a settings file, which has two."""


def read_settings(path: Path | None, seed: int | None, sigma: float | None = None) -> FitSettings:
    """The `fit:` section of a YAML file, or the defaults; a given seed or sigma wins.

    Raises:
        InputError: the file is missing, is no YAML mapping, or holds an invalid setting.
    """
    section = _fit_section(path) if path else {}
    settings = FitSettings.from_mapping(section, str(path))
    for name, value in (("seed", seed), ("sigma", sigma)):
        if value is not None:
            FitSettings.from_mapping({name: value}, f"--{name}")
            settings = replace(settings, **{name: value})
    return settings


def _fit_section(path: Path) -> dict[str, Any]:
    text = read_text(path, "YAML")
    try:
        _check_tokens(text)
        content = yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: is not readable YAML ({reason}); correct it.") from error
    section = content.get("fit", {}) if isinstance(content, dict) else None
    if not isinstance(section, dict):
        raise InputError(f"{path}: has no mapping `fit:`; see config.yaml for one.")
    return section


def _check_tokens(text: str) -> None:
    """Refuse YAML whose parsing has no bounds: aliases of aliases, and very deep nesting."""
    depth = 0
    for token in yaml.scan(text):
        if isinstance(token, yaml.AliasToken):
            raise ValueError("it uses aliases (*name); write the values out")
        name = type(token).__name__
        depth += name.endswith("StartToken") - name.endswith("EndToken")
        if depth > MAX_YAML_DEPTH:
            raise ValueError(f"nested more than {MAX_YAML_DEPTH} deep")
