"""Images and segmentations on another grid, and which images can be a reference."""

import nibabel as nib
import numpy as np
import pytest
from nibabel.processing import resample_from_to, smooth_image
from scipy.ndimage import map_coordinates

from cordinr.bids.reference import as_reference, grid_like, isotropic_voxel
from cordinr.errors import InputError
from cordinr.files import read_json, write_json
from cordinr.imaging.grid import Grid
from cordinr.imaging.masks import load_mask
from cordinr.imaging.resampling import coarsen, resample_nearest
from cordinr.imaging.volume import Volume, load_grid, save_volume
from tests.helpers.support import blobs

LAS = np.array([[-0.8, 0, 0, 9], [0, 0.8, 0, -7], [0, 0, 0.8, -8], [0, 0, 0, 1]])
RPI = np.array([[0.53, 0, 0, -8], [0, -0.53, 0, 9], [0, 0, -0.47, 7.1], [0, 0, 0, 1]])
PSR = np.array([[0, 0, 0.7, -9], [-0.9, 0, 0, 8], [0, 1.1, 0, -9], [0, 0, 0, 1]])
TILTED = np.array([[0.6, 0.2, 0, -8], [-0.2, 0.6, 0.1, -6], [0, -0.1, 0.9, -7], [0, 0, 0, 1]])


@pytest.mark.parametrize("affine", [RPI, PSR, TILTED], ids=["flipped", "permuted", "tilted"])
def test_a_segmentation_is_resampled_through_both_affines(affine):
    segmentation = Volume(
        (blobs((30, 28, 26), affine).array > 110) * 1.0, Grid((30, 28, 26), affine)
    )
    grid = Grid((22, 18, 20), LAS)
    image = nib.Nifti1Image(segmentation.array, affine)
    expected = resample_from_to(image, (grid.shape, grid.affine), order=0, cval=0)
    found = resample_nearest(segmentation, grid)
    # scipy counts the outer half of the outermost voxels as outside
    at = segmentation.grid.index(grid.centres())
    inner = ((at >= 0) & (at <= np.array(segmentation.grid.shape) - 1)).all(axis=1)
    inner = inner.reshape(grid.shape)
    assert inner.mean() > 0.2 and 0.1 < found[inner].mean() < 0.9
    np.testing.assert_array_equal(found[inner], expected.get_fdata()[inner])
    beyond = ((at < -0.5) | (at > np.array(segmentation.grid.shape) - 0.5)).any(axis=1)
    assert beyond.any() and not found.ravel()[beyond].any()


def test_the_outer_half_of_the_outermost_voxels_is_inside():
    ones = Volume(np.ones((4, 4, 4), np.float32), Grid((4, 4, 4), np.diag([1, 1, 1, 1.0])))
    finer = ones.grid.resampled(0.25)
    assert resample_nearest(ones, finer).all()


def test_a_position_between_two_voxels_always_belongs_to_the_later():
    steps = Volume(np.arange(8.0).repeat(4).reshape(8, 2, 2), Grid((8, 2, 2), np.eye(4)))
    affine = np.diag([2, 1, 1, 1.0])
    for shift in (-1e-9, 0, 1e-9):
        affine[0, 3] = 0.5 + shift
        assert resample_nearest(steps, Grid((4, 2, 2), affine))[:, 0, 0].tolist() == [1, 3, 5, 7]


def test_a_mask_on_another_grid_is_resampled_with_a_note(tmp_path, notes):
    image, mask = blobs((22, 18, 20), LAS), blobs((30, 28, 26), RPI)
    save_volume(tmp_path / "mask.nii.gz", mask.array > 110, mask.grid, dtype="uint8")
    found = load_mask(tmp_path / "mask.nii.gz", image.grid)
    at = np.rint(mask.grid.index(image.grid.centres())).astype(int)
    inside = ((at >= 0) & (at < mask.grid.shape)).all(axis=1)
    expected = [ok and mask.array[tuple(k)] > 110 for ok, k in zip(inside, at, strict=True)]
    np.testing.assert_array_equal(found.ravel(), expected)
    (note,) = notes()
    assert "another grid than its image (shape (30, 28, 26) against (22, 18, 20)" in note


def test_a_mask_beside_its_image_is_refused(tmp_path):
    mask = blobs((8, 8, 8), np.eye(4))
    save_volume(tmp_path / "mask.nii.gz", mask.array > 100, mask.grid, dtype="uint8")
    away = Grid((8, 8, 8), np.eye(4) + 300 * np.eye(4, k=3))
    with pytest.raises(InputError, match=r"mask\.nii\.gz: lies beside its image; give a mask of"):
        load_mask(tmp_path / "mask.nii.gz", away)


def test_larger_voxels_are_blurred_and_interpolated():
    """Against nibabel's filter and a plain spline, voxel by voxel."""
    affine = LAS @ np.diag([1, 0.5 / 0.8, 0.5 / 0.8, 1])
    volume = blobs((24, 40, 36), affine)
    grid = volume.grid.resampled(0.8)
    width = [0, np.sqrt(0.8**2 - 0.5**2), np.sqrt(0.8**2 - 0.5**2)]
    smooth = smooth_image(nib.Nifti1Image(volume.array, affine), width, mode="nearest")
    index = volume.grid.index(grid.centres()).T
    expected = map_coordinates(smooth.get_fdata(), index, order=3, mode="nearest")
    np.testing.assert_allclose(coarsen(volume, grid).ravel(), expected, atol=1e-3)


def test_nothing_overshoots_and_what_is_constant_stays():
    grid = Grid((20, 40, 40), np.diag([0.8, 0.5, 0.5, 1]))
    edge = np.zeros(grid.shape, np.float32)
    edge[:, 20:] = 1000
    found = coarsen(Volume(edge, grid), grid.resampled(0.8))
    assert found.min() >= 0 and found.max() <= 1000
    flat = coarsen(Volume(np.full(grid.shape, 7, np.float32), grid), grid.resampled(0.8))
    np.testing.assert_allclose(flat, 7, rtol=1e-6)


def test_what_is_finer_than_the_new_voxels_does_not_alias():
    """A wave of 1.3 mm, which voxels of 0.8 mm cannot hold, would show as one of 2.1 mm."""
    grid = Grid((4, 320, 4), np.diag([0.8, 0.5, 0.5, 1]))
    wave = np.sin(2 * np.pi * grid.centres()[:, 1] / 1.3).reshape(grid.shape).astype(np.float32)
    coarse = grid.resampled(0.8)
    plain = map_coordinates(wave, grid.index(coarse.centres()).T, order=3, mode="nearest").std()
    assert plain > 0.3 and coarsen(Volume(wave, grid), coarse).std() < 0.6 * plain


@pytest.mark.parametrize(
    ("sizes", "voxel"),
    [
        ((0.8, 0.8, 0.8), None),
        ((0.9, 0.9, 1.0), None),
        ((0.8, 1.0, 1.0), 1.0),
        ((0.8000000119, 0.5, 0.5), 0.8),
        ((0.5, 1.0, 0.5000000001), 1.0),
    ],
)
def test_which_images_are_resampled(sizes, voxel):
    assert isotropic_voxel("x.nii", np.array(sizes)) == voxel


def test_a_thick_slice_scan_is_refused():
    with pytest.raises(InputError, match=r"x.nii: voxels of 0.5 x 0.5 x 1.1 mm are too far from"):
        isotropic_voxel("x.nii", np.array([0.5, 0.5, 1.1]))


def test_a_reference_keeps_field_of_view_and_axes():
    affine = PSR.copy()
    affine[:3, :3] = PSR[:3, :3] / np.linalg.norm(PSR[:3, :3], axis=0) * [0.5, 0.8, 0.5]
    volume = blobs((32, 30, 40), affine)
    reference, text = as_reference("x.nii", volume)
    assert text == "from 0.5 x 0.8 x 0.5 mm to 0.8 x 0.8 x 0.8 mm"
    np.testing.assert_allclose(reference.grid.voxel_sizes, 0.8)
    np.testing.assert_allclose(reference.grid.directions, volume.grid.directions)
    np.testing.assert_allclose(reference.grid.centre, volume.grid.centre, atol=1e-5)
    assert reference.grid.shape == (20, 30, 25) and reference.array.dtype == np.float32
    truth = blobs(reference.grid.shape, reference.grid.affine)
    inner = (slice(2, -2),) * 3
    assert np.abs(reference.array - truth.array)[inner].max() < 4


def test_a_near_isotropic_image_is_taken_as_it_is():
    volume = blobs((8, 8, 8), np.diag([0.9, 0.9, 1, 1]))
    assert as_reference("x.nii", volume) == (volume, "")


def test_a_raw_image_named_by_its_uri_is_taken_as_the_reference_made_of_it(tmp_path, command):
    """So that the commands in sidecars, run within the derivatives, make the same views."""
    raw, root = tmp_path / "raw", tmp_path / "results/cordinr"
    volume = blobs(
        (30, 44, 41), np.array([[0, 0, 0.5, -9], [-0.8, 0, 0, 8.3], [0, 0.5, 0, -9], [0, 0, 0, 1]])
    )
    save_volume(raw / "sub-a/anat/sub-a_T2w.nii.gz", volume.array, volume.grid)
    write_json(raw / "dataset_description.json", {"Name": "x", "BIDSVersion": "1.10.0"})
    write_json(root / "dataset_description.json", {"DatasetLinks": {"raw": "../../raw"}})
    reference = tmp_path / "sub-a_reference.nii.gz"
    words = ["--dest", tmp_path / "clone", "--file", "sub-a/anat/sub-a_T2w.nii.gz"]
    assert command("fetch", raw, *words, "-o", reference)[0] == 0
    made = []
    for source in (reference, "bids:raw:sub-a/anat/sub-a_T2w.nii.gz"):
        path = root / f"sub-a/anat/sub-a_res-axial{len(made)}_desc-simulated_T2w.nii.gz"
        code, _, said = command("simulate", source, "--axis", "S", "--thickness", 4, "-o", path)
        assert code == 0, said
        text = read_json(path.with_name(path.name.replace(".nii.gz", ".json")))["Description"]
        assert "raw image, resampled from 0.8 x 0.5 x 0.5 mm to 0.8 x 0.8 x 0.8 mm" in text
        made.append(path)
    assert made[0].read_bytes() == made[1].read_bytes()
    grid = grid_like("bids:raw:sub-a/anat/sub-a_T2w.nii.gz", made[0])
    copied = load_grid(reference)
    assert np.array_equal(grid.affine, copied.affine) and grid.shape == copied.shape
    assert grid_like(raw / "sub-a/anat/sub-a_T2w.nii.gz", made[0]).matches(volume.grid)
