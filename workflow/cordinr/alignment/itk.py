"""Rigid displacements as files that ITK reads, and with it ANTs, 3D Slicer and SimpleITK."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ..errors import InputError, brief
from ..files import read_text, write_text
from .pose import Pose

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""From R-A-S+ to the world of ITK, whose first two axes point the other way, and back."""

SMALLEST_DETERMINANT = 1e-6
"""Determinant below which a matrix cannot be inverted."""


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


def load_transform(path: Path | str) -> np.ndarray:
    """Read an ITK transform, a text file with one of the transforms in `ROTATIONS`.

    Args:
        path: of a file that `save_transform`, SimpleITK or 3D Slicer wrote.

    Returns:
        (4, 4) world mm (R-A-S+) of where an image is resampled to, to those of the image; in the
        file of an aligned scan, true positions to those by its header.

    Raises:
        InputError: the file is missing, is not text, or holds another kind of transform or several,
            or one that cannot be undone.
    """
    fields = _fields(path)
    kind = re.sub("_(double|float)_3_3$", "", fields["Transform"])
    if kind not in ROTATIONS:
        raise InputError(
            f"{path}: holds a transform of kind {brief(fields['Transform'])}; give one that is "
            f"rigid or affine in 3D ({', '.join(ROTATIONS)})."
        )
    count, rotation_of = ROTATIONS[kind]
    numbers, fixed = (_numbers(path, fields, key) for key in ("Parameters", "FixedParameters"))
    if len(numbers) != count or len(fixed) not in (3, 4):
        raise InputError(
            f"{path}: has {len(numbers)} parameters and {len(fixed)} fixed ones, not {count} and "
            "3; write the file again."
        )
    rotation, centre = rotation_of(numbers[:-3], fixed[3:]), fixed[:3]
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = numbers[-3:] + centre - rotation @ centre
    if not np.isfinite(matrix).all() or abs(np.linalg.det(rotation)) < SMALLEST_DETERMINANT:
        raise InputError(f"{path}: flattens space or is not finite; write the file again.")
    return LPS @ matrix @ LPS


def _fields(path: Path | str) -> dict[str, str]:
    """The lines of a transform by what stands before their colon."""
    lines = read_text(path, "ITK transform").splitlines()
    if not lines or not lines[0].startswith("#Insight Transform File"):
        raise InputError(
            f"{path}: is not an ITK transform in text; give one that `cordinr align` wrote "
            "(_xfm.txt)."
        )
    pairs = [line.partition(":") for line in lines if not line.startswith("#") and ":" in line]
    keys = [key.strip() for key, _, _ in pairs]
    if keys.count("Transform") != 1:
        raise InputError(
            f"{path}: holds {keys.count('Transform')} transforms; give a file with one of them."
        )
    return {key: value.strip() for key, (_, _, value) in zip(keys, pairs, strict=True)}


def _numbers(path: Path | str, fields: dict[str, str], key: str) -> np.ndarray:
    try:
        return np.array([float(word) for word in fields.get(key, "").split()])
    except ValueError as error:
        raise InputError(f"{path}: its {key} are not all numbers; write the file again.") from error


def _from_matrix(numbers: np.ndarray, _: np.ndarray) -> np.ndarray:
    return numbers.reshape(3, 3)


def _from_angles(angles: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The rotation by three angles about x, y and z; ITK turns about y first, unless told x."""
    x, y, z = angles
    if order.any():
        return Rotation.from_euler("xyz", [x, y, z]).as_matrix()
    return Rotation.from_euler("yxz", [y, x, z]).as_matrix()


def _from_versor(vector: np.ndarray, _: np.ndarray) -> np.ndarray:
    """The rotation by the vector part of a unit quaternion whose scalar part is not negative."""
    scalar = np.sqrt(max(0.0, 1 - float(vector @ vector)))
    return Rotation.from_quat([*vector, scalar]).as_matrix()


ROTATIONS: dict[str, tuple[int, Callable[[np.ndarray, np.ndarray], np.ndarray]]] = {
    "MatrixOffsetTransformBase": (12, _from_matrix),
    "AffineTransform": (12, _from_matrix),
    "Euler3DTransform": (6, _from_angles),
    "VersorRigid3DTransform": (6, _from_versor),
}
"""Transforms that can be read: how many parameters they have, and the function that makes a matrix
of all but the last three, given the fixed parameters beyond the centre."""


def _words(numbers: list[float] | np.ndarray) -> str:
    return " ".join(f"{float(number):.17g}" for number in numbers)
