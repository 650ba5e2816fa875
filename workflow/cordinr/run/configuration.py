"""The configuration of the whole workflow: types, bounds, defaults and meaning of every setting.

From these models come the schema in `workflow/schemas` and the table in `docs/configuration.md`
(`make settings`); a test holds `config.yaml`, which people read and edit, equal to their defaults.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, Self

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from pydantic import Field, StrictBool, ValidationError, model_validator

from ..acquisition.profile import ProfileShape
from ..errors import InputError
from ..inr.settings import Count, CountOrZero, FitSettings, Positive, PositiveOrZero
from ..methods import LEARNED
from .input_settings import SIMULATED_BY_DEFAULT, Dataset, Views
from .plain_schema import plain_schema
from .setting_types import Section, Sigma, Text, Unique, UniqueAndSome, VoxelSize

SCHEMA_FILE = "workflow/schemas/config.schema.yaml"
"""Where the schema is for people and their editors, from the root of the repository."""


FOLDS = "folds"
"""Word for the priors that a run learns itself, one for each part of its people."""

PRIOR_WORDS = ("none", "tv", LEARNED, FOLDS)
"""What `prior` may be beside the path of a file."""

START_WORDS = ("none", LEARNED)
"""What `learn.start` may be beside the path of a file."""


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


class Learn(Section):
    """How priors are learnt where `prior` is `folds`; the shipped one began with the defaults."""

    folds: Annotated[Count, Field(ge=2)] = Field(
        default=5,
        description="Parts into which the people of the run are divided, by site where all have "
        "one and there are enough; one prior is learnt for each part, from all others.",
    )
    start: Text = Field(
        default="none",
        description="What the priors go on from, with fewer steps and a lower rate: `learned` (the "
        "prior that comes with cordinr), or a file that `cordinr learn` wrote; `none` to begin "
        "with nothing learnt.",
    )
    steps: Count = Field(default=1600, description="Steps of learning.")
    batch: Count = Field(default=16, description="Patches per step.")
    rate: Positive = Field(default=0.0015, description="Learning rate at its highest.")
    examples: Count = Field(
        default=144,
        description="Examples that are simulated of the images, which share them evenly, with one "
        "of each at least.",
    )
    phantoms: CountOrZero = Field(default=20, description="Phantoms to learn from as well.")
    seed: CountOrZero = Field(default=0, description="Seed of all choices.")


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
    prior: Text = Field(
        default="learned",
        description="What draws the INRs where the views say nothing: `none`, `tv` (their total "
        "variation reconstruction), `learned` (the prior that comes with cordinr), `folds` (priors "
        "learnt in this run, each image with one that has not seen its person), or a file that "
        "`cordinr learn` wrote. The baseline `learned` takes the same prior, and that of cordinr "
        "for `none` and `tv`. An image of a person who was in it is refused.",
    )
    learn: Learn = Learn()
    baselines: Baselines = Baselines()
    results: Results = Results()
    pathvars: Pathvars = Pathvars()
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="Where to fit and render; `auto` takes a GPU if there is one."
    )
    fit_threads: Count = Field(default=2, description="CPU threads of one fit or rendering.")

    @model_validator(mode="after")
    def _has_people_to_learn_from(self) -> Self:
        if self.prior != FOLDS:
            return self
        if self.views.acquired is not None:
            raise ValueError(
                f"prior: is {FOLDS}, but acquired scans have no references to learn from; set it "
                "to learned or to a file of `cordinr learn`"
            )
        subjects = self.dataset.subjects
        if isinstance(subjects, list) and len(subjects) < self.learn.folds:
            raise ValueError(
                f"learn.folds: is {self.learn.folds}, but dataset.subjects names {len(subjects)}; "
                "choose fewer folds, name more subjects, or set prior to learned"
            )
        return self

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
