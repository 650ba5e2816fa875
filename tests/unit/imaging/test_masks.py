"""Masks and the grids of their images."""

import numpy as np
import pytest

from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.imaging.masks import load_mask
from cordinr.imaging.volume import save_volume
from tests.helpers.support import blobs

LAS = np.array([[-0.8, 0, 0, 9], [0, 0.8, 0, -7], [0, 0, 0.8, -8], [0, 0, 0, 1]])
RPI = np.array([[0.53, 0, 0, -8], [0, -0.53, 0, 9], [0, 0, -0.47, 7.1], [0, 0, 0, 1]])


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


def test_a_mask_on_the_grid_of_its_image_is_read_as_it_is(tmp_path, notes):
    volume = blobs((4, 5, 6), np.eye(4))
    save_volume(tmp_path / "mask.nii.gz", volume.array > 100, volume.grid, dtype="uint8")
    mask = load_mask(tmp_path / "mask.nii.gz", volume.grid)
    np.testing.assert_array_equal(mask, volume.array > 100)
    assert notes() == []
