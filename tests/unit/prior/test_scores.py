"""Scores of people who were left out, and the calibration that follows from them."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from cordinr.acquisition.overlap import coverage
from cordinr.evaluation.metrics import psnr
from cordinr.prior.predict import predict_learned
from cordinr.prior.scores import SCENARIOS, Score, calibration_of, middle, score, views_of
from tests.helpers.priors import reference, tiny_prior


def test_the_gain_is_a_difference_of_psnr():
    person, prior = reference("sub-03", 18), tiny_prior(calibration=3.0)
    found = list(score(person, prior, steps=7))
    assert [each.scenario for each in found] == list(SCENARIOS)
    assert {(each.person, each.steps) for each in found} == {("sub-03", 7)}
    volume = person.volume
    views = views_of(volume, "plain")
    learned = predict_learned(views, volume.grid, replace(prior, calibration=1.0))
    seen = coverage(views, volume.grid)
    own = psnr(learned.image, volume.array, seen, 1.0)
    # Total variation takes the best of several weights, this one among them.
    assert found[0].gain <= own - psnr(learned.variation, volume.array, seen, 1.0) + 1e-9


def test_every_person_counts_the_same_in_the_calibration():
    often = [Score("sub-01", each, 0, 2.0, 0, 0) for each in SCENARIOS]
    assert calibration_of([*often, Score("sub-02", "plain", 0, 1.0, 0, 0)]) == 1.5
    assert calibration_of([]) == 1.0
    assert calibration_of([Score("sub-01", "plain", 0, 99.0, 0, 0)]) == 5.0


def test_a_score_comes_back_from_a_record():
    one = Score("sub-01", "thin", 0.5, 1.1, 0.7, 0.9, 300)
    assert Score.from_record(asdict(one)) == one
    for wrong in ({}, [], asdict(one) | {"gain": "much"}, asdict(one) | {"gain": np.inf}):
        with pytest.raises(ValueError, match="its record holds scores"):
            Score.from_record(wrong)


def test_the_scenarios_are_what_they_say():
    volume = reference("sub-03", 20).volume
    views = {scenario: views_of(volume, scenario) for scenario in SCENARIOS}
    assert [len(views[each]) for each in SCENARIOS] == [2, 2, 3, 2]
    assert views["thin"][0].profile.thickness == pytest.approx(3)
    clean, noisy = (views[each][0].volume.array for each in ("plain", "noise"))
    sigma = 0.03 * np.percentile(volume.array, 99.9)
    assert np.std(noisy - clean) == pytest.approx(sigma, rel=0.25)


def test_the_middle_lies_where_it_was():
    volume = reference("sub-03", 20).volume
    part = middle(volume, 10)
    assert part.array.shape == (10, 10, 10)
    np.testing.assert_array_equal(part.array, volume.array[5:15, 5:15, 5:15])
    np.testing.assert_allclose(part.grid.centre, volume.grid.centre)
