"""An INR evaluated on any grid."""

import numpy as np
import torch

from .device import autocast
from .network import INR
from .volume import Grid

BLOCK = 1 << 14
"""Points per evaluation; bounds the memory whatever the size of the grid."""


@torch.inference_mode()
def render_inr(inr: INR, grid: Grid, device: torch.device | str = "cpu") -> np.ndarray:
    """Evaluate a fitted INR at the voxel centres of a grid.

    Args:
        inr: its network is moved to `device`.
        grid: any shape, voxel size and orientation.
        device: "cpu" or "cuda".

    Returns:
        float32 of shape `grid.shape`, in the units of the views.
    """
    device = torch.device(device)
    network = inr.network.to(device).eval()
    image = np.empty(grid.size, np.float32)
    with autocast(device):
        for start in range(0, grid.size, BLOCK):
            centres = grid.centres(start, start + BLOCK) - np.array(inr.centre)
            points = torch.as_tensor(centres, dtype=torch.float32, device=device)
            image[start : start + BLOCK] = network(points).float().cpu().numpy()
    image *= inr.scale
    return image.reshape(grid.shape)
