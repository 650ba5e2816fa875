"""Transforms as ITK reads them."""

import numpy as np
import SimpleITK

from cordinr.alignment.itk import save_transform
from cordinr.alignment.pose import Pose


def test_itk_maps_true_positions_to_those_by_the_header(tmp_path):
    pose = Pose(
        np.array([10.0, -4.0, 55.0]), np.array([0.05, -0.02, 0.11]), np.array([3.0, 1.0, -2.0])
    )
    path = tmp_path / "scan_xfm.txt"
    save_transform(path, pose)
    transform = SimpleITK.ReadTransform(path)
    for by_header in np.random.default_rng(0).normal(size=(5, 3)) * 40:
        true = (pose.matrix @ [*by_header, 1])[:3]
        lps = true * [-1, -1, 1]
        np.testing.assert_allclose(
            np.array(transform.TransformPoint(lps.tolist())) * [-1, -1, 1], by_header, atol=1e-9
        )
