"""Checks of the arguments of verbs, before any work."""

from collections.abc import Sequence
from pathlib import Path

from ..bids.names import UNCERTAINTY_KINDS, companion_path, sidecar_path
from ..errors import InputError
from ..files import check_writable


def voxels_of(
    outputs: Sequence[Path], like: Path | None, voxels: Sequence[float] | None
) -> list[float | None]:
    """List the voxel sizes in mm of the outputs besides that of --like.

    Args:
        outputs: images to write.
        like: image whose grid the first output gets, or None.
        voxels: sizes that were asked for, or None.

    Returns:
        The sizes; None, which comes first, stands for the finest voxel size of the views.
    """
    sizes: list[float | None] = list(voxels or [])
    has_one_more = not like and len(outputs) == len(sizes) + 1
    return [None, *sizes] if has_one_more else sizes


def check_renderings(
    verb: str,
    outputs: Sequence[Path],
    like: Path | None,
    sizes: Sequence[float | None],
    inputs: Sequence[Path],
) -> None:
    """Refuse outputs that do not match the requested grids, or cannot be written.

    Args:
        verb: for the message.
        outputs: images to write.
        like: image whose grid the first output gets, or None.
        sizes: voxel sizes of the other outputs.
        inputs: images that must not be overwritten.

    Raises:
        InputError: the number of outputs is wrong, or one cannot be written.
    """
    if len(outputs) != bool(like) + len(sizes):
        raise InputError(f"{verb}: give one -o for --like and one for each --voxel, in this order.")
    maps = [companion_path(path, kind) for path in outputs for kind in UNCERTAINTY_KINDS]
    check_images([*outputs, *maps], [*inputs, *([like] if like else [])])


def check_images(outputs: Sequence[Path], inputs: Sequence[Path]) -> None:
    """Refuse outputs that are not NIfTI, are inputs as well, or cannot be written.

    Args:
        outputs: images to write.
        inputs: images that must not be overwritten.

    Raises:
        InputError: one of these.
    """
    for path in outputs:
        sidecar_path(path)
    check_writable(*outputs, inputs=inputs)
