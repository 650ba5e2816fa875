"""Predictions of a scan from a volume, against an interpolation by SciPy."""

import numpy as np
import torch
from scipy import ndimage

from benchmarks.pelvis import ALL_SEEN, SAMPLES, Predictor
from cordinr.alignment.pose import Pose
from tests.helpers.scans import body, displacement, scan
from tests.helpers.seeds import SEED


def test_a_scan_is_predicted_at_a_pose() -> None:
    rng = np.random.default_rng(SEED)
    volume = body()
    moved = displacement(volume.grid.centre, np.array([3.0, -2.0, 4.0]), np.array([1.0, 2.0, -1.5]))
    view = scan(volume, "A", thickness=3.0, spacing=3.3, in_plane=1.2, tilt=5, moved=moved, gain=2)
    every = np.indices(view.volume.grid.shape).reshape(3, -1).T
    index = rng.choice(every, 500, replace=False)
    seen = np.ones(volume.grid.shape, bool)
    seen[:, 25:] = False
    predictor = Predictor(view, index, volume.grid, seen, torch.device("cpu"))
    pose = Pose(volume.grid.centre, np.radians([3.0, -2.0, 4.0]), np.array([1.0, 2.0, -1.5]))
    found, inside = predictor.predict(torch.tensor(volume.array), pose)

    def mean(array: np.ndarray) -> np.ndarray:
        total = np.zeros(len(index))
        for step in (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5:
            world = view.volume.grid.world(index) + 3.0 * step * view.normal
            at = volume.grid.index(world @ moved[:3, :3].T + moved[:3, 3])
            total += ndimage.map_coordinates(array, at.T, order=1, mode="grid-constant")
        return total / SAMPLES

    everywhere = mean(np.ones(volume.grid.shape)) > ALL_SEEN
    assert np.abs(found.numpy() - mean(volume.array))[everywhere].max() < 0.1
    assert np.array_equal(inside.numpy(), mean(seen.astype(float)) > ALL_SEEN)
    assert 50 < inside.sum() < 450
    right = predictor.correlate(torch.tensor(volume.array), pose)
    rest = predictor.correlate(
        torch.tensor(volume.array), Pose(pose.centre, 0 * pose.rotation, 0 * pose.translation)
    )
    assert right > 0.99
    assert right > rest + 0.01
