"""Which spatial frequencies are recovered, and where does a method invent?

The cosine transform (DCT-II) of the fov, for two box views 5:1 stacked along S and R. A frequency
is within reach of a view if it is below 1 / (2 thickness) along the view's slice normal. In each
region: the part of the reference's energy that lies there (without its mean), and the energy of the
error over that of the reference. 0 is perfect, 1 is what an image without these frequencies gets,
above 1 is worse than leaving them out. `limited` is the reference itself without the frequencies
that no view has within reach. `benchmarks/spectrum.csv` keeps finer numbers of the first image.
Options: names of images.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.fft import dctn

from cordinr.acquisition.overlap import coverage
from cordinr.acquisition.view import View
from cordinr.imaging.body import intensity_range

from .markdown import end, heading, row, say
from .reconstructions import MEMBERS, classical, fit_and_render, fov_psnr, tuned
from .subjects import Subject, present, simulate, subject

IMAGES = ("sub-cervical", "phantom-1")
REGIONS = ("both", "axial only", "sagittal only", "neither")
BINS = 10
TABLE = Path(__file__).with_name("spectrum.csv")


def run(options: Sequence[str], device: torch.device) -> None:
    """Print the table of each image."""
    for number, name in enumerate(options or [name for name in IMAGES if name in present()]):
        image = subject(name)
        views = simulate(image.volume)
        box = box_of(coverage(views, image.volume.grid))
        reference = dctn(image.volume.array[box].astype(float), norm="ortho")
        reference[0, 0, 0] = 0
        within = within_reach(image, views, reference.shape)
        regions = regions_of(*within)
        spectra = {
            method: dctn(array[box] - image.volume.array[box].astype(float), norm="ortho") ** 2
            for method, array in reconstructions(image, views, device).items()
        }
        spectra["limited"] = np.where(regions["neither"], reference**2, 0)
        show(image, reference**2, regions, spectra)
        if number == 0:
            finer(image, box, reference**2, spectra).to_csv(TABLE, index=False, float_format="%.4g")


def reconstructions(
    image: Subject, views: Sequence[View], device: torch.device
) -> Mapping[str, np.ndarray]:
    """Arrays on the grid of the reference by method."""
    grid = image.volume.grid
    quality = fov_psnr(image.volume.array, coverage(views, grid))
    found = {"cubic": classical(views, grid, "cubic", 0.0)}
    found |= {method: tuned(views, grid, method, quality) for method in ("tikhonov", "tv")}
    found["INR"] = fit_and_render(views, grid, device)
    found[f"{MEMBERS} INRs"] = fit_and_render(views, grid, device, members=MEMBERS)
    return {method: each.image for method, each in found.items()}


def show(
    image: Subject,
    energy: np.ndarray,
    regions: Mapping[str, np.ndarray],
    spectra: Mapping[str, np.ndarray],
) -> None:
    """One line per method."""
    say(f"{image.name}: error energy over the reference's energy, by region")
    heading("method", *REGIONS, "part of the error in neither", "PSNR")
    count = (regions[name].mean() for name in REGIONS)
    row("part of the frequencies", *(f"{part:.1%}" for part in count), "", "")
    part = (energy[regions[name]].sum() / energy.sum() for name in REGIONS)
    row("part of the energy", *(f"{value:.2%}" for value in part), "", "")
    peak = intensity_range(image.volume.array)
    for method, error in spectra.items():
        ratio = (error[regions[name]].sum() / energy[regions[name]].sum() for name in REGIONS)
        share = error[regions["neither"]].sum() / error.sum()
        psnr = 10 * np.log10(peak**2 / error.mean())
        row(method, *(f"{value:.3f}" for value in ratio), f"{share:.0%}", f"{psnr:.2f}")
    end()


def within_reach(
    image: Subject, views: Sequence[View], shape: tuple[int, ...]
) -> tuple[np.ndarray, ...]:
    """Per view, the frequencies below 1 / (2 thickness) along its slice axis; bool arrays."""
    found = []
    for view in views:
        cycles = frequencies(image, view.axis, shape)
        low = cycles < 1 / (2 * view.profile.thickness) - 1e-9
        found.append(np.broadcast_to(along(low, view.axis), shape))
    return tuple(found)


def regions_of(axial: np.ndarray, sagittal: np.ndarray) -> dict[str, np.ndarray]:
    """The four parts of the frequencies."""
    parts = (axial & sagittal, axial & ~sagittal, ~axial & sagittal, ~axial & ~sagittal)
    return dict(zip(REGIONS, parts, strict=True))


def finer(
    image: Subject, box: tuple[slice, ...], energy: np.ndarray, spectra: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """Energies summed over the A axis and over square bins of the R and S frequencies."""
    right, superior = (image.volume.grid.axis_along(letter) for letter in "RS")
    bins = []
    for axis in (right, superior):
        cycles = frequencies(image, axis, energy.shape) * image.volume.grid.voxel_sizes[axis]
        bins.append(np.broadcast_to(along((cycles * 2 * BINS).astype(int), axis), energy.shape))
    flat = np.ravel_multi_index(bins, (BINS, BINS)).ravel()
    table = pd.DataFrame(np.indices((BINS, BINS)).reshape(2, -1).T, columns=["bin_R", "bin_S"])
    for method, spectrum in {"reference": energy, **spectra}.items():
        table[method] = np.bincount(flat, spectrum.ravel(), BINS**2)
    return table


def frequencies(image: Subject, axis: int, shape: tuple[int, ...]) -> np.ndarray:
    """Cycles/mm of the cosines along an axis."""
    return np.arange(shape[axis]) / (2 * shape[axis] * image.volume.grid.voxel_sizes[axis])


def along(values: np.ndarray, axis: int) -> np.ndarray:
    """A vector turned so that it broadcasts along an axis."""
    return values.reshape([-1 if k == axis else 1 for k in range(3)])


def box_of(region: np.ndarray) -> tuple[slice, ...]:
    """The smallest box around a region; a fov of parallel views fills it."""
    places = np.argwhere(region)
    low, high = places.min(axis=0), places.max(axis=0) + 1
    return tuple(slice(a, b) for a, b in zip(low, high, strict=True))
