"""What `reconstruct` writes beside an image: what covers what, transforms, numbers, a verdict."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..acquisition.domain import FitDomain
from ..acquisition.overlap import count_directions
from ..bids.names import companion_path, sidecar_path
from ..bids.sidecars import image_sidecar
from ..files import check_writable, write_json
from ..imaging.volume import load_volume, save_volume
from .placing import PlacedScans
from .reconstruction_page import page_path, save_page

if TYPE_CHECKING:
    from ..trust.assess import Assessment

COVERAGE = "Number of slice directions that see each voxel."
"""Description of the map of what covers what."""


def companions(image: Path, scans: Sequence[Path]) -> dict[str, Path]:
    """Return the paths of the files that are written beside an image, by what they are.

    Args:
        image: path of the image.
        scans: that it was made from.
    """
    stem = sidecar_path(image).name.removesuffix(".json")
    paths = {
        "coverage": companion_path(image, "coverage"),
        "check": image.with_name(f"{stem}_check.json"),
        "slices": image.with_name(f"{stem}_slices.tsv"),
        "figure": image.with_name(f"{stem}_check.png"),
        "page": page_path(image),
    }
    names = [scan.name.split(".")[0] for scan in scans]
    for number, name in enumerate(names):
        # Scans of one name lie in folders of their own; their numbers tell them apart.
        which = f"{name}-{number + 1}" if names.count(name) > 1 else name
        paths[f"transform {number}"] = image.with_name(f"{stem}_{which}_xfm.txt")
    return paths


def check_companions(image: Path, scans: Sequence[Path]) -> None:
    """Refuse companions that cannot be written.

    Raises:
        InputError: one of them cannot.
    """
    check_writable(*companions(image, scans).values(), inputs=scans)


def save_companions(image: Path, scans: PlacedScans, domain: FitDomain, hold_out: int) -> None:
    """Write the companions of an image, and print the verdict.

    Args:
        image: that was written.
        scans: it was made from.
        domain: that it covers.
        hold_out: every so many slices one is left out and predicted; 0 for none.
    """
    from ..alignment.itk import save_transform
    from ..evaluation.identity import read_identity
    from ..trust.assess import assess
    from ..trust.hold_out import hold_out as leave_out
    from ..trust.slice_table import write_slices

    paths = companions(image, scans.paths)
    volume = load_volume(image)
    count = count_directions(scans.views, volume.grid)
    save_volume(paths["coverage"], count, volume.grid)
    sidecar = image_sidecar(paths["coverage"], scans.paths, COVERAGE)
    write_json(sidecar_path(paths["coverage"]), sidecar)
    if scans.alignment:
        for number, pose in enumerate(scans.alignment.poses):
            save_transform(paths[f"transform {number}"], pose)
    found = assess(
        scans.views,
        volume,
        covered=domain.contains,
        alignment=scans.alignment,
        held_out=leave_out(scans.views, hold_out) if hold_out else [],
        first_slices=scans.first_slices,
        directions=count,
    )
    write_json(paths["check"], read_identity(image) | found.fields())
    write_slices(paths["slices"], [(image.name, found)])
    save_page(image, paths["figure"], scans, found, count)
    print_verdict(image, found)


def print_verdict(image: Path, found: "Assessment") -> None:
    """Print what is known of each scan, then the verdict."""
    for line in found.describe():
        print(line)
    print(f"{image}: {found.sentence}")
