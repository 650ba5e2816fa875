"""Poses and gains, against scans that were displaced by known amounts, made by another way."""

import numpy as np
import pytest

from cordinr.alignment.crossings import Crossing
from cordinr.alignment.rigid import align_rigidly
from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from tests.helpers.scans import BODY_SHAPE, body, displacement, scan

REST = (np.eye(4), np.eye(4))


def error_of(pose: np.ndarray, truth: np.ndarray, at: np.ndarray) -> tuple[float, float]:
    """Millimetres at a position by the header, and degrees, between two poses (4, 4)."""
    apart = pose @ np.linalg.inv(truth)
    angle = np.degrees(np.arccos(np.clip((np.trace(apart[:3, :3]) - 1) / 2, -1, 1)))
    return float(np.linalg.norm((pose - truth)[:3, :3] @ at + (pose - truth)[:3, 3])), float(angle)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_displaced_scan_of_another_gain_is_found(seed):
    rng = np.random.default_rng(seed)
    image = body(seed)
    truth = displacement(image.grid.centre, rng.uniform(-5, 5, 3), rng.uniform(-5, 5, 3))
    sagittal = scan(image, "R", thickness=3, spacing=3.3, in_plane=0.9, noise=0.02)
    axial = scan(
        image,
        "S",
        thickness=3.5,
        spacing=4,
        in_plane=0.8,
        tilt=8,
        moved=truth,
        gain=1.7,
        noise=0.02,
    )
    found = align_rigidly([sagittal, axial])
    millimetres, degrees = error_of(found.poses[1].matrix, truth, axial.volume.grid.centre)
    assert millimetres < 0.2 and degrees < 0.3
    assert found.gains[1] == pytest.approx(1.7, rel=0.02)
    assert found.correlation[1] > 0.98 > found.correlation_before[1]
    assert not found.problems and found.poses[0].millimetres == found.poses[0].degrees == 0
    moved = found.apply([sagittal, axial])[1]
    np.testing.assert_allclose(moved.volume.grid.affine, truth @ axial.volume.grid.affine, atol=0.3)


@pytest.mark.slow
def test_chunks_that_do_not_overlap_are_tied_by_the_scan_that_sees_both():
    image = body()
    low, high = (
        Volume(
            image.array[:, :, part],
            Grid(
                (*BODY_SHAPE[:2], 28),
                image.grid.cropped(np.array([0, 0, start]), np.array([*BODY_SHAPE[:2], 28])).affine,
            ),
        )
        for part, start in ((slice(0, 28), 0), (slice(28, 56), 28))
    )
    truths = [
        displacement(image.grid.centre, np.array([1.0, -2.0, 1.5]), np.array([2.0, -1.0, 1.0])),
        displacement(image.grid.centre, np.array([-2.0, 1.0, 0.0]), np.array([-1.5, 2.0, -2.0])),
    ]
    sagittal = scan(image, "R", thickness=3, spacing=3, in_plane=0.9)
    chunks = []
    for part, truth in zip((low, high), truths, strict=True):
        placed = scan(part, "S", thickness=3, spacing=3, in_plane=0.9)
        # The same grid by the header, but what the whole body shows there.
        chunk = scan(image, "S", thickness=3, spacing=3, in_plane=0.9, moved=truth)
        first = round((placed.volume.grid.affine[2, 3] - chunk.volume.grid.affine[2, 3]) / 3)
        count = placed.volume.grid.shape[2]
        grid = chunk.volume.grid.cropped(
            np.array([0, 0, first]), np.array([*chunk.volume.grid.shape[:2], count])
        )
        chunks.append(
            type(chunk)(
                Volume(chunk.volume.array[:, :, first : first + count], grid), 2, chunk.profile
            )
        )
    found = align_rigidly([sagittal, *chunks])
    for pose, truth, chunk in zip(found.poses[1:], truths, chunks, strict=True):
        millimetres, degrees = error_of(pose.matrix, truth, chunk.volume.grid.centre)
        assert millimetres < 0.3 and degrees < 0.6


def test_scans_in_their_place_stay():
    image = body()
    views = [
        scan(image, "R", thickness=3, spacing=3, in_plane=0.9, noise=0.02),
        scan(image, "S", thickness=3, spacing=3, in_plane=0.9, noise=0.02, seed=1),
    ]
    found = align_rigidly(views, fixed=1)
    assert found.poses[0].millimetres < 0.1 and found.poses[0].degrees < 0.2
    assert found.gains == pytest.approx(1, abs=0.02)


def test_another_object_is_told_and_stays_where_it_was():
    views = [
        scan(body(0), "R", thickness=3, spacing=3, in_plane=0.9, name="a"),
        scan(body(7), "S", thickness=3, spacing=3, in_plane=0.9, name="b", gain=2),
    ]
    views[1].volume.array[:] = np.random.default_rng(0).gamma(
        2.0, 100.0, views[1].volume.array.shape
    )
    found = align_rigidly(views)
    (sentence,) = found.failures(views)
    assert sentence.startswith("b: does not show what the scans of other directions show")
    assert found.poses[1].millimetres == 0 and found.gains[1] == 1


def test_a_scan_of_something_else_does_not_pull_at_the_others():
    image = body()
    truth = displacement(image.grid.centre, np.array([1.0, -2.0, 1.5]), np.array([2.0, -1.0, 1.0]))
    sagittal = scan(image, "R", thickness=3, spacing=3, in_plane=0.9)
    axial = scan(image, "S", thickness=3, spacing=3, in_plane=0.9, moved=truth, gain=1.4)
    coronal = scan(image, "A", thickness=3, spacing=3, in_plane=0.9, name="c")
    noise = np.random.default_rng(0).gamma(2.0, 100.0, coronal.volume.array.shape)
    coronal.volume.array[:] = noise
    found = align_rigidly([sagittal, axial, coronal])
    assert list(found.problems) == [2] and found.poses[2].millimetres == 0
    millimetres, degrees = error_of(found.poses[1].matrix, truth, axial.volume.grid.centre)
    assert millimetres < 0.1 and degrees < 0.2
    assert found.gains[1:] == pytest.approx([1.4, 1.0], rel=0.01)


def test_scans_of_one_direction_are_refused():
    image = body()
    views = [
        scan(image, "S", thickness=3, spacing=3, in_plane=0.9, tilt=tilt, name=name)
        for tilt, name in ((0, "a"), (10, "b"))
    ]
    with pytest.raises(InputError, match="a and b: have slices in one direction only"):
        align_rigidly(views)


def test_both_scans_show_the_same_where_their_slices_cross():
    """Blurred by each other's profile they agree to a few percent, without it they do not."""
    image = body()
    views = (
        scan(image, "R", thickness=6, spacing=6, in_plane=0.9),
        scan(image, "S", thickness=6, spacing=6, in_plane=0.9),
    )
    crossing = Crossing.of(
        views, (0, 1), REST, blur_mm=0.0, step_mm=1.0, points=5000, margin_mm=5.0
    )
    one, other, both = crossing.compare(np.eye(4), np.eye(4))
    assert both.sum() > 1000
    blurred = np.sqrt(np.mean((one - other)[both] ** 2)) / one[both].std()
    thin = tuple(
        type(view)(view.volume, view.axis, type(view.profile)("point", 1.0)) for view in views
    )
    one, other, both = Crossing.of(
        thin, (0, 1), REST, blur_mm=0.0, step_mm=1.0, points=5000, margin_mm=5.0
    ).compare(np.eye(4), np.eye(4))
    sharp = np.sqrt(np.mean((one - other)[both] ** 2)) / one[both].std()
    assert blurred < 0.05 and sharp > 3 * blurred
