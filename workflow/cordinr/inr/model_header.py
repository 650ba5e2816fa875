"""The header of a model file, checked before anything is built from it."""

import itertools
import json
import math
from typing import Any

import numpy as np
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from ..imaging.nifti import FARTHEST_MM, SPACES, affine_problem
from .settings import MAX_SETTING, setting_schemas

COUNT = {"type": "integer", "minimum": 1, "maximum": MAX_SETTING}
"""Schema of a number of things."""

COORDINATE = {"type": "number", "minimum": -FARTHEST_MM, "maximum": FARTHEST_MM}
"""Schema of a position in mm, or of an entry of an affine."""

POSITIVE = {"type": "number", "exclusiveMinimum": 0}
"""Schema of a positive number."""


def _list_of(item: dict[str, Any], count: int) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": count, "maxItems": count}


def _object(**properties: Any) -> dict[str, Any]:
    """The schema of an object that has all these keys, and may have others."""
    return {"type": "object", "properties": properties, "required": list(properties)}


LATTICE = _object(
    shape=_list_of(COUNT | {"minimum": 2}, 3), to_index=_list_of(_list_of(COORDINATE, 4), 3)
)
SAME_AS_SETTING = (
    "encoding",
    "sigma",
    "width",
    "depth",
    "activation",
    "dropout",
    "members",
    "channels",
)
"""Fields of an architecture that mean the same as the setting of this name, within its bounds."""

ARCHITECTURE = _object(
    fourier_dim=COUNT,
    half_extent=POSITIVE,
    lattices={"type": "array", "items": LATTICE},
    **{name: setting_schemas()[name] for name in SAME_AS_SETTING},
) | {"additionalProperties": False}
GRID = _object(
    shape=_list_of(COUNT, 3),
    affine=_list_of(_list_of(COORDINATE, 4), 4),
    space={"enum": list(SPACES)},
)
DOMAIN = _object(
    grid=GRID,
    margin={"type": "number", "minimum": 0, "maximum": FARTHEST_MM},
    limits={"type": "array", "items": GRID},
    regions={"type": "array", "items": {"type": "array", "items": GRID, "minItems": 1}},
)
HEADER = _object(
    architecture=ARCHITECTURE,
    domain=DOMAIN,
    centre=_list_of(COORDINATE, 3),
    scale=POSITIVE,
    settings=_object(members=COUNT, seed=setting_schemas()["seed"]),
    start={"anyOf": [GRID, {"type": "null"}]},
    error={"anyOf": [GRID, {"type": "null"}]},
    views={"type": "array", "items": {"type": "string", "pattern": r"^[^\x00]*$"}},
    metadata={"type": "object"},
    fit_record={"type": "object", "properties": {"threads": COUNT}},
)
VALIDATOR = Draft202012Validator(HEADER)


def read_header(text: str) -> dict[str, Any]:
    """Parse the header of a model and check the types and bounds that its reader relies on.

    Raises:
        ValueError: it is not such a header; the message says what is wrong with it.
    """
    try:
        header = json.loads(text, parse_constant=_number, parse_float=_number)
    except RecursionError as error:
        raise ValueError("its header is nested too deep") from error
    problem = best_match(VALIDATOR.iter_errors(header))
    if problem:
        where = problem.json_path.removeprefix("$").lstrip(".") or "it"
        raise ValueError(f"in its header {where} is not what cordinr writes")
    architecture, domain = header["architecture"], header["domain"]
    if bool(architecture["lattices"]) != bool(architecture["channels"]):
        raise ValueError("in its header lattices and channels do not go together")
    if header["settings"]["members"] != architecture["members"]:
        raise ValueError("in its header the members of architecture and settings differ")
    grids = [domain["grid"], *domain["limits"], *itertools.chain(*domain["regions"])]
    for grid in [*grids, *filter(None, (header["start"], header["error"]))]:
        problem = affine_problem(np.array(grid["affine"], float), grid["shape"])
        if problem:
            raise ValueError(f"in its header the grid cannot be: {problem}")
    return header


def _number(text: str) -> float:
    """A finite number of JSON.

    Raises:
        ValueError: it is not finite.
    """
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"its header holds {text}")
    return value
