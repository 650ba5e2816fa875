"""The verb that reconstructs by classical methods."""

from pathlib import Path
from typing import Annotated

import typer

from . import Panel, verb
from .options import Command, Insist, Like, Outputs, Views


@verb(Panel.STEPS, "axial.nii.gz sagittal.nii.gz --method tv --like T2w.nii.gz -o tv.nii.gz")
def baseline(
    views: Views,
    method: Annotated[
        list[str], typer.Option(metavar="NAME", help="cubic, tikhonov or tv; repeatable.")
    ],
    output: Outputs,
    like: Like = None,
    tikhonov_weight: Annotated[
        str,
        typer.Option(
            metavar="W", help="Weight of the squared gradient; auto goes by the noise of the views."
        ),
    ] = "auto",
    tv_weight: Annotated[
        str,
        typer.Option(
            metavar="W", help="Weight of the total variation; auto goes by the noise of the views."
        ),
    ] = "auto",
    threads: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", help="Number of CPU threads; the last bits of tv depend on it."
        ),
    ] = 1,
    record: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="JSON to write, one per method: seconds, device, memory."
        ),
    ] = None,
    command: Command = None,
    insist: Insist = False,
) -> None:
    """Reconstruct from views by interpolation or regularised least squares.

    Give one -o, and one --record if any, for each --method, in the same order.
    Without --like the voxels are as fine as the finest of the views.
    """
    from ..acquisition.domain import FitDomain
    from ..bids.names import sidecar_path
    from ..bids.reference import grid_like
    from ..bids.sidecars import image_sidecar
    from ..bids.view_files import load_views, view_metadata
    from ..classical.reconstruct import automatic_weight, reconstruct_baseline
    from ..errors import InputError
    from ..files import write_json
    from ..imaging.volume import save_volume
    from ..methods import BASELINES
    from ..run.cost_meter import Meter
    from .checks import check_images

    if len(method) != len(output) or (record and len(record) != len(method)):
        raise InputError("baseline: give one -o (and one --record) per --method.")
    given = {
        "tikhonov": read_weight("--tikhonov-weight", tikhonov_weight),
        "tv": read_weight("--tv-weight", tv_weight),
    }
    check_images(output, [*views, *([like] if like else [])])
    loaded = load_views(views, insist=insist)
    metadata = view_metadata(loaded)
    grid = grid_like(like, output[0]) if like else FitDomain.of(loaded).grid
    for k, (name, path) in enumerate(zip(method, output, strict=True)):
        if name == "tv":  # the only method that needs torch
            from ..inr.device import use_threads

            use_threads(threads)
        with Meter() as meter:
            weight = given.get(name)
            if weight is None:
                weight = automatic_weight(loaded, name)
            array = reconstruct_baseline(loaded, grid, name, weight)
        save_volume(path, array, grid)
        fields = {"Method": name, **({"Weight": weight} if name in given else {}), **metadata}
        text = BASELINES[name].description
        write_json(sidecar_path(path), image_sidecar(path, views, text, command, **fields))
        if record:
            write_json(record[k], meter.costs())


def read_weight(option: str, text: str) -> float | None:
    """The weight that an option gives, or None for `auto`.

    Raises:
        InputError: it is neither a number nor `auto`.
    """
    from ..errors import InputError

    if text == "auto":
        return None
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"{option} is '{text}'; give a number from 0, or auto.") from error
