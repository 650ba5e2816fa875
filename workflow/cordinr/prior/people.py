"""Who a prior has learnt from, without anything heavy: Snakemake divides people while it plans."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Learner:
    """A person whose reference a prior has learnt from.

    Attributes:
        person: such as "sub-01".
        dataset: name of the dataset; empty where nobody says.
        site: where the image was taken; empty where nobody says.
    """

    person: str
    dataset: str = ""
    site: str = ""


def person_of(subject: str) -> str:
    """A person by the label of a subject, with or without "sub-", as priors name people."""
    return f"sub-{subject.removeprefix('sub-')}"
