"""Reading of views with their slice geometry, and checks that they belong together."""

import itertools
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from ..acquisition.gaps import leave_unmeasured_out
from ..acquisition.slice_geometry import ARRAY_AXES, Statements, slice_geometry
from ..acquisition.view import View
from ..errors import InputError
from ..imaging.measured import find_measured
from ..imaging.volume import Volume, has_orientation, load_grid, load_scan
from .alignment_fields import scan_disagreement, slice_translations, slice_weights
from .metadata import metadata_of, read_sidecars, shared_metadata
from .names import entities, suffix_of

log = logging.getLogger(__name__)

CONTRAST_SUFFIXES = {
    *("T1w", "T2w", "PDw", "T2starw", "FLAIR", "inplaneT1", "inplaneT2", "PDT2", "angio", "UNIT1"),
    *("T2star", "FLASH", "PD", "T1map", "T2map", "T2starmap", "PDmap", "MTS", "MTRmap", "MTsat"),
    *("MEGRE", "MESE", "VFA", "IRT1", "MP2RAGE", "swi", "dwi", "bold"),
}
"""BIDS suffixes that name a contrast; the last part of other names, such as sag, does not."""


def read_view(path: Path | str, *, insist: bool = False) -> View:
    """Read a view with the geometry of its slices, and log what was assumed or ignored.

    `SliceThickness`, `SliceEncodingDirection` and `SliceProfile` are read from the sidecar of the
    image and, in a BIDS dataset, from those that it inherits. A missing value is assumed: the
    coarsest axis of the image is the slice axis, the slice thickness equals the slice spacing, and
    the slice profile is a box. The slice spacing is always that of the image header.

    Args:
        path: path of the image.
        insist: accept a slice thickness that is implausible for the slice spacing.

    Returns:
        The view. Its `measured` marks the voxels that were measured, and is None if all of them
        were. The other voxels keep the values in the file; use `load_views`, or
        `leave_unmeasured_out` on the view, before a reconstruction.

    Raises:
        InputError: as for `load_scan` and `slice_geometry`.
    """
    volume = load_scan(path)
    stated = statements_of(Path(path))
    axis, profile = slice_geometry(volume.grid, stated, insist)
    measured = find_measured(volume.array, axis)
    trust = slice_weights(stated, volume.grid.shape[axis])
    if trust is not None:
        np.moveaxis(measured, axis, 0)[trust == 0] = False
        trust = None if (trust[trust > 0] == 1).all() else np.where(trust > 0, trust, 1.0)
    return View(
        volume,
        axis,
        profile,
        str(path),
        None if measured.all() else measured,
        trust=trust,
        shifts=slice_translations(stated, volume.grid.shape[axis]),
        disagreement=scan_disagreement(stated),
    )


def statements_of(image: Path) -> Statements:
    """Read the metadata of an image together with the sidecar that each value comes from.

    Args:
        image: path of the image.

    Raises:
        InputError: as for `read_sidecars`.
    """
    values: dict[str, Any] = {}
    origins: dict[str, Path] = {}
    for path, content in read_sidecars(image):
        values |= content
        origins |= dict.fromkeys(content, path)
    return Statements(image, values, origins)


def load_views(paths: Sequence[Path], *, insist: bool = False) -> list[View]:
    """Load the views of one subject for a joint reconstruction, and log doubts about them.

    Args:
        paths: paths of the images.
        insist: accept scans that do not seem to belong together, scans of unknown orientation, and
            scans with an implausible slice thickness.

    Returns:
        The views, prepared by `leave_unmeasured_out`.

    Raises:
        InputError: as for `read_view`, or the scans do not belong together.
    """
    if len(paths) > 1:
        for problem in (*_unlike_names(paths), *_without_orientation(paths)):
            if not insist:
                raise InputError(f"{problem}, or --insist.")
            log.warning("%s; going on all the same.", problem)
    views = [read_view(path, insist=insist) for path in paths]
    _check_duplicates(views)
    _warn_parallel(views)
    return leave_unmeasured_out(views)


def place_in_file(view: View) -> tuple[int, int]:
    """Return where the slices of a view are in its file, from which padding may be cut off.

    Args:
        view: as `load_views` gives it; its name is the path of the file.

    Returns:
        The number in the file of the first slice of the view, and the number of slices of the file.
    """
    grid = load_grid(view.name)
    first = grid.index(view.volume.grid.world(np.zeros(3)))[view.axis]
    return round(float(first)), grid.shape[view.axis]


def view_fields(view: View) -> dict[str, Any]:
    """Return the slice geometry of a view as the fields of its sidecar, which `read_view` reads.

    Args:
        view: view to describe.
    """
    return {
        "SliceThickness": view.profile.thickness,
        "SpacingBetweenSlices": round(float(view.volume.grid.voxel_sizes[view.axis]), 6),
        "SliceEncodingDirection": ARRAY_AXES[view.axis],
        "SliceProfile": view.profile.shape,
    }


def view_metadata(views: Sequence[View]) -> dict[str, Any]:
    """Return the fields that a reconstruction takes over from its views.

    Args:
        views: views that were read from files.

    Returns:
        The metadata that the views share, and the slice profile of each view.
    """
    profiles = [f"{view.profile.shape}, {view.profile.thickness:g} mm" for view in views]
    shared = shared_metadata([metadata_of(Path(view.name)) for view in views])
    return shared | {"ViewProfiles": profiles}


def _unlike_names(paths: Sequence[Path]) -> Iterator[str]:
    """Yield a message for each pair of scans whose subjects, sessions or contrasts differ."""
    for one, other in itertools.combinations(paths, 2):
        labels = [_labels(path) for path in (one, other)]
        for key, what in (("sub", "subjects"), ("ses", "sessions")):
            values = [each.get(key) for each in labels]
            # A session is also compared if only one of two names of BIDS gives it.
            comparable = all(values) or (key == "ses" and all("sub" in each for each in labels))
            if comparable and values[0] != values[1]:
                yield (
                    f"{one} and {other}: are of different {what} by their names; give scans of one "
                    "subject and session"
                )
        suffixes = suffix_of(one), suffix_of(other)
        if suffixes[0] != suffixes[1] and CONTRAST_SUFFIXES.issuperset(suffixes):
            yield (
                f"{one} and {other}: are of different contrasts by their names "
                f"({', '.join(suffixes)}); give scans of one contrast"
            )


def _labels(path: Path) -> dict[str, str]:
    """Return the entities of a file name, with subject and session of its folders as defaults."""
    folders = {}
    for part in Path(path).absolute().parts[:-1]:
        entity = re.fullmatch(r"(sub|ses)-([A-Za-z0-9+]+)", part)
        if entity:
            folders[entity[1]] = entity[2]
    return folders | entities(path)


def _without_orientation(paths: Sequence[Path]) -> Iterator[str]:
    """Yield a message for each scan whose header gives no orientation."""
    for path in paths:
        if not has_orientation(path):
            yield (
                f"{path}: its header gives no orientation (qform and sform code 0), so that nobody "
                "knows how it lies to the other scans; convert it anew from DICOM"
            )


def _check_duplicates(views: Sequence[View]) -> None:
    """Refuse views of which two are the same scan."""
    for one, other in itertools.combinations(views, 2):
        if _same_image(one.volume, other.volume):
            raise InputError(
                f"{one.name} and {other.name}: are the same scan; give two scans with slices along "
                "unlike axes."
            )


def _same_image(one: Volume, other: Volume) -> bool:
    """Tell whether two images have the same voxels in the same places, in any order of the axes."""
    if one.array.size != other.array.size:
        return False
    ordered = []
    for volume in (one, other):
        orientation = nib.orientations.io_orientation(volume.grid.affine)
        array = nib.orientations.apply_orientation(volume.array, orientation)
        corners = volume.grid.corners
        ordered.append((array, corners.min(axis=0), corners.max(axis=0)))
    (array, low, high), (array2, low2, high2) = ordered
    return (
        array.shape == array2.shape
        and np.allclose(low, low2, atol=1e-2)
        and np.allclose(high, high2, atol=1e-2)
        and np.array_equal(array, array2, equal_nan=True)
    )


def _warn_parallel(views: Sequence[View]) -> None:
    """Warn if all views have parallel slices, so that none adds detail through the slices."""
    if len(views) < 2:
        return
    if all(one.is_parallel_to(other) for one, other in itertools.combinations(views, 2)):
        log.warning(
            "%s: all have their slices along the same axis, so that none shows detail along it; "
            "add a scan with slices along another axis.",
            " and ".join(view.name for view in views),
        )
