"""A small prior and what it learnt from, for tests."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import torch

from cordinr.files import write_json, write_text
from cordinr.imaging.volume import Volume, save_volume
from cordinr.prior.examples import Example, Reference, make_examples
from cordinr.prior.features import CHANNELS
from cordinr.prior.known import KnownViews
from cordinr.prior.network import PriorArchitecture, PriorNetwork
from cordinr.prior.people import Learner
from cordinr.prior.prior_file import Prior

from .support import blobs

TINY = PriorArchitecture(CHANNELS, (4, 6), (1, 1))


def reference(person: str, size: int = 20) -> Reference:
    """A blurred random image that depends on the name alone."""
    volume = blobs((size, size, size), np.eye(4))
    rng = np.random.default_rng([len(person), *person.encode()])
    array = volume.array + rng.normal(0, 10, volume.array.shape).astype(np.float32)
    return Reference(person, Volume(array, volume.grid), "made-up")


def write_cohort(root: Path, sites: Mapping[str, str], size: int) -> None:
    """A raw dataset of one image of each subject.

    Args:
        root: folder to create.
        sites: of the subjects, by their labels.
        size: number of voxels along each axis.
    """
    for label in sites:
        volume = reference(f"sub-{label}", size).volume
        path = root / f"sub-{label}/anat/sub-{label}_T2w.nii.gz"
        save_volume(path, volume.array, volume.grid)
    description = {"Name": "cohort", "BIDSVersion": "1.10.0", "DatasetType": "raw"}
    write_json(root / "dataset_description.json", description)
    rows = ["participant_id\tsite", *(f"sub-{label}\t{site}" for label, site in sites.items())]
    write_text(root / "participants.tsv", "\n".join(rows) + "\n")


@cache
def examples() -> tuple[Example, ...]:
    """Two examples of two people each."""
    return tuple(make_examples([reference("sub-01"), reference("sub-02")], 2, 0))


def tiny_prior(calibration: float = 1.0, scale: float = 1000.0) -> Prior:
    """A prior with random weights that knows slices of 3 to 6 voxels.

    Args:
        calibration: factor on its standard error.
        scale: of the weights of its last layer, which would otherwise correct next to nothing.
    """
    torch.manual_seed(1)
    network = PriorNetwork(TINY).eval()
    with torch.no_grad():
        network.last.weight.mul_(scale)
    learners = (Learner("sub-01", "made-up", "here"), Learner("sub-02", "made-up"))
    known = KnownViews((3.0, 6.0), (3.0, 7.0), 0.05)
    return Prior(network, learners, known, calibration, {"licence": "MIT"})
