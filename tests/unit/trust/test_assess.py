"""Verdicts on reconstructions of scans that another simulator made."""

from dataclasses import replace

import numpy as np
import pytest

from cordinr.acquisition.domain import FitDomain
from cordinr.acquisition.overlap import common_grid
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from cordinr.trust.assess import assess, covered_voxels
from tests.helpers.scans import body, displacement, scan

AXIAL = {"thickness": 4, "spacing": 4, "in_plane": 1.0, "noise": 0.02, "seed": 1, "name": "ax"}


@pytest.fixture(scope="module")
def image():
    return body()


@pytest.fixture(scope="module")
def sagittal(image):
    return scan(image, "R", thickness=3, spacing=3.3, in_plane=0.9, noise=0.02, seed=0, name="sag")


@pytest.fixture(scope="module")
def axial(image):
    return scan(image, "S", **AXIAL)


def reconstruct(views):
    grid = common_grid(views, 1.0)
    return Volume(reconstruct_baseline(views, grid, "tikhonov", 0.003), grid)


def judge(views):
    return assess(views, reconstruct(views), FitDomain.of(views).contains)


def changed(view, slices, function):
    array = view.volume.array.copy()
    for number in slices:
        array[:, :, number] = function(array[:, :, number])
    return replace(view, volume=Volume(array, view.volume.grid))


def test_a_good_pair_is_trusted(sagittal, axial):
    found = judge([sagittal, axial])
    assert found.verdict.word == "trusted" and found.verdict.reasons == []
    assert found.sentence.startswith("trusted: the scans agree")
    assert all(word in ("ok", "unknown") for stack in found.stacks for word in stack.words)
    for stack in found.stacks:
        assert stack.residual.noise == pytest.approx(0.02, abs=0.006)
        assert stack.residual.excess < 0.02
        assert stack.agreement.excess < 0.02
        assert stack.residual.numbers.total_gain == pytest.approx(1, abs=0.01)
    assert found.trust > 0.5 and found.crossed > 0.95


def test_the_expected_error_is_about_the_true_one(sagittal, axial, image):
    views = [sagittal, axial]
    found = assess(views, recon := reconstruct(views))
    places = recon.grid.centres()
    index = np.rint(image.grid.index(places)).astype(int)
    inside = image.grid.contains(image.grid.index(places))
    truth = image.array[tuple(index[inside].T)]
    error = recon.array.ravel()[inside] - truth
    true_error = np.sqrt(np.mean(error[truth > 100] ** 2)) / np.percentile(image.array, 99.9)
    assert found.sources.expected_error == pytest.approx(true_error, rel=0.6)


@pytest.mark.slow
def test_a_scan_of_another_person_is_not_to_be_used(sagittal):
    found = judge([sagittal, scan(body(seed=7), "S", **AXIAL)])
    assert found.verdict.word == "do not use"
    assert "the scans do not show the same where they cross" in found.sentence


@pytest.mark.slow
def test_an_unmodelled_displacement_costs_trust(sagittal, axial, image):
    trusts = [judge([sagittal, axial]).trust]
    for mm in (1.0, 2.0, 4.0):
        moved = displacement(image.grid.centre, np.zeros(3), mm * np.array([0.6, 0.6, 0.5]))
        trusts.append(judge([sagittal, scan(image, "S", moved=moved, **AXIAL)]).trust)
    assert sorted(trusts, reverse=True) == trusts
    assert trusts[-1] < 0.6 * trusts[0]


@pytest.mark.parametrize(("factor", "word"), [(0.7, "dark"), (1.4, "bright")])
def test_slices_of_another_gain_are_named(sagittal, axial, factor, word):
    found = judge([sagittal, changed(axial, [4, 9], lambda pixels: factor * pixels)])
    words = found.stacks[1].words
    assert [number for number, each in enumerate(words) if each == word] == [4, 9]
    assert set(found.stacks[0].words) <= {"ok", "unknown"}
    assert found.verdict.word == "doubtful"
    assert f"2 of {len(words)} slices of ax do not fit (2 {word})" in found.sentence


def test_a_moved_slice_is_named(sagittal, axial):
    found = judge([sagittal, changed(axial, [6], lambda pixels: np.roll(pixels, 6, axis=1))])
    words = found.stacks[1].words
    assert [number for number, each in enumerate(words) if each == "disagrees"] == [6]
    assert set(found.stacks[0].words) <= {"ok", "unknown"}


def test_an_image_that_does_not_explain_the_scans_is_not_trusted(sagittal, axial):
    views = [sagittal, axial]
    good = reconstruct(views)
    turned = Volume(np.ascontiguousarray(good.array[::-1]), good.grid)
    found = assess(views, turned, np.ones(good.grid.shape, bool))
    assert found.verdict.word == "do not use"
    assert "the image does not explain sag" in found.sentence


def test_one_stack_alone_is_doubtful(sagittal):
    found = judge([sagittal])
    assert found.verdict.word == "doubtful"
    assert "no scan of another direction" in found.sentence
    assert found.fields()["agreement"] is None


def test_an_image_of_another_place_is_refused(sagittal, axial):
    views = [sagittal, axial]
    good = reconstruct(views)
    affine = good.grid.affine.copy()
    affine[:3, 3] += 500
    with pytest.raises(InputError, match="covers nothing of them"):
        assess(views, Volume(good.array, Grid(good.grid.shape, affine)))


def test_zeros_around_an_image_are_not_covered():
    array = np.zeros((9, 9, 9), np.float32)
    array[2:7, 2:7, 2:7] = 1
    array[4, 4, 4] = 0
    covered = covered_voxels(Volume(array, Grid((9, 9, 9), np.eye(4))))
    assert covered.sum() == 125 and covered[4, 4, 4]


def test_the_fields_are_json(sagittal, axial):
    fields = judge([sagittal, axial]).fields()
    assert fields["verdict"] == "trusted"
    assert [stack["scan"] for stack in fields["stacks"]] == ["sag", "ax"]
    assert fields["slices"] == sum(view.volume.grid.shape[2] for view in (sagittal, axial))
    assert fields["agreement"] > 0.95 > 0.1 > fields["residual"] > 0
