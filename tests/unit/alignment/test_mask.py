"""Where scans are compared."""

import numpy as np
import pytest

from cordinr.alignment.mask import Mask, load_mask
from cordinr.alignment.modes import align
from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume, save_volume
from tests.helpers.scans import body, displacement, scan


def box(low, high):
    """A mask between two heights, on a grid of its own: 2 mm, turned."""
    grid = Grid(
        (30, 30, 30), np.array([[0, 2.0, 0, -5], [2, 0, 0, -5], [0, 0, 2, -1], [0, 0, 0, 1]])
    )
    height = grid.centres()[:, 2].reshape(grid.shape)
    return Volume(((height > low) & (height < high)).astype(np.float32), grid)


def test_places_are_within_up_to_a_margin():
    mask = Mask.of(box(10, 20), "mask")  # voxel centres from 11 to 19
    places = np.array([[20, 20, z] for z in (15, 9, 5, 21.0)])
    assert mask.within(places, 0.0).tolist() == [True, False, False, False]
    assert mask.within(places, 2.5).tolist() == [True, True, False, True]
    assert not mask.within(np.array([[200.0, 20, 15]]), 10.0).any()


def test_what_is_outside_of_the_mask_does_not_count():
    """The upper half of the axial scan moved elsewhere than the lower half."""
    image = body(3)
    turns = np.zeros(3)
    truths = [
        displacement(image.grid.centre, turns, shift)
        for shift in (np.array([1.5, -1.0, 0.8]), np.array([-2.0, 2.5, -0.8]))
    ]
    common = {"thickness": 3, "spacing": 3, "in_plane": 0.9}
    sagittal = scan(image, "R", **common)
    lower, upper = (scan(image, "S", moved=truth, **common) for truth in truths)
    array = lower.volume.array.copy()
    array[:, :, 9:] = upper.volume.array[:, :, 9:]
    axial = type(lower)(Volume(array, lower.volume.grid), lower.axis, lower.profile)
    for part, truth in (((0, 27), truths[0]), ((31, 56), truths[1])):
        found = align([sagittal, axial], mask=Mask.of(box(*part), "mask"))
        assert found.poses[1].translation == pytest.approx(truth[:3, 3], abs=0.35)


def test_a_mask_that_marks_nothing_of_the_scans_is_refused(tmp_path):
    view = scan(body(), "S", thickness=4, spacing=4, in_plane=1)
    path = tmp_path / "mask.nii.gz"
    far = box(10, 20)
    for array, offset, sentence in (
        (far.array, 500.0, "lies where none of the scans is"),
        (0 * far.array, 0.0, "the mask is empty"),
    ):
        affine = far.grid.affine.copy()
        affine[0, 3] += offset
        save_volume(path, array, Grid(far.grid.shape, affine))
        with pytest.raises(InputError, match=sentence):
            load_mask(path, [view])
    save_volume(path, np.ones_like(far.array), far.grid)
    assert load_mask(path, [view]).within(view.volume.grid.centre[None], 0.0).all()
