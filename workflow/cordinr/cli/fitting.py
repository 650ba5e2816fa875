"""What the verbs around one INR share: a fit that shows its progress, renderings with sidecars."""

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from ..acquisition.domain import FitDomain
from ..acquisition.overlap import Field
from ..acquisition.view import View
from ..bids.names import companion_path, describe_label, sidecar_path
from ..bids.sidecars import image_sidecar
from ..bids.view_files import view_metadata
from ..errors import InputError
from ..files import write_json
from ..imaging.grid import Grid
from ..imaging.volume import save_volume
from ..inr.device import use_threads
from ..inr.fit import fit_inr
from ..inr.model_file import INR
from ..inr.render import render_with_std
from ..inr.settings import read_settings
from ..inr.training import Progress
from ..prior.prior_file import Prior
from .priors import prior_fields
from .progress_bars import show_fit

log = logging.getLogger(__name__)


def fit_views(
    views: Sequence[View],
    fourier_dim: int,
    *,
    config: Path | None,
    device: torch.device,
    seed: int | None,
    threads: int | None,
    checkpoint: Path,
    sigma: float | None = None,
    field: str = "crossed",
    preset: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    prior: str = "tv",
    learned: Prior | None = None,
) -> tuple[INR, Progress]:
    """Fit with progress on stderr.

    Args:
        views: of one subject.
        fourier_dim: number of Fourier frequencies.
        config: YAML file with the settings, or None for the defaults.
        device: where to compute.
        seed: replaces that of the settings, unless None.
        threads: number of CPU threads; None for all.
        checkpoint: file from which a stopped fit goes on.
        sigma: replaces that of the settings, unless None; cycles/mm.
        field: that the INR covers, one of `Field`.
        preset: settings that replace those of the file.
        metadata: further fields of the sidecars of renderings.
        prior: what draws the INR: "none", "tv", "learned", or the path of a prior.
        learned: the prior of that name, for all but the first two.

    Returns:
        The INR and the last report, which counts the work before a stop as well.

    Raises:
        InputError: the settings are wrong, or the views do not overlap.
    """
    settings = replace(read_settings(config, seed, sigma), **(preset or {}))
    if prior == "none":
        settings = replace(settings, tv_prior=0)
    use_threads(threads)
    last_report: deque[Progress] = deque(maxlen=1)
    with show_fit(f"F={fourier_dim}") as show:

        def report(progress: Progress) -> None:
            last_report.append(progress)
            show(progress)

        inr = fit_inr(
            views,
            fourier_dim,
            settings,
            field=cast(Field, field),
            device=device,
            report=report,
            checkpoint=checkpoint,
            prior=learned,
        )
    said = view_metadata(views) | dict(metadata or {})
    said |= prior_fields(prior, learned) if learned else {"Prior": prior}
    return replace(inr, metadata=said), last_report.pop()


def list_grids(inr: INR, like: Grid | None, sizes: Sequence[float | None]) -> list[Grid]:
    """List the grid `like`, if any, and isotropic grids over the same field of view.

    Args:
        inr: without `like` the field of view is what the views of its fit cover.
        like: grid of another image, or None.
        sizes: voxel sizes in mm; without `like` None stands for the finest voxel size of the views.
    """
    if like:
        return [like, *(like.resampled(mm) for mm in sizes if mm)]
    common = inr.domain.grid
    return [common.resampled(mm) if mm else common for mm in sizes]


def render_image(
    inr: INR, grid: Grid, path: Path, device: torch.device, command: str | None = None
) -> None:
    """Render to a NIfTI file with its sidecar, and the uncertainty map where there is one.

    There is one where the fit was drawn to a learned image, and of an ensemble.

    Args:
        inr: a fitted model.
        grid: of the image.
        path: of the image.
        device: where to compute.
        command: that the sidecar names; None for the one that runs.

    Raises:
        InputError: the intensities are not finite, or the grid lies outside what the views show.
    """
    with np.errstate(over="ignore"):  # reported below
        image, std = render_with_std(inr, grid, device)
    if not np.isfinite(image).all():
        raise InputError(f"{path}: the model gives no finite intensities; fit it again.")
    outside = count_outside(path, grid, inr.domain)
    if outside:
        log.warning(
            "%s: %d of its %d voxels lie beyond what the scans cover, and are 0.",
            path,
            outside,
            grid.size,
        )
    fields = {
        "Method": "inr",
        "FourierDimension": inr.fourier_dim,
        "Seed": inr.settings.seed,
        "Members": inr.members,
        **({"BeginsAt": "learned image" if inr.error else "total variation"} if inr.start else {}),
        "FitSettings": asdict(inr.settings),
        **inr.metadata,
    }
    label = f"inrF{inr.fourier_dim}"
    images = {path: (image, label)}
    if inr.error or inr.members > 1:
        kind = "stderr" if inr.error else "spread"
        images[companion_path(path, kind)] = (std, f"{label}{kind}")
    for target, (array, desc) in images.items():
        save_volume(target, array, grid)
        text = describe_label(desc)
        sidecar = image_sidecar(target, inr.views, text, command, **fields)
        write_json(sidecar_path(target), sidecar)


def count_outside(path: Path, grid: Grid, domain: FitDomain) -> int:
    """Count the voxels of a grid that lie outside the domain of the views.

    Args:
        path: of the image to be rendered, for the message.
        grid: of the image.
        domain: of the fit.

    Raises:
        InputError: all voxels lie outside.
    """
    outside = grid.size - domain.count(grid)
    if outside == grid.size:
        raise InputError(
            f"{path}: its grid lies wholly beyond what the scans cover; give one of the same place."
        )
    return outside
