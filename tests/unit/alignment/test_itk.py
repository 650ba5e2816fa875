"""Transforms as ITK reads and writes them."""

import numpy as np
import pytest
import SimpleITK

from cordinr.acquisition.labels import carry_labels
from cordinr.alignment.itk import load_transform, save_transform
from cordinr.alignment.pose import Pose
from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume, save_volume

POSE = Pose(np.array([10.0, -4.0, 55.0]), np.array([0.05, -0.02, 0.11]), np.array([3.0, 1.0, -2.0]))
LPS = np.array([-1, -1, 1])
POINTS = np.random.default_rng(0).normal(size=(5, 3)) * 40


def moved_by_itk(transform, points):
    """World mm (R-A-S+) through a transform of ITK, whose first two axes point the other way."""
    return np.array([transform.TransformPoint((p * LPS).tolist()) for p in points]) * LPS


def moved(matrix, points):
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def euler(is_zyx):
    transform = SimpleITK.Euler3DTransform((10, -20, 30), 0.3, -0.2, 0.5, (4, 5, -6))
    transform.SetComputeZYX(is_zyx)
    return transform


def affine():
    transform = SimpleITK.AffineTransform(3)
    transform.SetMatrix((1.1, 0.1, 0, -0.2, 0.9, 0.05, 0, 0.3, 1.2))
    transform.SetCenter((7, 8, 9))
    transform.SetTranslation((1, -2, 3))
    return transform


def test_itk_maps_true_positions_to_those_by_the_header(tmp_path):
    path = tmp_path / "scan_xfm.txt"
    save_transform(path, POSE)
    transform = SimpleITK.ReadTransform(path)
    true = moved(POSE.matrix, POINTS)
    np.testing.assert_allclose(moved_by_itk(transform, true), POINTS, atol=1e-9)


def test_what_was_written_is_read_back(tmp_path):
    path = tmp_path / "scan_xfm.txt"
    save_transform(path, POSE)
    np.testing.assert_allclose(load_transform(path), np.linalg.inv(POSE.matrix), atol=1e-12)


@pytest.mark.parametrize(
    "transform",
    [
        euler(False),
        euler(True),
        affine(),
        SimpleITK.VersorRigid3DTransform((0.2, -0.3, 0.1, 0.9), (1, 2, 3), (10, 20, 30)),
    ],
    ids=["euler", "euler-zyx", "affine", "versor"],
)
def test_what_simpleitk_writes_is_read_as_simpleitk_means_it(tmp_path, transform):
    path = tmp_path / "itk.tfm"
    SimpleITK.WriteTransform(transform, path)
    np.testing.assert_allclose(
        moved(load_transform(path), POINTS), moved_by_itk(transform, POINTS), atol=1e-9
    )


def test_labels_go_where_itk_takes_them(tmp_path):
    """The nearest neighbour of ITK, but for voxels at the edge of a label."""
    rng = np.random.default_rng(3)
    blocks = rng.integers(0, 5, (5, 6, 7)).repeat(8, 0).repeat(8, 1).repeat(8, 2).astype(np.int16)
    drawn = Volume(blocks, Grid(blocks.shape, np.array(np.diag([1.0, 1, 1, 1]))))
    grid = Grid((30, 34, 38), np.array([[1.0, 0, 0, 4], [0, 1, 0, 6], [0, 0, 1, 9], [0, 0, 0, 1]]))
    for name, volume in (("drawn", drawn), ("like", Volume(np.zeros(grid.shape, "i2"), grid))):
        save_volume(tmp_path / f"{name}.nii", volume.array, volume.grid, "int16")
    path = tmp_path / "scan_xfm.txt"
    save_transform(path, POSE)
    by_itk = SimpleITK.GetArrayFromImage(
        SimpleITK.Resample(
            SimpleITK.ReadImage(tmp_path / "drawn.nii"),
            SimpleITK.ReadImage(tmp_path / "like.nii"),
            SimpleITK.ReadTransform(path),
            SimpleITK.sitkNearestNeighbor,
        )
    ).T
    ours = carry_labels(drawn, grid, None, load_transform(path))
    edges = np.zeros(grid.shape, bool)
    for axis in range(3):
        for step in (-1, 1):
            edges |= by_itk != np.roll(by_itk, step, axis)
    assert (~edges).mean() > 0.3 and len(np.unique(by_itk[~edges])) == 5
    np.testing.assert_array_equal(ours[~edges], by_itk[~edges])
    assert (ours == by_itk).mean() > 0.93


HEAD = "#Insight Transform File V1.0\n#Transform 0\n"
AFFINE = f"{HEAD}Transform: AffineTransform_double_3_3\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n", "is not an ITK transform in text; give one that"),
        ("", "is not an ITK transform in text"),
        (f"{HEAD}Transform: BSplineTransform_double_3_3\nParameters: 1\n", "of kind BSplineTr"),
        (f"{HEAD}Transform: AffineTransform_double_2_2\nParameters: 1\n", "of kind AffineTr"),
        (f"{HEAD}Parameters: 1\n", "holds 0 transforms"),
        (f"{AFFINE}Parameters: 1 0 0\n#Transform 1\nTransform: x\n", "holds 2 transforms"),
        (f"{AFFINE}Parameters: 1 0 0\nFixedParameters: 0 0 0\n", "has 3 parameters and 3 fixed"),
        (f"{AFFINE}Parameters: {'1 ' * 12}\n", "has 12 parameters and 0 fixed"),
        (f"{AFFINE}Parameters: {'1 ' * 11}x\nFixedParameters: 0 0 0\n", "are not all numbers"),
        (f"{AFFINE}Parameters: {'1 ' * 12}\nFixedParameters: 0 0 0\n", "flattens space"),
        (f"{AFFINE}Parameters: {'nan ' * 12}\nFixedParameters: 0 0 0\n", "flattens space"),
    ],
)
def test_what_is_no_rigid_or_affine_transform_is_refused(tmp_path, text, sentence):
    path = tmp_path / "scan_xfm.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=sentence):
        load_transform(path)
