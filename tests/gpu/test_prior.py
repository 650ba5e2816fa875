"""The learned prior on a GPU: the same image as on a CPU, and learning."""

import numpy as np
import torch

from cordinr.acquisition.view import intensity_scale
from cordinr.phantom.scan import draw_scan
from cordinr.prior.examples import Reference, make_examples
from cordinr.prior.learning import LearningReport, LearningSettings, learn
from cordinr.prior.predict import predict_learned
from cordinr.prior.scores import middle
from cordinr.prior.shipped import shipped_prior
from tests.helpers.support import two_views


def test_the_learned_image_is_the_same_on_every_device(gpu):
    image = middle(draw_scan(1, 7), 48)
    views = two_views(image)
    on_gpu, on_cpu = (
        predict_learned(views, image.grid, shipped_prior(), device=device)
        for device in (gpu, torch.device("cpu"))
    )
    unit = intensity_scale(views)
    assert np.sqrt(np.mean((on_cpu.image - on_cpu.variation) ** 2)) > 0.003 * unit
    assert np.abs(on_gpu.image - on_cpu.image).max() < 0.003 * unit
    assert np.sqrt(np.mean((on_gpu.image - on_cpu.image) ** 2)) < 0.0003 * unit
    np.testing.assert_allclose(on_gpu.standard_error, on_cpu.standard_error, rtol=0.05)


def test_a_prior_learns(gpu):
    """Steps of bfloat16 on the GPU lower the error as those on a CPU do."""
    references = [Reference("sub-phantom1", draw_scan(1, 7))]
    examples = make_examples(references, 2, 0, crop=(32, 32, 32))
    settings = LearningSettings(steps=60, batch=2, patch=24, learning_rate=2e-3)
    gains = []
    for device in (gpu, torch.device("cpu")):
        reports: list[LearningReport] = []
        learn(examples, settings, device=device, report=reports.append)
        gains.append(reports[-1].gain)
    assert gains[0] > 0.1
    assert abs(gains[0] - gains[1]) < 0.2 * gains[1]
