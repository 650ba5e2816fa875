"""Estimates of the memory and time of learning, from the headers of references, for schedulers.

Does not import torch: Snakemake calls this while it builds the graph of jobs.
"""

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib

BASE_MB = 1000
"""Megabytes of the interpreter, torch and small buffers."""

WORKER_MB = 600
"""Megabytes of a process that simulates examples; 430 were seen."""

BYTES_PER_VOXEL = 8
"""Bytes for each voxel of a reference: itself, and once more while it is read."""

EXAMPLE_MB = 22
"""Megabytes of the largest example, of 88 voxels along each axis."""

PATCH_MB = 300
"""Megabytes for each patch of a step; 230 were seen on a CPU."""

BASE_MINUTES = 20.0
"""Minutes granted to every learning run."""

MINUTES_PER_EXAMPLE = 0.12
"""Minutes of one core granted to each example; twice what a slow core took."""

CPU_MINUTES_PER_PATCH, GPU_MINUTES_PER_PATCH = 0.07, 0.0005
"""Minutes granted to each patch of each step: twice what a slow core took, ten times an H100."""


def examples_of_each(images: int, settings: Mapping[str, Any]) -> int:
    """How many examples are simulated of each image, so that all together are as many as wanted.

    Args:
        images: number of images to learn from.
        settings: the `learn:` section of a configuration.
    """
    return math.ceil(settings["examples"] / images)


def learning_memory_mb(
    references: Sequence[Path | str], settings: Mapping[str, Any], workers: int
) -> int:
    """Megabytes of main memory that suffice to learn from references.

    Args:
        references: images; only their headers are read.
        settings: the `learn:` section of a configuration.
        workers: number of processes that simulate examples.

    Raises:
        FileNotFoundError: a reference is not there yet.
    """
    voxels = 0
    for reference in references:
        os.stat(reference)  # names a missing one, as Snakemake wants to know; nibabel does not
        header: Any = nib.load(reference).header
        voxels += math.prod(header.get_data_shape()[:3])
    examples = EXAMPLE_MB * _count_examples(len(references), settings)
    patches = PATCH_MB * settings["batch"]
    return math.ceil(
        BASE_MB + BYTES_PER_VOXEL * voxels / 1e6 + examples + max(patches, WORKER_MB * workers)
    )


def learning_minutes(images: int, settings: Mapping[str, Any], cores: int, *, on_gpu: bool) -> int:
    """Minutes within which a prior is learnt.

    Args:
        images: number of images to learn from.
        settings: the `learn:` section of a configuration.
        cores: number of CPU cores.
        on_gpu: whether there is a GPU.
    """
    patch = GPU_MINUTES_PER_PATCH if on_gpu else CPU_MINUTES_PER_PATCH / cores
    learning = patch * settings["steps"] * settings["batch"]
    simulating = MINUTES_PER_EXAMPLE * _count_examples(images, settings) / cores
    return math.ceil(BASE_MINUTES + simulating + learning)


def _count_examples(images: int, settings: Mapping[str, Any]) -> int:
    phantoms: int = settings["phantoms"]
    return images * examples_of_each(images, settings) + phantoms
