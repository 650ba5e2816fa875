import nibabel as nib
import numpy as np
import pytest
from matplotlib.image import imread
from scipy.spatial.transform import Rotation

from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.figures.comparison import comparison_figure
from cordinr.figures.plane_page import Panel, save_figure
from cordinr.imaging.body import intensity_range
from cordinr.imaging.grid import Grid
from cordinr.imaging.planes import ANTERIOR, RIGHT, SUPERIOR, cord_focus, cuts, plane
from cordinr.imaging.volume import Volume


def turned_volume(codes: str = "PSR", shape=(12, 16, 10), voxels=(1.0, 1.0, 2.0)) -> Volume:
    """Random voxels stored along the given directions, off the world origin."""
    canonical = np.diag([*voxels, 1.0])
    canonical[:3, 3] = -7, 3, 20
    array = np.random.default_rng(0).uniform(10, 100, shape).astype(np.float32)
    image = nib.Nifti1Image(array, canonical)
    turn = nib.orientations.ornt_transform(
        nib.orientations.io_orientation(canonical), nib.orientations.axcodes2ornt(codes)
    )
    image = image.as_reoriented(turn)
    return Volume(np.asarray(image.dataobj), Grid(image.shape, image.affine))


def canonical_array(volume: Volume) -> np.ndarray:
    image = nib.Nifti1Image(volume.array, volume.grid.affine)
    return np.asarray(nib.as_closest_canonical(image).dataobj)


def axes_of(figure, label: str):
    return next(axes for axes in figure.axes if axes.get_label() == label)


def pixels_of(figure, label: str) -> np.ndarray:
    return axes_of(figure, label).images[0].get_array().filled(np.nan)


@pytest.fixture(scope="module")
def subject():
    reference = turned_volume("PSR", (40, 44, 24))
    axis = reference.grid.axis_along("R")
    view = acquire(reference, axis, SliceProfile("box", 5.0), 5.0)
    shift = 0.05 * intensity_range(reference.array)
    recon = Volume(reference.array + np.float32(shift), reference.grid)
    return reference, [Panel("sagittal view", view.volume)], [Panel("INR", recon, "26 dB", 1)]


@pytest.mark.parametrize("codes", ["RAS", "PSR", "LPI", "ILA"])
def test_plane_picks_the_voxels_of_the_reoriented_array(codes):
    volume = turned_volume(codes)
    truth = canonical_array(volume)
    first = np.array([-7.0, 3, 20])
    middle = first + np.array([6, 7.5, 9])

    sagittal = plane(volume, middle, -ANTERIOR, SUPERIOR, (16, 20), 1.0, order=0)
    expected = np.repeat(truth[6, ::-1, ::-1].T, 2, axis=0)
    np.testing.assert_array_equal(sagittal, expected)

    axial = plane(volume, middle - np.array([0.5, 0, 1]), -RIGHT, ANTERIOR, (12, 16), 1.0, order=0)
    np.testing.assert_array_equal(axial, truth[::-1, ::-1, 4].T)


def test_plane_is_empty_outside_the_field_of_view_only():
    volume = turned_volume("PSR")
    sagittal = plane(volume, np.array([-1, 10.5, 29]), -ANTERIOR, SUPERIOR, (20, 20), 1.0, order=1)
    outside = np.isnan(sagittal)
    assert outside[:, :2].all() and outside[:, -2:].all()
    assert not outside[:, 2:-2].any()


def test_plane_reproduces_a_ramp_through_an_oblique_grid():
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", [20, -15, 30], degrees=True).as_matrix() @ np.diag(
        [1, 0.8, 3.0]
    )
    grid = Grid((30, 40, 12), affine)
    slope = np.array([1.0, -2.0, 0.5])
    ramp = Volume((grid.world(np.moveaxis(np.indices(grid.shape), 0, -1)) @ slope), grid)
    cut = plane(ramp, grid.centre, -RIGHT, ANTERIOR, (8, 6), 0.5, order=1)
    x, y = np.meshgrid((np.arange(16) - 7.5) * 0.5, (5.5 - np.arange(12)) * 0.5)
    expected = (grid.centre - x[..., None] * RIGHT + y[..., None] * ANTERIOR) @ slope
    np.testing.assert_allclose(cut, expected, atol=1e-6)


@pytest.mark.parametrize("codes", ["RAS", "PSR", "LPI"])
def test_cuts_show_superior_up_anterior_left_and_the_right_side_left(codes):
    shape = (21, 25, 17)
    centre = turned_volume("RAS", shape, (1, 1, 1)).grid.centre
    for direction, row, edge in (
        (SUPERIOR, 0, "top"),
        (ANTERIOR, 0, "left"),
        (RIGHT, 2, "left"),
        (ANTERIOR, 2, "top"),
    ):
        volume = turned_volume(codes, shape, (1, 1, 1))
        index = np.rint(volume.grid.index(centre + 6 * direction)).astype(int)
        volume.array[:] = 0
        volume.array[tuple(index)] = 1
        seen = cuts(volume.grid, centre)[row].sample(volume, order=0)
        y, x = (position.mean() for position in np.nonzero(seen == 1))
        height, width = seen.shape
        if edge == "top":
            assert y < 0.3 * height and abs(x - width / 2) < 2
        else:
            assert x < 0.3 * width and abs(y - height / 2) < 2


def test_cuts_end_where_the_field_of_view_ends():
    turn = Rotation.from_euler("x", 30, degrees=True).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = turn
    grid = Grid((20, 200, 10), affine)
    _, _, axial, zoom = cuts(grid, grid.centre)
    np.testing.assert_allclose(axial.extent_mm, [20, 10 / np.sin(np.pi / 6)])
    np.testing.assert_allclose(zoom.extent_mm, [20, 20])
    whole = axial.sample(Volume(np.ones(grid.shape), grid), order=0)
    assert np.isfinite(whole).all()


def test_focus_lies_in_a_curved_cord():
    grid = Grid((11, 40, 60), np.eye(4))
    height = np.arange(60)
    anterior = 5 + (height - 29.5) ** 2 / 30
    cord = np.abs(np.arange(40)[:, None] - anterior) <= 3
    cord = np.broadcast_to(cord, grid.shape) & (np.abs(np.arange(11) - 4) <= 2)[:, None, None]
    focus = cord_focus(grid, cord)
    assert cord[tuple(np.rint(focus).astype(int))]
    assert focus[0] == pytest.approx(4)
    assert not cord[tuple(np.rint(np.argwhere(cord).mean(axis=0)).astype(int))]
    np.testing.assert_array_equal(cord_focus(grid, None), grid.centre)


def test_zoom_is_centred_on_the_cord():
    grid = Grid((60, 80, 100), np.eye(4))
    cord = np.zeros(grid.shape, bool)
    cord[38:43, 18:23] = True
    sagittal, sagittal_zoom, axial, axial_zoom = cuts(grid, cord_focus(grid, cord))
    np.testing.assert_allclose(sagittal_zoom.origin, [40, 20, 49.5])
    np.testing.assert_allclose(axial_zoom.origin, [40, 20, 49.5])
    assert sagittal.origin[0] == 40 and axial.origin[2] == 49.5


def test_views_are_drawn_from_their_own_grid(subject):
    reference, views, _ = subject
    figure = comparison_figure(*subject, None, "title")
    drawn = pixels_of(figure, "sagittal view: Axial")
    view = views[0].volume
    _, _, cut, _ = cuts(reference.grid, reference.grid.centre)
    height, width = drawn.shape
    for row, column in np.ndindex(24, 24):
        row, column = row * height // 24, column * width // 24
        x = ((column + 0.5) / width - 0.5) * cut.extent_mm[0]
        y = (0.5 - (row + 0.5) / height) * cut.extent_mm[1]
        distance = view.grid.world(np.moveaxis(np.indices(view.grid.shape), 0, -1))
        distance = np.abs(distance - (cut.origin - x * RIGHT + y * ANTERIOR))
        within = (distance <= np.array([2.5, 0.5, 1.0]) + 1e-9).all(axis=-1)
        if within.any():
            assert drawn[row, column] in view.array[within]
        else:
            assert np.isnan(drawn[row, column])


def test_one_grey_window_and_the_error_in_percent(subject):
    reference = subject[0]
    figure = comparison_figure(*subject, None, "title")
    names = ("Reference", "sagittal view", "INR")
    windows = {axes_of(figure, f"{name}: Sagittal").images[0].get_clim() for name in names}
    assert windows == {tuple(np.percentile(reference.array, (0.5, 99.5)))}
    for row in ("Sagittal", "Axial, zoom"):
        error = pixels_of(figure, f"INR: error, {row}")
        np.testing.assert_allclose(error[np.isfinite(error)], 5, rtol=1e-4)
    labels = [axes.get_label() for axes in figure.axes]
    assert not any("error" in label and "view" in label for label in labels)


def test_scale_bar_is_ten_millimetres_on_axes_in_millimetres(subject):
    figure = comparison_figure(*subject, None, "title")
    axes = axes_of(figure, "INR: Axial, zoom")
    assert np.ptp(axes.lines[0].get_xdata()) == pytest.approx(10)
    assert np.ptp(axes.get_xlim()) == pytest.approx(30)
    assert axes.get_aspect() == 1


@pytest.mark.slow
def test_files_are_the_same_bytes_and_carry_no_text(subject, tmp_path):
    for name in ("a.png", "b.png"):
        save_figure(tmp_path / name, comparison_figure(*subject, None, "title"))
    first, second = ((tmp_path / name).read_bytes() for name in ("a.png", "b.png"))
    assert first == second
    assert b"tEXt" not in first and b"tIME" not in first
    assert imread(tmp_path / "a.png").std() > 0.1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]
