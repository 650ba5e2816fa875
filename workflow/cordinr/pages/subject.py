"""What the pages show of an image: its volumes, figures and files, found below `results`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..bids.cord_mask import load_cord, why_no_cord
from ..bids.names import sidecar_path, uncertainty_path
from ..bids.reference import RESAMPLED
from ..bids.view_files import read_view
from ..datasets.index import IndexRow
from ..evaluation.metrics import intensity_range
from ..figures.plane_page import GREY_WINDOW, error_limit
from ..files import read_json
from ..imaging.grid import Grid
from ..imaging.planes import cord_focus
from ..imaging.volume import Volume, load_volume
from .html import FileOrigin, picture, read_origin, relative
from .loss_chart import Chart, Curve, loss_chart
from .ranking import MethodScores, best_labels, score_rows
from .volumes import ViewerLayer, embed

FIGURES = {
    "comparison": ("Comparison", "reference, views, baselines, the best INR and their errors"),
    "resolution": ("Resolution", "the best INR on the grid of the raw image and at finer voxels"),
}
"""Titles of the pictures, and what they show for people who do not see them."""

NO_MASK = "The index has no mask of it: dataset.mask is empty, or fits no file of the dataset."


@dataclass(frozen=True)
class ResultPaths:
    """Where a run keeps what the pages show.

    Attributes:
        results: folder of everything.
        suffix: of the images.
        views: `res` labels of the views.
        figures: names of the figures of each image.
    """

    results: Path
    suffix: str
    views: Sequence[str]
    figures: Sequence[str]

    def view(self, row: IndexRow, name: str) -> Path:
        """A view of an image."""
        return self._derived(row, f"res-{name}_desc-simulated")

    def recon(self, row: IndexRow, label: str) -> Path:
        """A reconstruction of an image on its own grid."""
        return self._derived(row, f"desc-{label}")

    def reference(self, row: IndexRow, kind: str = "reference") -> Path:
        """The checked copy of an image, or of its cord mask."""
        return self.results / "reference" / row.folder / f"{row.image}_{kind}.nii.gz"

    def figure(self, row: IndexRow, name: str) -> Path:
        """A figure of an image."""
        return self.results / "figures" / row.folder / f"{row.image}_{name}.png"

    def record(self, row: IndexRow, label: str) -> Path:
        """What the fit of a reconstruction cost."""
        return self.results / "records" / row.folder / f"{row.image}_desc-{label}_fit.json"

    def _derived(self, row: IndexRow, entities: str) -> Path:
        name = f"{row.image}_{entities}_{self.suffix}.nii.gz"
        return self.results / "cordinr" / row.folder / name


def source_named(path: Path) -> dict[str, str]:
    """What `cordinr index --describe` said of the raw dataset; empty where it did not.

    Raises:
        InputError: the file is missing or damaged.
    """
    about = read_json(path)
    return {key: str(about.get(key) or "") for key in ("Name", "Version", "Commit", "License")}


@dataclass(frozen=True)
class Picture:
    """A figure in a page: data URI, title, and what it shows in words."""

    data: str
    title: str
    text: str


@dataclass(frozen=True)
class ImageSection:
    """An image on its page.

    Attributes:
        name: of the raw image, up to its suffix.
        notes: sentences on the reference and the cord mask.
        pictures: its pictures.
        losses: how the loss of its fits fell, if known.
        rows: its figures.
        files: of the views and of the reconstructions on its grid.
        scene: what the viewer has to know, JSON-able; None without a viewer.
        volumes: key to base64.
    """

    name: str
    notes: list[str]
    pictures: list[Picture]
    losses: Chart | None
    rows: list[MethodScores]
    files: list[FileOrigin]
    scene: dict[str, Any] | None
    volumes: dict[str, str]


def build_section(
    row: IndexRow, table: pd.DataFrame, places: ResultPaths, page: Path, most: int | None
) -> ImageSection:
    """Gather what the page shows of an image.

    Args:
        row: of the index.
        table: tidy metrics of all images.
        places: where files are.
        page: from which links start.
        most: characters for the volumes; None leaves them out.

    Raises:
        InputError: a file is missing or damaged.
    """
    rows = score_rows(table, row.image)
    views = [places.view(row, name) for name in places.views]
    recons = [places.recon(row, each.label) for each in rows if not each.res]
    files = [read_origin(path, page) for path in [*views, *recons]]
    scene, volumes = (None, {}) if most is None else _scene(row, table, places, most)
    pictures = [
        Picture(picture(places.figure(row, name)), *FIGURES[name]) for name in places.figures
    ]
    losses = loss_chart(_curves(row, rows, places, page))
    return ImageSection(
        row.image, _notes(row, places), pictures, losses, rows, files, scene, volumes
    )


def _notes(row: IndexRow, places: ResultPaths) -> list[str]:
    """What a reader should know of the reference, and why there are no figures of the cord."""
    notes = []
    sidecar = sidecar_path(places.reference(row))
    resampled = read_json(sidecar).get(RESAMPLED) if sidecar.exists() else None
    if resampled:
        notes.append(f"The reference was resampled {resampled}, as its voxels are not cubes.")
    why = why_no_cord(places.reference(row, "cord")) if row.mask else NO_MASK
    if why:
        notes.append(f"There are no figures of the spinal cord. {why}")
    return notes


def _curves(
    row: IndexRow, rows: Sequence[MethodScores], places: ResultPaths, page: Path
) -> list[Curve]:
    """The loss curves of the INRs of an image, in the order of its table."""
    inrs = [each for each in rows if "fourier_dim" in each.figures and not each.res]
    curves = []
    for inr in inrs:
        record = places.record(row, inr.label)
        known = read_json(record).get("losses", {})
        steps, losses = known.get("steps", []), known.get("loss", [])
        curves.append(Curve(inr.name, relative(record, page), steps, losses))
    return curves


def _scene(
    row: IndexRow, table: pd.DataFrame, places: ResultPaths, most: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """The volumes of the viewer, and how it shows them."""
    reference = load_volume(places.reference(row))
    cord = load_cord(places.reference(row, "cord") if row.mask else None, reference.grid)
    focus = cord_focus(reference.grid, cord)
    layers = _layers(row, table, places, reference)
    peak = intensity_range(reference.array)
    errors = [
        100 / peak * (layer.volume.array - reference.array)
        for layer in layers
        if layer.kind == "recon"
    ]
    volumes, grid = embed(layers, focus, most)
    spreads = [layer.volume.array for layer in layers if layer.kind == "spread"]
    scene = {
        "image": row.image,
        "focus": [round(float(mm), 3) for mm in focus],
        "window": [float(grey) for grey in np.percentile(reference.array, GREY_WINDOW)],
        "peak": peak,
        "error": error_limit(np.concatenate([error.ravel() for error in errors])) if errors else 1,
        "spread": max((100 / peak * float(np.percentile(s, 99.5)) for s in spreads), default=0.0)
        or 1.0,
        "tilt": tilt(grid),
        "shape": list(grid.shape),
        "whole": list(reference.grid.shape),
        "voxel": [round(float(mm), 3) for mm in grid.voxel_sizes],
        "layers": [
            {"key": each.key, "name": each.name, "caption": each.caption, "kind": each.kind}
            for each in layers
        ],
    }
    return scene, volumes


def tilt(grid: Grid) -> float:
    """The largest angle in degrees between an axis of a grid and the world axis next to it."""
    nearest = np.abs(grid.directions).max(axis=0)
    return float(np.degrees(np.arccos(np.clip(nearest, 0, 1))).max())


def _layers(
    row: IndexRow, table: pd.DataFrame, places: ResultPaths, reference: Volume
) -> list[ViewerLayer]:
    """Reference, views, best baseline, best INR, and where the INR's members disagree."""
    sizes = " × ".join(f"{mm:.3g}" for mm in reference.grid.voxel_sizes)
    layers = [ViewerLayer("reference", "Reference", f"{sizes} mm", "reference", reference)]
    for name in places.views:
        view = read_view(places.view(row, name))
        caption = f"{view.profile.thickness:g} mm slices"
        layers.append(
            ViewerLayer(f"view{len(layers)}", f"{name} view", caption, "view", view.volume)
        )
    for best in filter(None, best_labels(table, row.image)):
        figures = best.figures
        caption = f"{figures['psnr_fov']:.1f} dB, SSIM {figures.get('ssim_fov', np.nan):.3f}"
        path = places.recon(row, best.label)
        layers.append(ViewerLayer(best.label, best.name, caption, "recon", load_volume(path)))
        spread = uncertainty_path(path)
        if best.label.startswith("inr") and spread.exists():
            layers.append(ViewerLayer("spread", "Uncertainty", "", "spread", load_volume(spread)))
    return layers
