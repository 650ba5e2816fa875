"""What a prior learns from: references of people, and views of many kinds simulated from them.

A crop of a reference gets other voxels (a zoom) and other contrast (a curve through its
intensities), and two or three stacks of slices of random thickness, profile, gap, tilt and noise
are made of it by the one forward model. Each example depends on the seed, on its own reference and
on its number alone, so that leaving a person out changes no example of the others.
"""

import multiprocessing
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy

from ..acquisition.noise import excess_noise
from ..acquisition.overlap import coverage
from ..acquisition.view import View
from ..errors import InputError
from ..imaging.body import foreground
from ..imaging.grid import Grid
from ..imaging.resampling import coarsen
from ..imaging.volume import Volume
from .features import view_features, view_kind
from .random_views import simulate_views

CROP_VOXELS = (88, 88, 88)
"""Largest number of voxels along the axes of an example."""

MIN_VOXELS = 16
"""Smallest number of voxels of a reference along an axis."""

ZOOM = (0.8, 1.25)
"""Smallest and largest factor on the number of voxels."""

PART_PLAIN = 0.35
"""Part of the examples that keep the contrast and the voxels of their reference."""

CURVE_KNOTS = 4
"""Number of random points of a curve through the intensities, beside the origin."""


@dataclass(frozen=True, eq=False)
class Reference:
    """An image of a person to learn from.

    Attributes:
        person: who it is of, such as "sub-01"; the same in all datasets.
        volume: the image.
        dataset: name of the dataset that it belongs to.
        site: where it was taken; empty where nobody says.
    """

    person: str
    volume: Volume
    dataset: str = ""
    site: str = ""


@dataclass(frozen=True, eq=False)
class Example:
    """A crop of a reference, and what views of it say.

    Attributes:
        person: as `Reference`.
        channels: float16 (CHANNELS, x, y, z), as `features.Features`.
        target: float16 (x, y, z): what is to be added to total variation, in units of the spread.
        counts: bool (x, y, z): voxels that all views see.
        kinds: for every view its thickness and its spacing in voxels; (views, 2).
        noise: standard deviation that the views seem to have, in units of their scale.
    """

    person: str
    channels: np.ndarray
    target: np.ndarray
    counts: np.ndarray
    kinds: np.ndarray
    noise: float


def make_examples(
    references: Sequence[Reference],
    each: int,
    seed: int,
    *,
    workers: int = 1,
    crop: tuple[int, int, int] = CROP_VOXELS,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Example]:
    """Simulate examples of all references.

    Args:
        references: at least one.
        each: number of examples of each.
        seed: of all random choices.
        workers: number of processes.
        crop: largest number of voxels of an example along its axes.
        report: is told how many examples are there, and how many there will be.

    Raises:
        InputError: a reference is too small.
    """
    jobs = [(reference, number, seed, crop) for number in range(each) for reference in references]
    examples = []
    if workers <= 1:
        for job in jobs:
            examples.append(make_example(*job))
            report(len(examples), len(jobs))
        return examples
    # A forked process could not use what torch has started here.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_one_thread) as pool:
        for example in pool.map(_make, jobs):
            examples.append(example)
            report(len(examples), len(jobs))
    return examples


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _make(job: tuple[Reference, int, int, tuple[int, int, int]]) -> Example:
    return make_example(*job)


def make_example(
    reference: Reference, number: int, seed: int, crop: tuple[int, int, int] = CROP_VOXELS
) -> Example:
    """Simulate one example.

    Args:
        reference: to take a crop of.
        number: of the example; the first ones of a reference stay the same where more are made.
        seed: of all random choices.
        crop: largest number of voxels along the axes.

    Raises:
        InputError: the reference is too small.
    """
    if min(reference.volume.grid.shape) < MIN_VOXELS:
        raise InputError(
            f"{reference.person}: has {min(reference.volume.grid.shape)} voxels along an axis, too "
            f"few to learn from; leave it out, or give images of {MIN_VOXELS} and more."
        )
    name = f"{reference.dataset}/{reference.person}".encode()
    rng = np.random.default_rng([seed, zlib.crc32(name), number])
    volume = _varied(reference.volume, rng, crop)
    views = simulate_views(volume, rng)
    features = view_features(views, volume.grid, field="union")
    target = (volume.array - features.variation) / features.spread
    kinds = [view_kind(each, volume.grid) for each in views]
    seen = np.all([_measured(view, volume.grid) for view in views], axis=0)
    return Example(
        person=reference.person,
        channels=features.channels.astype(np.float16),
        target=np.clip(target, -100, 100).astype(np.float16),
        counts=coverage(views, volume.grid) & seen,
        kinds=np.array(kinds),
        noise=float(np.sqrt(excess_noise(views, features.scale))),
    )


def _measured(view: View, grid: Grid) -> np.ndarray:
    """Where on a grid the nearest voxel of a view was measured."""
    if view.measured is None:
        return np.ones(grid.shape, bool)
    index = view.volume.grid.index(grid.centres())
    near = scipy.ndimage.map_coordinates(
        view.measured.astype(np.uint8), index.T, order=0, mode="nearest"
    )
    return near.reshape(grid.shape) > 0


def _varied(volume: Volume, rng: np.random.Generator, crop: tuple[int, int, int]) -> Volume:
    """A crop of a reference on isotropic voxels, of another size and contrast now and then."""
    sizes = volume.grid.voxel_sizes
    plain = rng.random() < PART_PLAIN
    zoom = 1.0 if plain else float(np.exp(rng.uniform(*np.log(ZOOM))))
    isotropic = sizes.max() < 1.02 * sizes.min()
    wanted = np.minimum(volume.grid.shape, np.ceil(np.array(crop) / zoom)).astype(int)
    part = _crop(volume, wanted, rng)
    if zoom != 1.0 or not isotropic:
        grid = part.grid.resampled(float(np.prod(sizes) ** (1 / 3)) / zoom)
        part = Volume(coarsen(part, grid), grid)
        part = _crop(part, np.minimum(part.grid.shape, crop), rng)
    return part if plain else Volume(_other_contrast(part.array, rng), part.grid)


def _crop(volume: Volume, shape: np.ndarray, rng: np.random.Generator) -> Volume:
    """A random crop, that of three which holds most of the body."""
    body = foreground(volume.array, volume.grid.voxel_sizes)
    best, most = None, -1.0
    for _ in range(3):
        low = rng.integers(0, np.array(volume.grid.shape) - shape + 1)
        part = tuple(slice(start, start + length) for start, length in zip(low, shape, strict=True))
        if (filled := float(body[part].mean())) > most:
            best, most = (low, part), filled
    assert best is not None
    low, part = best
    return Volume(np.ascontiguousarray(volume.array[part]), volume.grid.cropped(low, shape))


def _other_contrast(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The image through a random curve, which keeps air dark; it need not rise everywhere."""
    scale = float(np.percentile(array, 99.5)) or 1.0
    kind = rng.random()
    if kind < 0.3:
        return array
    level = np.maximum(array / scale, 0)
    if kind < 0.6:
        return (scale * level ** rng.uniform(0.6, 1.6)).astype(np.float32)
    knots = np.linspace(0, 1.25, CURVE_KNOTS + 1)
    heights = np.concatenate([[0.0], rng.uniform(0.1, 1.0, CURVE_KNOTS)])
    return (scale * np.interp(level, knots, heights)).astype(np.float32)
