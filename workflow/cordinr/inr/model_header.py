"""What the header of a model file has to be before anything is built from it."""

import json
import math
from typing import Any, get_args

import numpy as np
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from ..imaging.nifti import FARTHEST_MM, SPACES, affine_problem
from .settings import ActivationName, EncodingName

COUNT = {"type": "integer", "minimum": 1, "maximum": 10**9}
COORDINATE = {"type": "number", "minimum": -FARTHEST_MM, "maximum": FARTHEST_MM}
POSITIVE = {"type": "number", "exclusiveMinimum": 0}


def _list_of(item: dict[str, Any], count: int) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": count, "maxItems": count}


def _object(**properties: Any) -> dict[str, Any]:
    """An object that has all these keys; others are let pass."""
    return {"type": "object", "properties": properties, "required": list(properties)}


LATTICE = _object(
    shape=_list_of(COUNT | {"minimum": 2}, 3), to_index=_list_of(_list_of(COORDINATE, 4), 3)
)
ARCHITECTURE = _object(
    encoding={"enum": get_args(EncodingName)},
    fourier_dim=COUNT,
    sigma=POSITIVE,
    half_extent=POSITIVE,
    width=COUNT,
    depth=COUNT,
    activation={"enum": get_args(ActivationName)},
    dropout={"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    members=COUNT,
    channels=COUNT | {"minimum": 0},
    lattices={"type": "array", "items": LATTICE},
) | {"additionalProperties": False}
PLACE = {"shape": _list_of(COUNT, 3), "affine": _list_of(_list_of(COORDINATE, 4), 4)}
PROVENANCE = _object(
    fourier_dim=COUNT,
    settings=_object(members=COUNT, seed={"type": "integer"}),
    views={"type": "array", "items": {"type": "string", "pattern": r"^[^\x00]*$"}},
    grid=_object(**PLACE, space={"enum": list(SPACES)}),
    limits={"type": "array", "items": _object(**PLACE)},
    margin={"type": "number", "minimum": 0, "maximum": FARTHEST_MM},
)
HEADER = _object(
    architecture=ARCHITECTURE,
    centre=_list_of(COORDINATE, 3),
    scale=POSITIVE,
    provenance=PROVENANCE,
    metadata={"type": "object"},
)
VALIDATOR = Draft202012Validator(HEADER)


def read_header(text: str) -> dict[str, Any]:
    """The header of a model, of the types and within the bounds that its reader relies on.

    Raises:
        ValueError: it is no such header; the message says what is wrong with it.
    """
    try:
        header = json.loads(text, parse_constant=_number, parse_float=_number)
    except RecursionError as error:
        raise ValueError("its header is nested too deep") from error
    problem = best_match(VALIDATOR.iter_errors(header))
    if problem:
        where = problem.json_path.removeprefix("$").lstrip(".") or "it"
        raise ValueError(f"in its header {where} is not what cordinr writes")
    architecture, made = header["architecture"], header["provenance"]
    if bool(architecture["lattices"]) != bool(architecture["channels"]):
        raise ValueError("in its header lattices and channels do not go together")
    if made["settings"]["members"] != architecture["members"]:
        raise ValueError("in its header the members of architecture and settings differ")
    for grid in (made["grid"], *made["limits"]):
        wrong = affine_problem(np.array(grid["affine"], float), grid["shape"])
        if wrong:
            raise ValueError(f"in its header the grid cannot be: {wrong}")
    return header


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"its header holds {text}")
    return value
