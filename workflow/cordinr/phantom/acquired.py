"""Scans of a phantom like those of a patient: thick slices with gaps, displaced, with gains."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ..files import write_json, write_text
from ..imaging.grid import Grid
from ..imaging.volume import save_volume
from .anatomy import CORD_SIGNAL, Phantom
from .dataset import (
    check_voxels,
    dataset_under_way,
    scanner_fields,
    subject_labels,
    write_descriptions,
    write_truth,
)
from .scan import add_rician_noise, sample

MAX_SHIFT_MM = 3.0
"""Largest displacement of a scan along each axis."""

MAX_TURN_DEGREES = 3.0
"""Largest rotation of a scan about each axis."""

GAINS = (0.6, 1.8)
"""Smallest and largest gain of a scan, in units of that of the sagittal one."""

SLICE_POINTS = 7
"""Number of sample points across a slice."""

WITHIN_POINTS = 2
"""Number of sample points along each axis of a voxel within its slice."""

DISPLACEMENTS = "derivatives/truth/displacements.tsv"
"""Path of the table of where the scans really are, below the root of the dataset."""

COLUMNS = {
    "scan": "Path of the scan in the dataset.",
    "gain": "Its intensities over those of the noise-free image.",
    **{
        f"{axis}_mm": f"True position of its middle minus that by its header, towards {axis}."
        for axis in ("right", "anterior", "superior")
    },
    **{
        f"turn_{axis}_degrees": f"Rotation about its middle, component towards {axis} of the vector"
        " whose length is the angle."
        for axis in ("right", "anterior", "superior")
    },
}
"""Columns of that table, each with its meaning."""


@dataclass(frozen=True)
class Stack:
    """How a stack of slices lies by its header; lengths in mm.

    Attributes:
        name: entities of its file name.
        order: anatomical axes along which the array axes run; the slices follow the last.
        within: size of a voxel within a slice, in units of that of the sagittal scan.
        thickness: of a slice.
        spacing: between the middles of slices.
        slices: number of slices.
        width: of the field of view along both axes of a slice.
        middle: position of its middle along the last of its axes; the others are 0.
        moves: whether the patient has moved, so that it lies elsewhere than its header says.
    """

    name: str
    order: str
    within: float
    thickness: float
    spacing: float
    slices: int
    width: float
    middle: float
    moves: bool

    def grid(self, voxel: float) -> Grid:
        """Where its voxels are by its header.

        Args:
            voxel: size within a slice of the sagittal scan, mm.
        """
        axes = ["RAS".index(letter) for letter in self.order]
        size = voxel * self.within
        across = max(round(self.width / size), 1)
        affine = np.eye(4)
        affine[:3, :3] = np.eye(3)[:, axes] * (size, size, self.spacing)
        shape = (across, across, self.slices)
        middle = self.middle * np.eye(3)[axes[2]]
        affine[:3, 3] = middle - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
        return Grid(shape, affine)

    @property
    def fields(self) -> dict[str, object]:
        """What its sidecar says of its slices."""
        return {
            "SliceThickness": self.thickness,
            "SpacingBetweenSlices": self.spacing,
            "SliceEncodingDirection": "k",
        }


STACKS = (
    Stack("acq-sag", "ASR", 1.0, 3.0, 3.5, 12, 48.0, 0.0, moves=False),
    Stack("acq-ax_chunk-1", "RAS", 0.8, 3.2, 3.8, 7, 42.0, -10.0, moves=True),
    Stack("acq-ax_chunk-2", "RAS", 0.8, 3.2, 3.8, 7, 42.0, 10.0, moves=True),
)
"""The scans of a subject: a sagittal one, and two axial chunks whose ends overlap."""


def write_acquired_dataset(
    folder: Path, *, subjects: int, voxel: float, truth: float, snr: float, seed: int
) -> None:
    """Write a DataLad dataset of acquired scans of phantoms, tagged v1, complete or not at all.

    The sagittal scan lies where its header says; both axial chunks do not, and have other gains.
    The derivatives hold the noise-free image in the place and the intensities of the sagittal scan,
    and a table of the displacements and gains. Slices are averages of the analytic signal over
    boxes: the forward model of reconstructions has no part in it.

    Args:
        folder: folder to create.
        subjects: number of subjects, which are labelled 01, 02, and so on.
        voxel: voxel size within the sagittal slices in mm.
        truth: voxel size of the noise-free images in mm, below 10.
        snr: ratio of the signal of the cord to the standard deviation of the noise in each scan.
        seed: seed of the anatomies, the displacements, the gains and the noise.

    Raises:
        InputError: the folder exists or cannot be written, or a voxel size is out of range.
    """
    check_voxels(voxel, truth)
    labels = subject_labels(subjects)
    title = f"acquired scans of {subjects} phantoms, {voxel:g} mm, SNR {snr:g}, seed {seed}"
    holds = (
        "Axial chunks are displaced against their headers, and each scan has its own gain;\n"
        "derivatives/truth holds noise-free images at a finer voxel size, and the displacements."
    )
    with dataset_under_way(folder, title) as root:
        write_descriptions(root, labels, snr, holds)
        rows = []
        for number, label in enumerate(labels, 1):
            phantom, rng = Phantom.draw(number, seed), np.random.default_rng([seed, number])
            rows += [
                _write_scan(root, f"sub-{label}", phantom, stack, voxel, snr, rng)
                for stack in STACKS
            ]
            write_truth(root, f"sub-{label}", phantom, STACKS[0].grid(voxel), truth)
        lines = ["\t".join(COLUMNS), *("\t".join(row) for row in rows)]
        write_text(root / DISPLACEMENTS, "\n".join(lines) + "\n")
        dictionary = {name: {"Description": text} for name, text in COLUMNS.items()}
        write_json((root / DISPLACEMENTS).with_suffix(".json"), dictionary)


def _write_scan(
    root: Path,
    stem: str,
    phantom: Phantom,
    stack: Stack,
    voxel: float,
    snr: float,
    rng: np.random.Generator,
) -> list[str]:
    """Write a scan of a subject with its sidecar, and return its row of the table."""
    grid = stack.grid(voxel)
    shift, turn, gain = np.zeros(3), np.zeros(3), 1.0
    if stack.moves:
        shift = rng.uniform(-MAX_SHIFT_MM, MAX_SHIFT_MM, 3)
        turn = rng.uniform(-MAX_TURN_DEGREES, MAX_TURN_DEGREES, 3)
        gain = float(rng.uniform(*GAINS))
    filled = (1.0, 1.0, stack.thickness / stack.spacing)
    points = (WITHIN_POINTS, WITHIN_POINTS, SLICE_POINTS)
    noiseless = gain * sample(phantom, displaced(grid, shift, turn), points, filled)
    noisy = add_rician_noise(noiseless, snr, rng, gain * CORD_SIGNAL)
    path = f"{stem}/anat/{stem}_{stack.name}_T2w"
    save_volume(root / f"{path}.nii.gz", noisy, grid)
    write_json(root / f"{path}.json", scanner_fields("2D") | stack.fields)
    return [f"{path}.nii.gz", *(f"{number:.4f}" for number in (gain, *shift, *turn))]


def displaced(grid: Grid, shift_mm: np.ndarray, turn_degrees: np.ndarray) -> Grid:
    """Return a grid that was turned about its middle and then shifted.

    Args:
        grid: by the header of a scan.
        shift_mm: (3,) towards R, A and S.
        turn_degrees: (3,) rotation vector, whose length is the angle.
    """
    affine = grid.affine.copy()
    rotation = Rotation.from_rotvec(np.radians(turn_degrees)).as_matrix()
    affine[:3, :3] = rotation @ grid.affine[:3, :3]
    affine[:3, 3] = rotation @ (grid.affine[:3, 3] - grid.centre) + grid.centre + shift_mm
    return Grid(grid.shape, affine, grid.space)
