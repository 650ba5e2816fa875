"""The choices a user makes about a fit: their types, bounds, defaults and meaning, in one place."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, WrapValidator
from pydantic.dataclasses import dataclass
from pydantic_core import ErrorDetails

from ..errors import InputError, brief
from ..files import read_text

EncodingName = Literal["fourier", "siren", "none"]
ActivationName = Literal["relu", "gelu", "sine"]

MAX_SETTING = 10**9
"""Largest value of any number among the settings; beyond it arithmetic is no longer exact."""

MAX_LAYERS = 1000
"""Largest number of hidden layers; more of them gain nothing."""

MAX_PROFILE_POINTS = 1000
"""Largest number of samples per slice thickness; more of them gain nothing."""

ISOTROPIC_SPACINGS = (32, 16, 8, 4, 2, 1)
"""Spacings of the isotropic lattices, in units of the finest voxel size of the views."""

SLICE_FRACTIONS = (0.4, 0.8)
"""Spacings across the slices of a lattice shaped like a view, in units of its slice thickness."""

FAST: Mapping[str, Any] = MappingProxyType({"max_steps": 64, "channels": 2})
"""Settings that make a fit take less time, at some cost of quality."""

BEST: Mapping[str, Any] = MappingProxyType({"members": 4})
"""Settings that give better images, at some cost of time."""

MAX_YAML_DEPTH = 20
"""Maximum number of nested levels of a settings file, which needs two."""


def _as_given(value: Any, check: Any) -> Any:
    """Keep a whole number that is allowed where any number is: files then say 40, not 40.0."""
    check(value)
    return value


# Strict: neither true nor "3" nor 3.0 is a whole number, neither true nor "3" a number.
Count = Annotated[int, Field(strict=True, ge=1, le=MAX_SETTING)]
CountOrZero = Annotated[int, Field(strict=True, ge=0, le=MAX_SETTING)]
Positive = Annotated[float, Field(strict=True, gt=0, le=MAX_SETTING), WrapValidator(_as_given)]
PositiveOrZero = Annotated[
    float, Field(strict=True, ge=0, le=MAX_SETTING), WrapValidator(_as_given)
]
Probability = Annotated[float, Field(strict=True, ge=0, lt=1), WrapValidator(_as_given)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class FitSettings:
    """Every choice about a fit, as in the `fit:` section of `config.yaml`.

    Raises:
        pydantic.ValidationError: a value of the wrong type or out of range.
    """

    encoding: EncodingName = Field(
        default="fourier",
        description="Encoding of the coordinates: random Fourier features, a SIREN, or none.",
    )
    sigma: Positive = Field(
        default=0.025, description="Standard deviation of the Fourier frequencies, in cycles/mm."
    )
    channels: CountOrZero = Field(
        default=4, description="Features per lattice point; 0 for a plain coordinate network."
    )
    width: Count = Field(default=64, description="Units per hidden layer.")
    depth: Annotated[Count, Field(le=MAX_LAYERS)] = Field(default=2, description="Hidden layers.")
    activation: ActivationName = Field(
        default="gelu", description="Activation of the hidden layers; a siren always uses sine."
    )
    dropout: Probability = Field(
        default=0.0, description="Probability that a hidden unit is dropped, during the fit only."
    )
    members: Count = Field(
        default=1,
        description="Networks of an ensemble, whose mean is the image; from 2 on their standard "
        "deviation is written as an uncertainty map.",
    )
    loss: Literal["mse", "l1"] = Field(
        default="mse", description="Loss between predicted and measured view voxels."
    )
    smoothing: PositiveOrZero = Field(
        default=6.0,
        description="Weight of the total variation between neighbouring points, in units of the "
        "noise variance of the views, so that clean views get none; 0 for none. The total "
        "variation reconstruction of `fit.tv_prior` is smoothed likewise.",
    )
    tv_prior: PositiveOrZero = Field(
        default=0.005,
        description="Weight of the squared distance from the total variation reconstruction of the "
        "views, which draws the INR where the views say nothing; 0 for none. A fit of large scans "
        "that share no points begins at that reconstruction instead, unless this is 0, with "
        "weights and a smoothing that go by the noise, and takes a quarter of `fit.max_steps`, 96 "
        "at most.",
    )
    rate: Positive = Field(default=0.005, description="Peak learning rate of the network.")
    lattice_rate: Positive = Field(
        default=0.02, description="Peak learning rate of the lattice features."
    )
    fourier_rate: Positive = Field(
        default=0.8,
        description="Peak learning rate of the weights of the Fourier features beside lattices; it "
        "is divided by the Fourier dimension, so that every dimension learns at one pace.",
    )
    warmup: CountOrZero = Field(
        default=20,
        description="Steps over which the learning rates rise before they fall along a cosine.",
    )
    batch: Count = Field(default=5120, description="View voxels per step.")
    passes: Positive = Field(default=40.0, description="How often each view voxel is seen.")
    max_steps: Count = Field(
        default=600,
        description="Maximum number of steps; larger volumes take larger batches and are seen less "
        "often.",
    )
    profile_points: Annotated[Count, Field(le=MAX_PROFILE_POINTS)] = Field(
        default=5,
        description="Samples per slice thickness of the view voxels that share none with other "
        "views.",
    )
    seed: CountOrZero = Field(
        default=0,
        description="Seed of the frequencies, the initial weights, the order of the data and "
        "dropout: the same seed gives the same model, bit for bit.",
    )

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], origin: str) -> Self:
        """Check a mapping, as read from YAML.

        Args:
            mapping: values by the names of the settings; what it lacks keeps its default.
            origin: what the mapping was read from, for the message.

        Raises:
            InputError: an unknown key, or a value of the wrong type or out of range.
        """
        names = [field.name for field in fields(cls)]
        for key in mapping:
            if key not in names:
                known = ", ".join(names)
                raise InputError(f"{origin}: unknown key fit.{brief(key)}; known are {known}.")
        try:
            return cls(**mapping)
        except ValidationError as error:
            raise InputError(f"{origin}: {_sentence(error.errors()[0])}") from error


@cache
def setting_schemas() -> dict[str, dict[str, Any]]:
    """The JSON schema of every setting, by its name."""
    return TypeAdapter(FitSettings).json_schema()["properties"]


def _sentence(problem: ErrorDetails) -> str:
    """What is wrong with a setting, for people.

    Args:
        problem: the first of a `ValidationError`.
    """
    name, value, kind = str(problem["loc"][0]), problem["input"], problem["type"]
    schema = setting_schemas()[name]
    text = f"fit.{name} is {brief(value)}"
    quoted = f"fit.{name} is '{brief(value)}'"
    if kind == "literal_error":
        return f"{quoted}; use {', '.join(schema['enum'])}."
    # pydantic reports an integer that no float can hold as not being a number.
    if kind in ("int_type", "float_type") and type(value) is not int:
        return f"{quoted}; give {'a whole number' if kind == 'int_type' else 'a number'}."
    if not value > 0:  # NaN is not either
        least = "a number from 0" if schema.get("minimum") == 0 else "a positive number"
        return f"{text}; give {least}."
    if "maximum" not in schema:
        return f"{text}; give a probability below 1."
    return f"{text}; give a number up to {schema['maximum']}."


def read_settings(path: Path | None, seed: int | None, sigma: float | None = None) -> FitSettings:
    """The `fit:` section of a YAML file, or the defaults; a given seed or sigma wins.

    Args:
        path: of the file; None for the defaults.
        seed: instead of the file's.
        sigma: instead of the file's, in cycles/mm.

    Raises:
        InputError: the file is missing, is not a YAML mapping, or holds an invalid setting.
    """
    section = _fit_section(path) if path else {}
    FitSettings.from_mapping(section, str(path))
    for name, value in (("seed", seed), ("sigma", sigma)):
        if value is not None:
            FitSettings.from_mapping({name: value}, f"--{name}")
            section = {**section, name: value}
    return FitSettings.from_mapping(section, str(path))


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
