"""Checked copies of the images, scans and masks of a raw dataset."""

import logging
from pathlib import Path

log = logging.getLogger(__name__)


def parse_entities(options: list[str]) -> dict[str, list[str]]:
    """Parse options of the form NAME=LABEL.

    Args:
        options: options as given on the command line.

    Returns:
        The labels of each name, in the order of the options.

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
    """Copy an image of the dataset, with all its metadata in a sidecar.

    An image whose voxels are nearly, but not exactly, cubes is resampled. Voxels that are not
    finite become 0.

    Args:
        dest: root of the dataset.
        file: path of the image below `dest`.
        output: path of the copy; its sidecar is written beside it.
        also: paths of further files to get; a failure to get them is logged as a warning.
        jobs: number of files to get at a time.

    Raises:
        InputError: the image cannot be got or read, or its voxels are too anisotropic.
    """
    from ..bids.metadata import read_inherited_metadata, shared_metadata, sidecars_of
    from ..bids.names import sidecar_path
    from ..bids.reference import RESAMPLED_KEY, as_reference
    from ..errors import InputError
    from ..files import write_json
    from ..imaging.volume import load_reference, save_volume
    from .annex import get_content

    image = get_content(dest, [file, *sidecars_of(dest, file)], jobs)[0]
    volume, resampled = as_reference(image, load_reference(image))
    metadata = read_inherited_metadata(dest, file)
    if resampled:
        log.warning("%s: is resampled %s, as its voxels are not cubes.", image, resampled)
        metadata = shared_metadata([metadata]) | {RESAMPLED_KEY: resampled}
    write_json(sidecar_path(output), metadata)
    save_volume(output, volume.array, volume.grid)
    try:
        get_content(dest, also, jobs)
    except InputError as error:
        log.warning("%s", error)


def copy_scan(dest: Path, file: str, output: Path, jobs: int) -> None:
    """Copy a thick-slice scan of the dataset as it is, with all its metadata in a sidecar.

    Args:
        dest: root of the dataset.
        file: path of the scan below `dest`.
        output: path of the copy; its sidecar is written beside it.
        jobs: number of files to get at a time.

    Raises:
        InputError: the scan cannot be got or read, its header gives no orientation, or its slice
            geometry is contradictory.
    """
    from ..bids.metadata import read_inherited_metadata, sidecars_of
    from ..bids.names import sidecar_path
    from ..bids.view_files import read_view
    from ..errors import InputError
    from ..files import write_json
    from ..imaging.volume import has_orientation, save_volume
    from .annex import get_content

    scan = get_content(dest, [file, *sidecars_of(dest, file)], jobs)[0]
    if not has_orientation(scan):
        raise InputError(
            f"{scan}: its header gives no orientation (qform and sform code 0), so that nobody "
            "knows how it lies to other scans; convert it anew from DICOM."
        )
    volume = read_view(scan).volume
    write_json(sidecar_path(output), read_inherited_metadata(dest, file))
    save_volume(output, volume.array, volume.grid)


def copy_mask(dest: Path, file: str, output: Path, like: Path | None, jobs: int) -> None:
    """Copy a cord mask of the dataset; a mask that is not usable becomes a mask of zeros.

    Args:
        dest: root of the dataset.
        file: path of the mask below `dest`.
        output: path of the copy; its sidecar says why a mask consists of zeros.
        like: path of the image whose grid the mask must have; None for the mask's own grid.
        jobs: number of files to get at a time.

    Raises:
        InputError: `like` is None, and the mask cannot be got or read.
    """
    import numpy as np

    from ..bids.cord_mask import CORD_PROBLEM_KEY, read_cord_copy
    from ..bids.metadata import read_inherited_metadata, sidecars_of
    from ..bids.names import sidecar_path
    from ..errors import InputError
    from ..files import write_json
    from ..imaging.volume import Volume, load_grid, save_volume
    from .annex import get_content

    grid = load_grid(like) if like else None
    metadata: dict[str, object] = {}
    try:
        mask = get_content(dest, [file, *sidecars_of(dest, file)], jobs)[0]
        metadata = read_inherited_metadata(dest, file)
        cord = read_cord_copy(mask, grid)
    except InputError as error:
        if grid is None:
            raise
        log.warning(
            "%s There are no cord metrics of this image; to try again, run `snakemake --cores all "
            "--forcerun %s`.",
            *(error, output),
        )
        metadata[CORD_PROBLEM_KEY] = str(error)
        cord = Volume(np.zeros(grid.shape, np.uint8), grid)
    write_json(sidecar_path(output), metadata)
    small = np.array_equal(cord.array, cord.array.astype("uint8"))
    save_volume(output, cord.array, cord.grid, "uint8" if small else "float32")


def describe_disk_space(needed: int, dest: Path) -> tuple[bool, str]:
    """Compare the size of a download with the free disk space.

    Args:
        needed: size of the download in bytes.
        dest: root of the dataset.

    Returns:
        Whether the download fits, and a sentence with both sizes.
    """
    import shutil

    free = shutil.disk_usage(dest.parent).free
    sentence = f"{needed / 1e9:.2f} GB to download, {free / 1e9:.1f} GB free at {dest.parent}"
    fits = needed < free
    return fits, sentence if fits else f"warning: {sentence}: not enough for all images at once"
