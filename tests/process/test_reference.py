"""The reference that is made of a raw image."""

import numpy as np
import pytest

from cordinr.bids.reference import as_reference, grid_like, isotropic_voxel
from cordinr.errors import InputError
from cordinr.files import read_json, write_json
from cordinr.imaging.volume import load_grid, save_volume
from tests.helpers.support import blobs

PSR = np.array([[0, 0, 0.7, -9], [-0.9, 0, 0, 8], [0, 1.1, 0, -9], [0, 0, 0, 1]])


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
