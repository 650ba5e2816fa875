"""The prior that comes with cordinr: whom it knows, and whether it is worth something."""

import re

import numpy as np
import pytest

from cordinr.errors import InputError
from cordinr.phantom.dataset import subject_labels
from cordinr.phantom.scan import draw_scan
from cordinr.prior.folds import refuse_learner
from cordinr.prior.predict import predict_learned
from cordinr.prior.scores import SCENARIOS, Score, calibration_of, middle, views_of
from cordinr.prior.shipped import SHIPPED_FILE, find_prior, shipped_prior
from tests.helpers.support import ROOT

COHORT = {"errsm11", "errsm18", "errsm20", "errsm22", "errsm23", "test001"}


@pytest.fixture(scope="module")
def prior():
    return shipped_prior()


def test_its_learners_are_those_of_the_card(prior):
    people = {each.person for each in prior.learners if each.dataset == "spine-cohort"}
    assert people == {f"sub-{label}" for label in COHORT}
    assert {each.dataset for each in prior.learners} == {"spine-cohort", "phantom"}
    page = (ROOT / "docs/prior.md").read_text()
    assert {label for label in COHORT if label not in page} == set()


def test_images_to_test_with_and_demonstrations_are_none_of_them(prior):
    names = [*subject_labels(40), "cervical", "unf01", "lumbar", "oxfordFmrib", "unf"]
    for label in names:
        refuse_learner(prior, f"sub-{label}")


def test_it_is_small_and_names_no_path():
    content = SHIPPED_FILE.read_bytes()
    assert len(content) < 1_000_000
    assert not re.search(rb"/(tmp|home|root|work)/", content[:20_000])


def test_its_record_has_licence_and_scores(prior):
    assert prior.record["licence"] == "MIT"
    scores = [Score.from_record(row) for row in prior.record["scores"]]
    assert {(each.person, each.scenario) for each in scores} == {
        (f"sub-{label}", scenario) for label in COHORT for scenario in SCENARIOS
    }
    assert prior.calibration == pytest.approx(calibration_of(scores), abs=1e-3)
    assert min(each.gain for each in scores) > 0


def test_it_is_nearer_to_a_phantom_of_another_seed_than_total_variation(prior):
    volume = middle(draw_scan(1, 7), 36)
    learned = predict_learned(views_of(volume, "plain"), volume.grid, prior)
    inner = (slice(4, -4),) * 3
    before, after = (
        np.square(each - volume.array)[inner].mean() for each in (learned.variation, learned.image)
    )
    assert after < 0.95 * before


def test_a_prior_is_found_by_word_or_path(tmp_path, prior):
    assert find_prior("learned").learners == prior.learners
    assert find_prior(SHIPPED_FILE).learners == prior.learners
    with pytest.raises(InputError, match="no such file"):
        find_prior(tmp_path / "learned.safetensors")
