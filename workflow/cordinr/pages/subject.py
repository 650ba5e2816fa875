"""What the page of a subject shows of an image: its volumes, figures, scores and files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..bids.cord_mask import load_cord, why_no_cord
from ..bids.names import sidecar_path
from ..bids.reference import RESAMPLED_KEY
from ..bids.sidecars import uncertainty_map
from ..bids.view_files import read_view
from ..datasets.index import IndexRow
from ..datasets.layout import ResultPaths
from ..figures.captions import IMAGE_CAPTIONS
from ..figures.plane_page import choose_error_limit
from ..files import read_json
from ..imaging.body import intensity_range
from ..imaging.planes import cord_focus
from ..imaging.volume import Volume, load_volume
from .html import MAX_PAGE_BYTES, FileOrigin, make_data_uri, read_origin, relative_link
from .loss_chart import Chart, Curve, draw_losses
from .ranking import MethodScores, best_scores, score_rows
from .scene import build_scene
from .volumes import ViewerLayer

NO_MASK = "The index has no mask of it: dataset.mask is empty, or fits no file of the dataset."
"""Reason for the missing metrics of the cord where the index names no mask."""


@dataclass(frozen=True)
class PageSources:
    """Where the page of a subject takes its content from.

    Attributes:
        paths: of the results.
        views: `res` labels of the views.
        figures: names of the figures of each image.
        page: the HTML file, from which links start.
    """

    paths: ResultPaths
    views: Sequence[str]
    figures: Sequence[str]
    page: Path


@dataclass(frozen=True)
class Picture:
    """A figure in a page.

    Attributes:
        data: data URI.
        title: a few words.
        text: what it shows, for people who do not see it.
    """

    data: str
    title: str
    text: str


@dataclass(frozen=True)
class ImageSection:
    """An image on its page.

    Attributes:
        name: of the raw image, up to its suffix.
        notes: sentences on the reference and the cord mask.
        pictures: its figures.
        losses: chart of the loss of its fits, if it is known.
        rows: its scores.
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


def read_dataset_identity(path: Path) -> dict[str, str]:
    """Read what `cordinr index --describe` wrote of the raw dataset; empty where it has nothing.

    Raises:
        InputError: the file is missing or damaged.
    """
    description = read_json(path)
    keys = ("Name", "Version", "Commit", "License")
    return {key: str(description.get(key) or "") for key in keys}


def build_section(
    row: IndexRow, table: pd.DataFrame, sources: PageSources, max_characters: int | None
) -> ImageSection:
    """Gather what the page shows of an image.

    Args:
        row: of the index.
        table: tidy metrics of all images.
        sources: where everything else is.
        max_characters: of the volumes; None leaves them out.

    Raises:
        InputError: a file is missing or damaged.
    """
    paths, page = sources.paths, sources.page
    rows = score_rows(table, row.image)
    images = [paths.view(row, name) for name in sources.views]
    images += [paths.recon(row, scores.label) for scores in rows if not scores.res]
    scene, volumes = None, dict[str, str]()
    if max_characters is not None:
        scene, volumes = _build_scene(row, table, sources, max_characters)
    return ImageSection(
        name=row.image,
        notes=list_notes(row, paths),
        pictures=[_load_picture(row, paths, name) for name in sources.figures],
        losses=draw_losses(_load_curves(row, rows, sources)),
        rows=rows,
        files=[read_origin(path, page) for path in images],
        scene=scene,
        volumes=volumes,
    )


def choose_volume_size(
    rows: Sequence[IndexRow], sources: PageSources, scripts: Sequence[str]
) -> int:
    """Choose how many characters the volumes of an image may take, alike for all on the page.

    Args:
        rows: the images of the page.
        sources: where their pictures are.
        scripts: of the page.
    """
    pictures = [sources.paths.figure(row, name) for row in rows for name in sources.figures]
    used = sum(map(len, scripts))
    used += sum(path.stat().st_size * 4 // 3 for path in pictures if path.exists())
    # The rest is for the text of the page.
    return max(0, MAX_PAGE_BYTES * 97 // 100 - used) // len(rows)


def list_notes(row: IndexRow, paths: ResultPaths) -> list[str]:
    """List what a reader should know: a resampled reference, and why there are no cord metrics."""
    notes = []
    sidecar = sidecar_path(paths.reference(row))
    resampled = read_json(sidecar).get(RESAMPLED_KEY) if sidecar.exists() else None
    if resampled:
        notes.append(f"The reference was resampled {resampled}, as its voxels are not cubes.")
    reason = why_no_cord(paths.reference(row, "cord")) if row.mask else NO_MASK
    if reason:
        notes.append(f"There are no metrics of the spinal cord. {reason}")
    return notes


def _load_picture(row: IndexRow, paths: ResultPaths, name: str) -> Picture:
    caption = IMAGE_CAPTIONS[name]
    return Picture(make_data_uri(paths.figure(row, name)), caption.title, caption.text)


def _load_curves(row: IndexRow, rows: Sequence[MethodScores], sources: PageSources) -> list[Curve]:
    """Load the loss curves of the INRs of an image, in the order of its table."""
    curves = []
    for scores in rows:
        if scores.res or "fourier_dim" not in scores.metrics:
            continue
        record = sources.paths.record(row, scores.label)
        losses = read_json(record).get("losses", {})
        href = relative_link(record, sources.page)
        curves.append(Curve(scores.name, href, losses.get("steps", []), losses.get("loss", [])))
    return curves


def _build_scene(
    row: IndexRow, table: pd.DataFrame, sources: PageSources, max_characters: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """Encode the volumes of the viewer, and say how it shows them."""
    paths = sources.paths
    reference = load_volume(paths.reference(row))
    cord = load_cord(paths.reference(row, "cord") if row.mask else None, reference.grid)
    focus = cord_focus(reference.grid, cord)
    layers = _load_layers(row, table, sources, reference)
    return build_scene(
        row.image,
        layers,
        focus,
        error=_choose_error_scale(layers, reference),
        max_characters=max_characters,
    )


def _choose_error_scale(layers: Sequence[ViewerLayer], reference: Volume) -> float:
    """Choose the end of the error scale in percent of R, one for all reconstructions."""
    peak = intensity_range(reference.array)
    errors = [
        (100 / peak * (layer.volume.array - reference.array)).ravel()
        for layer in layers
        if layer.kind == "recon"
    ]
    return choose_error_limit(np.concatenate(errors)) if errors else 1


def _load_layers(
    row: IndexRow, table: pd.DataFrame, sources: PageSources, reference: Volume
) -> list[ViewerLayer]:
    """Load views, best baseline, best INR and its uncertainty map, if any, after the reference."""
    sizes = " × ".join(f"{mm:.3g}" for mm in reference.grid.voxel_sizes)
    layers = [ViewerLayer("reference", "Reference", f"{sizes} mm", "reference", reference)]
    for name in sources.views:
        view = read_view(sources.paths.view(row, name))
        caption = f"{view.profile.thickness:g} mm slices"
        layers.append(
            ViewerLayer(f"view{len(layers)}", f"{name} view", caption, "view", view.volume)
        )
    for best in filter(None, best_scores(table, row.image)):
        metrics = best.metrics
        caption = f"{metrics['psnr_fov']:.1f} dB, SSIM {metrics.get('ssim_fov', np.nan):.3f}"
        path = sources.paths.recon(row, best.label)
        layers.append(ViewerLayer(best.label, best.name, caption, "recon", load_volume(path)))
        std_path = uncertainty_map(path)
        if std_path:
            std = load_volume(std_path)
            key = f"{best.label}error"
            layers.append(ViewerLayer(key, "Uncertainty", "", "spread", std))
    return layers
