"""What the verbs around one INR share: settings, fitting with progress, rendering."""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from ..acquisition.domain import FitDomain
from ..acquisition.view import View
from ..bids.names import describe_label, sidecar_path, uncertainty_path
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

log = logging.getLogger(__name__)


def fit_views(
    views: Sequence[View],
    fourier_dim: int,
    config: Path | None,
    device: torch.device,
    seed: int | None,
    threads: int | None,
    checkpoint: Path,
    sigma: float | None = None,
) -> tuple[INR, Progress]:
    """Fit with progress on stderr; the INR and the last report, resumed work included."""
    settings = read_settings(config, seed, sigma)
    use_threads(threads)
    last: Progress | None = None
    with _progress(f"F={fourier_dim}") as show:

        def report(progress: Progress) -> None:
            nonlocal last
            last = progress
            show(progress)

        inr = fit_inr(
            views, fourier_dim, settings, device=device, report=report, checkpoint=checkpoint
        )
    return replace(inr, metadata=view_metadata(views)), last


def grids_for(inr: INR, like: Grid | None, sizes: Sequence[float | None]) -> list[Grid]:
    """The grid `like`, and isotropic grids of the given voxel sizes over the same field of view.

    Without `like` the field of view is what all views of the fit show, and a size of None stands
    for their finest voxel size.
    """
    if like:
        return [like, *(like.resampled(mm) for mm in sizes)]
    common = inr.domain.grid
    return [common.resampled(mm) if mm else common for mm in sizes]


def render_image(
    inr: INR, grid: Grid, path: Path, device: torch.device, command: str | None = None
) -> None:
    """Render to a NIfTI file with its sidecar; of an ensemble also where its members disagree.

    The sidecar names `command`, or the one that runs.
    """
    with np.errstate(over="ignore"):  # found and said below
        image, std = render_with_std(inr, grid, device)
    if not np.isfinite(image).all():
        raise InputError(f"{path}: the model gives no finite intensities; fit it again.")
    beyond = count_outside(path, grid, inr.domain)
    if beyond:
        log.warning(
            "%s: %d of its %d voxels lie beyond what all views show, and are 0.",
            path,
            beyond,
            grid.size,
        )
    fields = {
        "Method": "inr",
        "FourierDimension": inr.fourier_dim,
        "Seed": inr.settings.seed,
        "Members": inr.members,
        "FitSettings": asdict(inr.settings),
        **inr.metadata,
    }
    label = f"inrF{inr.fourier_dim}"
    images = {path: (image, label)}
    if inr.members > 1:
        images[uncertainty_path(path)] = (std, f"{label}spread")
    for target, (array, described) in images.items():
        save_volume(target, array, grid)
        text = describe_label(described)
        sidecar = image_sidecar(target, inr.views, text, command, **fields)
        write_json(sidecar_path(target), sidecar)


def count_outside(path: Path, grid: Grid, domain: FitDomain) -> int:
    """How many voxels of a grid, to be rendered to `path`, lie outside the domain of the views.

    Raises:
        InputError: all of them.
    """
    beyond = grid.size - domain.count(grid)
    if beyond == grid.size:
        raise InputError(
            f"{path}: its grid lies wholly beyond what all views show; give one of the same place."
        )
    return beyond


@contextmanager
def _progress(name: str) -> Iterator[Callable[[Progress], None]]:
    """A rich bar on a terminal, a plain line per report elsewhere; both on stderr."""
    if not sys.stderr.isatty():
        yield lambda p: print(f"{name}  {_line(p)}", file=sys.stderr, flush=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(name), BarColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda p: bar.update(task, total=p.steps, completed=p.step, description=_line(p))


def _line(p: Progress) -> str:
    return (
        f"step {p.step}/{p.steps}  loss {p.loss:.2e}  "
        f"{p.points_per_second / 1e6:.2f} M points/s  {p.seconds_left:.0f} s left"
    )
