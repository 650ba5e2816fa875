"""Nobody is reconstructed with a prior that has seen them."""

from dataclasses import replace

import pytest

from cordinr.errors import InputError
from cordinr.prior.folds import divide, refuse_learner, refuse_learners
from cordinr.prior.people import Learner
from tests.helpers.priors import tiny_prior


def people(*sites: str) -> list[Learner]:
    return [Learner(f"sub-{number:02}", "a", site) for number, site in enumerate(sites)]


def test_everyone_is_in_one_fold():
    folds = divide(people(*[""] * 7), 3)
    assert sorted(map(len, folds)) == [2, 2, 3]
    assert len(set().union(*folds)) == 7


def test_people_of_one_site_stay_together():
    folds = divide(people("x", "y", "x", "z", "y", "x"), 2)
    together = {"sub-00", "sub-02", "sub-05"}
    assert together in folds and {"sub-01", "sub-03", "sub-04"} in folds


def test_a_person_of_two_datasets_is_in_one_fold():
    twice = [Learner("sub-01", "a"), Learner("sub-02", "a"), Learner("sub-01", "b")]
    assert sorted(map(sorted, divide(twice, 2))) == [["sub-01"], ["sub-02"]]


def test_sites_that_are_too_few_or_not_known_for_all_do_not_count():
    assert sorted(map(len, divide(people("x", "x", "x", "x"), 2))) == [2, 2]
    assert sorted(map(len, divide(people("x", "x", "x", ""), 2))) == [2, 2]


def test_folds_do_not_depend_on_the_order():
    some = people("x", "y", "x", "z", "y", "x")
    assert divide(some, 3) == divide(some[::-1], 3)


@pytest.mark.parametrize(("count", "words"), [(1, "two or more"), (4, "3 people")])
def test_folds_that_cannot_be_are_refused(count, words):
    with pytest.raises(InputError, match=words):
        divide(people("", "", ""), count)


def test_a_learner_is_refused():
    prior = tiny_prior()
    refuse_learner(prior, "sub-03")
    with pytest.raises(InputError, match=r"a.safetensors: has learnt from sub-02"):
        refuse_learner(prior, "sub-02", "a.safetensors")


def test_numbers_are_people_of_one_dataset_and_other_labels_of_all():
    prior = replace(tiny_prior(), learners=(Learner("sub-01", "a"), Learner("sub-amu01", "a")))
    refuse_learner(prior, "sub-01", dataset="b")
    for person, dataset in (("sub-01", "a"), ("sub-01", ""), ("sub-amu01", "b")):
        with pytest.raises(InputError, match=f"has learnt from {person}"):
            refuse_learner(prior, person, dataset=dataset)


def test_too_few_learners_are_refused():
    refuse_learners(["sub-01"])
    with pytest.raises(InputError, match="0 people are left"):
        refuse_learners([])
