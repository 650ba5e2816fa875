"""The images that are reconstructed, and the views simulated from them."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np

from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.acquisition.view import View
from cordinr.imaging.body import foreground
from cordinr.imaging.grid import Grid
from cordinr.imaging.masks import load_mask
from cordinr.imaging.volume import Volume, load_volume
from cordinr.phantom.anatomy import Phantom
from cordinr.phantom.scan import add_rician_noise, cord_mask, default_grid, sample

REAL = Path(__file__).parents[2] / "shared" / "data" / "spine-t2w"
REAL_NAMES = ("sub-cervical", "sub-unf01")
PHANTOM_NAMES = ("phantom-1", "phantom-2", "phantom-3")
CROP = "sub-cervical-crop"
"""Turned to R-A-S and cropped to `CROP_SHAPE` at the far ends: a multiple of five voxels."""

CROP_SHAPE = (50, 60, 55)
COHORT = 0
"""The seed of the phantoms' anatomies."""

IMAGE_SNR = 40.0

WHOLE_SHAPE = (64, 320, 320)
WHOLE_MM = 0.8
"""Voxels from right to left, front to back and along the spine, and their edge: as spine-generic's
T2w images have them."""


@dataclass(frozen=True, eq=False)
class Subject:
    """An image to take views of.

    Attributes:
        name: as tables show it.
        volume: the reference.
        cord: bool mask on its grid, or None where nobody has drawn one.
    """

    name: str
    volume: Volume
    cord: np.ndarray | None = None

    @property
    def signal(self) -> float:
        """What an SNR refers to: the mean of the cord, of the body where the cord is not drawn."""
        body = foreground(self.volume.array, self.volume.grid.voxel_sizes)
        return float(self.volume.array[body if self.cord is None else self.cord].mean())


def subject(name: str) -> Subject:
    """The image of this name; exits where it is not known or not there."""
    if name in PHANTOM_NAMES:
        number = int(name.removeprefix("phantom-"))
        return phantom_subject(number, default_grid(1.0))
    if name not in present():
        sys.exit(f"no image is called {name}; there are {', '.join(present())}.")
    return cropped(real_subject("sub-cervical")) if name == CROP else real_subject(name)


@cache
def whole_subject() -> Subject:
    """Phantom 1 on a grid of the shape and voxels of a real image."""
    affine = np.diag([WHOLE_MM] * 3 + [1.0])
    affine[:3, 3] = -WHOLE_MM * (np.array(WHOLE_SHAPE) - 1) / 2
    return phantom_subject(1, Grid(WHOLE_SHAPE, affine), supersample=1)


def present() -> list[str]:
    """Names of all images: the real ones where their files lie beside the checkout."""
    real = [name for name in REAL_NAMES if _image(name).exists()]
    return [*real, *PHANTOM_NAMES, *([CROP] if "sub-cervical" in real else [])]


def first_of(*names: str) -> str:
    """The first of these images that is present, for benchmarks that need one only."""
    return next(name for name in names if name in present())


def real_subject(name: str) -> Subject:
    """A real image with its cord mask, if there is one."""
    volume = load_volume(_image(name))
    labels = REAL / "derivatives" / "labels" / name / "anat"
    path = labels / f"{name}_T2w_label-SC_seg.nii.gz"
    return Subject(name, volume, load_mask(path, volume.grid) if path.exists() else None)


def phantom_subject(number: int, grid: Grid, supersample: int = 3) -> Subject:
    """A noisy phantom on any grid; `supersample` is that of `scan.sample`."""
    phantom = Phantom.draw(number, COHORT)
    image = sample(phantom, grid, supersample)
    image = add_rician_noise(image, IMAGE_SNR, np.random.default_rng(COHORT + number))
    cord = cord_mask(phantom, grid).astype(bool)
    return Subject(f"phantom-{number}", Volume(image, grid), cord)


def cropped(whole: Subject, shape: tuple[int, int, int] = CROP_SHAPE) -> Subject:
    """The subject turned to R-A-S, and no larger than `shape` from its first voxel on."""

    def crop(array: np.ndarray) -> nib.Nifti1Image:
        image = nib.Nifti1Image(np.asarray(array, np.float32), whole.volume.grid.affine)
        return nib.as_closest_canonical(image).slicer[tuple(slice(n) for n in shape)]

    image = crop(whole.volume.array)
    array = np.ascontiguousarray(image.get_fdata(dtype=np.float32))
    cord = None if whole.cord is None else crop(whole.cord).get_fdata() > 0.5
    return Subject(f"{whole.name}-crop", Volume(array, Grid(image.shape, image.affine)), cord)


def simulate(
    volume: Volume, axes: str = "SR", thickness_voxels: float = 5, profile: str = "box"
) -> list[View]:
    """Noise-free views without gaps, one per letter of `axes` (R, A or S)."""
    views = []
    for letter in axes:
        axis = volume.grid.axis_along(letter)
        thickness = thickness_voxels * float(volume.grid.voxel_sizes[axis])
        views.append(acquire(volume, axis, SliceProfile(profile, thickness), thickness))
    return views


def with_noise(views: Sequence[View], snr: float, signal: float) -> list[View]:
    """The views with Rician noise in their own voxels; `snr` and `signal` as `add_rician_noise`."""
    rng = np.random.default_rng(0)
    noisy = []
    for view in views:
        # Interpolation has left values below zero in some real images; a magnitude has none.
        array = add_rician_noise(np.maximum(view.volume.array, 0), snr, rng, signal)
        noisy.append(replace(view, volume=Volume(array, view.volume.grid)))
    return noisy


def _image(name: str) -> Path:
    return REAL / name / "anat" / f"{name}_T2w.nii.gz"
