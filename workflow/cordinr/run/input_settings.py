"""Settings of what a run begins with: the raw dataset, and the views of its images."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from ..inr.settings import Positive
from .setting_types import VIEW_NAME, Entities, Label, Section, Text, UniqueAndSome


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
