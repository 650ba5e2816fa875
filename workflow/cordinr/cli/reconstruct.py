"""Verbs on the way from an image to views and from views to reconstructions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from . import app

MIN_VOXEL = 0.05
"""Millimetres; below it a field of view of spine size does not fit any memory."""

Views = Annotated[list[Path], typer.Argument(help="Thick-slice images with their sidecars.")]
Model = Annotated[Path, typer.Option("-o", "--output", help="Model to write, .safetensors.")]
Outputs = Annotated[list[Path], typer.Option("-o", "--output", help="Image to write, repeatable.")]
FourierDim = Annotated[int, typer.Option(help="Number of Fourier frequencies.")]
Config = Annotated[Path | None, typer.Option(help="YAML file with a `fit:` section.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Seed = Annotated[int | None, typer.Option(help="Overrides fit.seed.")]
Sigma = Annotated[float | None, typer.Option(help="Overrides fit.sigma, cycles/mm.")]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads.")]
Like = Annotated[
    Path | None, typer.Option(help="Image (or BIDS URI) whose grid to use; no voxel of it is read.")
]
Voxels = Annotated[
    list[float] | None,
    typer.Option(min=MIN_VOXEL, help="Isotropic voxel size in mm, repeatable."),
]
Insist = Annotated[
    bool,
    typer.Option(
        "--insist",
        help="Go on where scans look wrong: thickness impossible for the spacing of the slices, no "
        "orientation in a header, names of unlike subjects, sessions or contrasts.",
    ),
]
Command = Annotated[
    str | None, typer.Option(help="What sidecars name as command; default: the one that runs.")
]
Record = Annotated[
    Path | None,
    typer.Option(help="JSON file for seconds, device, memory."),
]


@app.command()
def simulate(
    image: Annotated[Path, typer.Argument(help="Near isotropic image, or its BIDS URI.")],
    axis: Annotated[list[str], typer.Option(help="Slice axis R, A or S, repeatable.")],
    thickness: Annotated[list[float], typer.Option(help="Slice thickness in mm, one per axis.")],
    output: Outputs,
    profile: Annotated[str, typer.Option(help="box, gaussian or point.")] = "box",
    spacing: Annotated[
        list[float] | None, typer.Option(help="Between slice centres in mm; default: thickness.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="What the sidecar names as source; default: IMAGE.")
    ] = None,
    command: Command = None,
) -> None:
    """Simulate thick-slice views of an image."""
    from ..acquisition.profile import SliceProfile
    from ..acquisition.simulate import acquire
    from ..acquisition.slice_geometry import is_possible
    from ..bids.metadata import metadata_of, shared_metadata
    from ..bids.names import sidecar_path
    from ..bids.reference import RESAMPLED, as_reference, in_other_dataset
    from ..bids.sidecars import image_sidecar
    from ..bids.uris import resolve_bids_uri
    from ..bids.view_files import view_fields
    from ..errors import InputError
    from ..files import write_json
    from ..imaging.volume import load_reference, save_volume

    spacings = spacing or thickness
    if not len(axis) == len(thickness) == len(spacings) == len(output):
        raise InputError("simulate: give one --thickness, one -o (and one --spacing) per --axis.")
    check_images(output, [image])
    source_image = resolve_bids_uri(image, output[0])
    volume = load_reference(source_image)
    stated = metadata_of(source_image)
    resampled = str(stated.get(RESAMPLED, ""))
    if in_other_dataset(image):
        volume, resampled = as_reference(source_image, volume)
    what = f"raw image, resampled {resampled}" if resampled else "raw image"
    kept = shared_metadata([stated])
    views = []
    for letter, mm, gap in zip(axis, thickness, spacings, strict=True):
        along = volume.grid.axis_along(letter)
        try:
            views.append(acquire(volume, along, SliceProfile(profile, mm), gap))
        except InputError as error:
            raise InputError(f"{image}: {error}") from error
        if not is_possible(mm, gap):
            raise InputError(
                f"simulate: slices of {mm:g} mm every {gap:g} mm are none that a scanner makes; "
                "choose a thickness of 0.4 to 3 spacings."
            )
    for letter, view, path in zip(axis, views, output, strict=True):
        save_volume(path, view.volume.array, view.volume.grid)
        text = f"Thick-slice view of the {what}, slices along {letter}."
        fields = kept | view_fields(view)
        sidecar = image_sidecar(path, [source or image], text, command, **fields)
        write_json(sidecar_path(path), sidecar)


@app.command()
def fit(
    views: Views,
    fourier_dim: FourierDim,
    output: Model,
    config: Config = None,
    device: Device = "auto",
    seed: Seed = None,
    sigma: Sigma = None,
    threads: Threads = None,
    record: Annotated[
        Path | None, typer.Option(help="JSON file for seconds, device, memory, loss curve.")
    ] = None,
    insist: Insist = False,
) -> None:
    """Fit one implicit neural representation to views of one subject."""
    from ..bids.view_files import load_views
    from ..files import check_writable, write_json
    from ..inr.device import choose_device
    from ..inr.model_file import save_inr
    from ..run.cost_meter import Meter
    from .fitting import fit_views

    check_writable(output, inputs=views)
    where = choose_device(device)
    with Meter(where) as meter:
        loaded = load_views(views, insist=insist)
        checkpoint = output.with_suffix(".checkpoint")
        inr, done = fit_views(loaded, fourier_dim, config, where, seed, threads, checkpoint, sigma)
        save_inr(output, inr)
    if record:
        seconds = round(done.seconds, 3)
        write_json(record, meter.record(seconds=seconds, losses=done.losses))


@app.command()
def render(
    model: Annotated[Path, typer.Argument(help="Model that `cordinr fit` wrote.")],
    output: Outputs,
    like: Like = None,
    voxel: Voxels = None,
    device: Device = "auto",
    threads: Threads = None,
    command: Annotated[
        str | None,
        typer.Option(help="What sidecars name as command, completed by --threads of the fit."),
    ] = None,
    record: Record = None,
) -> None:
    """Render a fitted model: on an image's grid, at other voxel sizes, or both in this order."""
    from ..bids.names import entities
    from ..bids.reference import grid_like
    from ..errors import InputError
    from ..files import write_json
    from ..inr.device import choose_device, use_threads
    from ..inr.model_file import load_inr
    from ..run.cost_meter import Meter
    from .fitting import grids_for, render_image

    sizes = voxel or []
    if not like and not sizes:
        raise InputError("render: give --like IMAGE, --voxel MM, or both.")
    check_renderings("render", output, like, sizes, [model])
    use_threads(threads)
    where = choose_device(device)
    inr = load_inr(model)
    if command and "threads" in inr.fit_record:
        command += f" --threads {inr.fit_record['threads']}"
    field = grid_like(like, output[0]) if like else None
    seconds = {}
    for path, grid in zip(output, grids_for(inr, field, sizes), strict=True):
        with Meter(where) as meter:
            render_image(inr, grid, path, where, command)
        seconds[entities(path).get("res", "")] = round(meter.seconds, 3)
    if record:
        write_json(record, meter.record(seconds=seconds))


@app.command()
def baseline(
    views: Views,
    method: Annotated[list[str], typer.Option(help="cubic, tikhonov or tv, repeatable.")],
    like: Annotated[
        Path, typer.Option(help="Image (or BIDS URI) whose grid to use; no voxel of it is read.")
    ],
    output: Outputs,
    tikhonov_weight: Annotated[float, typer.Option(min=0, help="Of |gradient|^2.")] = 0.003,
    tv_weight: Annotated[float, typer.Option(min=0, help="Of |gradient|.")] = 0.002,
    threads: Annotated[
        int, typer.Option(min=1, help="CPU threads; the last bits of tv depend on them.")
    ] = 1,
    record: Annotated[
        list[Path] | None, typer.Option(help="JSON file for seconds and memory, one per method.")
    ] = None,
    command: Command = None,
    insist: Insist = False,
) -> None:
    """Reconstruct from views by interpolation or regularised least squares."""
    from ..bids.names import sidecar_path
    from ..bids.reference import grid_like
    from ..bids.sidecars import image_sidecar
    from ..bids.view_files import load_views, view_metadata
    from ..classical.reconstruct import reconstruct_baseline
    from ..errors import InputError
    from ..files import write_json
    from ..imaging.volume import save_volume
    from ..methods import BASELINES
    from ..run.cost_meter import Meter

    if len(method) != len(output) or (record and len(record) != len(method)):
        raise InputError("baseline: give one -o (and one --record) per --method.")
    check_images(output, [*views, like])
    loaded = load_views(views, insist=insist)
    kept = view_metadata(loaded)
    grid = grid_like(like, output[0])
    weights = {"tikhonov": tikhonov_weight, "tv": tv_weight}
    for k, (name, path) in enumerate(zip(method, output, strict=True)):
        if name == "tv":  # which alone needs torch
            from ..inr.device import use_threads

            use_threads(threads)
        with Meter() as meter:
            array = reconstruct_baseline(loaded, grid, name, weights.get(name, 0.0))
        save_volume(path, array, grid)
        text = BASELINES[name].description
        fields = {"Method": name} | ({"Weight": weights[name]} if name in weights else {}) | kept
        write_json(sidecar_path(path), image_sidecar(path, views, text, command, **fields))
        if record:
            write_json(record[k], meter.record())


@app.command()
def reconstruct(
    views: Views,
    output: Outputs,
    like: Like = None,
    voxel: Voxels = None,
    fourier_dim: FourierDim = 256,
    config: Config = None,
    device: Device = "auto",
    seed: Seed = None,
    sigma: Sigma = None,
    threads: Threads = None,
    insist: Insist = False,
) -> None:
    """Fit and render in one go: two scans of one patient in, one isotropic volume out.

    Without --like and --voxel its voxels are as fine as the finest of the views. Renders what
    `fit` and `render` would, to the last bit.
    """
    from ..acquisition.domain import FitDomain
    from ..bids.reference import grid_like
    from ..bids.view_files import load_views
    from ..inr.device import choose_device
    from .fitting import count_outside, fit_views, grids_for, render_image

    sizes = voxel or ([] if like else [None])
    check_renderings("reconstruct", output, like, sizes, views)
    where = choose_device(device)
    loaded = load_views(views, insist=insist)
    field = grid_like(like, output[0]) if like else None
    if field:
        count_outside(output[0], field, FitDomain.of(loaded))
    checkpoint = output[0].with_name(output[0].name + ".checkpoint")
    inr, _ = fit_views(loaded, fourier_dim, config, where, seed, threads, checkpoint, sigma)
    for path, grid in zip(output, grids_for(inr, field, sizes), strict=True):
        render_image(inr, grid, path, where)


def check_renderings(
    verb: str,
    outputs: list[Path],
    like: Path | None,
    sizes: Sequence[float | None],
    inputs: list[Path],
) -> None:
    """Refuse outputs that do not match the grids asked for, or could not be written."""
    from ..errors import InputError

    if len(outputs) != bool(like) + len(sizes):
        raise InputError(f"{verb}: give one -o for --like and one for each --voxel, in this order.")
    check_images(outputs, [*inputs, *([like] if like else [])])


def check_images(outputs: list[Path], inputs: list[Path]) -> None:
    """Refuse, before any work, outputs that are no NIfTI, inputs as well, or cannot be written."""
    from ..bids.names import sidecar_path
    from ..files import check_writable

    for path in outputs:
        sidecar_path(path)
    check_writable(*outputs, inputs=inputs)
