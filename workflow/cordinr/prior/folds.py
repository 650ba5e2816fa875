"""Who may be reconstructed with a prior: nobody who was in it.

People are divided into folds, and a prior is learnt for each fold from all others. Where the sites
are known, people of one site stay together, as one scanner's images resemble each other.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import InputError
from .people import Learner

if TYPE_CHECKING:
    from .prior_file import Prior


def divide(people: Sequence[Learner], count: int) -> list[set[str]]:
    """Divide people into folds, by site where all have one and there are enough, else by person.

    Args:
        people: each may occur several times, once per dataset.
        count: number of folds, at least 2.

    Returns:
        The people of each fold, about equally many; always the same for the same people.

    Raises:
        InputError: there are fewer people than folds, or fewer than two folds.
    """
    names = sorted({learner.person for learner in people})
    if count < 2:
        raise InputError(f"{count} folds leave nobody to learn from; choose two or more.")
    if len(names) < count:
        raise InputError(
            f"{len(names)} people cannot be divided into {count} folds; choose fewer folds, or "
            "give a dataset of more people."
        )
    together: dict[str, set[str]] = {}
    sites = {learner.person: learner.site for learner in people}
    for name in names:
        together.setdefault(sites[name], set()).add(name)
    if "" in together or len(together) < count:
        together = {name: {name} for name in names}
    folds: list[set[str]] = [set() for _ in range(count)]
    for group in sorted(together, key=lambda each: (-len(together[each]), each)):
        min(folds, key=len).update(together[group])
    return folds


def refuse_learner(prior: "Prior", person: str, name: str = "the prior", dataset: str = "") -> None:
    """Refuse to reconstruct a person with a prior that has seen them.

    A label such as sub-01 is given anew in every dataset: numbers count as the same person only
    where the datasets are the same or nobody says which they are. Any other label, such as
    sub-amu01, stands for the same person in all datasets.

    Args:
        prior: to be used.
        person: who is to be reconstructed, such as "sub-01".
        name: of the prior, for the message, normally its path.
        dataset: name of the dataset of the person; empty where it is not known.

    Raises:
        InputError: the person was in it.
    """
    numbered = person.removeprefix("sub-").isdecimal()
    for learner in prior.learners:
        elsewhere = dataset and learner.dataset and learner.dataset != dataset
        if learner.person == person and not (numbered and elsewhere):
            raise InputError(
                f"{name}: has learnt from {person}, whose image it would know already; take a "
                f"prior that was learnt without them (cordinr learn --exclude-subject {person})."
            )


def refuse_learners(people: Sequence[str], least: int = 1) -> None:
    """Refuse to learn from too few people.

    Raises:
        InputError: fewer than `least` are left.
    """
    if len(set(people)) < least:
        raise InputError(
            f"{len(set(people))} people are left to learn from, and {least} are needed; exclude "
            "fewer, or give a dataset of more people."
        )
