"""Writing of phantoms as a raw BIDS dataset under DataLad."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..bids.names import resolution_label
from ..bids.sidecars import BIDS_VERSION, TOOL_AUTHORS
from ..datasets.source import create
from ..errors import InputError
from ..files import write_json, write_text
from ..imaging.grid import Grid
from ..imaging.nifti import VOXEL_LIMITS_MM
from ..imaging.volume import save_volume
from .anatomy import Phantom
from .scan import add_rician_noise, cord_mask, default_grid, sample

TRUTH_SUPERSAMPLE = 2
"""Number of sample points along each axis of a voxel of the noise-free image. A raw voxel, which is
larger, has 3, so that the points are about equally dense."""


def write_phantom_dataset(
    folder: Path, *, subjects: int, voxel: float, truth: float, snr: float, seed: int
) -> None:
    """Write a DataLad dataset of noisy phantoms, tagged v1, which appears complete or not at all.

    It contains the raw images and, as derivatives, the cord masks and noise-free images with a
    finer voxel size over the same field of view.

    Args:
        folder: folder to create.
        subjects: number of subjects, which are labelled 01, 02, and so on.
        voxel: voxel size of the raw images in mm.
        truth: voxel size of the noise-free images in mm, below 10.
        snr: ratio of the signal of the cord to the standard deviation of the noise in the raw
            images.
        seed: seed of the anatomies and of the noise.

    Raises:
        InputError: the folder exists or cannot be written, or a voxel size is out of range.
    """
    check_voxels(voxel, truth)
    labels = subject_labels(subjects)
    title = f"{subjects} phantoms of {voxel:g} mm, SNR {snr:g}, seed {seed}"
    holds = (
        "derivatives/labels holds cord masks, derivatives/truth noise-free images at a finer voxel "
        "size."
    )
    with dataset_under_way(folder, title) as root:
        write_descriptions(root, labels, snr, holds)
        for number, label in enumerate(labels, 1):
            phantom = Phantom.draw(number, seed)
            _write_subject(root, label, phantom, voxel, truth, snr, seed + number)


def check_voxels(voxel: float, truth: float) -> None:
    """Refuse voxel sizes in mm of images and of their truth that cannot be."""
    if max(voxel, truth) > VOXEL_LIMITS_MM[1]:
        raise InputError(f"voxels of {max(voxel, truth):g} mm cannot be; choose smaller ones.")
    resolution_label(truth)  # fails for a size that has no label


def subject_labels(subjects: int) -> list[str]:
    """List the labels of a number of subjects: 01, 02, and so on."""
    return [f"{number:02d}" for number in range(1, subjects + 1)]


@contextmanager
def dataset_under_way(folder: Path, title: str) -> Iterator[Path]:
    """Yield a folder for the files of a dataset, which becomes a DataLad dataset at the end.

    Args:
        folder: where the dataset appears, complete or not at all.
        title: message of its commit.

    Raises:
        InputError: the folder exists.
    """
    if folder.exists():
        raise InputError(f"{folder}: already exists; remove it or choose another folder.")
    partial = folder.with_name(f".partial-{folder.name}")
    shutil.rmtree(partial, ignore_errors=True)
    yield partial
    create(partial, title)
    partial.rename(folder)


def _write_subject(
    root: Path, label: str, phantom: Phantom, voxel: float, truth: float, snr: float, seed: int
) -> None:
    """Write the raw image of a subject with its sidecar, its cord mask and its noise-free image."""
    stem = f"sub-{label}"
    grid = default_grid(voxel)
    noiseless = sample(phantom, grid)
    noisy = add_rician_noise(noiseless, snr, np.random.default_rng(seed))
    save_volume(root / stem / "anat" / f"{stem}_T2w.nii.gz", noisy, grid)
    fields = scanner_fields("3D") | {"SliceThickness": voxel}
    write_json(root / stem / "anat" / f"{stem}_T2w.json", fields)
    labels = root / "derivatives" / "labels" / stem / "anat"
    mask = cord_mask(phantom, grid)
    save_volume(labels / f"{stem}_T2w_label-SC_seg.nii.gz", mask, grid, dtype="uint8")
    write_truth(root, stem, phantom, grid, truth)


def scanner_fields(acquisition: str) -> dict[str, Any]:
    """Return what the sidecars of all images say; `acquisition` is "2D" or "3D"."""
    return {
        "Manufacturer": "cordinr",
        "ManufacturersModelName": "analytic phantom",
        "SoftwareVersions": __version__,
        "MRAcquisitionType": acquisition,
    }


def write_truth(root: Path, stem: str, phantom: Phantom, grid: Grid, truth: float) -> None:
    """Write the noise-free image of a subject.

    Args:
        root: root of the dataset.
        stem: of the subject, such as sub-01.
        phantom: anatomy of the subject.
        grid: whose field of view the image has.
        truth: voxel size in mm.
    """
    fine = grid.resampled(truth)
    name = f"{stem}_res-{resolution_label(truth)}_desc-truth_T2w"
    target = root / "derivatives" / "truth" / stem / "anat" / f"{name}.nii.gz"
    save_volume(target, sample(phantom, fine, TRUTH_SUPERSAMPLE), fine)


def write_descriptions(root: Path, labels: Sequence[str], snr: float, holds: str) -> None:
    """Write the files at the root of a dataset.

    Args:
        root: root of the dataset.
        labels: labels of the subjects.
        snr: signal of the cord over noise.
        holds: what its derivatives hold, for the README.
    """
    write_json(
        root / "dataset_description.json",
        {
            "Name": "cordinr phantom",
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "raw",
            "License": "CC0",
            "Authors": ["cordinr phantom", TOOL_AUTHORS],
        },
    )
    rows = "".join(f"sub-{label}\tphantom\n" for label in labels)
    write_text(root / "participants.tsv", "participant_id\tspecies\n" + rows)
    write_json(
        root / "participants.json",
        {"species": {"Description": "All participants are computed, not scanned."}},
    )
    write_text(
        root / "README",
        "# cordinr phantom\n\nAnalytic phantoms of the cervical spine, T2-weighted, with Rician "
        f"noise (cord signal over noise: {snr:g}).\n{holds}\n",
    )
    write_text(root / ".bidsignore", "derivatives\n")
