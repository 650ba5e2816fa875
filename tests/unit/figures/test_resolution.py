"""The figure of an INR at finer voxels: voxels where they are, one window, errors of the truth."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cordinr.errors import InputError
from cordinr.figures.panels import load_renderings
from cordinr.figures.plane_page import size_text
from cordinr.figures.resolution import Rendering, resolution_figure
from cordinr.files import write_json
from cordinr.imaging.body import intensity_range
from cordinr.imaging.grid import Grid
from cordinr.imaging.planes import cuts
from cordinr.imaging.volume import Volume, save_volume
from tests.helpers.support import blobs


def axes_of(figure, label: str):
    return next(axes for axes in figure.axes if axes.get_label() == label)


def pixels_of(figure, label: str) -> np.ndarray:
    return axes_of(figure, label).images[0].get_array().filled(np.nan)


@pytest.fixture(scope="module", params=[0, 25], ids=["straight", "oblique"])
def finer(request):
    """A reference of 1 mm, renderings at 1 and 1/3 mm, and a truth that is 0.1 R darker.

    Odd shapes: the middle of either grid is the middle of a voxel.
    """
    affine = np.eye(4)
    turn = Rotation.from_euler("xyz", [request.param, 10 if request.param else 0, 0], degrees=True)
    affine[:3, :3] = turn.as_matrix()[:, [1, 2, 0]] * (-1, 1, -1)
    grid = Grid((31, 27, 29), affine)
    array = np.random.default_rng(1).uniform(10, 100, grid.shape).astype(np.float32)
    fine = grid.resampled(1 / 3)
    fine_array = np.random.default_rng(2).uniform(10, 100, fine.shape).astype(np.float32)
    shift = np.float32(0.1 * intensity_range(fine_array))
    truth = Volume(fine_array - shift, fine)
    own = Rendering(Volume(array + 1, grid), "30.0 dB")
    return Volume(array, grid), [own, Rendering(Volume(fine_array, fine), "28.0 dB", truth)]


def voxels_at(cut, pixels: np.ndarray, volume: Volume) -> np.ndarray:
    """Of each pixel of a cut, the voxel of a volume that holds its middle."""
    height, width = pixels.shape
    x = ((np.arange(width) + 0.5) / width - 0.5) * cut.extent_mm[0]
    y = (0.5 - (np.arange(height) + 0.5) / height) * cut.extent_mm[1]
    world = cut.origin + x[:, None] * cut.u + y[:, None, None] * cut.v
    inverse = np.linalg.inv(volume.grid.affine)
    index = np.rint(world @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
    inside = ((index >= 0) & (index < volume.grid.shape)).all(axis=-1)
    values = volume.array[tuple(np.clip(index, 0, np.array(volume.grid.shape) - 1).T)].T
    return np.where(inside, values, np.nan)


def test_resolutions_are_drawn_voxel_by_voxel_at_one_place(finer):
    reference, (own, fine) = finer
    figure = resolution_figure(reference, [own, fine], None, "title")
    shown = {
        "Reference": reference,
        "INR, 1 mm": own.volume,
        "INR, 0.333 mm": fine.volume,
        "Truth, 0.333 mm": fine.truth,
    }
    limits, windows = set(), set()
    for cut in cuts(reference.grid, reference.grid.centre, zoom_mm=20):
        for name, volume in shown.items():
            axes = axes_of(figure, f"{name}: {cut.name}")
            pixels = pixels_of(figure, f"{name}: {cut.name}")
            expected = voxels_at(cut, pixels, volume)
            same = np.isclose(pixels, expected, rtol=1e-5) | np.isnan(pixels) & np.isnan(expected)
            assert same.mean() > 0.995  # the middle of a pixel may lie between two voxels
            limits.add((cut.name, axes.get_xlim(), axes.get_ylim()))
            windows.add(axes.images[0].get_clim())
    assert len(limits) == 4
    assert windows == {tuple(np.percentile(reference.array, (0.5, 99.5)))}


def test_the_error_is_of_the_truth(finer):
    reference, renderings = finer
    figure = resolution_figure(reference, renderings, None, "title")
    peak = np.percentile(renderings[1].truth.array, 99.9)
    shift = np.ptp([np.median(each.array) for each in (renderings[1].volume, renderings[1].truth)])
    for row in ("Sagittal", "Sagittal, zoom", "Axial", "Axial, zoom"):
        error = pixels_of(figure, f"Error, 0.333 mm: {row}")
        np.testing.assert_allclose(error[np.isfinite(error)], 100 * shift / peak, rtol=1e-3)
    headings = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert headings[:3] == ["Reference\n1 mm", "INR, 1 mm\n30.0 dB", "INR, 0.333 mm\n28.0 dB"]
    bar = axes_of(figure, "INR, 0.333 mm: Axial, zoom")
    assert np.ptp(bar.lines[0].get_xdata()) == pytest.approx(5)
    assert bar.texts[-1].get_text() == "5 mm"


def test_without_a_truth_there_is_no_error(finer):
    reference, (own, fine) = finer
    figure = resolution_figure(reference, [own, Rendering(fine.volume)], None, "title")
    names = {axes.get_label().split(":")[0] for axes in figure.axes}
    assert names == {"Reference", "INR, 1 mm", "INR, 0.333 mm"}


def test_letters_show_the_sides_of_both_planes(finer):
    figure = resolution_figure(*finer, None, "title")
    for row, letters in (("Sagittal", "APIS"), ("Axial", "RLPA")):
        texts = axes_of(figure, f"Reference: {row}").texts
        places = {text.get_text(): text.xy for text in texts}
        assert places == dict(zip(letters, [(0, 0.5), (1, 0.5), (0.5, 0), (0.5, 1)], strict=True))


def test_voxel_sizes_are_one_number_where_they_are_alike():
    assert size_text(Grid((2, 2, 2), np.diag([0.8, 0.8, 0.8, 1]))) == "0.8 mm"
    assert size_text(Grid((2, 2, 2), np.diag([1, 0.75, 4, 1]))) == "1 × 0.75 × 4 mm"


@pytest.fixture
def files(tmp_path):
    """Two INRs at 2 and 1 mm, with metrics of all but the finer ones of the second."""
    images, metrics = [], []
    scores = {("8", ""): 30.0, ("16", ""): 31.0, ("8", "_res-iso1"): 28.0}
    for res, mm in (("", 2.0), ("_res-iso1", 1.0)):
        for dim in ("8", "16"):
            stem = tmp_path / f"sub-1{res}_desc-inrF{dim}"
            images.append(stem.with_name(f"{stem.name}_T2w.nii.gz"))
            volume = blobs((int(16 / mm),) * 3, np.diag([mm, mm, mm, 1]))
            save_volume(images[-1], volume.array + int(dim), volume.grid)
            if (dim, res) in scores:
                metrics.append(stem.with_name(f"{stem.name}_metrics.json"))
                row = {"subject": "1", "session": "", "image": "sub-1", "method": "inr"}
                row |= {"fourier_dim": int(dim), "desc": f"inrF{dim}", "sigma": 0.025, "seed": 0}
                figures = {"psnr_fov": scores[dim, res], "ssim_fov": 0.9}
                write_json(metrics[-1], row | {"res": res[5:]} | figures)
    return images, metrics


def test_the_best_inr_is_drawn_at_all_sizes(files):
    drawn, name = load_renderings(*files, None)
    assert name == "INR, F = 16"
    assert [each.score for each in drawn] == ["31.0 dB, SSIM 0.900", ""]
    assert [each.volume.grid.voxel_sizes[0] for each in drawn] == [2, 1]
    expected = blobs((16, 16, 16), np.eye(4)).array + 16
    np.testing.assert_allclose(drawn[1].volume.array, expected)


def test_a_truth_belongs_to_the_rendering_on_its_grid(files, tmp_path):
    truth = tmp_path / "truth.nii.gz"
    volume = blobs((16, 16, 16), np.eye(4))
    save_volume(truth, volume.array, volume.grid)
    drawn, _ = load_renderings(*files, truth)
    assert [each.truth is not None for each in drawn] == [False, True]


def test_the_grid_of_the_raw_image_needs_its_metrics(files):
    images, metrics = files
    with pytest.raises(InputError, match="give renderings on the raw image's grid"):
        load_renderings(images, metrics[1:], None)
