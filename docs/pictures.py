"""Makes docs/phantom.png, docs/residuals.png and, of a run, docs/before-after.png.

From the project's folder: `python -m docs.pictures`, or
`python -m docs.pictures RESULTS sub-X/anat/sub-X inrF512`.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from cordinr.acquisition.overlap import common_grid
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.figures.plane_page import (
    GREY,
    GREY_WINDOW,
    Page,
    draw_cut,
    draw_directions,
    draw_heading,
    draw_row_name,
    draw_scale_bar,
    save_figure,
)
from cordinr.figures.residuals import residual_figure
from cordinr.imaging.grid import Grid
from cordinr.imaging.masks import load_mask
from cordinr.imaging.planes import ANTERIOR, RIGHT, SUPERIOR, cord_focus, cuts, plane
from cordinr.imaging.volume import Volume, load_volume
from cordinr.phantom.anatomy import Phantom
from cordinr.phantom.scan import sample
from cordinr.trust.assess import assess
from tests.helpers.scans import scan

EXTENT = np.array([40.0, 70.0, 60.0])
PLANES = {
    "Sagittal": (-ANTERIOR, SUPERIOR, (70, 60)),
    "Axial": (-RIGHT, ANTERIOR, (40, 70)),
    "Coronal": (-RIGHT, SUPERIOR, (40, 60)),
}


def before_after(results: Path, image: str, label: str) -> None:
    """The view that is thick in a plane, the INR of both views, the raw image, around the cord."""
    derived, known = results / "cordinr" / image, results / "reference" / image
    reference = load_volume(f"{known}_reference.nii.gz")
    cord = Path(f"{known}_cord.nii.gz")
    mask = load_mask(cord, reference.grid) if cord.exists() else None
    planes = cuts(reference.grid, cord_focus(reference.grid, mask), zoom_mm=40)
    recon = load_volume(f"{derived}_desc-{label}_T2w.nii.gz")
    window = np.percentile(reference.array, GREY_WINDOW)
    rows = {"axial": planes[1], "sagittal": planes[3]}
    page = Page.create([*rows.values()], 3, "", 2.4)
    for row, (name, cut) in enumerate(rows.items()):
        view = load_volume(f"{derived}_res-{name}_desc-simulated_T2w.nii.gz")
        columns = {
            "Thick-slice view": (view, 0),
            "INR of both views": (recon, 1),
            "Raw image": (reference, 1),
        }
        for k, (title, (volume, order)) in enumerate(columns.items()):
            axes = page.axes(row, k, title)
            draw_cut(
                axes, cut.sample(volume, order), cut, cmap=GREY, vmin=window[0], vmax=window[1]
            )
            draw_scale_bar(axes, cut)
            if row == 0:
                draw_heading(axes, "", title)
            if k == 0:
                draw_directions(axes, cut)
                draw_row_name(axes, f"{cut.name.split(',')[0]} plane, {name} view")
    save_figure(Path(__file__).with_name("before-after.png"), page.figure)


def phantoms() -> None:
    """Two subjects, three planes each, at 0.5 mm without noise."""
    affine = np.diag([0.5, 0.5, 0.5, 1])
    affine[:3, 3] = -EXTENT / 2 + 0.25
    grid = Grid(tuple((EXTENT * 2).astype(int)), affine)
    figure = Figure(figsize=(9, 7), facecolor="k")
    for row, subject in enumerate((1, 2)):
        array = sample(Phantom.draw(subject, 0), grid, 2)
        volume = Volume(array, grid)
        for column, (name, (u, v, extent)) in enumerate(PLANES.items()):
            axes = figure.add_subplot(2, 3, 3 * row + column + 1)
            picture = plane(volume, np.zeros(3), u, v, extent, 0.25, order=1)
            axes.imshow(picture, cmap="gray", vmin=0, vmax=950)
            axes.set_axis_off()
            if row == 0:
                axes.set_title(name, color="w")
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.95, 0.03, 0.03)
    save_figure(Path(__file__).with_name("phantom.png"), figure)


def residuals() -> None:
    """What a reconstruction explains of two scans of a phantom, of which two slices are bad."""
    affine = np.diag([0.8, 0.8, 0.8, 1])
    affine[:3, 3] = -EXTENT / 2
    grid = Grid(tuple((EXTENT / 0.8).astype(int)), affine)
    image = Volume(sample(Phantom.draw(1, 0), grid, 2), grid)
    options = {"in_plane": 0.8, "noise": 0.02}
    sagittal = scan(image, "R", thickness=3, spacing=3.3, name="sagittal", **options)
    axial = scan(image, "S", thickness=4, spacing=4.4, tilt=6, seed=1, name="axial", **options)
    axial.volume.array[:, :, 3] *= 0.6
    axial.volume.array[:, :, 8] = np.roll(axial.volume.array[:, :, 8], 5, axis=1)
    views = [sagittal, axial]
    common = common_grid(views, 0.8)
    recon = Volume(reconstruct_baseline(views, common, "tv", 0.002), common)
    figure = residual_figure(views, assess(views, recon), "Total variation")
    save_figure(Path(__file__).with_name("residuals.png"), figure)


if __name__ == "__main__":
    if sys.argv[1:]:
        before_after(Path(sys.argv[1]), *sys.argv[2:])
    else:
        phantoms()
        residuals()
