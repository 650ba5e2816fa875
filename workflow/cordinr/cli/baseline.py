"""The verb that reconstructs without a network of its own: by classical methods or by a prior."""

from pathlib import Path
from typing import Annotated, Any

import typer

from . import Panel, verb
from .options import Command, Insist, Like, Outputs, Views


@verb(Panel.STEPS, "axial.nii.gz sagittal.nii.gz --method tv --like T2w.nii.gz -o tv.nii.gz")
def baseline(
    views: Views,
    method: Annotated[
        list[str], typer.Option(metavar="NAME", help="cubic, tikhonov, tv or learned; repeatable.")
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
    prior: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="Prior that learned takes: a file of `cordinr learn`, or the word learned for the "
            "one that comes with cordinr.",
        ),
    ] = "learned",
    dataset: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Dataset of the subject, so that learned takes nobody of another one for them.",
        ),
    ] = "",
    threads: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Number of CPU threads; the last bits of tv and learned depend on it.",
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
    """Reconstruct from views by interpolation, regularised least squares, or a learned prior.

    Give one -o, and one --record if any, for each --method, in the same order. Without --like the
    voxels are as fine as the finest of the views. The learned image comes with its standard error,
    `..._desc-learnedstderr_...`; a prior that has seen the subject is refused.
    """
    from ..acquisition.domain import FitDomain
    from ..bids.names import companion_path, describe_label, sidecar_path
    from ..bids.reference import grid_like
    from ..bids.sidecars import image_sidecar
    from ..bids.view_files import load_views, view_metadata
    from ..classical.reconstruct import reconstruct_baseline
    from ..classical.weights import automatic_weight
    from ..errors import InputError
    from ..files import write_json
    from ..imaging.volume import save_volume
    from ..methods import BASELINES, LEARNED
    from ..run.cost_meter import Meter
    from .checks import check_images

    if len(method) != len(output) or (record and len(record) != len(method)):
        raise InputError("baseline: give one -o (and one --record) per --method.")
    for name in method:
        if name not in BASELINES:
            raise InputError(f"method '{name}' is not known; use {', '.join(BASELINES)}.")
    given = {
        "tikhonov": read_weight("--tikhonov-weight", tikhonov_weight),
        "tv": read_weight("--tv-weight", tv_weight),
    }
    pairs = list(zip(method, output, strict=True))
    maps = [companion_path(path, "stderr") for name, path in pairs if name == LEARNED]
    check_images([*output, *maps], [*views, *([like] if like else [])])
    other_people = None
    if LEARNED in method:
        from .priors import prior_fields, read_prior_for

        other_people = read_prior_for(prior, views, dataset)
    loaded = load_views(views, insist=insist)
    metadata = view_metadata(loaded)
    grid = grid_like(like, output[0]) if like else FitDomain.of(loaded).grid
    for k, (name, path) in enumerate(pairs):
        if name in ("tv", LEARNED):  # the methods that need torch
            from ..inr.device import use_threads

            use_threads(threads)
        fields: dict[str, Any] = {"Method": name}
        images = {}
        with Meter() as meter:
            if name == LEARNED and other_people is not None:
                from ..prior.predict import reconstruct_learned

                learned = reconstruct_learned(loaded, grid, other_people)
                images[path] = learned.image, name
                images[companion_path(path, "stderr")] = learned.standard_error, f"{name}stderr"
                fields |= prior_fields(prior, other_people)
            else:
                weight = given.get(name)
                if weight is None:
                    weight = automatic_weight(loaded, name)
                images[path] = reconstruct_baseline(loaded, grid, name, weight), name
                fields |= {"Weight": weight} if name in given else {}
        for target, (array, label) in images.items():
            save_volume(target, array, grid)
            text = describe_label(label)
            sidecar = image_sidecar(target, views, text, command, **fields, **metadata)
            write_json(sidecar_path(target), sidecar)
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
