"""How the viewer of a page shows its volumes: window, scales and place, as JSON."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..figures.plane_page import GREY_WINDOW
from ..imaging.body import intensity_range
from ..imaging.grid import Grid
from .volumes import ViewerLayer, embed


def build_scene(
    image: str,
    layers: Sequence[ViewerLayer],
    focus: np.ndarray,
    *,
    error: float,
    max_characters: int,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Encode the volumes of the viewer, and say how it shows them.

    Args:
        image: name of the image.
        layers: the first is the reference, or what stands in its place.
        focus: (3,) world mm of the place that is shown first.
        error: end of the error scale in percent of R.
        max_characters: of all volumes together.

    Returns:
        The scene, and the encoded volumes by the keys of their layers.
    """
    reference = layers[0].volume
    volumes, grid = embed(layers, focus, max_characters)
    peak = intensity_range(reference.array)
    scene = {
        "image": image,
        "focus": [round(float(mm), 3) for mm in focus],
        "window": [float(grey) for grey in np.percentile(reference.array, GREY_WINDOW)],
        "peak": peak,
        "error": error,
        "spread": _choose_uncertainty_scale(layers, peak),
        "tilt": measure_tilt(grid),
        "shape": list(grid.shape),
        "whole": list(reference.grid.shape),
        "voxel": [round(float(mm), 3) for mm in grid.voxel_sizes],
        "layers": [
            {"key": each.key, "name": each.name, "caption": each.caption, "kind": each.kind}
            for each in layers
        ],
    }
    return scene, volumes


def _choose_uncertainty_scale(layers: Sequence[ViewerLayer], peak: float) -> float:
    """Choose the end of the uncertainty scale in percent of R."""
    maps = [layer.volume.array for layer in layers if layer.kind == "spread"]
    return max((100 / peak * float(np.percentile(std, 99.5)) for std in maps), default=0.0) or 1.0


def measure_tilt(grid: Grid) -> float:
    """Measure the largest angle in degrees between an axis of a grid and the next world axis."""
    nearest = np.abs(grid.directions).max(axis=0)
    return float(np.degrees(np.arccos(np.clip(nearest, 0, 1))).max())
