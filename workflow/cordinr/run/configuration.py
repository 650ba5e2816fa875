"""The configuration of the whole workflow: types, bounds, defaults and meaning of every setting.

From these models come the schema in `workflow/schemas` and the table in `docs/configuration.md`
(`make settings`); a test holds `config.yaml`, which people read and edit, equal to their defaults.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool

from ..acquisition.profile import ProfileShape
from ..errors import InputError
from ..inr.settings import Count, CountOrZero, FitSettings, Positive, PositiveOrZero

SCHEMA_FILE = "workflow/schemas/config.schema.yaml"
"""Where the schema is for people and their editors, from the root of the repository."""

KEYWORDS = (
    *("description", "type", "enum", "const", "anyOf", "pattern", "minLength"),
    *("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"),
    *("items", "minItems", "uniqueItems"),
    *("propertyNames", "minProperties", "additionalProperties", "required", "properties"),
    "default",
)
"""Keywords of the schema in the order in which people read them and errors are looked for."""

Value = TypeVar("Value")


def _without_repeats(values: list[Value]) -> list[Value]:
    if any(value in values[:position] for position, value in enumerate(values)):
        raise ValueError("holds a value more than once")
    return values


Unique = Annotated[
    list[Value],
    AfterValidator(_without_repeats),
    Field(json_schema_extra={"uniqueItems": True}),
]
UniqueAndSome = Annotated[Unique[Value], Field(min_length=1)]
Text = Annotated[str, Field(min_length=1)]
Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9+]+$")]
WholeNumber = Annotated[int, Field(strict=True)]
# Both are labels in the names of files, which have four decimals for a sigma, and one digit before
# the decimal point for either.
Sigma = Annotated[float, Field(strict=True, ge=0.0001, lt=10)]
VoxelSize = Annotated[float, Field(strict=True, gt=0, lt=10)]
# A name that begins with iso would be the label of a rendering.
ViewName = Annotated[str, Field(pattern=r"^(?!iso)[A-Za-z0-9]+$")]


class Section(BaseModel):
    """A part of the configuration, which has no other keys than these."""

    model_config = ConfigDict(extra="forbid", frozen=True, regex_engine="python-re")


class Dataset(Section):
    """The raw BIDS dataset."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = Field(
        default="spine-generic-single",
        description="Folder of the clone below `results/sourcedata`.",
    )
    source: Text = Field(
        default="https://github.com/spine-generic/data-single-subject",
        description="URL or path of anything that DataLad can clone, or a plain folder.",
    )
    version: str = Field(default="r20211115", description='Tag or commit; `""` for a plain folder.')
    subjects: Literal["all"] | UniqueAndSome[Label] = Field(
        default=["oxfordFmrib", "unf"], description="Labels without `sub-`, or the word `all`."
    )
    suffix: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+$")] = Field(
        default="T2w", description="BIDS suffix of the images to reconstruct."
    )
    entities: dict[
        Annotated[str, Field(pattern=r"^[a-z]+$")],
        Label | WholeNumber | list[Label | WholeNumber | None] | None,
    ] = Field(
        default={},
        description="Which of several images to take, by BIDS entity: `{session: [pre, post], "
        "acquisition: null}`; `null` takes images without that entity.",
    )
    exclude: str = Field(
        default="csa_t2",
        description="Key of the dataset's own `exclude.yml` whose subjects are left out; a note "
        'says where it has no such key; `""` takes them.',
    )
    mask: str | list[str] = Field(
        default=[
            "derivatives/labels/{folder}/{image}_{suffix}_label-SC_seg.nii.gz",
            "derivatives/labels/{folder}/{image}_{suffix}_seg-manual.nii.gz",
            "derivatives/labels/{folder}/{image}_{suffix}_RPI_r_seg-manual.nii.gz",
        ],
        description="Pattern of the cord masks, with `{folder}`, `{image}` and `{suffix}`, or "
        "several, of which the first that exists counts, image by image; "
        '`""` for none.',
    )
    truth: str = Field(
        default="",
        description="Pattern of finer, noise-free images to score renderings against, with `*` for "
        'their resolution; `""` for none.',
    )
    drop: StrictBool = Field(
        default=False,
        description="Drop the content of the clone once its checked copy is in "
        "`results/reference`.",
    )


class View(Section):
    """One view. In a file that changes the configuration, null takes the view of that name away."""

    axis: Literal["R", "A", "S"] = Field(
        description="Anatomical axis along which the slices follow each other: right-left, "
        "anterior-posterior or superior-inferior."
    )
    thickness: Positive = Field(description="Thickness of a slice, in mm.")
    spacing: Positive = Field(
        default_factory=lambda view: view["thickness"],
        description="Distance between slice centres, in mm; the thickness unless it is set.",
    )


class Baselines(Section):
    """What the INRs are compared with."""

    methods: UniqueAndSome[Literal["cubic", "tikhonov", "tv"]] = Field(
        default=["cubic", "tikhonov", "tv"],
        description="Cubic interpolation, Tikhonov regularisation and total variation.",
    )
    tikhonov_weight: PositiveOrZero = Field(
        default=0.003,
        description="Weight of the squared gradient, for intensities of about [0, 1].",
    )
    tv_weight: PositiveOrZero = Field(
        default=0.002,
        description="Weight of the gradient's length, for intensities of about [0, 1].",
    )


class Results(Section):
    """How the derivatives are kept."""

    datalad: StrictBool = Field(
        default=False,
        description="Keep `results/cordinr` as a DataLad dataset, with a run record for every "
        "image, which `datalad rerun` makes again.",
    )


class Pathvars(Section):
    """Where results go; Snakemake puts the folder in place of `<results>` in every path."""

    results: Text = Field(default="results", description="Folder of everything that is made.")


class Configuration(Section):
    """Every choice of a run."""

    dataset: Dataset = Dataset()
    views: Annotated[dict[ViewName, View | None], Field(min_length=1)] = Field(
        default={
            "axial": {"axis": "S", "thickness": 4.0},
            "sagittal": {"axis": "R", "thickness": 4.0},
        },
        validate_default=True,
        description="Thick-slice views to simulate, by any names; a file that changes the "
        "configuration adds views, and `axial: null` takes one away.",
    )
    profile: ProfileShape = Field(
        default="box",
        description="Slice profile of the views: `box`, `gaussian` (full width at half maximum "
        "equal to the thickness) or `point` (decimation).",
    )
    fourier_dims: UniqueAndSome[Count] = Field(
        default=[32, 64, 128, 256, 512],
        description="Fourier dimensions; one INR is fitted per image and dimension.",
    )
    fourier_sigmas: Unique[Sigma] = Field(
        default=[],
        description="Standard deviations of the Fourier frequencies, in cycles/mm, with which the "
        "largest dimension is fitted besides `fit.sigma`; scales 2, 4 and 8 of the original study "
        "are 0.0156, 0.031 and 0.0625.",
    )
    seeds: Unique[CountOrZero] = Field(
        default=[],
        description="Seeds from which every dimension is fitted besides `fit.seed`, to see how "
        "much one fit differs from the next.",
    )
    voxel_sizes: Unique[VoxelSize] = Field(
        default=[0.5],
        description="Isotropic voxel sizes, in mm, of renderings besides the one on the grid of "
        "the raw image.",
    )
    fit: FitSettings = Field(
        default=FitSettings(), description="Network, optimiser and budget of every fit."
    )
    baselines: Baselines = Baselines()
    results: Results = Results()
    pathvars: Pathvars = Pathvars()
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="Where to fit and render; `auto` takes a GPU if there is one."
    )
    fit_threads: Count = Field(default=2, description="CPU threads of one fit or rendering.")


def check_configuration(config: Mapping[str, Any]) -> None:
    """Refuse a configuration that does not fit the models.

    Args:
        config: every setting, as read from YAML.

    Raises:
        InputError: an unknown key, or a value of the wrong type or out of range.
    """
    problem = best_match(Draft202012Validator(configuration_schema()).iter_errors(config))
    if problem:
        where = ".".join(map(str, problem.absolute_path)) or "the configuration"
        raise InputError(f"config: {where}: {problem.message}; see {SCHEMA_FILE}.")
    # Also of NaN, which no bound of a schema excludes, and of 3.0 in place of 3.
    FitSettings.from_mapping(config["fit"], "config")


@cache
def configuration_schema() -> dict[str, Any]:
    """The JSON schema of the configuration, without references and titles."""
    schema = Configuration.model_json_schema()
    return _plain(schema, schema.pop("$defs"))


def _plain(generated: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """A schema as people would write it, which allows the same.

    Args:
        generated: by pydantic.
        definitions: the schemas that its references name.
    """
    schema = dict(generated)
    if reference := schema.pop("$ref", ""):
        schema.pop("default", None)  # each key of the section has its own
        schema = {**definitions[reference.rpartition("/")[2]], **schema}
    if "enum" in schema or "const" in schema:
        del schema["type"]
    for pattern, values in schema.pop("patternProperties", {}).items():
        schema |= {"propertyNames": {"pattern": pattern}, "additionalProperties": values}
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            schema[keyword] = _plain(schema[keyword], definitions)
    if "properties" in schema:
        properties = schema["properties"].items()
        schema["properties"] = {name: _plain(part, definitions) for name, part in properties}
    if options := schema.pop("anyOf", []):
        schema |= _either([_plain(option, definitions) for option in options])
    schema.pop("title", None)
    return {keyword: schema[keyword] for keyword in sorted(schema, key=KEYWORDS.index)}


def _either(options: list[dict[str, Any]]) -> dict[str, Any]:
    """One schema with a list of types where that says the same as alternatives.

    It does where every alternative is of another type, as the other keywords bind one type each.
    """
    types = [option.get("type") for option in options]
    if None in types or len(set(types)) < len(types):
        return {"anyOf": options}
    return {keyword: option[keyword] for option in options for keyword in option} | {"type": types}
