"""PSNR, SSIM, NRMSE and their regions against closed forms and scikit-image."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from cordinr.evaluation.metrics import evaluate, original_protocol
from cordinr.imaging.body import foreground, intensity_range
from tests.helpers.support import blobs


@pytest.fixture
def pair():
    reference = blobs((20, 18, 16), np.eye(4)).array
    noise = np.random.default_rng(0).normal(0, 5, reference.shape).astype(np.float32)
    return reference + noise, reference


def test_metrics_agree_with_scikit_image(pair):
    image, reference = pair
    peak = intensity_range(reference)
    assert peak == pytest.approx(np.percentile(reference, 99.9))
    metrics = evaluate(image, reference, {"fov": np.ones(reference.shape, bool)})
    expected = peak_signal_noise_ratio(
        reference.astype(float), image.astype(float), data_range=peak
    )
    assert metrics["psnr_fov"] == pytest.approx(expected, abs=1e-6)
    _, full = structural_similarity(
        reference.astype(float), image.astype(float), win_size=7, data_range=peak, full=True
    )
    assert metrics["ssim_fov"] == pytest.approx(full.mean(), abs=1e-9)
    rms = np.sqrt(np.mean((image - reference).astype(float) ** 2))
    rms_reference = np.sqrt(np.mean(reference.astype(float) ** 2))
    assert metrics["nrmse_fov"] == pytest.approx(rms / rms_reference, rel=1e-5)


def test_the_prediction_is_never_rescaled(pair):
    _, reference = pair
    everywhere = {"fov": np.ones(reference.shape, bool)}
    metrics = evaluate(reference * 0.5, reference, everywhere)
    peak = intensity_range(reference)
    expected = 10 * np.log10(peak**2 / np.mean((reference.astype(float) / 2) ** 2))
    assert metrics["psnr_fov"] == pytest.approx(expected, abs=1e-4)


def test_a_region_counts_alone(pair):
    image, reference = pair
    corner = np.zeros(reference.shape, bool)
    corner[:5] = True
    spoiled = image.copy()
    spoiled[8:] += 100
    regions = {"cord": corner, "fg": np.zeros_like(corner)}
    before, after = evaluate(image, reference, regions), evaluate(spoiled, reference, regions)
    assert before["psnr_cord"] == after["psnr_cord"]
    assert "psnr_fg" not in before


def test_foreground_is_body_not_air():
    body = np.zeros((30, 30, 30), np.float32)
    body[:, 10:, :] = 500
    body += np.abs(np.random.default_rng(0).normal(0, 10, body.shape))
    found = foreground(body, np.ones(3))
    assert found[:, 13:].all() and not found[:, :7].any()


def test_the_original_protocol_zeroes_background_and_rescales():
    body = np.zeros((24, 24, 24), np.float32)
    body[6:18, 6:18, 6:18] = blobs((12, 12, 12), np.eye(4)).array + 200
    metrics = original_protocol(body * 3 + 7, body)
    assert metrics["psnr_original"] > 100 and metrics["ssim_original"] == pytest.approx(1)
