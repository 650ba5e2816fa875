"""What the verbs around one INR share: loading views, fitting with progress, rendering."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import yaml

from ..acquisition import View
from ..derivatives import describe_label, image_sidecar, read_view
from ..device import use_threads
from ..errors import InputError
from ..files import write_json
from ..fit import Progress, fit_inr
from ..naming import sidecar_path, spread_path
from ..network import INR
from ..render import render_with_spread
from ..settings import FitSettings
from ..volume import Grid, load_grid, save_volume


def load_views(paths: Sequence[Path]) -> list[View]:
    """The views, each assumption about their slices said on stderr."""
    views = []
    for path in paths:
        view, note = read_view(path)
        if note:
            print(f"note: {note}", file=sys.stderr)
        views.append(view)
    return views


def read_settings(path: Path | None, seed: int | None) -> FitSettings:
    """The `fit:` section of a YAML file, or the defaults; a given seed wins.

    Raises:
        InputError: the file is missing, is no YAML mapping, or holds an invalid setting.
    """
    content = {}
    if path:
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{path}: is not readable YAML ({reason}); correct it.") from error
        if not isinstance(content, dict) or not isinstance(content.get("fit", {}), dict):
            raise InputError(f"{path}: has no mapping `fit:`; see config.yaml for one.")
    settings = FitSettings.from_mapping(content.get("fit", {}), str(path))
    return settings if seed is None else replace(settings, seed=seed)


def fit_views(
    views: Sequence[View],
    fourier_dim: int,
    config: Path | None,
    device: torch.device,
    seed: int | None,
    threads: int | None,
    checkpoint: Path,
) -> tuple[INR, float]:
    """Fit with progress on stderr; the INR and the seconds it took, resumed work included."""
    settings = read_settings(config, seed)
    use_threads(threads)
    seconds = 0.0
    with _progress(f"F={fourier_dim}") as show:

        def report(progress: Progress) -> None:
            nonlocal seconds
            seconds = progress.seconds
            show(progress)

        inr = fit_inr(
            views, fourier_dim, settings, device=device, report=report, checkpoint=checkpoint
        )
    return inr, round(seconds, 3)


def grids_for(inr: INR, like: Path | None, sizes: Sequence[float | None]) -> list[Grid]:
    """The grid of `like`, and isotropic grids of the given voxel sizes over the same field of view.

    Without `like` the field of view is what all views of the fit show, and a size of None stands
    for their finest voxel size.
    """
    if like:
        field = load_grid(like)
        return [field, *(field.resampled(mm) for mm in sizes)]
    stored = inr.provenance["grid"]
    field = Grid(tuple(stored["shape"]), np.array(stored["affine"]))
    return [field.resampled(mm) if mm else field for mm in sizes]


def render_image(inr: INR, grid: Grid, path: Path, device: torch.device) -> None:
    """Render to a NIfTI file with its sidecar; of an ensemble also where its members disagree."""
    image, spread = render_with_spread(inr, grid, device)
    made = inr.provenance
    members = made["settings"]["members"]
    fields = {
        "Method": "inr",
        "FourierDimension": made["fourier_dim"],
        "Seed": made["settings"]["seed"],
        "Members": members,
        "FitSettings": made["settings"],
    }
    label = f"inrF{made['fourier_dim']}"
    images = {path: (image, label)}
    if members > 1:
        images[spread_path(path)] = (spread, f"{label}spread")
    for target, (array, described) in images.items():
        save_volume(target, array, grid)
        sidecar = image_sidecar(target, made["views"], describe_label(described), **fields)
        write_json(sidecar_path(target), sidecar)


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
