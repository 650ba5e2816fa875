"""The classical methods against dense solves, finite differences and loops."""

from dataclasses import replace

import numpy as np
import pytest
import scipy
import torch
from scipy.ndimage import map_coordinates

from cordinr.acquisition.forward import system_matrix
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.acquisition.view import View, intensity_scale
from cordinr.classical.differences import Differences
from cordinr.classical.reconstruct import cubic_mean, reconstruct_baseline
from cordinr.classical.total_variation import TV_EPSILON, product, stored_product
from cordinr.classical.weights import NOISE_FREE_WEIGHTS, automatic_weight
from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from cordinr.methods import CLASSICAL
from tests.helpers.support import blobs, two_views


@pytest.fixture
def volume():
    return blobs((8, 8, 8), np.eye(4))


def gradient(grid: Grid) -> np.ndarray:
    """The differences of every voxel to its next ones as a matrix (3 * voxels, voxels)."""
    matrix = np.zeros((3, grid.size, grid.size))
    unit = np.prod(grid.voxel_sizes) ** (1 / 3)
    for row, voxel in enumerate(np.ndindex(*grid.shape)):
        for axis, size in enumerate(grid.voxel_sizes):
            ahead = np.add(voxel, np.eye(3, dtype=int)[axis])
            if ahead[axis] < grid.shape[axis]:
                matrix[axis, row, row] = -unit / size
                matrix[axis, row, np.ravel_multi_index(ahead, grid.shape)] = unit / size
    return matrix.reshape(3 * grid.size, grid.size)


def stacked(views: list[View], grid: Grid) -> tuple[scipy.sparse.csr_array, np.ndarray]:
    """The system matrix of all views, and their voxels."""
    matrix = scipy.sparse.vstack([system_matrix(view, grid) for view in views])
    return scipy.sparse.csr_array(matrix), np.concatenate([v.volume.array.ravel() for v in views])


@pytest.mark.parametrize("array", [np.asarray, torch.as_tensor])
def test_differences_and_their_adjoint_are_those_of_the_matrix(array):
    grid = Grid((3, 4, 5), np.diag([1, 1, 2, 1.0]))
    matrix, rng = gradient(grid), np.random.default_rng(0)
    image, slopes = rng.normal(size=60), rng.normal(size=(3, 60))
    differences = Differences.on(grid)
    found = np.asarray(differences.compute(array(image), array(np.zeros((3, 60)))))
    np.testing.assert_allclose(found.ravel(), matrix @ image, atol=1e-12)
    back = np.asarray(differences.adjoint(array(slopes), array(np.full(60, 7.0))))
    np.testing.assert_allclose(back, matrix.T @ slopes.ravel(), atol=1e-12)


def test_tikhonov_solves_the_normal_equations(volume):
    views, weight = two_views(volume), 0.01
    scale = intensity_scale(views)
    matrix = np.vstack([system_matrix(view, volume.grid).toarray() for view in views])
    slices = np.concatenate([view.volume.array.ravel() for view in views])
    slope = scipy.sparse.csr_array(gradient(volume.grid))
    normal = matrix.T @ matrix + weight * slope.T @ slope
    expected = np.linalg.solve(normal.astype(float), matrix.T @ slices)
    actual = reconstruct_baseline(views, volume.grid, "tikhonov", weight).ravel()
    np.testing.assert_allclose(actual, expected, atol=2e-3 * scale)


@pytest.mark.parametrize(
    ("weight", "outlier"), [(0.001, 1.0), (0.01, 1.0), (0.1, 1.0), (0.01, 100.0), (0.01, 1e4)]
)
def test_total_variation_finds_the_minimum_of_its_objective(volume, weight, outlier):
    """As another optimiser does, in double precision and from elsewhere."""
    views = two_views(volume)
    views[0].volume.array[3, 3, 1] *= outlier
    scale = intensity_scale(views)
    matrix, slices = stacked(views, volume.grid)
    slices = slices / scale
    slope = scipy.sparse.csr_array(gradient(volume.grid))

    def objective(image):
        residual, slopes = matrix @ image - slices, (slope @ image).reshape(3, -1)
        lengths = np.sqrt((slopes**2).sum(0) + TV_EPSILON**2)
        value = residual @ residual + weight * lengths.sum()
        return value, 2 * matrix.T @ residual + weight * slope.T @ (slopes / lengths).ravel()

    options = {"maxiter": 5000, "maxfun": 5000, "ftol": 1e-14, "gtol": 1e-9}
    best = scipy.optimize.minimize(
        objective, np.zeros(512), jac=True, method="L-BFGS-B", options=options
    )
    found = reconstruct_baseline(views, volume.grid, "tv", weight).ravel() / scale
    assert objective(found)[0] < best.fun * (1 + 1e-4)
    if outlier == 1:  # around one, many images are as good
        np.testing.assert_allclose(found, best.x, atol=0.02)


@pytest.mark.skipif(not torch.backends.mkl.is_available(), reason="torch was built without MKL")
def test_products_of_either_kind_are_those_of_the_matrix(volume):
    """By SciPy, and by torch's sparse tensors as on a GPU; a CPU has them where it has MKL."""
    matrix, _ = stacked(two_views(volume), volume.grid)
    vector = np.random.default_rng(0).normal(size=matrix.shape[1]).astype(np.float32)
    for times in (product(matrix, torch.device("cpu")), stored_product(matrix)):
        found = times(torch.from_numpy(vector)).numpy()
        np.testing.assert_allclose(found, matrix.toarray() @ vector, atol=1e-5)


def test_cubic_is_the_mean_of_spline_interpolations(volume):
    views = two_views(volume)
    expected = np.mean(
        [
            map_coordinates(
                view.volume.array,
                view.volume.grid.index(volume.grid.centres()).T,
                order=3,
                mode="nearest",
            )
            for view in views
        ],
        axis=0,
    )
    np.testing.assert_allclose(cubic_mean(views, volume.grid).ravel(), expected, rtol=1e-5)


@pytest.mark.parametrize("method", CLASSICAL)
def test_every_method_keeps_units_and_place(method):
    affine = np.array([[0, 0, 1.0, -20], [-1.0, 0, 0, 30], [0, 1.0, 0, -40], [0, 0, 0, 1]])
    volume = blobs((16, 16, 12), affine)
    image = reconstruct_baseline(two_views(volume), volume.grid, method, 0.001)
    assert image.dtype == np.float32 and image.shape == volume.grid.shape
    assert np.corrcoef(image.ravel(), volume.array.ravel())[0, 1] > 0.85
    assert image.mean() == pytest.approx(volume.array.mean(), rel=0.03)


def test_an_unknown_method_is_refused(volume):
    with pytest.raises(InputError, match="not known"):
        reconstruct_baseline(two_views(volume), volume.grid, "magic")


def test_an_outlier_beyond_all_arithmetic_is_said(volume):
    views = two_views(volume)
    views[0].volume.array[0, 0, 0] = 1e30
    with pytest.raises(InputError, match="too far beyond their 99th percentile"):
        reconstruct_baseline(views, volume.grid, "tv", 0.001)


@pytest.mark.parametrize("method", ["tikhonov", "tv"])
def test_a_solver_that_did_not_converge_says_so(smooth_volume, monkeypatch, notes, method):
    views = two_views(smooth_volume)
    reconstruct_baseline(views, smooth_volume.grid, method, 0.003)
    assert not notes()
    monkeypatch.setattr("cordinr.classical.tikhonov.CG_MAX_ITERATIONS", 2)
    monkeypatch.setattr("cordinr.classical.total_variation.MAX_ITERATIONS", 2)
    reconstruct_baseline(views, smooth_volume.grid, method, 0.003)
    assert any("did not converge within 2 iterations" in note for note in notes())


@pytest.mark.parametrize("method", ["tikhonov", "tv"])
def test_slices_count_by_their_weight(volume, method):
    """Squared errors of weight w are those of an equation that is multiplied by its root."""
    axial, sagittal = two_views(volume)
    wrong = axial.volume.array.copy()
    wrong[:, :, 1] *= 2
    changed = replace(axial, volume=Volume(wrong, axial.volume.grid))
    true = reconstruct_baseline([axial, sagittal], volume.grid, method, 0.003)
    errors = []
    for weight in (1.0, 0.1, 1e-4):
        trust = np.ones(axial.volume.grid.shape[2])
        trust[1] = weight
        image = reconstruct_baseline(
            [replace(changed, trust=trust), sagittal], volume.grid, method, 0.003
        )
        errors.append(np.abs(image - true)[:, :, 4:8].mean())
    assert errors[1] < 0.7 * errors[0] and errors[2] < 0.1 * errors[0]


def test_the_cubic_mean_counts_slices_by_their_weight(volume):
    axial, sagittal = two_views(volume)
    trust = np.ones(axial.volume.grid.shape[2])
    trust[1] = 0.25
    image = cubic_mean([replace(axial, trust=trust), sagittal], volume.grid)
    ones = cubic_mean([axial], volume.grid), cubic_mean([sagittal], volume.grid)
    expected = (0.25 * ones[0] + ones[1]) / 1.25
    np.testing.assert_allclose(image[:, :, 5:7], expected[:, :, 5:7], rtol=1e-5)


def test_beyond_its_field_of_view_a_chunk_does_not_count(smooth_volume):
    """Its outermost slices, drawn on and on, would be half of the mean."""
    axial, sagittal = two_views(smooth_volume)
    grid = axial.volume.grid
    half = Volume(
        np.ascontiguousarray(axial.volume.array[:, :, :2]),
        grid.cropped(np.zeros(3), np.array([*grid.shape[:2], 2])),
    )
    image = cubic_mean([replace(axial, volume=half), sagittal], smooth_volume.grid)
    alone = cubic_mean([sagittal], smooth_volume.grid)
    beyond = slice(12, None)
    assert image[:, :, beyond].size
    np.testing.assert_allclose(image[:, :, beyond], alone[:, :, beyond], rtol=1e-4)
    assert not np.allclose(image[:, :, :8], alone[:, :, :8], rtol=1e-2)


@pytest.mark.parametrize("method", NOISE_FREE_WEIGHTS)
def test_an_automatic_weight_follows_the_noise_and_is_better_than_that_of_clean_views(method):
    image = blobs((40, 40, 40), np.eye(4))
    views, rng = two_views(image), np.random.default_rng(0)
    assert automatic_weight(views, method) == NOISE_FREE_WEIGHTS[method]
    assert automatic_weight(views, "cubic") == 0
    added = {}
    for sigma in (6.0, 12.0):
        noisy = [
            replace(view, volume=replace(view.volume, array=view.volume.array + noise))
            for view in views
            for noise in [rng.normal(0, sigma, view.volume.grid.shape).astype(np.float32)]
        ]
        weight = automatic_weight(noisy, method)
        added[sigma] = (weight - NOISE_FREE_WEIGHTS[method]) * intensity_scale(noisy) ** 2
        errors = [
            np.square(reconstruct_baseline(noisy, image.grid, method, each) - image.array).mean()
            for each in (NOISE_FREE_WEIGHTS[method], weight)
        ]
        assert errors[1] < 0.8 * errors[0]
    # What is added is in proportion to the variance, but for what anatomy may look like.
    assert 3.8 < added[12.0] / added[6.0] < 5


@pytest.mark.parametrize("method", ["tikhonov", "tv"])
@pytest.mark.parametrize("shape", ["box", "gaussian"])
@pytest.mark.parametrize("low", [(6, 3, 7), (5, 4, 10)])
def test_a_grid_that_ends_within_slices_gets_the_image_of_a_larger_one(method, shape, low):
    volume = blobs((24, 20, 28), np.eye(4))
    views = [acquire(volume, axis, SliceProfile(shape, 4.0), 4.0) for axis in (0, 2)]
    counts = (12, 14, 13)
    part = tuple(slice(first, first + count) for first, count in zip(low, counts, strict=True))
    small = volume.grid.cropped(np.array(low), np.array(counts))
    whole = reconstruct_baseline(views, volume.grid, method, 0.001)[part]
    difference = reconstruct_baseline(views, small, method, 0.001) - whole
    error = np.sqrt(np.mean((whole - volume.array[part]) ** 2))
    assert np.sqrt(np.mean(difference**2)) < error
