"""The verbs for two scans of one patient: both steps in one go, or one by one."""

from pathlib import Path
from typing import Annotated, cast

import typer

from ..methods import LEARNED
from . import Panel, verb
from .options import (
    Config,
    CoveredField,
    DatasetName,
    Device,
    FourierDim,
    Insist,
    Like,
    Outputs,
    PriorName,
    PriorNameOrNone,
    Record,
    Seed,
    Sigma,
    Threads,
    Views,
    Voxels,
)


@verb(Panel.SCANS, "sag.nii.gz ax1.nii.gz ax2.nii.gz -o volume.nii.gz")
def reconstruct(
    views: Views,
    output: Outputs,
    like: Like = None,
    voxel: Voxels = None,
    align: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="rigid: correct the displacement and gain of each scan; slices: the motion of "
            "single slices as well; none: take the scans as their headers put them.",
        ),
    ] = "rigid",
    fixed: Annotated[
        int, typer.Option(metavar="N", help="Number of the scan that stays where it is.")
    ] = 1,
    mask: Annotated[
        Path | None,
        typer.Option(
            metavar="IMAGE",
            help="Where the scans are compared with each other, such as around the cord.",
        ),
    ] = None,
    field: CoveredField = "crossed",
    fast: Annotated[
        bool, typer.Option("--fast", help="Take less time, at some cost of quality.")
    ] = False,
    best: Annotated[
        bool,
        typer.Option("--best", help="Take the mean of four networks, and write their spread."),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Also leave every fourth slice out, predict it from the others, and compare.",
        ),
    ] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Fail where a scan could not be aligned."),
    ] = False,
    images_only: Annotated[
        bool,
        typer.Option(
            "--images-only",
            help="Write no map of what covers what, no transforms, no numbers and no page.",
        ),
    ] = False,
    fourier_dim: FourierDim = 64,
    prior: PriorNameOrNone = None,
    dataset: DatasetName = "",
    config: Config = None,
    device: Device = "auto",
    seed: Seed = None,
    sigma: Sigma = None,
    threads: Threads = None,
    insist: Insist = False,
) -> None:
    """Make one isotropic volume from the thick-slice scans of a patient.

    Any number of scans, of at least two slice directions: aligned with each
    other, fitted together and rendered. Prints what each scan was taken for,
    where it lies, what is covered, and how far the volume can be trusted.
    Without --like the first -o gets voxels as fine as the finest of the scans,
    unless there is one -o for each --voxel. Of scans in place, the volume is
    the one that `fit` and `render` make, to the last bit.
    """
    from ..acquisition.domain import FitDomain
    from ..acquisition.overlap import Field
    from ..acquisition.scan_words import describe_field
    from ..bids.reference import grid_like
    from ..errors import InputError
    from ..inr.device import choose_device
    from ..inr.settings import BEST, FAST
    from .checks import check_renderings, voxels_of
    from .fitting import count_outside, fit_views, list_grids, render_image
    from .placing import place_scans
    from .priors import choose_prior
    from .reconstruction_files import check_companions, save_companions

    # A learned image of one scan alone is hardly better than total variation.
    prior = prior or ("tv" if fast or len(views) == 1 else LEARNED)
    sizes = voxels_of(output, like, voxel)
    check_renderings("reconstruct", output, like, sizes, [*views, *([mask] if mask else [])])
    if fast and best:
        raise InputError("reconstruct: --fast and --best contradict each other; give one.")
    if not images_only:
        check_companions(output[0], views)
    torch_device = choose_device(device)
    learned = choose_prior(prior, views, dataset)
    scans = place_scans(views, align=align, fixed=fixed, mask=mask, strict=strict, insist=insist)
    domain = FitDomain.of(scans.views, cast(Field, field))
    like_grid = grid_like(like, output[0]) if like else None
    if like_grid:
        count_outside(output[0], like_grid, domain)
    for sentence in describe_field(scans.views, like_grid or domain.grid):
        print(sentence)
    checkpoint = output[0].with_name(output[0].name + ".checkpoint")
    inr, _ = fit_views(
        scans.views,
        fourier_dim,
        config=config,
        device=torch_device,
        seed=seed,
        threads=threads,
        checkpoint=checkpoint,
        sigma=sigma,
        field=field,
        preset=FAST if fast else BEST if best else {},
        metadata=scans.fields(),
        prior=prior,
        learned=learned,
    )
    for path, grid in zip(output, list_grids(inr, like_grid, sizes), strict=True):
        render_image(inr, grid, path, torch_device)
    if not images_only:
        save_companions(output[0], scans, domain, hold_out=4 if check else 0)


@verb(Panel.SCANS, "axial.nii.gz sagittal.nii.gz --fourier-dim 256 -o model.safetensors")
def fit(
    views: Views,
    fourier_dim: FourierDim,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FILE", help="Model to write, .safetensors."),
    ],
    prior: PriorName = LEARNED,
    dataset: DatasetName = "",
    config: Config = None,
    device: Device = "auto",
    seed: Seed = None,
    sigma: Sigma = None,
    threads: Threads = None,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="JSON to write: seconds, device, memory and the loss curve."
        ),
    ] = None,
    insist: Insist = False,
) -> None:
    """Fit an implicit neural representation to views of one subject.

    A fit that was stopped goes on from its checkpoint beside the model, unless
    it is of large scans and begins at an image, which is short.
    """
    from ..bids.view_files import load_views
    from ..files import check_writable, write_json
    from ..inr.device import choose_device
    from ..inr.model_file import save_inr
    from ..run.cost_meter import Meter
    from .fitting import fit_views
    from .priors import choose_prior

    check_writable(output, inputs=views)
    torch_device = choose_device(device)
    learned = choose_prior(prior, views, dataset)
    with Meter(torch_device) as meter:
        loaded = load_views(views, insist=insist)
        checkpoint = output.with_suffix(".checkpoint")
        inr, last_report = fit_views(
            loaded,
            fourier_dim,
            config=config,
            device=torch_device,
            seed=seed,
            threads=threads,
            checkpoint=checkpoint,
            sigma=sigma,
            prior=prior,
            learned=learned,
        )
        save_inr(output, inr)
    if record:
        seconds = round(last_report.seconds, 3)
        write_json(record, meter.costs(seconds=seconds, losses=last_report.losses))


@verb(Panel.SCANS, "model.safetensors --voxel 0.5 -o volume.nii.gz")
def render(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Model that `cordinr fit` wrote.")],
    output: Outputs,
    like: Like = None,
    voxel: Voxels = None,
    device: Device = "auto",
    threads: Threads = None,
    command: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Command that sidecars name, to which the --threads of the fit are added; "
            "default: the one that runs.",
        ),
    ] = None,
    record: Record = None,
) -> None:
    """Render a fitted model on the grid of an image, at other voxel sizes, or both.

    Give one -o for --like and one for each --voxel, in this order. Without
    --like a first -o more than that gets voxels as fine as the finest of the
    views.
    """
    from ..bids.names import entities
    from ..bids.reference import grid_like
    from ..files import write_json
    from ..inr.device import choose_device, use_threads
    from ..inr.model_file import load_inr
    from ..run.cost_meter import Meter
    from .checks import check_renderings, voxels_of
    from .fitting import list_grids, render_image

    sizes = voxels_of(output, like, voxel)
    check_renderings("render", output, like, sizes, [model])
    use_threads(threads)
    torch_device = choose_device(device)
    inr = load_inr(model)
    if command and "threads" in inr.fit_record:
        command += f" --threads {inr.fit_record['threads']}"
    like_grid = grid_like(like, output[0]) if like else None
    seconds = {}
    for path, grid in zip(output, list_grids(inr, like_grid, sizes), strict=True):
        with Meter(torch_device) as meter:
            render_image(inr, grid, path, torch_device, command)
        seconds[entities(path).get("res", "")] = round(meter.seconds, 3)
    if record:
        write_json(record, meter.costs(seconds=seconds))
