"""What a GPU computes, against the same on a CPU: rendering, total variation, lattices."""

from dataclasses import replace

import numpy as np
import pytest
import scipy
import torch

from cordinr.acquisition.view import intensity_scale
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.classical.total_variation import stored_product
from cordinr.inr.fit import fit_inr
from cordinr.inr.lattices import _Interpolate, scatter_scipy, scatter_torch
from cordinr.inr.render import POINTS_PER_BLOCK, render_with_std
from cordinr.inr.splines import spline_at, spline_coefficients
from tests.helpers.seeds import SEED
from tests.helpers.support import blobs, two_views


@pytest.mark.parametrize(
    "changes", [{}, {"members": 3}, {"channels": 0}, {"channels": 0, "encoding": "siren"}]
)
def test_a_model_renders_the_same_on_every_device(gpu, smooth_volume, settings, changes):
    views = two_views(smooth_volume)
    inr = fit_inr(views, 16, replace(settings, max_steps=30, **changes))
    grid = smooth_volume.grid.resampled(0.3)
    assert grid.size > POINTS_PER_BLOCK["cuda"] > 0 and grid.size % POINTS_PER_BLOCK["cuda"]
    image, std = render_with_std(inr, grid, gpu)
    expected, expected_std = render_with_std(inr, grid, "cpu")
    tolerance = 1e-3 * intensity_scale(views)
    assert np.abs(image - expected).max() < tolerance
    assert np.abs(std - expected_std).max() < tolerance
    assert expected.std() > 50 * tolerance


@pytest.mark.parametrize("weight", [1e-3, 0.05])
def test_total_variation_is_the_same_on_every_device(gpu, weight):
    volume = blobs((30, 25, 20), np.eye(4))
    rng = np.random.default_rng(SEED)
    views = two_views(replace(volume, array=volume.array + rng.normal(0, 5, volume.array.shape)))
    image, expected = (
        reconstruct_baseline(views, volume.grid, "tv", weight, device) for device in (gpu, "cpu")
    )
    assert np.abs(image - expected).max() < 2e-3 * intensity_scale(views)


def test_a_stored_matrix_multiplies_as_scipy_does(gpu):
    matrix = scipy.sparse.random_array((500, 300), density=0.02, rng=SEED, format="csr")
    matrix = scipy.sparse.csr_array(matrix, dtype=np.float32)
    vector = np.random.default_rng(SEED).random(300, np.float32)
    found = stored_product(matrix, gpu)(torch.as_tensor(vector, device=gpu))
    np.testing.assert_allclose(found.cpu().numpy(), matrix @ vector, rtol=1e-5, atol=1e-6)


def test_splines_are_the_same_on_every_device(gpu):
    generator = torch.Generator().manual_seed(SEED)
    values = torch.randn(9, 14, 11, generator=generator)
    index = 16 * torch.rand(4096, 3, generator=generator) - 1
    expected = spline_at(spline_coefficients(values), index)
    on_gpu = values.to(gpu)
    found = spline_at(spline_coefficients(on_gpu), index.to(gpu))
    torch.testing.assert_close(found.cpu(), expected, atol=1e-5, rtol=0)


def test_lattices_are_looked_up_and_learn_as_on_a_cpu(gpu):
    generator = torch.Generator().manual_seed(SEED)
    table = torch.randn(1000, 4, generator=generator)
    rows = torch.randint(1000, (4096, 8), generator=generator, dtype=torch.int32)
    weights = torch.rand(4096, 8, generator=generator)
    expected = (table[rows.long()] * weights[..., None]).sum(dim=1)
    found = _Interpolate.apply(table.to(gpu), rows.to(gpu), weights.to(gpu))
    torch.testing.assert_close(found.cpu(), expected, rtol=1e-4, atol=1e-5)
    arguments = torch.randn(4096, 4, generator=generator), rows, weights
    gradient = scatter_torch(*(each.to(gpu) for each in arguments), len(table))
    torch.testing.assert_close(
        gradient.cpu(), scatter_scipy(*arguments, len(table)), rtol=1e-4, atol=1e-4
    )
