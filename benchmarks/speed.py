"""How long until the commands answer, how busy the arithmetic is, how long to the quality of TV?

The arithmetic rate counts the network's matrix products alone, forward once and backward twice, and
is set against one plain product of the same width in the same precision on the same machine. Time
to quality: fits of `sub-cervical` (`phantom-1` where that is missing), each from scratch with its
own schedule, until one reaches tuned TV's PSNR over the fov. Options: startup, rate, quality.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from cordinr.acquisition.overlap import coverage
from cordinr.inr.device import autocast
from cordinr.inr.fit import fit_inr
from cordinr.inr.model_file import INR
from cordinr.inr.settings import FitSettings
from cordinr.inr.training import Progress

from .markdown import end, heading, row, say
from .reconstructions import FOURIER_DIM, ROOT, fit_and_render, fov_psnr, tuned
from .subjects import first_of, simulate, subject

PASSES = (3, 6, 12, 24)
RATE_PASSES = 10
PRODUCT_SECONDS = 2.0
NO_PRODUCT = ("table", "frequencies", "bias")
"""Parts of the names of tensors that are looked up, given or added, not multiplied with."""


def run(options: Sequence[str], device: torch.device) -> None:
    """Print all three, or those named."""
    parts = {"startup": start_up, "rate": arithmetic_rate, "quality": time_to_quality}
    for name in options or parts:
        if name not in parts:
            sys.exit(f"speed has no part {name}; there are {', '.join(parts)}.")
        parts[name](device)


def start_up(device: torch.device) -> None:
    """Seconds until the two commands that people wait for have answered."""
    folder = Path(sys.executable).parent
    dry_run = [folder / "snakemake", "-n", "--quiet", "--configfile", "workflow/demo.yaml"]
    for command in ([folder / "cordinr", "--help"], dry_run):
        started = time.perf_counter()
        answer = subprocess.run(command, capture_output=True, cwd=ROOT)
        words = " ".join([command[0].name, *map(str, command[1:])])
        status = "" if answer.returncode == 0 else ", which failed"
        say(f"`{words}`: {time.perf_counter() - started:.1f} s{status}.")


def network_operations(inr: INR) -> int:
    """Multiply-adds of one member's matrix products for one point, forward alone."""
    matrices = [
        tensor
        for name, tensor in inr.network.named_parameters()
        if tensor.dim() >= 2 and not any(part in name for part in NO_PRODUCT)
    ]
    return sum(matrix.numel() for matrix in matrices) // inr.members


def arithmetic_rate(device: torch.device) -> None:
    """The fit loop's own multiplications per second against plain matrix products."""
    views = simulate(subject(first_of("sub-cervical", "phantom-1")).volume)
    settings = FitSettings(passes=RATE_PASSES)
    reports: list[Progress] = []
    inr = fit_inr(views, FOURIER_DIM, settings, device=device, report=reports.append)
    fitting = 3 * 2 * network_operations(inr) * reports[-1].points_per_second
    product = product_rate(settings.batch * settings.profile_points, settings.width, device)
    say(
        f"Arithmetic rate of the fit loop (F={FOURIER_DIM}, width {settings.width}): "
        f"{fitting / 1e9:.0f} GFLOP/s, {fitting / product:.0%} of a matrix product's "
        f"{product / 1e9:.0f} GFLOP/s."
    )


def product_rate(rows: int, width: int, device: torch.device) -> float:
    """FLOP/s of (rows, width) times (width, width) in the precision of the fit."""
    left = torch.randn(rows, width, device=device)
    right = torch.randn(width, width, device=device)
    with torch.inference_mode(), autocast(device):
        # The conversion to bfloat16 is not part of the product.
        dtype = (left @ right).dtype
        left, right = left.to(dtype), right.to(dtype)
        count, started = 0, time.perf_counter()
        while time.perf_counter() - started < PRODUCT_SECONDS:
            for _ in range(10):
                result = left @ right
            result[0, 0].item()
            count += 10
    return 2 * rows * width**2 * count / (time.perf_counter() - started)


def time_to_quality(device: torch.device) -> None:
    """Seconds and PSNR of fits with ever more passes, up to the PSNR of tuned TV."""
    image = subject(first_of("sub-cervical", "phantom-1"))
    views, grid = simulate(image.volume), image.volume.grid
    quality = fov_psnr(image.volume.array, coverage(views, grid))
    bar = tuned(views, grid, "tv", quality)
    target = quality(bar.image)
    heading("passes", f"PSNR fov, {image.name}", f"- {bar.name} ({target:.2f} dB)", "seconds")
    reached = None
    for passes in PASSES:
        found = fit_and_render(views, grid, device, passes=passes)
        score = quality(found.image)
        row(str(passes), f"{score:.2f}", f"{score - target:+.2f}", f"{found.seconds:.1f}")
        if score >= target and reached is None:
            reached = found.seconds
    end()
    verdict = "was not reached" if reached is None else f"was reached in {reached:.1f} s"
    say(f"The PSNR of tuned TV {verdict} (fit and rendering).")
