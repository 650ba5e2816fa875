"""What several sections of the configuration have: their form, and types of settings."""

from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Value = TypeVar("Value")


class Section(BaseModel):
    """A part of the configuration, which has no other keys than these."""

    model_config = ConfigDict(extra="forbid", frozen=True, regex_engine="python-re")


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
VIEW_NAME = r"^(?!iso)[A-Za-z0-9]+$"
EntityLabels = Label | WholeNumber | list[Label | WholeNumber | None] | None
Entities = dict[Annotated[str, Field(pattern=r"^[a-z]+$")], EntityLabels]
