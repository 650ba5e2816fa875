"""Images and masks copied out of a raw dataset, checked."""

import logging
from pathlib import Path

log = logging.getLogger(__name__)


def parse_entities(options: list[str]) -> dict[str, list[str]]:
    """NAME=LABEL options, labels of one name gathered.

    Raises:
        InputError: an option has no equals sign.
    """
    from ..errors import InputError

    labels: dict[str, list[str]] = {}
    for option in options:
        name, equals, label = option.partition("=")
        if not equals:
            raise InputError(
                f"--entity {option}: is not NAME=LABEL; write session=01, for instance."
            )
        labels.setdefault(name, []).append(label)
    return labels


def copy_image(dest: Path, file: str, output: Path, also: list[str], jobs: int) -> None:
    """Copy an image out of the dataset, complete and readable, with all its metadata beside it.

    One whose voxels are not cubes is resampled where they nearly are. Voxels that are not finite
    become 0.

    Args:
        dest: root of the dataset.
        file: of the image below it.
        output: copy to write, with its sidecar.
        also: files to get as well; one that cannot be got is noted.
        jobs: files to get at a time.

    Raises:
        InputError: it cannot be got, is not usable, or is no reference for being anisotropic.
    """
    from ..bids.metadata import read_inherited_metadata, shared_metadata, sidecars_of
    from ..bids.names import sidecar_path
    from ..bids.reference import RESAMPLED, as_reference
    from ..errors import InputError
    from ..files import write_json
    from ..imaging.volume import load_reference, save_volume
    from .annex import get_content

    image = get_content(dest, [file, *sidecars_of(dest, file)], jobs)[0]
    volume, resampled = as_reference(image, load_reference(image))
    stated = read_inherited_metadata(dest, file)
    if resampled:
        log.warning("%s: is resampled %s, as its voxels are not cubes.", image, resampled)
        stated = shared_metadata([stated]) | {RESAMPLED: resampled}
    write_json(sidecar_path(output), stated)
    save_volume(output, volume.array, volume.grid)
    try:
        get_content(dest, also, jobs)
    except InputError as error:
        log.warning("%s", error)


def copy_mask(dest: Path, file: str, output: Path, like: Path | None, jobs: int) -> None:
    """Copy a cord mask out of the dataset; one that is of no use becomes a mask of zeros.

    Args:
        dest: root of the dataset.
        file: of the mask below it.
        output: copy to write, with its sidecar, which says why a mask is of zeros.
        like: image on whose grid the copy has to be; None for the mask's own.
        jobs: files to get at a time.

    Raises:
        InputError: without `like`, it cannot be got or read.
    """
    import numpy as np

    from ..bids.cord_mask import PROBLEM, read_cord_copy
    from ..bids.metadata import read_inherited_metadata, sidecars_of
    from ..bids.names import sidecar_path
    from ..errors import InputError
    from ..files import write_json
    from ..imaging.volume import Volume, load_grid, save_volume
    from .annex import get_content

    grid = load_grid(like) if like else None
    stated: dict[str, object] = {}
    try:
        mask = get_content(dest, [file, *sidecars_of(dest, file)], jobs)[0]
        stated = read_inherited_metadata(dest, file)
        cord = read_cord_copy(mask, grid)
    except InputError as error:
        if grid is None:
            raise
        log.warning(
            "%s There are no cord metrics of this image; to try again, run `snakemake --cores all "
            "--forcerun %s`.",
            *(error, output),
        )
        stated[PROBLEM] = str(error)
        cord = Volume(np.zeros(grid.shape, np.uint8), grid)
    write_json(sidecar_path(output), stated)
    small = np.array_equal(cord.array, cord.array.astype("uint8"))
    save_volume(output, cord.array, cord.grid, "uint8" if small else "float32")


def describe_disk_space(needed: int, dest: Path) -> tuple[bool, str]:
    """Whether there is room for a download, and a sentence about it."""
    import shutil

    free = shutil.disk_usage(dest.parent).free
    sentence = f"{needed / 1e9:.2f} GB to download, {free / 1e9:.1f} GB free at {dest.parent}"
    fits = needed < free
    return fits, sentence if fits else f"warning: {sentence}: not enough for all images at once"
