"""The verdict: what lowers it, and what it says."""

from dataclasses import replace

import numpy as np
import pytest

from cordinr.trust.expected_error import ErrorSources
from cordinr.trust.hold_out import HoldOut
from cordinr.trust.slice_numbers import SliceNumbers
from cordinr.trust.verdict import StackEvidence, judge

GOOD = StackEvidence("sag", correlation=0.99, gain=1.0, residual=0.01, words=["ok"] * 20)
FEW = ErrorSources(disagreement=0.01, noise=0.01, detail=0.02, residual=0.01)


def held_out(error, by_interpolation):
    """Left-out voxels that are wrong by so much, relative to R."""
    numbers, expected = np.zeros(50, int), np.linspace(0, 1, 50)
    both = [
        SliceNumbers.compare(expected + wrong, expected, numbers, 1.0, np.ones(1, bool))
        for wrong in (error, by_interpolation)
    ]
    return HoldOut(*both)


def verdict(*stacks, sources=FEW, crossed=1.0, problems=None):
    return judge(stacks, sources, crossed, problems or {})


def test_nothing_lowers_the_verdict_of_good_scans():
    found = verdict(GOOD, replace(GOOD, name="ax", held_out=held_out(0.02, 0.05)))
    assert found.word == "trusted" and found.reasons == []


@pytest.mark.parametrize(
    ("change", "word", "reason"),
    [
        ({"correlation": 0.8}, "doubtful", "ax does not show what scans of other directions"),
        ({"correlation": 0.4}, "do not use", "ax does not show what scans of other directions"),
        ({"residual": 0.06}, "doubtful", "the image does not explain ax"),
        ({"residual": 0.2}, "do not use", "residual beyond noise 20.0 %"),
        ({"gain": 1.3}, "doubtful", "ax is 1.30 times as bright"),
        ({"words": ["ok"] * 18 + ["dark"] * 2}, "doubtful", "2 of 20 slices of ax do not fit"),
    ],
)
def test_a_scan_lowers_the_verdict(change, word, reason):
    found = verdict(GOOD, replace(GOOD, name="ax", **change))
    assert found.word == word
    [said] = found.reasons
    assert reason in said


def test_a_slice_in_twenty_may_be_strange():
    words = ["ok"] * 19 + ["dark"]
    assert verdict(GOOD, replace(GOOD, words=words)).word == "trusted"


@pytest.mark.parametrize(
    ("noise", "word"), [(0.02, "trusted"), (0.08, "doubtful"), (0.2, "do not use")]
)
def test_a_large_expected_error_says_where_it_comes_from(noise, word):
    found = verdict(GOOD, GOOD, sources=replace(FEW, noise=noise))
    assert found.word == word
    assert ("the scans are noisy" in " ".join(found.reasons)) == (word != "trusted")


def test_what_no_other_scan_confirms_is_doubtful():
    alone = replace(GOOD, correlation=float("nan"), gain=float("nan"))
    found = verdict(alone, sources=replace(FEW, disagreement=float("nan")), crossed=0.0)
    assert found.word == "doubtful" and "no scan of another direction" in found.reasons[0]
    assert len(found.reasons) == 1
    found = verdict(GOOD, GOOD, crossed=0.3)
    assert found.word == "doubtful" and "only 30 % of the image" in found.reasons[0]


def test_an_alignment_that_failed_is_said():
    found = verdict(GOOD, replace(GOOD, name="ax"), problems={1: "shares too little"})
    assert found.word == "doubtful" and found.reasons == ["ax shares too little"]


def test_slices_that_interpolation_predicts_better_lower_the_verdict():
    worse = replace(GOOD, held_out=held_out(0.06, 0.05))
    better = replace(GOOD, held_out=held_out(0.04, 0.05))
    assert verdict(worse, worse).word == "doubtful"
    assert verdict(worse, better).word == "trusted"


def test_trust_falls_with_the_expected_error():
    errors = [replace(FEW, residual=residual) for residual in (0.0, 0.05, 0.1, 0.3)]
    trusts = [sources.trust for sources in errors]
    assert trusts == sorted(trusts, reverse=True) and 0 < trusts[-1] < trusts[0] < 1
    exact = ErrorSources(float("nan"), 0.0, 0.0, float("nan"))
    assert exact.expected_error == 0 and exact.trust == 1
