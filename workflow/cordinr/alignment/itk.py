"""Rigid displacements as files that ITK reads, and with it ANTs, 3D Slicer and SimpleITK."""

from pathlib import Path

import numpy as np

from ..files import write_text
from .pose import Pose

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""From R-A-S+ to the world of ITK, whose first two axes point the other way, and back."""


def save_transform(path: Path | str, pose: Pose) -> None:
    """Write a pose as ITK transform, a text file.

    ITK maps points from where an image is resampled to back into the image. The transform therefore
    takes true positions to those by the header: it resamples the scan to where it really is.

    Args:
        path: of the file; ITK reads text files named .txt or .tfm.
        pose: of the scan.
    """
    matrix = LPS @ np.linalg.inv(pose.matrix) @ LPS
    centre = LPS[:3, :3] @ (pose.centre + pose.translation)
    rotation = matrix[:3, :3]
    translation = matrix[:3, 3] + rotation @ centre - centre
    numbers = [*rotation.ravel(), *translation]
    write_text(
        path,
        "#Insight Transform File V1.0\n"
        "#Transform 0\n"
        "Transform: MatrixOffsetTransformBase_double_3_3\n"
        f"Parameters: {_words(numbers)}\n"
        f"FixedParameters: {_words(centre)}\n",
    )


def _words(numbers: list[float] | np.ndarray) -> str:
    return " ".join(f"{float(number):.17g}" for number in numbers)
