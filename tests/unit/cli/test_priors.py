"""A prior as verbs take it: who may be reconstructed with it, and what sidecars say of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from cordinr.cli.priors import prior_fields, read_prior_for
from cordinr.errors import InputError
from cordinr.prior.people import Learner
from cordinr.prior.prior_file import save_prior
from tests.helpers.priors import tiny_prior


@pytest.fixture
def prior_file(tmp_path):
    """The file of a prior that has seen sub-01 and sub-02 of "made-up"."""
    path = tmp_path / "prior.safetensors"
    save_prior(path, tiny_prior())
    return path


@pytest.mark.parametrize(
    ("view", "dataset", "is_refused"),
    [
        ("sub-01_acq-axial_T2w.nii.gz", "made-up", True),
        ("sub-01_acq-axial_T2w.nii.gz", "", True),
        ("sub-01_acq-axial_T2w.nii.gz", "other", False),
        ("sub-03_acq-axial_T2w.nii.gz", "made-up", False),
        ("axial.nii.gz", "made-up", False),
    ],
)
def test_only_who_was_in_a_prior_is_refused(prior_file, view, dataset, is_refused):
    views = [Path("sub-03_acq-sagittal_T2w.nii.gz"), Path(view)]
    if is_refused:
        with pytest.raises(InputError, match=r"prior\.safetensors: has learnt from sub-01"):
            read_prior_for(prior_file, views, dataset)
    else:
        assert read_prior_for(prior_file, views, dataset).people == {"sub-01", "sub-02"}


def test_sidecars_name_everyone_by_dataset():
    people = [("sub-b", "one"), ("sub-a", "one"), ("sub-a", "two"), ("sub-a", "one")]
    prior = replace(tiny_prior(), learners=tuple(Learner(*each) for each in people))
    assert prior_fields("folder/fold.safetensors", prior) == {
        "Prior": "fold.safetensors",
        "PriorLearners": {"one": ["sub-a", "sub-b"], "two": ["sub-a"]},
    }
