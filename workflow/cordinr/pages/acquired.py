"""What the page of acquired scans shows, for which there is no reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..acquisition.overlap import count_directions
from ..acquisition.view import View
from ..bids.sidecars import uncertainty_map
from ..errors import InputError
from ..figures.coverage import coverage_figure
from ..files import read_json
from ..imaging.volume import Volume, load_volume
from ..methods import method_name
from .html import (
    MAX_PAGE_BYTES,
    FileOrigin,
    encode_png,
    load_viewer_scripts,
    make_data_uri,
    read_niivue_version,
    write_page,
)
from .scene import build_scene
from .stack_table import list_stacks, short_names
from .subject import Picture
from .volumes import ViewerLayer

CHECK_FIELDS = ("image", "method", "verdict", "sentence", "reasons", "trust", "stacks")
"""Fields that a file of `cordinr check` has to have."""

VERDICT_CLASSES = {"trusted": "good", "doubtful": "unsure", "do not use": "bad"}
"""Classes of the style sheet by the verdict."""


NO_SOURCE = {"Name": "Acquired scans", "Version": "", "Commit": "", "License": ""}
"""Identity of the dataset where none is known."""


@dataclass(frozen=True, eq=False)
class CheckedImage:
    """A reconstruction and what is known of it.

    Attributes:
        name: of the method, for people.
        volume: the image.
        check: what `cordinr check` wrote of it.
        picture: its figure of residuals as data URI; empty for none.
        spread: uncertainty map of an ensemble; None for none.
    """

    name: str
    volume: Volume
    check: Mapping[str, Any]
    picture: str = ""
    spread: Volume | None = None


def load_checked_images(
    paths: Sequence[Path], checks: Sequence[Path], figures: Sequence[Path]
) -> list[CheckedImage]:
    """Load reconstructions with their checks, figures and uncertainty maps.

    Args:
        paths: of the images.
        checks: JSON of `cordinr check` for each.
        figures: PNG of `cordinr check` for each; empty for none.

    Raises:
        InputError: a file is missing or damaged.
    """
    images = []
    for k, (path, check) in enumerate(zip(paths, checks, strict=True)):
        row, spread = read_check(check), uncertainty_map(path)
        images.append(
            CheckedImage(
                method_name(row["method"], row.get("fourier_dim")) or path.name,
                load_volume(path),
                row,
                make_data_uri(figures[k]) if figures else "",
                load_volume(spread) if spread else None,
            )
        )
    return images


def read_check(path: Path) -> dict[str, Any]:
    """Read a file that `cordinr check` wrote.

    Raises:
        InputError: the file is missing, damaged or something else.
    """
    row = read_json(path)
    missing = [name for name in CHECK_FIELDS if name not in row]
    if missing:
        raise InputError(f"{path}: has no {missing[0]}; let `cordinr check` write it.")
    return row


def write_acquired_page(
    page: Path,
    name: str,
    images: Sequence[CheckedImage],
    views: Sequence[View],
    sidecars: Sequence[Mapping[str, Any]],
    *,
    files: Sequence[FileOrigin] = (),
    niivue: Path | None = None,
    index: str = "",
    source: Mapping[str, str] | None = None,
    directions: np.ndarray | None = None,
) -> None:
    """Write the page of the scans of one patient and session.

    Args:
        page: HTML file to write.
        name: of the scans together.
        images: reconstructions on one grid, the most important one first.
        views: the scans where they really are, in the order of the check.
        sidecars: of the views, with what `align` found.
        files: where the images came from.
        niivue: UMD build of the viewer; None for pictures alone.
        index: link to the page of all; empty for none.
        source: identity of the dataset, as `read_dataset_identity` gives it.
        directions: how many slice directions see each voxel of the first image, if that is known.

    Raises:
        InputError: the page cannot be written.
    """
    scripts = load_viewer_scripts(niivue)
    if directions is None:
        directions = count_directions(views, images[0].volume.grid)
    pictures = _list_pictures(name, images, directions)
    used = sum(map(len, scripts)) + sum(len(picture.data) for picture in pictures)
    scene, volumes = None, dict[str, str]()
    if scripts:
        most = max(0, MAX_PAGE_BYTES * 97 // 100 - used)
        scene, volumes = _build_scene(name, images, views, most)
    write_page(
        page,
        "acquired.html.j2",
        scripts,
        name=name,
        index=index,
        images=images,
        stacks=list_stacks(views, sidecars, images[0].check),
        pictures=pictures,
        files=files,
        scene=scene,
        volumes=volumes,
        classes=VERDICT_CLASSES,
        niivue=read_niivue_version(niivue),
        source=source or NO_SOURCE,
        version=__version__,
    )


def _list_pictures(
    name: str, images: Sequence[CheckedImage], directions: np.ndarray
) -> list[Picture]:
    """The pictures of the page: what the images explain, and where the scans see."""
    pictures = [
        Picture(
            image.picture,
            f"What the image explains: {image.name}",
            "middle slice of each scan as it was measured and as the reconstruction predicts it, "
            "their difference, and the residual of every slice",
        )
        for image in images
        if image.picture
    ]
    figure = coverage_figure(images[0].volume, directions, name)
    text = "planes of the reconstruction, tinted by how many slice directions saw each place"
    return [*pictures, Picture(encode_png(figure), "Who saw what", text)]


def _build_scene(
    name: str, images: Sequence[CheckedImage], views: Sequence[View], most: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """Encode the volumes of the viewer, and say how it shows them."""
    first = images[0].volume
    layers = []
    for k, image in enumerate(images):
        error = image.check.get("expected_error")
        caption = (
            f"{image.check.get('verdict', '')}, expected error {100 * error:.0f} %" if error else ""
        )
        alike = image.volume.grid.matches(first.grid)
        kind = ("image" if alike else "view") if k else "reference"
        layers.append(
            ViewerLayer(f"image{k}" if k else kind, image.name, caption, kind, image.volume)
        )
        if image.spread is not None:
            layers.append(ViewerLayer(f"spread{k}", "Uncertainty", "", "spread", image.spread))
    names = short_names([Path(view.name).name for view in views])
    for k, view in enumerate(views):
        caption = f"{view.profile.thickness:g} mm slices"
        layers.append(ViewerLayer(f"view{k}", names[k], caption, "view", view.volume))
    return build_scene(name, layers, first.grid.centre, error=1, max_characters=most)
