"""Slice axis, thickness and profile of an image, from its sidecars and its own header.

Sidecars are inherited, copied to other images and left behind by reorientation; the header belongs
to the voxels. A statement that the header contradicts is never used without a message.
"""

import logging
import math
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from ..errors import InputError
from ..imaging.grid import Grid
from .profile import SliceProfile

log = logging.getLogger(__name__)

ARRAY_AXES = "ijk"
"""Names of the array axes in BIDS."""

SLICE_DIRECTIONS = ("i", "j", "k", "i-", "j-", "k-")
"""Values of SliceEncodingDirection in BIDS."""

SPACING_TOLERANCE = 0.02
"""Relative difference between the slice spacings of sidecar and header that is tolerated."""

NEAR_ISOTROPIC = 1.2
"""Ratio of voxel sizes below which neither counts as the coarser one."""

CLEARLY_COARSER = 2.0
"""Ratio of voxel sizes above which the coarsest axis is the slice axis in any case."""

THICKNESS_IN_SPACINGS = (0.4, 3.0)
"""Smallest and largest slice thickness, in slice spacings; outside, one of the two is wrong."""

NORMAL_TOLERANCE = math.cos(math.radians(25))
"""Cosine of the largest angle at which a slice normal in a sidecar agrees with an array axis."""


@dataclass(frozen=True)
class Statements:
    """What the sidecars of an image state.

    Attributes:
        image: path of the image.
        values: by key; files deeper in the dataset win.
        origins: the file that each value comes from, by key.
    """

    image: Path
    values: Mapping[str, Any]
    origins: Mapping[str, Path]


def slice_geometry(grid: Grid, stated: Statements, insist: bool) -> tuple[int, SliceProfile]:
    """The array axis across the slices, and the profile of a slice.

    The slice spacing is always that of the header. What is assumed or ignored is logged.

    Args:
        grid: of the image.
        stated: by its sidecars.
        insist: use a thickness that is impossible for the slice spacing, and the spacing where the
            thickness is not a number.

    Raises:
        InputError: no axis is coarser than both others and no sidecar names one; the thickness
            is not a positive number or impossible; the profile is not known.
    """
    axis = _slice_axis(grid, stated)
    spacing = float(grid.voxel_sizes[axis])
    _note_spacing(spacing, stated)
    _note_other_image(grid, axis, stated)
    thickness = _thickness(spacing, stated, insist)
    if "SliceThickness" in stated.values:
        where = stated.origins["SliceThickness"]
        check_thickness(thickness, spacing, f"{where}: SliceThickness is", stated.image, insist)
    else:
        log.warning(
            "%s: no slice thickness in a sidecar; taking slices along array axis %d, thickness and "
            "spacing %.3g mm, box profile.",
            stated.image,
            axis,
            spacing,
        )
    try:
        return axis, SliceProfile(stated.values.get("SliceProfile", "box"), thickness)
    except InputError as error:
        raise InputError(f"{stated.origins['SliceProfile']}: {error}") from error


def check_thickness(thickness: float, spacing: float, said: str, image: Path, insist: bool) -> None:
    """Refuse a slice thickness that cannot belong to slices of this spacing.

    Args:
        thickness: of a slice, mm.
        spacing: between slice centres, mm.
        said: beginning of the sentence, up to the number.
        image: file that the sentence names.
        insist: log the sentence instead.

    Raises:
        InputError: the thickness is below 0.4 or above 3 spacings.
    """
    if is_possible(thickness, spacing):
        return
    fact = f"{said} {thickness:g} mm, but the slices of {image} are {spacing:.4g} mm apart"
    if not insist:
        raise InputError(
            f"{fact}; correct it, in a sidecar beside the image if the file is shared, or --insist."
        )
    log.warning("%s; taken all the same.", fact)


def is_possible(thickness: float, spacing: float) -> bool:
    """Whether slices of this thickness (mm) can be this far apart (mm)."""
    low, high = THICKNESS_IN_SPACINGS
    return low * (1 - 1e-6) <= thickness / spacing <= high * (1 + 1e-6)


def _slice_axis(grid: Grid, stated: Statements) -> int:
    """The slice axis of the sidecar unless the header contradicts it, else that of the header."""
    coarsest = coarsest_axis(grid.voxel_sizes)
    direction = stated.values.get("SliceEncodingDirection")
    where = stated.origins.get("SliceEncodingDirection")
    if direction is not None and direction not in SLICE_DIRECTIONS:
        said = f"{where}: SliceEncodingDirection is {reprlib.repr(direction)}, not i, j or k"
        if coarsest is None:
            raise InputError(f"{said}; correct it.")
        log.warning("%s; taking array axis %d, whose voxels are thickest.", said, coarsest)
        return coarsest
    if direction is None:
        if coarsest is None:
            raise InputError(
                f"{stated.image}: no axis has thicker slices than the others and no sidecar names "
                "one; state SliceEncodingDirection in its JSON sidecar."
            )
        return coarsest
    named = ARRAY_AXES.index(direction[0])
    if coarsest in (None, named):
        return named
    sizes = grid.voxel_sizes
    fact = (
        f"{where}: SliceEncodingDirection is {direction}, but the header of {stated.image} has "
        f"voxels of {sizes[named]:.4g} mm along {ARRAY_AXES[named]} and {sizes[coarsest]:.4g} mm "
        f"along {ARRAY_AXES[coarsest]}"
    )
    unclear = sizes[coarsest] < CLEARLY_COARSER * sizes[named]
    if unclear and _fits(sizes[named], stated) and not _fits(sizes[coarsest], stated):
        log.warning("%s; taking %s, as its spacing or thickness says.", fact, ARRAY_AXES[named])
        return named
    log.warning("%s; taking %s.", fact, ARRAY_AXES[coarsest])
    return coarsest


def coarsest_axis(sizes: np.ndarray) -> int | None:
    """The array axis along which voxels are clearly longest; None where there is none.

    Args:
        sizes: (3,) mm.
    """
    order = np.argsort(sizes)
    return int(order[2]) if sizes[order[2]] >= NEAR_ISOTROPIC * sizes[order[1]] else None


def _fits(size: float, stated: Statements) -> bool:
    """Whether this slice spacing agrees with the spacing or thickness in the sidecars."""
    spacing = stated.values.get("SpacingBetweenSlices")
    thickness = stated.values.get("SliceThickness")
    gap_alone = is_length(thickness) and is_length(spacing) and spacing < thickness
    if is_length(spacing) and not gap_alone:
        return abs(spacing / size - 1) <= SPACING_TOLERANCE
    return is_length(thickness) and is_possible(thickness, size)


def is_length(value: Any) -> TypeGuard[float]:
    """Whether a value of a sidecar is a positive, finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value > 0


def _note_spacing(spacing: float, stated: Statements) -> None:
    if "SpacingBetweenSlices" not in stated.values:
        return
    value = stated.values["SpacingBetweenSlices"]
    if not is_length(value) or abs(value / spacing - 1) > SPACING_TOLERANCE:
        log.warning(
            "%s: SpacingBetweenSlices is %s and is ignored; the header of %s says %.4g mm.",
            stated.origins["SpacingBetweenSlices"],
            reprlib.repr(value),
            stated.image,
            spacing,
        )


def _thickness(spacing: float, stated: Statements, insist: bool) -> float:
    value = stated.values.get("SliceThickness", spacing)
    if is_length(value):
        return float(value)
    fact = (
        f"{stated.origins['SliceThickness']}: SliceThickness is {reprlib.repr(value)}, not a "
        "positive number of mm"
    )
    if not insist:
        raise InputError(f"{fact}; correct it.")
    log.warning("%s; taking the spacing, %.4g mm.", fact, spacing)
    return spacing


def _note_other_image(grid: Grid, axis: int, stated: Statements) -> None:
    """Log where a sidecar belongs to another image, or to this one before it was reoriented."""
    normal = _stated_normal(stated.values.get("ImageOrientationPatientDICOM"))
    if normal is not None:
        along = np.abs(normal @ grid.directions)
        if along[axis] < NORMAL_TOLERANCE:
            log.warning(
                "%s: ImageOrientationPatientDICOM has slices %.0f degrees away from those along %s "
                "in the header of %s; the header's are taken. Is it the sidecar of another scan?",
                stated.origins["ImageOrientationPatientDICOM"],
                math.degrees(math.acos(min(1.0, float(along[axis])))),
                ARRAY_AXES[axis],
                stated.image,
            )
    matrix = stated.values.get("ReconMatrixPE")
    in_plane = [n for k, n in enumerate(grid.shape) if k != axis]
    if is_length(matrix) and matrix not in in_plane:
        log.warning(
            "%s: ReconMatrixPE is %g, but the slices of %s have %d x %d voxels; the header's are "
            "taken. Was the image cropped, or is it the sidecar of another scan?",
            stated.origins["ReconMatrixPE"],
            matrix,
            stated.image,
            *in_plane,
        )


def _stated_normal(cosines: Any) -> np.ndarray | None:
    """(3,) unit slice normal in R-A-S+ from DICOM's six direction cosines; None if invalid.

    DICOM PS3.3, C.7.6.2.1.1: rows and columns in a world whose first two axes point the other way.
    """
    if not isinstance(cosines, list) or len(cosines) != 6:
        return None
    if not all(isinstance(c, int | float) and abs(c) < 1.1 for c in cosines):
        return None
    normal = np.cross(cosines[:3], cosines[3:]) * (-1, -1, 1)
    length = np.linalg.norm(normal)
    return normal / length if length > 0.5 else None
