"""Images that go on beyond their ends, for scans that are larger than they are."""

import numpy as np

from benchmarks.clinical import mirrored
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from tests.helpers.seeds import SEED


def test_an_image_goes_on_as_its_mirror_image() -> None:
    rng = np.random.default_rng(SEED)
    affine = np.diag([1.0, 2.0, 0.5, 1.0])
    affine[:3, 3] = 7, -3, 2
    image = Volume(rng.normal(size=(4, 5, 6)).astype(np.float32), Grid((4, 5, 6), affine))
    found = mirrored(image, image.grid.world(np.array([1.0, 2.0, 4.0])), 5.0)
    padded = np.pad(image.array, 12, mode="symmetric")
    # 5, 3 and 10 voxels on each side of the voxel that is the centre.
    expected = padded[8:19, 11:18, 6:27]
    assert np.array_equal(found.array, expected)
    centre = found.grid.world((np.array(found.array.shape) - 1) / 2)
    assert np.allclose(centre, image.grid.world(np.array([1.0, 2.0, 4.0])))
