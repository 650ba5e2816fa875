"""The learned image of views, and its standard error at every voxel."""

import copy
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..acquisition.forward import with_whole_slices
from ..acquisition.overlap import Field
from ..acquisition.view import View
from ..classical.interpolation import matched
from ..classical.reconstruct import within_limits
from ..imaging.grid import Grid
from .consistency import agree
from .features import Features, view_features
from .network import LAYOUT, PriorNetwork
from .prior_file import Prior

log = logging.getLogger(__name__)

TILE_VOXELS = 128
"""Edge of a tile in voxels, without what it sees around it; a full image in one or a few."""


@dataclass(frozen=True, eq=False)
class LearnedImage:
    """What a prior makes of views.

    Attributes:
        image: float32, shape of the grid, in the units of the views; it goes on where views were
            cropped.
        standard_error: float32, likewise: what its error should be, as a standard deviation.
        variation: float32, likewise: total variation, on which the image was built.
    """

    image: np.ndarray
    standard_error: np.ndarray
    variation: np.ndarray


def reconstruct_learned(views: Sequence[View], grid: Grid, prior: Prior) -> LearnedImage:
    """The learned image as an end in itself: as good at the edge of the grid as within.

    Arguments and errors as `predict_learned`; where views were cropped the image is zero.
    """
    around, part = with_whole_slices(views, grid)
    learned = predict_learned(views, around, prior)
    image = within_limits(learned.image[part], views, grid)
    return LearnedImage(image, learned.standard_error[part], learned.variation[part])


def predict_learned(
    views: Sequence[View],
    grid: Grid,
    prior: Prior,
    *,
    device: torch.device | str = "cpu",
    field: Field = "crossed",
    variation: np.ndarray | None = None,
    consistent: bool = True,
) -> LearnedImage:
    """Reconstruct an image from views with a prior, without any reference.

    Args:
        views: at least one.
        grid: isotropic, about as fine as the views are in their planes; one of `with_whole_slices`,
            or edges are poor.
        prior: of other people.
        device: where to compute.
        field: in which the views have to overlap.
        variation: as `view_features`.
        consistent: whether the image is made to agree with the views in the end.

    Raises:
        InputError: as `reconstruct_baseline`.
    """
    views = matched(views, grid)
    features = view_features(views, grid, device, field, variation)
    correction, error = correct(features, prior.network, torch.device(device))
    error *= prior.calibration
    factor, words = prior.known.strangeness(views, grid)
    if factor > 1:
        log.warning(
            "the prior has never seen such views (%s): its part in the image is lowered.", words
        )
        correction, error = widened(correction, error, factor)
    image = features.variation + correction
    if consistent:
        image = agree(views, grid, image, error, features.scale, torch.device(device))
    return LearnedImage(image, error, features.variation)


def widened(
    correction: np.ndarray, error: np.ndarray, factor: float
) -> tuple[np.ndarray, np.ndarray]:
    """The correction and its standard error for views that the prior does not know.

    Args:
        correction: of total variation.
        error: its standard error.
        factor: how far outside of what is known the views are, above 1.

    Returns:
        The correction, divided by the factor; and an error that is larger by the factor and holds
        what was taken away from the correction as well.
    """
    faded = correction / np.float32(factor)
    wide = np.sqrt((error * factor) ** 2 + (correction - faded) ** 2)
    return faded, wide.astype(np.float32)


@torch.no_grad()
def correct(
    features: Features,
    network: PriorNetwork,
    device: torch.device | str = "cpu",
    tile: int = TILE_VOXELS,
) -> tuple[np.ndarray, np.ndarray]:
    """The network's correction of total variation and its standard error, tile by tile.

    Args:
        features: of the views.
        network: of a prior.
        device: where to compute.
        tile: edge of a tile in voxels, a multiple of the network's `multiple`.

    Returns:
        float32 (x, y, z) each, in the units of the views; the same, but for rounding, whatever the
        size of a tile.
    """
    device = torch.device(device)
    network = copy.deepcopy(network).to(device).to(memory_format=LAYOUT)  # type: ignore[call-overload]
    shape = features.variation.shape
    correction, error = np.empty(shape, np.float32), np.empty(shape, np.float32)
    for seen, inner, kept in tiles(shape, tile, network.architecture.reach):
        channels = torch.as_tensor(np.ascontiguousarray(features.channels[(slice(None), *seen)]))
        mean, log_variance = network(
            _padded(channels, network).to(device)[None].to(memory_format=LAYOUT)
        )
        correction[kept] = mean[0][inner].cpu().numpy()
        error[kept] = (0.5 * log_variance[0][inner]).exp().cpu().numpy()
    return correction * np.float32(features.spread), error * np.float32(features.spread)


Box = tuple[slice, ...]


def tiles(shape: tuple[int, ...], tile: int, reach: int) -> Iterator[tuple[Box, Box, Box]]:
    """Divide a volume into tiles.

    Args:
        shape: of the volume.
        tile: edge of a tile.
        reach: how far a tile looks beyond its edge.

    Yields:
        What a tile sees of the volume, which part of that is its own, and where its own part is in
        the volume.
    """
    counts = [math.ceil(length / tile) for length in shape]
    for number in np.ndindex(*counts):
        seen, inner, kept = [], [], []
        for place, length in zip(number, shape, strict=True):
            low, high = place * tile, min((place + 1) * tile, length)
            first, last = max(0, low - reach), min(length, high + reach)
            seen.append(slice(first, last))
            inner.append(slice(low - first, high - first))
            kept.append(slice(low, high))
        yield tuple(seen), tuple(inner), tuple(kept)


def _padded(channels: torch.Tensor, network: PriorNetwork) -> torch.Tensor:
    """The channels with zeros at the far ends, up to a multiple of what the network needs."""
    multiple = network.architecture.multiple
    x, y, z = (-length % multiple for length in channels.shape[1:])
    return torch.nn.functional.pad(channels, (0, z, 0, y, 0, x))
