"""Cord masks that may be missing or of no use, which costs the metrics of the cord alone."""

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

PROBLEM = "CordProblem"
"""Key in the sidecar of a mask of zeros: why there is no cord. BIDS does not define it."""


def load_cord(path: Path | None, grid: Grid) -> np.ndarray | None:
    """The spinal cord on the grid of its image, where its mask is of any use.

    Args:
        path: of the mask, or None.
        grid: of the image.

    Returns:
        bool array of shape `grid.shape`, not empty; None without a usable mask, with a note.

    Raises:
        InputError: there is no such file.
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
        why = problem_of(path) or f"{path}: is empty."
        log.warning("%s There are no cord metrics.", why)
        return None
    return cord


def read_cord_copy(path: Path, grid: Grid | None) -> Volume:
    """A mask to keep a copy of: as it is stored where it is on its image's grid, else resampled.

    Args:
        path: of the mask.
        grid: of its image; None takes the mask unseen.

    Raises:
        InputError: as `load_mask`, or it is empty.
    """
    stored = load_segmentation(path)
    if grid is None:
        return stored
    cord = load_mask(path, grid)
    if not cord.any():
        raise InputError(f"{path}: is empty.")
    return stored if stored.grid.matches(grid) else Volume(cord.astype(np.uint8), grid)


def why_no_cord(path: Path) -> str:
    """Why a copy of a mask is of zeros; empty where it is not, whatever its sidecar says.

    Raises:
        InputError: there is no such file, or it cannot be read.
    """
    why = problem_of(path)
    return why if why and not load_segmentation(path).array.any() else ""


def problem_of(path: Path) -> str:
    """Why a mask is empty, as its sidecar says, or an empty text."""
    sidecar = sidecar_path(path)
    try:
        return str(read_json(sidecar).get(PROBLEM, "")) if sidecar.exists() else ""
    except InputError:
        return ""
