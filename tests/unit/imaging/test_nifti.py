"""Headers: what is written is what other tools read, what is read is what the header means."""

import gzip

import nibabel as nib
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.imaging.nifti import FORMS_TOLERANCE_MM
from cordinr.imaging.volume import load_grid, load_volume, save_volume
from tests.helpers.support import blobs

SHAPE = (9, 8, 7)
TURN = Rotation.from_euler("xyz", [20, -35, 110], degrees=True).as_matrix()


def affine_of(directions, sizes=(0.8, 1.0, 2.5), offset=(-40.0, 12.5, 300.25)):
    affine = np.eye(4)
    affine[:3, :3] = np.array(directions) * sizes
    affine[:3, 3] = offset
    return affine


SHEAR = affine_of(np.array([[1, 0.2, 0], [0, 1, 0], [0, 0, 1]]))
RIGID = {
    "straight": affine_of(np.eye(3)),
    "oblique": affine_of(TURN),
    "left-handed": affine_of(np.diag([-1, 1, 1])),
    "oblique and left-handed": affine_of(TURN @ np.diag([1, 1, -1])),
    "half a turn": affine_of(Rotation.from_euler("xyz", [0.01, 179.99, 0.02], True).as_matrix()),
    "axes permuted": affine_of(np.eye(3)[[2, 0, 1]]),
}


def corners(affine):
    bounds = [(-0.5, n - 0.5) for n in SHAPE]
    index = np.stack(np.meshgrid(*bounds, indexing="ij"), -1).reshape(-1, 3)
    return nib.affines.apply_affine(affine, index)


@pytest.mark.parametrize("affine", RIGID.values(), ids=RIGID)
def test_both_forms_hold_a_rigid_affine(tmp_path, affine):
    volume = blobs(SHAPE, affine)
    save_volume(tmp_path / "x.nii.gz", volume.array, volume.grid)
    image = nib.load(tmp_path / "x.nii.gz")
    for form in (image.get_sform(coded=True), image.get_qform(coded=True)):
        assert form[1] == 1
        np.testing.assert_allclose(corners(form[0]), corners(affine), atol=FORMS_TOLERANCE_MM)
    np.testing.assert_array_equal(image.get_fdata(dtype=np.float32), volume.array)
    assert load_grid(tmp_path / "x.nii.gz").matches(volume.grid)


def test_a_sheared_affine_is_in_the_sform_alone(tmp_path, notes):
    volume = blobs(SHAPE, SHEAR)
    save_volume(tmp_path / "x.nii.gz", volume.array, volume.grid)
    image = nib.load(tmp_path / "x.nii.gz")
    assert image.get_qform(coded=True) == (None, 0)
    np.testing.assert_allclose(image.get_sform(), SHEAR, rtol=1e-6)
    assert load_volume(tmp_path / "x.nii.gz").grid.matches(volume.grid)
    assert notes() == []


def test_a_header_says_units_window_and_type(tmp_path):
    volume = blobs(SHAPE, RIGID["oblique"])
    save_volume(tmp_path / "x.nii.gz", volume.array, volume.grid)
    save_volume(tmp_path / "mask.nii.gz", volume.array > 120, volume.grid, dtype="uint8")
    header, mask = (nib.load(tmp_path / name).header for name in ("x.nii.gz", "mask.nii.gz"))
    assert header.get_xyzt_units() == ("mm", "sec")
    assert (header.get_data_dtype(), mask.get_data_dtype()) == (np.float32, np.uint8)
    window = float(header["cal_min"]), float(header["cal_max"])
    assert window[0] == 0 and np.mean(volume.array <= window[1]) == pytest.approx(0.995, abs=0.005)
    assert (mask["cal_min"], mask["cal_max"]) == (0, 1)


@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz"])
def test_nothing_is_scaled_on_disk(tmp_path, name):
    """A reader that ignores slopes, or takes slope 0 or 1 as none, sees the same numbers."""
    volume = blobs(SHAPE, RIGID["straight"])
    save_volume(tmp_path / name, volume.array * 1e4, volume.grid)
    content = (tmp_path / name).read_bytes()
    content = gzip.decompress(content) if name.endswith(".gz") else content
    slope, intercept = np.frombuffer(content, "<f4", 2, offset=112)
    assert slope in (0, 1) and intercept == 0
    voxels = np.frombuffer(content, "<f4", offset=352).reshape(SHAPE, order="F")
    np.testing.assert_array_equal(voxels, volume.array * 1e4)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
def test_the_space_of_an_image_is_that_of_what_is_made_of_it(tmp_path, code):
    volume = blobs(SHAPE, RIGID["straight"])
    image = nib.Nifti1Image(volume.array, volume.grid.affine)
    image.set_sform(volume.grid.affine, code=code)
    image.set_qform(volume.grid.affine, code=1)
    nib.save(image, tmp_path / "in.nii")
    loaded = load_volume(tmp_path / "in.nii")
    grids = {
        "same": loaded.grid,
        "finer": loaded.grid.resampled(0.5),
        "view": acquire(loaded, 1, SliceProfile("box", 2.0), 2.0).volume.grid,
    }
    for name, grid in grids.items():
        save_volume(tmp_path / f"{name}.nii", np.ones(grid.shape), grid)
        header = nib.load(tmp_path / f"{name}.nii").header
        assert (header["sform_code"], header["qform_code"]) == (code, code)


def test_qform_alone_is_enough(tmp_path, notes):
    image = nib.Nifti1Image(blobs(SHAPE, np.eye(4)).array, None)
    image.set_qform(RIGID["oblique and left-handed"], code=3)
    image.set_sform(None, code=0)
    nib.save(image, tmp_path / "x.nii")
    grid = load_grid(tmp_path / "x.nii")
    assert grid.matches(Grid(SHAPE, RIGID["oblique and left-handed"])) and grid.space == 3
    assert notes() == []


@pytest.mark.parametrize(("shift", "noted"), [(0.05, False), (0.2, True)])
def test_forms_that_disagree_are_noted_once_and_the_sform_is_taken(tmp_path, notes, shift, noted):
    affine = RIGID["oblique"]
    moved = affine.copy()
    moved[0, 3] += shift
    image = nib.Nifti1Image(blobs(SHAPE, affine).array, affine)
    image.set_sform(moved, code=2)
    image.set_qform(affine, code=1)
    path = tmp_path / "x.nii.gz"
    nib.save(image, path)
    for _ in range(2):
        grid = load_volume(path).grid
    assert grid.matches(Grid(SHAPE, moved)) and grid.space == 2
    sentence = f"{path}: its qform and sform disagree by 0.2 mm at a corner; taking the sform."
    assert notes() == [sentence] * noted


def test_no_form_at_all_is_noted(tmp_path, notes):
    image = nib.Nifti1Image(blobs(SHAPE, np.eye(4)).array, None)
    image.header.set_zooms((1, 1, 2))
    nib.save(image, tmp_path / "x.nii")
    assert load_grid(tmp_path / "x.nii").space == 2
    assert "no orientation" in notes()[0]


@pytest.mark.parametrize(("unit", "in_mm"), [("meter", 1000), ("micron", 0.001), ("unknown", 1)])
def test_other_units_become_millimetres(tmp_path, unit, in_mm):
    affine = RIGID["oblique"].copy()
    affine[:3] /= in_mm
    image = nib.Nifti1Image(blobs(SHAPE, np.eye(4)).array, affine)
    image.header.set_xyzt_units(unit)
    image.header["xyzt_units"] += 112  # a unit of time that there is not, and that does not matter
    nib.save(image, tmp_path / "x.nii")
    assert load_grid(tmp_path / "x.nii").matches(Grid(SHAPE, RIGID["oblique"]))


def test_a_wrong_unit_is_not_believed(tmp_path):
    image = nib.Nifti1Image(blobs(SHAPE, np.eye(4)).array, RIGID["oblique"])
    image.header.set_xyzt_units("meter")
    nib.save(image, tmp_path / "x.nii")
    with pytest.raises(InputError, match="its voxels are 800 x "):
        load_grid(tmp_path / "x.nii")


@pytest.mark.parametrize("image_class", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("slope", [(None, None), (0.5, 10.0), (-2.0, 0.0), (1e-30, 0.0)])
def test_integers_are_scaled_as_nibabel_scales_them(tmp_path, image_class, order, slope):
    stored = np.random.default_rng(0).integers(-32768, 32767, SHAPE).astype(order + "i2")
    header = image_class.header_class(endianness=order)
    header.set_data_dtype(order + "i2")
    image = image_class(stored, RIGID["oblique"], header)
    image.header.set_slope_inter(*slope)
    nib.save(image, tmp_path / "x.nii.gz")
    expected = nib.load(tmp_path / "x.nii.gz").get_fdata()
    factor, constant = slope[0] or 1, slope[1] or 0
    raw = gzip.decompress((tmp_path / "x.nii.gz").read_bytes())
    voxels = np.frombuffer(raw, order + "i2", stored.size, offset=len(raw) - stored.nbytes)
    by_hand = voxels.reshape(SHAPE, order="F") * np.float64(factor) + constant
    np.testing.assert_allclose(expected, by_hand, rtol=1e-6)
    np.testing.assert_allclose(load_volume(tmp_path / "x.nii.gz").array, by_hand, rtol=1e-6)


def forms(path, sform=None, qform=None, pixdim=None):
    """An image whose header has just these forms, each (affine, code)."""
    image = nib.Nifti1Image(blobs(SHAPE, np.eye(4)).array, None)
    header = image.header
    header["sform_code"] = header["qform_code"] = 0
    if qform:
        image.set_qform(*qform)
        header["sform_code"] = 0
    if sform:
        affine, code = sform
        for row, name in enumerate(("srow_x", "srow_y", "srow_z")):
            header[name] = affine[row]
        header["sform_code"] = code
    if pixdim:
        header["pixdim"][1:4] = pixdim
    header["vox_offset"] = 352
    voxels = np.asarray(image.dataobj, header.get_data_dtype()).tobytes(order="F")
    # by hand, as nibabel mends what is to be tested
    path.write_bytes(header.binaryblock + bytes(4) + voxels)
    return path


THICK = np.diag([1, 1, 4, 1.0])
THINNER = np.diag([1, 1, 3, 1.0])


@pytest.mark.parametrize(
    "header",
    [
        {"qform": (THICK, 1), "sform": (THINNER, 1)},
        {"qform": (THICK, 1), "sform": (THINNER, 2)},
        {"sform": (THINNER, 1), "pixdim": (1, 1, 4)},
        {"sform": (THICK, 1), "pixdim": (1, 1, 1)},
        {"sform": (THICK, 1), "pixdim": (4, 1, 1)},
        {"sform": (THICK, 1), "pixdim": (1, 1, 3.9)},
    ],
)
def test_forms_with_other_voxel_sizes_are_refused(tmp_path, header):
    """Else an image of 10 slices is 30 or 40 mm tall, and nobody knows which."""
    path = forms(tmp_path / "x.nii", **header)
    with pytest.raises(
        InputError, match=r"x\.nii: its header has voxels of .* by the sform but of"
    ):
        load_grid(path)


@pytest.mark.parametrize(
    "header",
    [
        {"sform": (THICK, 1), "pixdim": (1, 1, 4.05)},  # rounding
        {"sform": (THICK, 1), "pixdim": (1, 1, -4)},  # the sign says nothing
        {"sform": (THICK, 1), "pixdim": (0, 0, 0)},  # nothing is said
        {"sform": (THICK, 1), "pixdim": (1, np.nan, 4)},
        {"qform": (THICK, 1)},
        {"qform": (THICK, 1), "sform": (THICK, 1)},
    ],
)
def test_forms_that_agree_or_say_nothing_are_read(tmp_path, header, notes):
    grid = load_grid(forms(tmp_path / "x.nii", **header))
    np.testing.assert_allclose(grid.voxel_sizes, [1, 1, 4])
    assert notes() == []


@pytest.mark.parametrize("pixdim", [(0, 0, 0), (1, 1, -4), (1, np.nan, 4)])
def test_beside_a_pixdim_that_is_none_the_sform_is_taken_with_a_note(tmp_path, notes, pixdim):
    path = forms(tmp_path / "x.nii", qform=(THICK, 1), sform=(THICK, 1), pixdim=pixdim)
    np.testing.assert_allclose(load_grid(path).voxel_sizes, [1, 1, 4])
    (note,) = notes()
    assert "its pixdim is" in note and "taking the sform" in note


@pytest.mark.parametrize(
    "sform", [np.zeros((4, 4)), np.diag([1, 0, 4, 1.0]), np.full((4, 4), np.nan)]
)
def test_an_unusable_sform_gives_way_to_the_qform_with_a_note(tmp_path, sform, notes):
    qform = RIGID["oblique and left-handed"]
    path = forms(tmp_path / "x.nii", qform=(qform, 3), sform=(sform, 1))
    grid = load_grid(path)
    assert grid.matches(Grid(SHAPE, qform)) and grid.space == 3
    (note,) = notes()
    assert str(path) in note and "taking the qform" in note


def test_where_neither_form_is_usable_the_image_is_refused(tmp_path):
    path = forms(tmp_path / "x.nii", qform=(THICK, 1), sform=(np.zeros((4, 4)), 1))
    content = bytearray(path.read_bytes())
    header = nib.Nifti1Header(bytes(content[:348]), check=False)
    header["quatern_b"] = 5
    path.write_bytes(header.binaryblock + bytes(content[348:]))
    with pytest.raises(InputError, match="singular or not finite"):
        load_grid(path)
