"""An INR evaluated on any grid."""

import numpy as np
import torch

from ..imaging.grid import Grid
from .model_file import INR

POINTS_PER_BLOCK = {"cpu": 1 << 14, "cuda": 1 << 17}
"""Number of points per evaluation, by kind of device; bounds the memory for a grid of any size."""


def render_inr(inr: INR, grid: Grid, device: torch.device | str = "cpu") -> np.ndarray:
    """Evaluate a fitted INR at the voxel centres of a grid.

    Args:
        inr: its network is moved to `device`.
        grid: any shape, voxel size and orientation.
        device: "cpu" or "cuda".

    Returns:
        float32 of shape `grid.shape`, in the units of the views; the mean of the members. Zero
        outside the domain of the fit.
    """
    return render_with_std(inr, grid, device)[0]


@torch.inference_mode()
def render_with_std(
    inr: INR, grid: Grid, device: torch.device | str = "cpu"
) -> tuple[np.ndarray, np.ndarray]:
    """Evaluate as `render_inr`, and say how uncertain that is.

    Returns:
        The image, and a standard deviation of the same shape and units: that over the members,
        which is zero for one, and the standard error of the image that the fit was drawn to, if
        any, as independent errors.
    """
    device = torch.device(device)
    network = inr.network.to(device).eval()
    image, std = np.zeros((2, grid.size), np.float32)
    domain = inr.domain
    whole = domain.encloses(grid)
    start = inr.start and inr.start.to(device)
    error = inr.error and inr.error.to(device)
    for block, centres in grid.blocks(POINTS_PER_BLOCK[device.type]):
        inside = np.arange(len(centres)) if whole else np.flatnonzero(domain.contains(centres))
        if not inside.size:
            continue
        xyz = centres[inside] - np.array(inr.centre)
        members = network(torch.as_tensor(xyz, dtype=torch.float32, device=device))
        image[block.start + inside] = members.mean(dim=0).cpu().numpy()
        if start:
            image[block.start + inside] += start.at_world(centres[inside])
        spread = members.std(dim=0, correction=0).cpu().numpy()
        if error:
            spread = np.hypot(spread, error.between_at_world(centres[inside]))
        std[block.start + inside] = spread
    return (image * inr.scale).reshape(grid.shape), (std * inr.scale).reshape(grid.shape)
