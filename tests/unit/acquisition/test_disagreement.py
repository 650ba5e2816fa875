"""Scans that contradict each other are followed less closely, as noisy ones are."""

from dataclasses import replace

import numpy as np
import pytest

from cordinr.acquisition.domain import FitDomain
from cordinr.acquisition.noise import CONTRADICTION_FACTOR, contradiction, excess_noise
from cordinr.acquisition.view import intensity_scale
from cordinr.alignment.intensity import SliceIntensities
from cordinr.alignment.outcome import LEAST_DISAGREEMENT, Alignment
from cordinr.alignment.pose import Pose
from cordinr.bids.view_files import read_view
from cordinr.classical.reconstruct import reconstruct_baseline, regularised
from cordinr.classical.weights import automatic_weight
from cordinr.errors import InputError
from cordinr.files import write_json
from cordinr.imaging.volume import save_volume
from tests.helpers.support import blobs, two_views


def alignment_with(disagreement, count):
    slices = SliceIntensities(np.ones(count), np.ones(count), np.full(count, disagreement))
    return Alignment(
        poses=(Pose(np.zeros(3), np.zeros(3), np.zeros(3)),),
        gains=np.ones(1),
        shadings=(None,),
        slices=(slices,),
        shifts=(None,),
        correlation=np.array([0.7]),
        correlation_before=np.array([0.7]),
        fixed=0,
        problems={},
    )


def test_the_variance_of_a_contradiction_is_that_of_the_difference_halved():
    """Two scans with independent errors of 0.09 differ by their root sum of squares."""
    views = two_views(blobs((16, 16, 16), np.eye(4)))
    scale = intensity_scale(views)
    assert excess_noise(views, scale) == 0
    rng = np.random.default_rng(0)
    errors = rng.normal(0, 0.09, (2, 100_000))
    difference = float(np.median(np.abs(errors[0] - errors[1])))
    levels = [np.median(view.voxels[view.voxels > 0.1 * scale]) / scale for view in views]
    doubted = [
        replace(view, disagreement=difference / level)
        for view, level in zip(views, levels, strict=True)
    ]
    assert contradiction(doubted, scale) == pytest.approx(0.09**2, rel=0.15)
    wanted = CONTRADICTION_FACTOR * contradiction(doubted, scale)
    assert excess_noise(doubted, scale) == pytest.approx(wanted)
    assert automatic_weight(doubted, "tv") > 5 * automatic_weight(views, "tv")
    # A scan alone has nobody to contradict it, whatever its sidecar says of other scans.
    assert contradiction(doubted[:1], scale) == excess_noise(doubted[:1], scale) == 0


def test_of_scans_that_contradict_each_other_two_images_are_averaged():
    views = two_views(blobs((16, 16, 16), np.eye(4)))
    grid = FitDomain.of(views).grid
    doubted = [replace(view, disagreement=0.3) for view in views]
    for each in (views, doubted):
        variation = reconstruct_baseline(each, grid, "tv", 0.01)
        other = reconstruct_baseline(each, grid, "tikhonov", automatic_weight(each, "tikhonov"))
        wanted = variation if each is views else (variation + other) / 2
        np.testing.assert_array_equal(regularised(each, grid, 0.01), wanted)
        assert np.abs(variation - other).max() > 1


def test_what_noise_explains_is_no_disagreement():
    view = two_views(blobs((16, 16, 16), np.eye(4)))[0]
    count = view.volume.grid.shape[view.axis]
    little = alignment_with(0.9 * LEAST_DISAGREEMENT, count)
    assert little.apply([view])[0] is view
    assert "ScanDisagreement" not in little.fields(0)
    much = alignment_with(2 * LEAST_DISAGREEMENT, count)
    assert much.apply([view])[0].disagreement == pytest.approx(2 * LEAST_DISAGREEMENT)
    assert "differs from the other scans by 20%" in much.describe(0)
    # Two scans may differ by up to twice their mean; what is written has to be readable.
    assert alignment_with(1.7, count).fields(0)["ScanDisagreement"] == 1


@pytest.mark.parametrize("value", ["much", -0.1, 2, True, [0.2]])
def test_a_sidecar_says_how_far_an_aligned_scan_differs(tmp_path, value):
    view = two_views(blobs((16, 16, 16), np.eye(4)))[0]
    path = tmp_path / "ax.nii.gz"
    save_volume(path, view.volume.array, view.volume.grid)
    said = alignment_with(0.21, 4).fields(0)
    write_json(tmp_path / "ax.json", {"SliceThickness": 4} | said)
    assert read_view(path).disagreement == pytest.approx(0.21)
    write_json(tmp_path / "ax.json", {"SliceThickness": 4, "ScanDisagreement": value})
    with pytest.raises(InputError, match="ScanDisagreement is not a number from 0 to 1"):
        read_view(path)
