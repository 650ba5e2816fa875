"""The target of the INR that a prior makes: the learned image of the views, and its standard error.

What total variation adds to an image is flat pieces with sharp edges. A prior adds what it has seen
of other people, which is nearer to the truth, and says how far it may be off.
"""

from collections.abc import Sequence

import numpy as np
import torch

from ..acquisition.overlap import Field
from ..acquisition.view import View
from ..imaging.grid import Grid
from ..prior.predict import predict_learned
from ..prior.prior_file import Prior
from .device import on_device_or_cpu
from .target_image import TargetImage

TARGET_WEIGHT = 0.1
"""Weight of the squared distance from the learned image where the views have no noise. That image
agrees with the views already, so that a weight costs nothing there; chosen, like the next three, on
people whom the prior had not seen, see `benchmarks/NOTES.md`."""

FULL_PASSES = 40.0
"""Passes over the views after which an INR is somewhat better than the learned image."""

PASSES_POWER = 3
"""Power of the weight by which an INR that sees the views less often follows the learned image more
closely: it does not get as far on its own, and would lose more than it gains."""

MAX_TARGET_WEIGHT = 3.0
"""Largest weight for few passes; with more an INR comes no nearer to the learned image."""

TARGET_ERROR = 0.03
"""Error that the learned image is taken to have, in units of the intensity scale: it weighs against
the errors at the views as their noise does."""


def learned_target(
    views: Sequence[View],
    grid: Grid,
    prior: Prior,
    *,
    scale: float,
    device: torch.device,
    field: Field = "crossed",
) -> tuple[TargetImage, TargetImage]:
    """What a prior makes of the views, as a target or a start of a fit.

    Args:
        views: to reconstruct from.
        grid: of the image.
        prior: of other people.
        scale: intensity in the views' units that is 1 in the image.
        device: where it is computed, or the CPU where the memory of a GPU is too small.
        field: that the image covers.

    Returns:
        The image and its standard error.

    Raises:
        InputError: the views hold intensities that are too large for total variation.
    """
    learned = on_device_or_cpu(
        lambda device: predict_learned(views, grid, prior, device=device, field=field),
        device,
        "the learned image",
    )
    image, error = (
        TargetImage(torch.as_tensor(each / np.float32(scale), device=device), grid)
        for each in (learned.image, learned.standard_error)
    )
    return image, error


def learned_weight(noise: float, passes: float = FULL_PASSES) -> float:
    """Weight of the squared distance from the learned image.

    Args:
        noise: variance of the noise of the views, in units of the intensity scale squared.
        passes: how often the fit sees each voxel of the views; a fit that begins at the image has
            nothing to catch up.
    """
    by_passes = TARGET_WEIGHT * (FULL_PASSES / passes) ** PASSES_POWER
    by_passes = min(max(by_passes, TARGET_WEIGHT), MAX_TARGET_WEIGHT)
    return max(by_passes, noise / TARGET_ERROR**2)
