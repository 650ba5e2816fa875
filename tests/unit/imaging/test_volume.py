"""Images that are saved and loaded."""

import errno
import os

import nibabel as nib
import numpy as np
import pytest

from cordinr.errors import InputError
from cordinr.imaging.volume import load_grid, load_volume, save_volume
from tests.helpers.support import blobs

PSR = np.array([[0, 0, 1.0, -20], [-1.0, 0, 0, 30], [0, 1.0, 0, -40], [0, 0, 0, 1]])


def test_a_saved_image_is_the_same_again_and_byte_reproducible(tmp_path):
    volume = blobs((7, 6, 5), PSR)
    first, second = tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"
    save_volume(first, volume.array, volume.grid)
    save_volume(second, volume.array, volume.grid)
    assert first.read_bytes() == second.read_bytes()
    again = load_volume(first)
    np.testing.assert_array_equal(again.array, volume.array)
    assert again.grid.matches(volume.grid)
    header = nib.load(first).header
    assert header.get_xyzt_units()[0] == "mm"
    assert (int(header["qform_code"]), int(header["sform_code"])) == (1, 1)


def test_integer_images_keep_their_scaling(tmp_path):
    stored = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    image = nib.Nifti1Image(stored, PSR)
    image.header.set_slope_inter(0.5, 10)
    nib.save(image, tmp_path / "scaled.nii.gz")
    expected = nib.load(tmp_path / "scaled.nii.gz").get_fdata()
    np.testing.assert_allclose(load_volume(tmp_path / "scaled.nii.gz").array, expected)


def test_nothing_is_left_when_writing_fails(tmp_path, monkeypatch):
    volume = blobs((4, 4, 4), np.eye(4))

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nib, "save", full_disk)
    with pytest.raises(InputError, match="No space left"):
        save_volume(tmp_path / "x.nii.gz", volume.array, volume.grid)
    assert os.listdir(tmp_path) == []


def test_load_grid_does_not_read_voxels(tmp_path):
    volume = blobs((30, 30, 30), PSR)
    volume.array[3, 4, 5] = np.nan
    save_volume(tmp_path / "x.nii", volume.array, volume.grid)
    assert load_grid(tmp_path / "x.nii").matches(volume.grid)
    with pytest.raises(InputError, match="NaN"):
        load_volume(tmp_path / "x.nii")


@pytest.mark.parametrize(
    "error", [MemoryError("no room"), OSError(errno.ENOMEM, "Cannot allocate")]
)
@pytest.mark.parametrize(
    "where", ["cordinr.imaging.volume.check_whole", "nibabel.Nifti1Image.from_filename"]
)
def test_too_little_memory_is_not_taken_for_a_damaged_file(tmp_path, monkeypatch, where, error):
    path = tmp_path / "image.nii.gz"
    volume = blobs((6, 5, 4), np.eye(4))
    save_volume(path, volume.array, volume.grid)

    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(where, fail)
    with pytest.raises(type(error)):
        load_volume(path)
