"""Memory and time that jobs ask for. No rules."""

import math


def growing(amount):
    """A resource of which every further attempt gets more."""

    def grow(wildcards, attempt):
        return amount * attempt

    return grow


def memory_for(images):
    """Megabytes for a job that works on whole images, by the voxels that their headers name.

    Total variation needs most per voxel; twice as much leaves room for other images and grids.

    Args:
        images: input of the job on the largest grid, as `input.views`.
    """

    def estimate(wildcards, input, attempt):
        from cordinr.inr.estimates import BASE_MB, BYTES_PER_VOXEL, estimate_points

        paths = images(wildcards, input=input)
        voxels, _ = estimate_points([paths] if isinstance(paths, str) else paths)
        return math.ceil(BASE_MB + 2 * BYTES_PER_VOXEL * voxels / 1e6) * attempt

    return estimate


def fit_memory(wildcards, input, attempt):
    """Megabytes for a fit, by the size of its views."""
    from cordinr.inr.estimates import fit_memory_mb

    return fit_memory_mb(input.views, config["fit"], PRIOR) * attempt


def learn_memory(wildcards, input, attempt, threads):
    """Megabytes for learning a prior, by the size of its references."""
    from cordinr.prior.estimates import learning_memory_mb

    return learning_memory_mb(input.references, config["learn"], threads) * attempt


def learn_time(wildcards, input, attempt, threads):
    """Minutes for learning a prior; without a GPU they are many."""
    from cordinr.prior.estimates import learning_minutes

    on_gpu = config["device"] != "cpu"
    minutes = learning_minutes(len(input.references), config["learn"], threads, on_gpu=on_gpu)
    return minutes * attempt


def fit_time(wildcards, input, attempt):
    """Minutes for a fit, by the size of its views."""
    from cordinr.inr.estimates import fit_minutes

    return fit_minutes(input.views, config["fit"]) * attempt
