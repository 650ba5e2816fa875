"""The volumes that a page holds for its viewer."""

import base64
import gzip

import nibabel as nib
import numpy as np
import pytest

from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from cordinr.pages.volumes import ViewerLayer, crop, embed, narrow
from tests.helpers.support import blobs


def decoded(text: str) -> nib.Nifti1Image:
    return nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(text)))


def turned() -> np.ndarray:
    """An affine of mixed axes and signs, off the origin."""
    affine = np.array([[0, 0, -1, 20], [-1, 0, 0, 30], [0, 1.0, 0, -9], [0, 0, 0, 1]])
    affine[:3, :3] *= 0.8
    return affine


@pytest.fixture
def layers():
    """A body in air, a view of it, a reconstruction that is off by 3, its uncertainty."""
    grid = Grid((40, 48, 44), turned())
    array = blobs(grid.shape, grid.affine).array
    array[:8], array[-6:], array[:, :, :10] = 0, 0, 0
    body = Volume(array, grid)
    view = acquire(body, grid.axis_along("S"), SliceProfile("box", 4.0), 4.0).volume
    std = Volume((np.abs(array) / 50).astype(np.float32), grid)
    return [
        ViewerLayer("reference", "Reference", "", "reference", body),
        ViewerLayer("view1", "axial view", "", "view", view),
        ViewerLayer("tv", "Total variation", "", "recon", Volume(array + np.float32(3), grid)),
        ViewerLayer("spread", "Uncertainty", "", "spread", std),
    ]


def test_embedded_volumes_are_the_same_voxels_in_the_same_places(layers):
    shown, grid = embed(layers, layers[0].volume.grid.centre, 10**9)
    assert grid.size < layers[0].volume.grid.size
    for layer in layers:
        image = decoded(shown[layer.key])
        assert image.get_data_dtype() == np.uint8
        world = nib.affines.apply_affine(image.affine, np.argwhere(np.ones(image.shape)))
        index = np.rint(layer.volume.grid.index(world)).astype(int)
        np.testing.assert_allclose(layer.volume.grid.world(index), world, atol=1e-3)
        step = image.dataobj.slope
        truth = layer.volume.array[tuple(index.T)].reshape(image.shape)
        np.testing.assert_allclose(image.get_fdata(), truth, atol=0.51 * step)
    body = layers[0].volume
    kept = decoded(shown["reference"]).get_fdata()
    step = decoded(shown["reference"]).dataobj.slope
    assert abs(kept.sum() - body.array.sum()) < step * body.grid.size


def test_embedded_volumes_share_a_grid_and_steps(layers):
    shown, _ = embed(layers, layers[0].volume.grid.centre, 10**9)
    first, second = decoded(shown["reference"]), decoded(shown["tv"])
    assert first.shape == second.shape and (first.affine == second.affine).all()
    assert first.dataobj.slope == second.dataobj.slope
    assert first.dataobj.inter == second.dataobj.inter


def test_what_is_too_large_is_cropped_around_the_focus(layers):
    whole, full = embed(layers, layers[0].volume.grid.centre, 10**9)
    most = sum(map(len, whole.values())) // 3
    focus = layers[0].volume.grid.world([24, 30, 30])
    shown, grid = embed(layers, focus, most)
    assert sum(map(len, shown.values())) <= most
    assert grid.size < full.size
    index = grid.index(focus)
    assert (index >= 0).all() and (index <= np.array(grid.shape) - 1).all()
    assert embed(layers, focus, 0)[1].size >= 8**3


def test_left_and_right_go_before_head_and_feet():
    grid = Grid((200, 220, 240), np.eye(4))
    box = np.array([(0, 0, 0), grid.shape])
    once = narrow(grid, box, grid.centre, 0.5)
    size = once[1] - once[0]
    assert size[2] == 240 and size[0] < 160 and size[1] < 170
    assert abs(once.mean(axis=0) - box.mean(axis=0)).max() <= 1
    narrowest = narrow(grid, np.array([(80, 80, 0), (140, 140, 240)]), grid.centre, 0.5)
    assert list(narrowest[1] - narrowest[0])[:2] == [60, 60] and np.ptp(narrowest[:, 2]) < 125
    at_the_edge = narrow(grid, box, np.array([0.0, 0, 0]), 0.2)
    assert (at_the_edge[0] == 0).all()


def test_crop_keeps_the_voxels_that_the_box_touches():
    volume = Volume(
        np.arange(1000, dtype=np.float32).reshape(10, 10, 10), Grid((10,) * 3, np.eye(4))
    )
    box = Grid((3, 2, 4), np.array([[1.0, 0, 0, 2], [0, 1, 0, 5], [0, 0, 1, 0], [0, 0, 0, 1]]))
    part = crop(volume, box.corners)
    np.testing.assert_array_equal(part.array, volume.array[2:5, 5:7, 0:4])
    np.testing.assert_array_equal(part.grid.affine, box.affine)
