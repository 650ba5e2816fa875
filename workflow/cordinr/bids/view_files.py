"""Views as files: read with the geometry of their slices, and checked to belong together."""

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
from ..imaging.volume import Volume, has_orientation, load_scan
from .metadata import metadata_of, shared_metadata, sidecars_read
from .names import entities, suffix_of

log = logging.getLogger(__name__)

CONTRASTS = {
    *("T1w", "T2w", "PDw", "T2starw", "FLAIR", "inplaneT1", "inplaneT2", "PDT2", "angio", "UNIT1"),
    *("T2star", "FLASH", "PD", "T1map", "T2map", "T2starmap", "PDmap", "MTS", "MTRmap", "MTsat"),
    *("MEGRE", "MESE", "VFA", "IRT1", "MP2RAGE", "swi", "dwi", "bold"),
}
"""BIDS suffixes of MRI; other ends of a name, such as sag, say nothing of the contrast."""

PARALLEL = np.cos(np.radians(30))
"""Cosine of the angle between slice normals below which two scans are thick along unlike axes."""


def read_view(path: Path | str, *, insist: bool = False) -> View:
    """A view with the geometry of its slices; what was assumed or ignored is logged.

    `SliceThickness`, `SliceEncodingDirection` and `SliceProfile` come from the sidecar, or those it
    inherits from in a BIDS dataset; what they do not say comes from the header: the coarsest axis
    is the slice axis, the thickness is the spacing, the profile is a box. The spacing of the slices
    is always the header's.

    Args:
        path: of the image.
        insist: take a thickness that is impossible for the spacing.

    Returns:
        The view; its `measured` tells which voxels were measured, None where all were. The others
        hold what is in the file: `load_views` or `leave_unmeasured_out` makes them fit to be
        reconstructed from.

    Raises:
        InputError: as `load_scan` and `slice_geometry`.
    """
    volume = load_scan(path)
    axis, profile = slice_geometry(volume.grid, statements_of(Path(path)), insist)
    measured = find_measured(volume.array, axis)
    return View(volume, axis, profile, str(path), None if measured.all() else measured)


def statements_of(image: Path) -> Statements:
    """What the sidecars of an image say, and which of them says what.

    Raises:
        InputError: as `sidecars_read`.
    """
    values: dict[str, Any] = {}
    origins: dict[str, Path] = {}
    for path, content in sidecars_read(image):
        values |= content
        origins |= dict.fromkeys(content, path)
    return Statements(image, values, origins)


def load_views(paths: Sequence[Path], *, insist: bool = False) -> list[View]:
    """The views of one subject, to be reconstructed together; notes are logged.

    Args:
        paths: of the images.
        insist: go on with scans that look as if they did not belong together, whose orientation is
            not known, or whose slice thickness is impossible.

    Raises:
        InputError: as `read_view`; or the scans cannot belong together.
    """
    if len(paths) > 1:
        for problem in (*_unlike_names(paths), *_without_orientation(paths)):
            if not insist:
                raise InputError(f"{problem}, or --insist.")
            log.warning("%s; going on all the same.", problem)
    views = [read_view(path, insist=insist) for path in paths]
    _check_twice(views)
    _note_parallel(views)
    return leave_unmeasured_out(views)


def view_fields(view: View) -> dict[str, Any]:
    """What the sidecar of a view says, in the terms `read_view` reads."""
    return {
        "SliceThickness": view.profile.thickness,
        "SpacingBetweenSlices": round(float(view.volume.grid.voxel_sizes[view.axis]), 6),
        "SliceEncodingDirection": ARRAY_AXES[view.axis],
        "SliceProfile": view.profile.shape,
    }


def view_metadata(views: Sequence[View]) -> dict[str, Any]:
    """What the sidecar of a reconstruction says of its views: what they share, their profiles."""
    profiles = [f"{view.profile.shape}, {view.profile.thickness:g} mm" for view in views]
    shared = shared_metadata([metadata_of(Path(view.name)) for view in views])
    return shared | {"ViewProfiles": profiles}


def _unlike_names(paths: Sequence[Path]) -> Iterator[str]:
    """What the BIDS names of scans say of unlike people, days or contrasts; sentences."""
    for one, other in itertools.combinations(paths, 2):
        labels = [_labels(path) for path in (one, other)]
        for key, what in (("sub", "subjects"), ("ses", "sessions")):
            values = [each.get(key) for each in labels]
            stated = all(values) or (key == "ses" and all("sub" in each for each in labels))
            if stated and values[0] != values[1]:
                yield (
                    f"{one} and {other}: are of different {what} by their names; give scans of one "
                    "subject and session"
                )
        suffixes = suffix_of(one), suffix_of(other)
        if suffixes[0] != suffixes[1] and CONTRASTS.issuperset(suffixes):
            yield (
                f"{one} and {other}: are of different contrasts by their names "
                f"({', '.join(suffixes)}); give scans of one contrast"
            )


def _labels(path: Path) -> dict[str, str]:
    """The entities of a file name, and subject and session of its folders where it names none."""
    folders = {}
    for part in Path(path).absolute().parts[:-1]:
        found = re.fullmatch(r"(sub|ses)-([A-Za-z0-9+]+)", part)
        if found:
            folders[found[1]] = found[2]
    return folders | entities(path)


def _without_orientation(paths: Sequence[Path]) -> Iterator[str]:
    """Of several scans those that do not say where they are; sentences."""
    for path in paths:
        if not has_orientation(path):
            yield (
                f"{path}: its header gives no orientation (qform and sform code 0), so that nobody "
                "knows how it lies to the other scans; convert it anew from DICOM"
            )


def _check_twice(views: Sequence[View]) -> None:
    for one, other in itertools.combinations(views, 2):
        if _same_image(one.volume, other.volume):
            raise InputError(
                f"{one.name} and {other.name}: are the same scan; give two scans with slices along "
                "unlike axes."
            )


def _same_image(one: Volume, other: Volume) -> bool:
    """Whether two images have the same voxels in the same places, in whatever order."""
    if one.array.size != other.array.size:
        return False
    ordered = []
    for volume in (one, other):
        ornt = nib.orientations.io_orientation(volume.grid.affine)
        array = nib.orientations.apply_orientation(volume.array, ornt)
        corners = volume.grid.corners
        ordered.append((array, corners.min(axis=0), corners.max(axis=0)))
    (array, low, high), (array2, low2, high2) = ordered
    return (
        array.shape == array2.shape
        and np.allclose(low, low2, atol=1e-2)
        and np.allclose(high, high2, atol=1e-2)
        and np.array_equal(array, array2, equal_nan=True)
    )


def _note_parallel(views: Sequence[View]) -> None:
    """Say that scans which are thick along one axis have nothing to tell each other."""
    if len(views) < 2:
        return
    normals = [view.normal for view in views]
    if all(abs(one @ other) > PARALLEL for one, other in itertools.combinations(normals, 2)):
        log.warning(
            "%s: all have their slices along the same axis, so that none shows detail along it; "
            "add a scan with slices along another axis.",
            " and ".join(view.name for view in views),
        )
