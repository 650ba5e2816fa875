"""Voxels that were never measured: found, left out of every method, and counted."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import scipy

from cordinr.acquisition.domain import FitDomain
from cordinr.acquisition.forward import system_matrix
from cordinr.acquisition.gaps import leave_unmeasured_out
from cordinr.acquisition.view import View
from cordinr.bids.view_files import load_views
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.imaging.measured import MAX_UNMEASURED, find_measured
from cordinr.imaging.volume import Volume, load_reference, load_volume, save_volume
from cordinr.inr.fit import fit_inr
from cordinr.inr.model_file import load_inr, save_inr
from cordinr.inr.point_groups import make_point_groups
from cordinr.inr.render import render_inr
from cordinr.inr.settings import FitSettings
from tests.helpers.support import blobs, two_views

pytestmark = pytest.mark.slow

SMALL = FitSettings(width=16, channels=4, batch=512, passes=60, max_steps=200)


@pytest.fixture
def scene():
    """A noisy image of 30 x 24 x 40 voxels and its axial and sagittal views of 4 mm."""
    volume = blobs((32, 24, 40), np.eye(4))
    noisy = volume.array + np.random.default_rng(0).normal(0, 0.5, volume.array.shape)
    volume = Volume(noisy.astype(np.float32), volume.grid)
    return volume, two_views(volume)


def damaged(view: View, index, value: float) -> View:
    """A view as it is read after such voxels were lost."""
    array = view.volume.array.copy()
    array[index] = value
    measured = find_measured(array, view.axis)
    return replace(view, volume=Volume(array, view.volume.grid), measured=measured)


def padded(view: View, width: int, value: float) -> View:
    """A view with planes of one value around it, the image itself where it was."""
    array = np.pad(view.volume.array, width, constant_values=value)
    affine = view.volume.grid.affine.copy()
    affine[:3, 3] = view.volume.grid.world(np.full(3, -width))
    grid = Grid(array.shape, affine)
    return replace(view, volume=Volume(array, grid), measured=find_measured(array, view.axis))


def psnr(image, volume):
    error = np.mean((image.astype(float) - volume.array) ** 2)
    return 10 * np.log10(np.percentile(volume.array, 99.9) ** 2 / error)


LOSSES = {
    "a zero slice": lambda a, b: (damaged(a, np.s_[:, :, 4], 0), b),
    "the first slice": lambda a, b: (damaged(a, np.s_[:, :, 0], 0), b),
    "a slice of one value": lambda a, b: (a, damaged(b, np.s_[3], 700.0)),
    "three slices in a row": lambda a, b: (damaged(a, np.s_[:, :, 3:6], 0), b),
    "not-a-number at a corner": lambda a, b: (damaged(a, np.s_[:9, :7, :5], np.nan), b),
    "infinity within": lambda a, b: (a, damaged(b, np.s_[4, 10:13, 20:24], np.inf)),
    "padding": lambda a, b: (padded(a, 3, 0), padded(b, 2, 0)),
    "padding of another value": lambda a, b: (padded(a, 2, -1000.0), b),
    "both": lambda a, b: (damaged(a, np.s_[:, :, 4], 0), damaged(b, np.s_[0], np.nan)),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_what_was_never_measured_is_not_taken_for_data(scene, notes, loss):
    """It costs what it would cost to have never had it, by a plain least squares beside ours."""
    volume, views = scene
    damaged_views = LOSSES[loss](*views)
    left = leave_unmeasured_out(damaged_views)
    for method in ("cubic", "tikhonov", "tv"):
        whole, found, wrong = (
            psnr(reconstruct_baseline(each, volume.grid, method, 0.001), volume)
            for each in (views, left, [as_data(view) for view in damaged_views])
        )
        assert found > whole - (16 if loss == "both" else 8), (method, whole, found, wrong)
        if loss in HARMFUL:
            assert found > wrong + 12, (method, whole, found, wrong)
        if "padding" in loss:  # cut off, so that nothing is lost
            assert found == pytest.approx(whole, abs=1e-6)
    assert all("never measured" in note for note in notes()) and notes()


HARMFUL = {"a zero slice", "the first slice", "a slice of one value", "three slices in a row"}
"""What costs more than 12 dB with every method where it is taken for data."""


def as_data(view: View) -> View:
    """The view as it would be without our looking at it; not-a-number as zero."""
    array = np.nan_to_num(view.volume.array, nan=0.0, posinf=0.0)
    return replace(view, volume=Volume(array, view.volume.grid), measured=None)


def test_the_inr_is_not_misled_either(scene):
    volume, views = scene
    whole, lost, padded, wrong = (
        psnr(render_inr(fit_inr(each, 8, SMALL), volume.grid), volume)
        for each in (
            views,
            leave_unmeasured_out(LOSSES["three slices in a row"](*views)),
            leave_unmeasured_out(LOSSES["padding"](*views)),
            [as_data(view) for view in LOSSES["three slices in a row"](*views)],
        )
    )
    assert padded == whole and lost > whole - 5 and lost > wrong + 12


def test_nothing_is_reconstructed_into_padding_that_was_cut_off(scene, tmp_path):
    volume, views = scene
    left = leave_unmeasured_out(LOSSES["padding"](*views))
    wide = Grid((40, 30, 48), np.eye(4) + np.pad([[-4], [-3], [-4]], ((0, 1), (3, 0))))
    inside = ((wide.centres() > -0.5) & (wide.centres() < [31.5, 23.5, 39.5])).all(axis=1)
    assert inside.sum() == volume.grid.size
    save_inr(tmp_path / "model", fit_inr(left, 8, replace(SMALL, max_steps=2)))
    images = [reconstruct_baseline(left, wide, method, 0.001) for method in ("cubic", "tv")]
    for image in [*images, render_inr(load_inr(tmp_path / "model"), wide)]:
        assert not image.ravel()[~inside].any() and image.ravel()[inside].all()


def test_the_rows_that_are_fitted_are_those_of_what_was_measured(scene):
    """Against least squares by scipy on the rows of the other slices, written out here."""
    _, (axial, sagittal) = scene
    small = Grid((16, 12, 40), np.eye(4))
    left = leave_unmeasured_out([damaged(axial, np.s_[:, :, 4], 0), sagittal])
    found = reconstruct_baseline(left, small, "tikhonov", 0.01)
    kept = [np.ones(view.volume.array.shape, bool) for view in (axial, sagittal)]
    kept[0][:, :, 4] = False
    voxels = [view.volume.array[k] for view, k in zip((axial, sagittal), kept, strict=True)]
    scale = np.percentile(np.abs(np.concatenate(voxels)), 99)
    rows, values = [], []
    for view, keep in zip((axial, sagittal), kept, strict=True):
        matrix = system_matrix(view, small)
        used = keep.ravel() & (np.diff(matrix.indptr) > 0)
        rows.append(matrix[used])
        values.append(view.volume.array.ravel()[used] / scale)
    for axis in range(3):
        steps = np.diff(np.arange(small.size).reshape(small.shape), axis=axis)
        start = np.delete(np.arange(small.size).reshape(small.shape), -1, axis).ravel()
        step = int(steps.flat[0])
        ones = np.full(start.size, np.sqrt(0.01))
        places = np.arange(start.size)
        rows.append(
            scipy.sparse.csr_array((ones, (places, start + step)), (start.size, small.size))
            - scipy.sparse.csr_array((ones, (places, start)), (start.size, small.size))
        )
        values.append(np.zeros(start.size))
    expected = scipy.sparse.linalg.lsqr(
        scipy.sparse.vstack(rows), np.concatenate(values), atol=1e-10, btol=1e-10, iter_lim=2000
    )[0]
    np.testing.assert_allclose(found.ravel(), expected * scale, rtol=0.03)


def test_every_voxel_that_was_measured_is_fitted_and_no_other(scene):
    """Cells that views share are broken up where one of their voxels is missing."""
    _, (axial, sagittal) = scene
    views = leave_unmeasured_out([damaged(axial, np.s_[:9, :7, 4], np.nan), sagittal])
    groups = make_point_groups(
        views, FitDomain.of(views), np.zeros(3), scale=1.0, points=5, device="cpu"
    )
    fitted = np.concatenate([group.values.numpy().ravel() for group in groups])
    assert fitted.size == axial.volume.grid.size + sagittal.volume.grid.size - 9 * 7
    expected = np.concatenate([view.voxels for view in views])
    np.testing.assert_allclose(np.sort(fitted), np.sort(expected), rtol=1e-6)
    assert groups[0].values.shape[1] > 1  # most cells are still shared


def test_views_without_gaps_are_left_as_they_are(scene, notes):
    _, views = scene
    for view in views:
        assert find_measured(view.volume.array, view.axis).all()
    assert leave_unmeasured_out(views) == views and notes() == []
    assert FitDomain.of(views).limits == ()


x, y, z = np.meshgrid(*map(np.arange, (32, 24, 40)), indexing="ij")
OBJECTS = {
    "a cube": (abs(x - 15) < 6) & (abs(y - 11) < 6) & (abs(z - 19) < 10),
    "a small ball": (x - 9) ** 2 + (y - 8) ** 2 + (z - 12) ** 2 < 16,
    "two balls with a gap": (x - 15) ** 2 + (y - 11) ** 2 + (abs(z - 19.5) - 12) ** 2 < 40,
    "slabs": z // 8 % 2,
    "layers of one value each": z // 4 * 1.0,
    "a cylinder": (x - 15) ** 2 + (y - 11) ** 2 < 64,
    "a lying cylinder": (z - 19) ** 2 + (y - 11) ** 2 < 64,
    "a ramp and a ball": x + 20.0 * ((x - 9) ** 2 + (y - 8) ** 2 + (z - 12) ** 2 < 16),
    "a ball before a grey wall": 5 + 3.0 * ((x - 9) ** 2 + (y - 8) ** 2 + (z - 12) ** 2 < 49),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_constant_planes_of_simple_objects_without_noise_are_data(name, notes):
    volume = Volume(100 * np.float32(OBJECTS[name]), Grid((32, 24, 40), np.eye(4)))
    views = two_views(volume)
    read = [replace(v, measured=find_measured(v.volume.array, v.axis)) for v in views]
    read = [replace(v, measured=None) if v.measured.all() else v for v in read]
    for before, after in zip(views, leave_unmeasured_out(read), strict=True):
        assert after.measured is None and not after.cropped
        np.testing.assert_array_equal(before.volume.array, after.volume.array)
    assert notes() == []


@pytest.mark.parametrize("value", [0, 2500])
@pytest.mark.parametrize("name", ["a cube", "a cylinder", "a ramp and a ball"])
def test_a_lost_slice_of_a_simple_object_is_denied_by_the_other_view(name, value, notes):
    volume = Volume(100 * np.float32(OBJECTS[name]), Grid((32, 24, 40), np.eye(4)))
    axial, sagittal = two_views(volume)
    broken = damaged(axial, np.s_[:, :, 4], value)
    left, other = leave_unmeasured_out([broken, replace(sagittal, measured=None)])
    assert not left.measured[:, :, 4].any() and left.measured.sum() == 32 * 24 * 9
    assert other.measured is None and "1 constant slices" in notes()[0]


def test_a_slice_that_is_zero_but_for_rounding_is_lost(scene):
    _, (axial, _) = scene
    array = axial.volume.array.copy()
    array[:, :, 4] = np.random.default_rng(0).normal(0, 1e-5, array.shape[:2])
    assert not find_measured(array, 2)[:, :, 4].any()


def test_where_no_view_has_measured_the_result_is_zero(scene, notes):
    """A reference with a black margin gives views with one: nothing is to be found there."""
    volume, _ = scene
    array = volume.array.copy()
    array[:8] = 0
    views = two_views(Volume(array, volume.grid))
    read = [replace(v, measured=find_measured(v.volume.array, v.axis)) for v in views]
    left = leave_unmeasured_out(read)
    image = reconstruct_baseline(left, volume.grid, "tv", 0.001)
    assert psnr(image, Volume(array, volume.grid)) > 35
    assert not image[:4].any() and "padding" in notes()[0]


def test_views_that_were_not_looked_at_are_refused_by_the_library(scene):
    volume, (axial, sagittal) = scene
    array = axial.volume.array.copy()
    array[0, 0, 0] = np.nan
    broken = replace(axial, volume=Volume(array, axial.volume.grid))
    with pytest.raises(InputError, match="not finite; read it by `load_views`"):
        reconstruct_baseline([broken, sagittal], volume.grid, "tv", 0.001)
    with pytest.raises(InputError, match="not finite; read it by `load_views`"):
        fit_inr([broken, sagittal], 8, SMALL)


def test_a_corner_that_nobody_has_measured_is_left_out(scene):
    """As of a scan that was turned onto another grid: no dark anatomy there."""
    _, (axial, _) = scene
    (left,) = leave_unmeasured_out([damaged(axial, np.s_[:9, :7, :5], np.nan)])
    assert (~left.measured).sum() == 9 * 7 * 5 and np.isfinite(left.volume.array).all()
    assert left.volume.array.min() > 0


def test_a_view_of_next_to_nothing_is_refused(scene):
    _, (axial, sagittal) = scene
    count = int(np.ceil(MAX_UNMEASURED * axial.volume.array.shape[0])) + 1
    with pytest.raises(InputError, match="of its voxels were never measured"):
        leave_unmeasured_out([damaged(axial, np.s_[:count], np.nan), sagittal])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_what_counts_as_measured(axis):
    """Constant slices anywhere, constant planes at the borders alone, holes anywhere."""
    array = np.random.default_rng(0).normal(size=(9, 9, 9))
    array = np.moveaxis(array, axis, 0)
    array[:, 5] = 0.0  # a line of every slice, within: perhaps a bone, perhaps not
    array[4] = 3.0  # a slice
    array[:, :2] = array[:, :, -1] = 0.0  # padding
    array[2, 3, 4] = np.nan
    expected = np.ones((9, 9, 9), bool)
    expected[4] = expected[:, :2] = expected[:, :, -1] = expected[2, 3, 4] = False
    found = np.moveaxis(find_measured(np.moveaxis(array, 0, axis), axis), axis, 0)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("gain", [1.0, 1.7])
@pytest.mark.parametrize("edge", [5, 6, 7, 8, 9])
def test_a_black_margin_is_told_from_padding_by_the_other_view(scene, edge, gain):
    """The image ends within a slice of the sagittal view, or the scan was padded up to there."""
    volume, (axial, sagittal) = scene
    black = volume.array.copy()
    black[:edge] = 0
    views = two_views(Volume(black, volume.grid))
    views = [replace(v, measured=find_measured(v.volume.array, v.axis)) for v in views]
    views[1] = replace(views[1], volume=Volume(views[1].volume.array * gain, views[1].volume.grid))
    margin, _ = leave_unmeasured_out(views)
    assert margin.measured is None  # the zeros beside the image are data
    if edge % 4:  # all of them, as a slice across the edge confirms them
        np.testing.assert_array_equal(margin.volume.array, views[0].volume.array)
    else:  # where slices end at the edge nobody knows, and nobody needs to
        assert margin.volume.array.shape[0] == 32 - edge and margin.volume.array.all()
    padded_later = [damaged(axial, np.s_[:edge], 0), sagittal]
    left, _ = leave_unmeasured_out(padded_later)
    assert not left.measured[:edge].any() and left.measured[edge:].all()


def test_the_command_counts_what_it_leaves_out(view_files, tmp_path, command):
    image, output = nib.load(view_files[0]), tmp_path / "x.nii.gz"
    array = image.get_fdata(dtype=np.float32)
    array[:, :, 1], array[0, 0, 0] = 0, np.nan
    nib.save(nib.Nifti1Image(array, image.affine), view_files[0])
    words = ["baseline", *view_files, "--method", "tv", "--like", tmp_path / "image.nii.gz"]
    code, _, error = command(*words, "-o", output)
    count = array.shape[0] * array.shape[1] + 1
    assert code == 0 and f"{count} of its {array.size} voxels were never measured" in error
    assert "1 constant slices, 1 not finite" in error
    assert psnr(load_volume(output).array, load_volume(tmp_path / "image.nii.gz")) > 25
    assert np.isfinite(load_views(view_files)[0].volume.array).all()


def test_a_reference_may_have_holes_but_not_everywhere(tmp_path, notes):
    volume = blobs((8, 8, 8), np.eye(4))
    array = volume.array.copy()
    array[:2] = np.nan
    save_volume(tmp_path / "x.nii", array, volume.grid)
    loaded = load_reference(tmp_path / "x.nii").array
    np.testing.assert_array_equal(loaded[:2], 0)
    np.testing.assert_array_equal(loaded[2:], volume.array[2:])
    assert "128 of its 512 voxels are NaN or infinite" in notes()[0]
    with pytest.raises(InputError, match="128 voxels are NaN or infinite"):
        load_volume(tmp_path / "x.nii")
    array[:5] = np.inf
    save_volume(tmp_path / "x.nii", array, volume.grid)
    with pytest.raises(InputError, match="320 of its 512 voxels are NaN or infinite"):
        load_reference(tmp_path / "x.nii")
