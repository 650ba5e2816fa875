"""What a view's geometry is taken from, and which scans cannot belong together."""

import itertools
import json
import shutil

import nibabel as nib
import numpy as np
import pytest

from cordinr.bids.names import sidecar_path
from cordinr.bids.view_files import load_views, read_view
from cordinr.errors import InputError
from cordinr.files import write_json
from cordinr.imaging.volume import save_volume
from tests.helpers.support import blobs, two_views


@pytest.fixture
def slices(tmp_path):
    """An image of 1 x 4 x 1 mm voxels without a sidecar."""
    volume = blobs((12, 6, 10), np.diag([1, 4, 1, 1.0]))
    save_volume(tmp_path / "view.nii.gz", volume.array, volume.grid)
    return tmp_path / "view.nii.gz"


def geometry(path, **options):
    view = read_view(path, **options)
    return view.axis, view.profile.shape, view.profile.thickness


def test_without_a_sidecar_the_header_speaks_and_it_is_said(slices, notes):
    assert geometry(slices) == (1, "box", 4)
    (note,) = notes()
    assert "no slice thickness" in note and "4 mm" in note


def test_a_sidecar_states_thickness_gap_and_profile(slices, notes):
    stated = {"SliceThickness": 3.2, "SpacingBetweenSlices": 4, "SliceProfile": "gaussian"}
    write_json(sidecar_path(slices), stated)
    assert geometry(slices) == (1, "gaussian", 3.2) and notes() == []


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        ({"SliceThickness": "thick"}, "SliceThickness is 'thick'"),
        ({"SliceThickness": -4}, "not a positive number"),
        ({"SliceThickness": True}, "not a positive number"),
        ({"SliceThickness": 4, "SliceProfile": "sinc"}, "'sinc' is not known"),
    ],
)
def test_a_sidecar_that_makes_no_sense_is_refused(slices, stated, sentence):
    write_json(sidecar_path(slices), stated)
    with pytest.raises(InputError, match=sentence):
        read_view(slices)


@pytest.mark.parametrize("thickness", [0, -4, None, "4 mm", float("nan")])
def test_whoever_insists_gets_the_spacing_for_a_thickness_that_is_none(slices, notes, thickness):
    write_json(sidecar_path(slices), {"SliceThickness": thickness})
    assert geometry(slices, insist=True) == (1, "box", 4)
    assert "taking the spacing, 4 mm" in notes()[0]


@pytest.mark.parametrize("affine", [np.eye(4), np.diag([0.5, 3, 3, 1.0]), np.diag([1, 1.1, 1, 1])])
def test_where_no_axis_is_coarser_than_both_others_a_sidecar_has_to_name_one(tmp_path, affine):
    volume = blobs((8, 8, 8), affine)
    path = tmp_path / "iso.nii.gz"
    save_volume(path, volume.array, volume.grid)
    with pytest.raises(InputError, match="no axis has thicker slices"):
        read_view(path)
    size = volume.grid.voxel_sizes[2]
    write_json(sidecar_path(path), {"SliceThickness": size, "SliceEncodingDirection": "k"})
    assert geometry(path) == (2, "box", pytest.approx(size))


@pytest.mark.parametrize(
    "value", [0, 1, -4, 4.12, 3.9, "4", None, True, [4], float("nan"), float("inf"), 1e300]
)
def test_a_spacing_that_the_header_contradicts_is_ignored_and_said(slices, notes, value):
    write_json(sidecar_path(slices), {"SliceThickness": 3, "SpacingBetweenSlices": value})
    assert geometry(slices) == (1, "box", 3)
    (note,) = notes()
    assert "view.json: SpacingBetweenSlices is" in note and "ignored" in note and "4 mm" in note


@pytest.mark.parametrize("value", [4, 4.0, 4.07, 3.93])
def test_a_spacing_that_agrees_is_not_worth_a_word(slices, notes, value):
    write_json(sidecar_path(slices), {"SliceThickness": 3, "SpacingBetweenSlices": value})
    assert geometry(slices) == (1, "box", 3) and notes() == []


@pytest.mark.parametrize("thickness", [0.4, 1.5, 12.5, 40, 1e300])
def test_an_impossible_thickness_is_refused_with_both_numbers(slices, thickness, notes):
    write_json(sidecar_path(slices), {"SliceThickness": thickness})
    with pytest.raises(
        InputError, match=f"SliceThickness is {thickness:g} mm.* 4 mm apart".replace("+", r"\+")
    ):
        read_view(slices)
    if thickness < 1e9:
        assert geometry(slices, insist=True) == (1, "box", thickness)
        assert "taken all the same" in notes()[0]


@pytest.mark.parametrize("thickness", [1.6, 2, 4, 12])
def test_a_gap_and_an_overlap_are_possible(slices, thickness, notes):
    write_json(sidecar_path(slices), {"SliceThickness": thickness})
    assert geometry(slices) == (1, "box", thickness) and notes() == []


def test_a_thickness_inherited_from_a_3d_scan_names_the_file_that_says_it(tmp_path):
    volume = blobs((12, 6, 10), np.diag([1, 4, 1, 1.0]))
    path = tmp_path / "sub-1/anat/sub-1_acq-sag_T2w.nii.gz"
    save_volume(path, volume.array, volume.grid)
    write_json(tmp_path / "dataset_description.json", {"Name": "x", "BIDSVersion": "1.8.0"})
    write_json(tmp_path / "T2w.json", {"SliceThickness": 0.8})
    with pytest.raises(InputError, match=r"T2w\.json: SliceThickness is 0\.8 mm") as told:
        read_view(path)
    assert str(tmp_path / "T2w.json") in str(told.value) and str(path) in str(told.value)
    write_json(sidecar_path(path), {"SliceThickness": 3.5})
    assert geometry(path) == (1, "box", 3.5)


@pytest.mark.parametrize(
    ("stated", "axis"),
    [
        # as after a reorientation of the array: the header is right
        ({"SliceEncodingDirection": "k", "SliceThickness": 4}, 1),
        ({"SliceEncodingDirection": "k-", "SliceThickness": 3, "SpacingBetweenSlices": 4}, 1),
        ({"SliceEncodingDirection": "i"}, 1),
        ({"SliceEncodingDirection": "i", "SliceThickness": 3}, 1),
        # and the spacing may be the gap alone
        ({"SliceEncodingDirection": "i", "SliceThickness": 3, "SpacingBetweenSlices": 1}, 1),
        ({"SliceEncodingDirection": "i", "SliceThickness": 4, "SpacingBetweenSlices": 1}, 1),
        ({"SliceEncodingDirection": "z", "SliceThickness": 4}, 1),
        ({"SliceEncodingDirection": 2, "SliceThickness": 4}, 1),
    ],
)
def test_a_slice_axis_that_the_header_contradicts_is_never_taken_silently(
    slices, notes, stated, axis
):
    write_json(sidecar_path(slices), stated)
    assert read_view(slices).axis == axis
    assert any("view.json: SliceEncodingDirection is" in note for note in notes())


@pytest.mark.parametrize("stated", [{}, {"SpacingBetweenSlices": 1}])
def test_a_3d_sidecar_on_a_thick_scan_is_refused_whatever_its_axis(slices, stated):
    sidecar = {"SliceEncodingDirection": "k-", "SliceThickness": 1} | stated
    write_json(sidecar_path(slices), sidecar)
    with pytest.raises(InputError, match=r"SliceThickness is 1 mm, but .* are 4 mm apart"):
        read_view(slices)


@pytest.mark.parametrize(
    ("stated", "axis"),
    [
        ({"SliceThickness": 1, "SpacingBetweenSlices": 1}, 2),
        ({"SliceThickness": 1.5, "SpacingBetweenSlices": 1.5}, 1),
        ({"SliceThickness": 1.2}, 1),
        ({}, 1),
    ],
)
def test_where_the_header_is_less_clear_all_that_is_stated_decides(tmp_path, notes, stated, axis):
    """Slices of 1 mm in a plane of 1 x 1.5 mm, as with few phase encoding steps."""
    volume = blobs((12, 8, 10), np.diag([1, 1.5, 1, 1.0]))
    save_volume(tmp_path / "view.nii", volume.array, volume.grid)
    write_json(tmp_path / "view.json", {"SliceEncodingDirection": "k"} | stated)
    assert read_view(tmp_path / "view.nii").axis == axis
    assert any("SliceEncodingDirection is k, but the header" in note for note in notes())


def test_a_direction_that_is_none_is_refused_where_the_header_does_not_tell(tmp_path):
    volume = blobs((8, 8, 8), np.eye(4))
    path = tmp_path / "iso.nii.gz"
    save_volume(path, volume.array, volume.grid)
    write_json(sidecar_path(path), {"SliceEncodingDirection": "z", "SliceThickness": 1})
    with pytest.raises(InputError, match="SliceEncodingDirection is 'z', not i, j or k; correct"):
        read_view(path)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_however_the_array_was_turned_the_slices_are_the_same(slices, tmp_path, notes, order):
    """A sidecar that stayed behind when its image was reoriented, with nibabel as the judge."""
    stated = {"SliceThickness": 3.2, "SpacingBetweenSlices": 4, "SliceEncodingDirection": "j"}
    stated["ImageOrientationPatientDICOM"] = [1, 0, 0, 0, 0, -1]  # rows to the left, coronal
    image = nib.load(slices)
    turn = np.array([[new, sign] for new, sign in zip(order, (1, -1, 1), strict=True)])
    turned = tmp_path / "turned.nii.gz"
    nib.save(image.as_reoriented(turn), turned)
    write_json(sidecar_path(turned), stated)
    view = read_view(turned)
    assert view.volume.grid.voxel_sizes[view.axis] == pytest.approx(4)
    np.testing.assert_allclose(np.abs(view.normal), [0, 1, 0], atol=1e-6)
    assert bool(notes()) == (order[1] != 1)


def test_a_sidecar_of_another_scan_is_noticed(slices, notes):
    """Slice normal and matrix, as dcm2niix writes them, of a sagittal scan of 320 lines."""
    sagittal = {"ImageOrientationPatientDICOM": [0, 1, 0, 0, 0, -1], "ReconMatrixPE": 320}
    write_json(sidecar_path(slices), {"SliceThickness": 4} | sagittal)
    assert geometry(slices) == (1, "box", 4)
    normal, matrix = notes()
    assert "90 degrees away" in normal and "header's are taken" in normal
    assert "ReconMatrixPE is 320" in matrix and "12 x 10 voxels" in matrix


@pytest.mark.slow
def test_real_sidecars_of_dcm2niix_need_no_note(pelvis_triple, notes):
    for path in sorted(pelvis_triple.glob("sub-0000/anat/*.nii.gz")):
        assert read_view(path).profile.thickness == 3
    assert notes() == []


@pytest.mark.parametrize(
    "cosines", ["no", [1, 0], [0] * 6, [1, 0, 0, 1, 0, 0], [None] * 6, ["1"] * 6, [1e308] * 6]
)
def test_direction_cosines_that_are_none_say_nothing(slices, notes, cosines):
    write_json(sidecar_path(slices), {"SliceThickness": 4, "ImageOrientationPatientDICOM": cosines})
    assert geometry(slices) == (1, "box", 4) and notes() == []


@pytest.mark.parametrize("link", [True, False])
def test_a_sidecar_that_was_never_fetched_is_not_passed_over(slices, link):
    """Its gap would be lost without a word."""
    target = "/annex/objects/SHA256E-s7--abc.json"
    if link:
        sidecar_path(slices).symlink_to(f"../.git{target}")
    else:
        sidecar_path(slices).write_text(f"{target}\n")
    with pytest.raises(InputError, match=r"view\.json: its content was never fetched"):
        read_view(slices)


# ---- several scans ----


@pytest.fixture
def pair(tmp_path):
    """A function that writes an axial and a sagittal view under any names."""

    def write(first: str, second: str):
        views = two_views(blobs((24, 20, 16), np.eye(4)))
        for view, name in zip(views, (first, second), strict=True):
            save_volume(tmp_path / name, view.volume.array, view.volume.grid)
            write_json(sidecar_path(tmp_path / name), {"SliceThickness": 4})
        return [tmp_path / first, tmp_path / second]

    return write


@pytest.mark.parametrize(
    "names",
    [
        ("ax.nii.gz", "sag.nii.gz"),
        ("sub-1_acq-ax_T2w.nii.gz", "sub-1_acq-sag_T2w.nii"),
        ("sub-1_ses-a_acq-ax_run-1_T2w.nii.gz", "sub-1_ses-a_acq-sag_run-2_T2w.nii.gz"),
        ("sub-1_acq-ax_T2w.nii.gz", "sag.nii.gz"),
        ("sub-01_axial.nii.gz", "sub-01_sagittal.nii.gz"),
        ("sub-01_T2w_ax.nii.gz", "sub-01_T2w_sag.nii.gz"),
    ],
)
def test_scans_that_belong_together_need_no_note(pair, notes, names):
    assert [view.axis for view in load_views(pair(*names))] == [2, 0] and notes() == []


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("sub-1_T2w.nii.gz", "sub-2_T2w.nii.gz"), "different subjects"),
        (("sub-1_ses-1_T2w.nii.gz", "sub-1_ses-2_T2w.nii.gz"), "different sessions"),
        (("sub-1_ses-1_T2w.nii.gz", "sub-1_T2w.nii.gz"), "different sessions"),
        (("sub-1_acq-ax_T2w.nii.gz", "sub-1_acq-sag_T1w.nii.gz"), "different contrasts"),
        (("sub-1/anat/ax.nii.gz", "sub-2/anat/sag.nii.gz"), "different subjects"),
        (("sub-1/ses-1/anat/ax.nii.gz", "sub-1/ses-2/anat/sag.nii.gz"), "different sessions"),
        (("sub-1_ax.nii.gz", "sub-2/anat/sag.nii.gz"), "different subjects"),
        (("ses-1_ax.nii.gz", "ses-2_sag.nii.gz"), "different sessions"),
        (("ax_T2w.nii.gz", "sag_T1w.nii.gz"), "different contrasts"),
    ],
)
def test_scans_of_unlike_names_are_refused_unless_the_user_insists(pair, names, words, notes):
    paths = pair(*names)
    with pytest.raises(InputError, match=f"{words} .* or --insist"):
        load_views(paths)
    assert len(load_views(paths, insist=True)) == 2
    assert words in notes()[0] and "all the same" in notes()[0]


def reoriented(path, copy):
    nib.save(
        nib.as_closest_canonical(nib.load(path)).as_reoriented([[2, 1], [0, -1], [1, 1]]), copy
    )


@pytest.mark.parametrize(
    "make",
    [shutil.copy, lambda path, copy: copy.symlink_to(path), reoriented],
    ids=["copy", "link", "reoriented"],
)
@pytest.mark.parametrize("insist", [False, True])
def test_the_same_scan_twice_is_refused_whatever_it_is_called(slices, tmp_path, make, insist):
    copy = tmp_path / "copy.nii.gz"
    make(slices, copy)
    for paths in ([slices, slices], [slices, copy]):
        with pytest.raises(InputError, match="are the same scan"):
            load_views(paths, insist=insist)


def test_scans_that_are_all_thick_along_one_axis_are_called_that(tmp_path, notes):
    for name, value in (("one", 0.0), ("two", 5.0)):
        volume = blobs((12, 6, 10), np.diag([1, 4, 1, 1.0]))
        save_volume(tmp_path / f"{name}.nii.gz", volume.array + value, volume.grid)
        write_json(tmp_path / f"{name}.json", {"SliceThickness": 4})
    load_views([tmp_path / "one.nii.gz", tmp_path / "two.nii.gz"])
    assert any("slices along the same axis" in note for note in notes())


def test_without_orientation_several_scans_are_refused_unless_the_user_insists(pair, notes):
    paths = pair("ax.nii.gz", "sag.nii.gz")
    image = nib.load(paths[1])
    header = image.header.copy()
    header["qform_code"] = header["sform_code"] = 0
    array = np.asarray(image.dataobj)
    bare = nib.Nifti1Image(array, None, header)
    bare.header["qform_code"] = bare.header["sform_code"] = 0
    nib.save(bare, paths[1])
    with pytest.raises(InputError, match=r"sag\.nii\.gz: its header gives no orientation"):
        load_views(paths)
    assert len(load_views(paths, insist=True)) == 2
    assert len(load_views(paths[1:])) == 1 and any("no orientation" in note for note in notes())


def test_the_command_insists_by_an_option(pair, tmp_path, command):
    paths = pair("sub-1_T2w.nii.gz", "sub-2_T2w.nii.gz")
    sidecar_path(paths[0]).write_text(json.dumps({"SliceThickness": 40}))
    words = ["baseline", *paths, "--method", "cubic", "--like", paths[0], "-o", tmp_path / "x.nii"]
    code, _, error = command(*words)
    assert code == 1 and "different subjects" in error and not (tmp_path / "x.nii").exists()
    code, _, error = command(*words, "--insist")
    assert code == 0 and "note: " in error and "SliceThickness is 40 mm" in error


def test_an_aligned_scan_states_which_slices_count_and_where_they_lie(slices):
    weights, moved = [1, 0.4, 0, 1, 1, 1], [[0, 0, k / 10] for k in range(6)]
    stated = {"SliceThickness": 4, "SliceWeights": weights, "SliceTranslations": moved}
    write_json(sidecar_path(slices), stated)
    view = read_view(slices)
    assert view.trust.tolist() == [1, 0.4, 1, 1, 1, 1]
    assert not view.measured[:, 2].any() and view.measured[:, [0, 1, 3, 4, 5]].all()
    np.testing.assert_array_equal(view.shifts, moved)


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        ({"SliceWeights": [1, 1]}, "SliceWeights does not give 6 slices"),
        ({"SliceWeights": "all"}, "SliceWeights does not give 6 slices"),
        ({"SliceWeights": [1, 1, 1, 1, 1, 2]}, "numbers that are not from 0 to 1"),
        ({"SliceTranslations": [[0, 0, 0]]}, "SliceTranslations does not give 6 slices"),
        ({"SliceTranslations": [[0, 0, float("nan")]] * 6}, "three numbers each"),
    ],
)
def test_statements_about_slices_that_do_not_fit_are_refused(slices, stated, sentence):
    sidecar_path(slices).write_text(json.dumps({"SliceThickness": 4} | stated))
    with pytest.raises(InputError, match=sentence) as error:
        read_view(slices)
    assert "align the scans again" in str(error.value)
