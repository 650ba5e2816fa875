"""Cord masks, which may be missing or unusable: then only the metrics of the cord are missing."""

import logging
import os
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files import read_json
from ..imaging.grid import Grid
from ..imaging.masks import load_mask, load_segmentation
from ..imaging.volume import Volume
from .names import sidecar_path

log = logging.getLogger(__name__)

CORD_PROBLEM_KEY = "CordProblem"
"""Key in the sidecar of an empty mask that gives the reason; not defined by BIDS."""


def load_cord(path: Path | None, grid: Grid) -> np.ndarray | None:
    """Load the mask of the spinal cord on the grid of its image.

    Args:
        path: path of the mask, or None if the image has no mask.
        grid: grid of the image.

    Returns:
        bool array of shape `grid.shape` with at least one voxel of the cord, or None if there is
        no mask or, with a warning, if the mask cannot be used.

    Raises:
        InputError: the file does not exist.
    """
    if path is None:
        return None
    try:
        cord = load_mask(path, grid)
    except InputError as error:
        if not os.path.lexists(path):
            raise
        log.warning("%s There are no cord metrics.", error)
        return None
    if not cord.any():
        reason = problem_of(path) or f"{path}: is empty."
        log.warning("%s There are no cord metrics.", reason)
        return None
    return cord


def read_cord_copy(path: Path, grid: Grid | None) -> Volume:
    """Read a mask of the cord in order to store a copy of it.

    Args:
        path: path of the mask.
        grid: grid of its image, or None to read the mask without checking it.

    Returns:
        The mask as it is stored if it lies on the grid of its image or the grid is None, else
        resampled to that grid.

    Raises:
        InputError: the mask cannot be read or, if there is a grid, does not fit it or is empty.
    """
    stored = load_segmentation(path)
    if grid is None:
        return stored
    cord = load_mask(path, grid)
    if not cord.any():
        raise InputError(f"{path}: is empty.")
    return stored if stored.grid.matches(grid) else Volume(cord.astype(np.uint8), grid)


def why_no_cord(path: Path) -> str:
    """Return why the copy of a mask has no voxel of the cord.

    Args:
        path: path of the copy.

    Returns:
        The reason from its sidecar, or an empty text if there is none or the mask is not empty.

    Raises:
        InputError: the mask does not exist or cannot be read.
    """
    reason = problem_of(path)
    return reason if reason and not load_segmentation(path).array.any() else ""


def problem_of(path: Path) -> str:
    """Return the reason that the sidecar of a mask gives for an empty mask.

    Args:
        path: path of the mask.

    Returns:
        The reason, or an empty text if the sidecar is missing, unreadable or gives none.
    """
    sidecar = sidecar_path(path)
    try:
        return str(read_json(sidecar).get(CORD_PROBLEM_KEY, "")) if sidecar.exists() else ""
    except InputError:
        return ""
