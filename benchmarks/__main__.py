"""Quality and speed of the default settings, in one run on one machine, as Markdown tables."""

import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import torch

from cordinr.acquisition import SliceProfile, View, acquire, coverage
from cordinr.baselines import METHODS, reconstruct_baseline
from cordinr.device import autocast, choose_device
from cordinr.fit import fit_inr
from cordinr.metrics import evaluate, foreground, intensity_range, psnr
from cordinr.phantom import Phantom
from cordinr.render import render_inr
from cordinr.scan import add_rician_noise, default_grid, sample
from cordinr.settings import FitSettings
from cordinr.volume import Grid, Volume, load_volume

REAL = Path(__file__).parents[2] / "shared" / "data" / "spine-t2w"
CERVICAL = REAL / "sub-cervical" / "anat" / "sub-cervical_T2w.nii.gz"
WEIGHTS = {"cubic": 0.0, "tikhonov": 0.003, "tv": 0.002}
DIMENSIONS = (128, 512)
SLICE_IN_VOXELS = 5


def images() -> Iterator[tuple[str, Volume]]:
    """A real image where it is present, and a phantom."""
    if CERVICAL.exists():
        yield "sub-cervical", load_volume(CERVICAL)
    phantom, grid = Phantom.draw(1, 0), Grid(*default_grid(1.0))
    image = add_rician_noise(
        sample(phantom, grid.shape, grid.affine), 40.0, np.random.default_rng(0)
    )
    yield "phantom", Volume(image, grid)


def simulate(volume: Volume) -> list[View]:
    """Axial and sagittal box views, five voxels thick."""
    views = []
    for letter in "SR":
        axis = volume.grid.axis_along(letter)
        thickness = SLICE_IN_VOXELS * float(volume.grid.voxel_sizes[axis])
        views.append(acquire(volume, axis, SliceProfile("box", thickness), thickness))
    return views


def quality(name: str, volume: Volume, device: torch.device) -> None:
    """Rows of the table: every baseline and the INRs on one image."""
    views = simulate(volume)
    fov = coverage(views, volume.grid)
    regions = {"fov": fov, "fg": fov & foreground(volume.array, volume.grid.voxel_sizes)}

    def row(method: str, image: np.ndarray, seconds: float) -> None:
        scores = evaluate(image, volume.array, regions)
        cells = [f"{scores[f'psnr_{r}']:.2f} | {scores[f'ssim_{r}']:.3f}" for r in regions]
        print(f"| {name} | {method} | {' | '.join(cells)} | {seconds:.1f} |", flush=True)

    for method in METHODS:
        started = time.perf_counter()
        image = reconstruct_baseline(views, volume.grid, method, WEIGHTS[method])
        row(method, image, time.perf_counter() - started)
    for dim in DIMENSIONS:
        started = time.perf_counter()
        inr = fit_inr(views, dim, FitSettings(), device=device)
        seconds = time.perf_counter() - started
        row(f"INR F={dim}", render_inr(inr, volume.grid, device), seconds)


def crop() -> None:
    """The classical methods over the whole box of one real image, turned to R-A-S and cropped."""
    if not CERVICAL.exists():
        return
    image = nib.as_closest_canonical(nib.load(CERVICAL)).slicer[:50, :60, :55]
    array = np.asarray(image.dataobj, np.float32)
    volume = Volume(array, Grid(image.shape, image.affine))
    views = simulate(volume)
    box = np.ones(array.shape, bool)
    scores = []
    for method in METHODS:
        found = reconstruct_baseline(views, volume.grid, method, WEIGHTS[method])
        scores.append(f"{method} {psnr(found, array, box, intensity_range(array)):.2f} dB")
    print(f"\nsub-cervical, 50x60x55 crop, whole box: {', '.join(scores)}.")


def start_up() -> None:
    """Seconds until the two commands that people wait for have answered."""
    folder = Path(sys.executable).parent
    dry_run = [folder / "snakemake", "-n", "--quiet", "--configfile", "workflow/demo.yaml"]
    for command in ([folder / "cordinr", "--help"], dry_run):
        started = time.perf_counter()
        answer = subprocess.run(command, capture_output=True)
        words = " ".join([command[0].name, *map(str, command[1:])])
        status = "" if answer.returncode == 0 else ", which failed"
        print(f"\n`{words}`: {time.perf_counter() - started:.1f} s{status}.")


def arithmetic_rate(device: torch.device) -> None:
    """The fit loop's own multiplications per second against plain matrix products."""
    volume = Volume(
        np.random.default_rng(0).random((40, 40, 40), np.float32), Grid((40,) * 3, np.eye(4))
    )
    settings = FitSettings(passes=10)
    reports = []
    fit_inr(simulate(volume), 128, settings, device=device, report=reports.append)
    layers = 2 * 128 * settings.width + (settings.depth - 1) * settings.width**2
    fitting = 6 * layers * reports[-1].points_per_second
    rows = settings.batch * settings.profile_points
    left = torch.randn(rows, settings.width, device=device)
    right = torch.randn(settings.width, settings.width, device=device)
    with autocast(device):
        for _ in range(3):
            left @ right
        count, started = 0, time.perf_counter()
        while time.perf_counter() - started < 2:
            (left @ right).sum().item()
            count += 1
    product = 2 * rows * settings.width**2 * count / (time.perf_counter() - started)
    print(
        f"\nArithmetic rate of the fit loop (F=128, width {settings.width}): "
        f"{fitting / 1e9:.0f} GFLOP/s, {fitting / product:.0%} of a matrix product's."
    )


def main() -> None:
    """Print everything."""
    device = choose_device("auto")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor()
    threads = torch.get_num_threads()
    print(f"{time.strftime('%Y-%m-%d')}, {name or platform.machine()}, {threads} CPU threads\n")
    start_up()
    crop()
    arithmetic_rate(device)
    print("\n| image | method | PSNR fov | SSIM fov | PSNR fg | SSIM fg | seconds |")
    print("|---|---|---|---|---|---|---|")
    for image, volume in images():
        quality(image, volume, device)


if __name__ == "__main__":
    main()
