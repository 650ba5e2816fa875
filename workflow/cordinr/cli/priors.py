"""Priors as verbs take them: read by name, refused to those who were in them, told in sidecars.

One place for all verbs, so that no image of any method is made with a prior that has seen that
person, and every sidecar names those whom it has seen.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..bids.names import entities
from ..methods import PRIOR_FREE
from ..prior.folds import refuse_learner
from ..prior.people import person_of
from ..prior.prior_file import Prior
from ..prior.shipped import find_prior


def read_prior_for(name: Path | str, views: Sequence[Path], dataset: str = "") -> Prior:
    """Read the prior that a word or a path names, and refuse it to those whom it has seen.

    Args:
        name: as `find_prior`.
        views: whose file names say of whom they are; a name without a subject is of nobody known.
        dataset: of the views; empty where it is not known.

    Raises:
        InputError: there is no such prior, or it has seen the subject.
    """
    prior = find_prior(name)
    for label in sorted({entities(view)["sub"] for view in views if "sub" in entities(view)}):
        refuse_learner(prior, person_of(label), f"prior {name}", dataset)
    return prior


def choose_prior(word: str, views: Sequence[Path], dataset: str = "") -> Prior | None:
    """Read the prior that draws an INR, unless total variation or nothing does.

    Args:
        word: "none", "tv", or as `find_prior`.
        views: as `read_prior_for`.
        dataset: likewise.

    Raises:
        InputError: as `read_prior_for`.
    """
    return None if word in PRIOR_FREE else read_prior_for(word, views, dataset)


def prior_fields(name: Path | str, prior: Prior) -> dict[str, Any]:
    """Fields of the sidecar of an image that a prior had a part in.

    Args:
        name: as `find_prior`.
        prior: that this names.

    Returns:
        `Prior`: the word or the name of the file; `PriorLearners`: by the name of their dataset,
        the people whose references it has learnt from.
    """
    learners: dict[str, list[str]] = {}
    for dataset, person in sorted({(each.dataset, each.person) for each in prior.learners}):
        learners.setdefault(dataset, []).append(person)
    return {"Prior": Path(name).name, "PriorLearners": learners}
