"""The configuration of the whole workflow: types, bounds, defaults and meaning of every setting.

From these models come the schema in `workflow/schemas` and the table in `docs/configuration.md`
(`make settings`); a test holds `config.yaml`, which people read and edit, equal to their defaults.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, Self

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    model_validator,
)

from ..acquisition.profile import ProfileShape
from ..errors import InputError
from ..inr.settings import Count, CountOrZero, FitSettings, Positive, PositiveOrZero
from .plain_schema import plain_schema
from .setting_types import (
    VIEW_NAME,
    Entities,
    Label,
    Sigma,
    Text,
    Unique,
    UniqueAndSome,
    VoxelSize,
)

SCHEMA_FILE = "workflow/schemas/config.schema.yaml"
"""Where the schema is for people and their editors, from the root of the repository."""


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
    entities: Entities = Field(
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


SIMULATED_BY_DEFAULT: dict[str, Any] = {
    "axial": {"axis": "S", "thickness": 4.0},
    "sagittal": {"axis": "R", "thickness": 4.0},
}
"""The views that are simulated where a configuration names none."""


class Views(BaseModel):
    """What is reconstructed from: simulated views by their names, or acquired scans."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        regex_engine="python-re",
        json_schema_extra={"propertyNames": {"pattern": VIEW_NAME}, "minProperties": 1},
    )

    __pydantic_extra__: dict[Annotated[str, Field(pattern=VIEW_NAME)], View | None]
    acquired: list[Annotated[Entities, Field(min_length=1)]] | None = Field(
        default=None,
        description="Scans that the dataset has, in place of simulated views: for each slice "
        "direction the BIDS entities of its scans, such as `[{acquisition: sag}, {acquisition: "
        "ax}]`, of which all runs and chunks are taken; `null` inside means without that entity.",
    )

    @model_validator(mode="after")
    def _has_some(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("views: names no view; name one, or the acquired scans")
        if self.acquired is not None and len(self.acquired) < 2:
            raise ValueError("views.acquired: names fewer than two slice directions; add one")
        return self

    @property
    def beside_acquired(self) -> list[str]:
        """Names of simulated views that are not those that every configuration begins with."""
        usual = [(name, View(**view)) for name, view in SIMULATED_BY_DEFAULT.items()]
        views = self.__pydantic_extra__.items()
        return [name for name, view in views if view and (name, view) not in usual]


class Baselines(Section):
    """What the INRs are compared with."""

    methods: UniqueAndSome[Literal["cubic", "tikhonov", "tv", "learned"]] = Field(
        default=["cubic", "tikhonov", "tv"],
        description="Cubic interpolation, Tikhonov regularisation, total variation, and the image "
        "of a prior that learnt from other people.",
    )
    tikhonov_weight: Literal["auto"] | PositiveOrZero = Field(
        default="auto",
        description="Weight of the squared gradient, for intensities of about [0, 1]; `auto` goes "
        "by the noise of the views, from 0.003 without noise.",
    )
    tv_weight: Literal["auto"] | PositiveOrZero = Field(
        default="auto",
        description="Weight of the gradient's length, for intensities of about [0, 1]; `auto` goes "
        "by the noise of the views, from 0.002 without noise.",
    )
    prior: Text = Field(
        default="learned",
        description="Prior of the learned image: `learned` for the one that comes with cordinr, or "
        "a file that `cordinr learn` wrote. An image of a person who was in it is refused.",
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
    views: Views = Field(
        default=SIMULATED_BY_DEFAULT,
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

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.views.acquired is None:
            return self
        if names := self.views.beside_acquired:
            raise ValueError(
                f"views: has simulated views ({', '.join(names)}) beside the acquired scans, but a "
                f"run takes one or the other; set {names[0]} to null or take acquired away"
            )
        if self.dataset.truth:
            raise ValueError(
                "dataset.truth: is for images to simulate views from; with views.acquired nothing "
                'is scored, so set it to ""'
            )
        if self.profile != "box":
            raise ValueError(
                f"profile: is {self.profile}, which is that of simulated views; acquired scans "
                "state theirs as SliceProfile in their sidecars, so take it away"
            )
        return self


def check_configuration(config: Mapping[str, Any]) -> None:
    """Refuse a configuration that does not fit the models.

    Args:
        config: every setting, as read from YAML.

    Raises:
        InputError: an unknown key, a value of the wrong type or out of range, or settings that
            contradict each other.
    """
    problem = best_match(Draft202012Validator(configuration_schema()).iter_errors(config))
    if problem:
        where = ".".join(map(str, problem.absolute_path)) or "the configuration"
        raise InputError(f"config: {where}: {problem.message}; see {SCHEMA_FILE}.")
    # Also of NaN, which no bound of a schema excludes, and of 3.0 in place of 3.
    FitSettings.from_mapping(config["fit"], "config")
    try:
        Configuration.model_validate(config)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InputError(f"config: {reason}.") from error


@cache
def configuration_schema() -> dict[str, Any]:
    """The JSON schema of the configuration, without references and titles."""
    schema = Configuration.model_json_schema()
    return plain_schema(schema, schema.pop("$defs"))
