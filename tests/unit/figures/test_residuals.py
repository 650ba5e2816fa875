"""The figure of residuals: which way up slices are, and what is drawn."""

import nibabel as nib
import numpy as np
import pytest

from cordinr.acquisition.overlap import common_grid
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.view import View
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.figures.residuals import COLOURS, orient_slice, residual_figure
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from cordinr.trust.assess import assess
from tests.helpers.scans import body, scan

EDGES = {"R": "SIAP", "A": "SIRL", "S": "APRL"}
"""Of slices across each axis: what is at the top, bottom, left and right of their picture."""


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PSR", "AIL", "SLP", "IRA"])
@pytest.mark.parametrize("across", "RAS")
def test_slices_are_seen_as_on_the_other_figures(codes, across):
    """Each voxel holds where it lies; the edges of the picture have to lie where they should."""
    start = nib.orientations.axcodes2ornt("RAS")
    ornt = nib.orientations.ornt_transform(start, nib.orientations.axcodes2ornt(codes))
    shape = (5, 6, 7)
    affine = nib.orientations.inv_ornt_aff(ornt, shape)
    turned = tuple(int(n) for n in np.array(shape)[np.argsort(ornt[:, 0])])
    grid = Grid(turned, affine)
    axis = grid.axis_along(across)
    view = View(Volume(np.zeros(turned, np.float32), grid), axis, SliceProfile("box", 1.0))
    world = grid.centres().reshape(*turned, 3)
    middle = np.moveaxis(world, axis, 0)[0]
    picture = np.stack([orient_slice(view, middle[..., k]) for k in range(3)], axis=-1)
    top, bottom, left, right = EDGES[across]
    for low, high, (there, here) in (
        (bottom, top, (picture[-1, 0], picture[0, 0])),
        (left, right, (picture[0, 0], picture[0, -1])),
    ):
        positive = high in "RAS"
        world_axis = "RAS".index(high if positive else low)
        change = here[world_axis] - there[world_axis]
        assert (change > 0) == positive and change != 0


def test_each_stack_gets_a_row_with_its_slices():
    image = body()
    views = [
        scan(image, "R", thickness=3, spacing=3.3, in_plane=1.2, noise=0.02, name="sag"),
        scan(image, "S", thickness=4, spacing=4, in_plane=1.2, noise=0.02, name="ax"),
    ]
    views[1].volume.array[:, :, 6] *= 0.5
    grid = common_grid(views, 1.2)
    recon = Volume(reconstruct_baseline(views, grid, "tikhonov", 0.003), grid)
    assessment = assess(views, recon)
    figure = residual_figure(views, assessment, "an image")
    axes = {each.get_label(): each for each in figure.axes}
    assert list(axes) == [
        f"{name}: {column}"
        for name in ("sag", "ax")
        for column in ("measured", "predicted", "difference", "slices")
    ]
    bars = axes["ax: slices"].patches[: len(assessment.stacks[1].words)]
    heights = [bar.get_height() for bar in bars]
    difference = 100 * np.nan_to_num(assessment.stacks[1].residual.numbers.difference)
    np.testing.assert_allclose(heights, difference)
    black = [k for k, bar in enumerate(bars) if max(bar.get_facecolor()[:3]) < 0.1]
    assert black == [6] and COLOURS["dark"] == "#111111"
    assert "doubtful: 1 of 13 slices of ax" in " ".join(text.get_text() for text in figure.texts)
