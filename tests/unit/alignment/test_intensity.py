"""Gains of slices, slices that disagree, and shading, against stacks that were changed thus."""

from dataclasses import replace

import numpy as np
import pytest

from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.alignment.lines import Lines
from cordinr.alignment.rigid import align_rigidly
from cordinr.alignment.shading import estimate_shading
from cordinr.imaging.volume import Volume
from tests.helpers.scans import body, displacement, scan

GAIN = 1.5


@pytest.fixture(scope="module")
def stacks():
    """A sagittal scan, and an axial one that was displaced and is brighter."""
    image = body(3)
    moved = displacement(image.grid.centre, np.array([1.0, -1.0, 2.0]), np.array([1.0, 2.0, -1.0]))
    common = {"in_plane": 0.9, "noise": 0.01}
    return (
        scan(image, "R", thickness=3, spacing=3, name="sag", **common),
        scan(image, "S", thickness=3, spacing=3, moved=moved, gain=GAIN, seed=1, **common),
    )


def changed(stacks, number, array):
    """The stacks, with other voxels in one of them."""
    view = stacks[number]
    new = replace(view, volume=Volume(array.astype(np.float32), view.volume.grid))
    return [new if k == number else each for k, each in enumerate(stacks)]


@pytest.mark.parametrize("number", [0, 1])
def test_every_second_slice_darker_is_found_in_either_stack(stacks, number):
    array = stacks[number].volume.array.copy()
    array[:, :, ::2] *= 0.8
    found = align_rigidly(changed(stacks, number, array))
    bright = array[:, :, 1::2].max(axis=(0, 1)) > 100  # slices in air have no gain
    inner = np.flatnonzero(np.repeat(bright, 2))[2:-2]
    truth = np.where(np.arange(array.shape[2]) % 2 == 0, 0.8, 1.0) * (GAIN if number else 1.0)
    gains = found.gains[number] * found.slices[number].gains
    assert gains[inner] == pytest.approx(truth[inner], rel=0.02)
    assert found.gains[1] == pytest.approx(GAIN, rel=0.02)
    assert found.slices[1 - number].corrected == []
    assert not any(each.doubted for each in found.slices)
    said = found.fields(number)["SliceGains"]
    assert said == [round(float(gain), 4) for gain in found.slices[number].gains]
    even = found.apply(changed(stacks, number, array))[number].volume.array
    np.testing.assert_allclose(
        even[:, :, inner], stacks[number].volume.array[:, :, inner] / (GAIN if number else 1),
        rtol=0.02, atol=0.1,
    )  # fmt: skip


@pytest.mark.parametrize("number", [0, 1])
def test_slices_that_show_something_else_are_named_and_left_out(stacks, number):
    array = stacks[number].volume.array.copy()
    array[:, :, 6] = array[::-1, ::-1, 8]
    found = align_rigidly(changed(stacks, number, array))
    assert found.slices[number].doubted == [6] and found.slices[1 - number].doubted == []
    assert found.slices[number].trust[6] == 0 and found.slices[number].gains[6] == 1
    assert "disagree with the other scans, from 0: 6 (left out)." in found.describe(number)
    assert found.fields(number)["SliceWeights"][5:8] == [1, 0, 1]
    view = found.apply(changed(stacks, number, array))[number]
    assert (~view.measured.any(axis=(0, 1))).nonzero()[0].tolist() == [6]


def test_shading_is_removed(stacks):
    view = stacks[1]
    height = view.volume.grid.centres()[:, 1].reshape(view.volume.grid.shape)
    factor = np.exp(0.25 * (height - height.mean()) / np.abs(height - height.mean()).max())
    found = align_rigidly(changed(stacks, 1, view.volume.array * factor))
    assert found.shadings[0] is None and found.shadings[1] is not None
    assert found.fields(1)["ShadingCorrected"]
    even = found.apply(changed(stacks, 1, view.volume.array * factor))[1].volume.array
    bright = view.volume.array > 0.3 * view.volume.array.max()
    error = np.log(even * GAIN / view.volume.array)[bright]
    assert np.log(factor[bright]).std() > 0.08 and np.sqrt(np.mean(error**2)) < 0.03


def test_chunks_that_cross_each_other_nowhere_say_nothing_of_shading():
    """As the first sagittal and the last axial chunk of a whole spine."""
    rng = np.random.default_rng(0)
    world = rng.uniform(-40, 40, (4000, 3))
    one = rng.uniform(0.5, 1, 4000)
    values = np.stack([one, one * np.exp(0.3 * world[:, 1] / 40)])
    crossing = Lines((0, 1), values, np.zeros((2, 4000), int), world)
    nowhere = Lines((0, 2), np.empty((2, 0)), np.empty((2, 0), int), np.empty((0, 3)))
    dark = Lines((1, 2), np.zeros((2, 50)), np.zeros((2, 50), int), world[:50])
    expected = estimate_shading([crossing, dark], 0, 3)
    found = estimate_shading([crossing, nowhere, dark], 0, 3)
    assert found[0] is None and found[2] is None
    np.testing.assert_allclose(found[1].factor(world), expected[1].factor(world))
    assert np.corrcoef(np.log(found[1].factor(world)), world[:, 1])[0, 1] > 0.99


def test_aligned_even_stacks_are_returned_as_they_are():
    image = body(3)
    views = [acquire(image, axis, SliceProfile("box", 4.0), 4.0) for axis in (0, 2)]
    found = align_rigidly(views)
    assert all(one is other for one, other in zip(found.apply(views), views, strict=True))
    assert not found.is_uneven
