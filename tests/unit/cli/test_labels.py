"""The verb `labels`: what it writes, says and refuses."""

import json

import nibabel as nib
import numpy as np
import pytest

from cordinr.alignment.itk import save_transform
from cordinr.alignment.pose import Pose
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import load_unchecked, save_volume

ISO = Grid((40, 40, 48), np.eye(4))
SLICES = Grid((40, 40, 12), np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 4, 1.5], [0, 0, 0, 1.0]]))
POSE = Pose(ISO.centre, np.array([0.05, -0.03, 0.04]), np.array([4.0, -3.0, 2.0]))


def ball(world, radius=14.0):
    distance = np.linalg.norm(world - ISO.centre, axis=1)
    return np.select([distance < radius / 2, distance < radius], [2, 1], 0)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A ball in a ball, drawn on a stack that lies elsewhere by its header; an isotropic image."""
    monkeypatch.chdir(tmp_path)
    true = SLICES.centres() @ POSE.matrix[:3, :3].T + POSE.matrix[:3, 3]
    save_volume("ax_seg.nii.gz", ball(true), SLICES, "uint16")
    save_volume("iso_seg.nii.gz", ball(ISO.centres()), ISO, "uint8")
    noise = np.random.default_rng(0).random(ISO.shape)
    save_volume("iso.nii.gz", noise, ISO)
    save_volume("ax.nii.gz", noise[..., ::4], SLICES)
    (tmp_path / "ax.json").write_text(json.dumps({"SliceThickness": 3.6}))
    save_transform("ax_xfm.txt", POSE)
    return tmp_path


def dice(one, other, label):
    both = np.count_nonzero((one == label) & (other == label))
    return 2 * both / (np.count_nonzero(one == label) + np.count_nonzero(other == label))


def test_from_the_scan_as_it_came_to_the_reconstruction(files, command):
    words = "--like iso.nii.gz --transform ax_xfm.txt -o out_seg.nii.gz"
    code, printed, errors = command("labels", "ax_seg.nii.gz", *words.split())
    assert (code, errors) == (0, "")
    assert "ax_seg.nii.gz: 2 label(s), 11." in printed and "shape-based interpolation" in printed
    carried, truth = load_unchecked("out_seg.nii.gz", None), load_unchecked("iso_seg.nii.gz", None)
    assert carried.array.dtype == np.uint16 and carried.grid.matches(ISO)
    for label in (1, 2):
        assert dice(carried.array, truth.array, label) > 0.9
    sidecar = json.loads((files / "out_seg.json").read_text())
    assert sidecar["Sources"] == ["ax_seg.nii.gz", "ax_xfm.txt"]
    assert sidecar["SpatialReference"] == "iso.nii.gz"
    assert "shape-based interpolation" in sidecar["LabelMethod"]


def test_from_the_reconstruction_to_the_scan_as_it_came(files, command):
    words = "--like ax.nii.gz --like-transform ax_xfm.txt -o out_seg.nii.gz"
    code, printed, errors = command("labels", "iso_seg.nii.gz", *words.split())
    assert (code, errors) == (0, "") and "a slice voxel (box profile)" in printed
    carried, drawn = load_unchecked("out_seg.nii.gz", None), load_unchecked("ax_seg.nii.gz", None)
    assert carried.grid.matches(SLICES)
    for label in (1, 2):
        assert dice(carried.array, drawn.array, label) > 0.93


def test_without_its_transform_it_lands_elsewhere(files, command):
    assert command("labels", "ax_seg.nii.gz", "--like", "iso.nii.gz", "-o", "out.nii.gz")[0] == 0
    carried, truth = load_unchecked("out.nii.gz", None), load_unchecked("iso_seg.nii.gz", None)
    assert dice(carried.array, truth.array, 2) < 0.7


def test_both_transforms_of_one_scan_cancel(files, command):
    words = "--like ax.nii.gz --transform ax_xfm.txt --like-transform ax_xfm.txt -o out.nii.gz"
    assert command("labels", "ax_seg.nii.gz", *words.split())[0] == 0
    carried, drawn = load_unchecked("out.nii.gz", None), load_unchecked("ax_seg.nii.gz", None)
    np.testing.assert_array_equal(carried.array, drawn.array)


def test_labels_as_floats_get_the_smallest_type(files, command):
    array = load_unchecked("ax_seg.nii.gz").array
    nib.save(nib.Nifti1Image(array * 150, SLICES.affine), "float.nii.gz")
    assert command("labels", "float.nii.gz", "--like", "iso.nii.gz", "-o", "out.nii.gz")[0] == 0
    written = nib.load("out.nii.gz")
    assert written.get_data_dtype() == np.int16
    assert set(np.unique(written.dataobj)) == {0, 150, 300}


def test_what_is_lost_is_said(files, command):
    """One voxel fills no slice voxel, and half of the other label lies beyond the scan."""
    array = np.zeros(ISO.shape, np.uint8)
    array[20, 20, 20], array[5:9, 5:9, 5:9], array[:, :, 46:] = 9, 3, 4
    save_volume("small.nii.gz", array, ISO, "uint8")
    part = Grid((40, 40, 11), SLICES.affine)
    save_volume("part.nii.gz", np.random.default_rng(0).random(part.shape), part)
    (files / "part.json").write_text('{"SliceThickness": 4}')
    code, _, errors = command("labels", "small.nii.gz", "--like", "part.nii.gz", "-o", "out.nii.gz")
    assert code == 0
    assert "small.nii.gz: 98 % of its labelled voxels lie beyond the field of view of" in errors
    assert "small.nii.gz: label(s) 4, 9 fill most of no voxel of part.nii.gz and are lost" in errors
    assert set(np.unique(load_unchecked("out.nii.gz").array)) == {0, 3}


def elsewhere(folder):
    affine = SLICES.affine.copy()
    affine[:3, 3] += 500
    image = load_unchecked(folder / "ax_seg.nii.gz", None).array
    save_volume(folder / "bad.nii.gz", image, Grid(SLICES.shape, affine), "uint8")


def voxels(array, dtype="f4"):
    def make(folder):
        nib.save(nib.Nifti1Image(np.asarray(array, dtype), SLICES.affine), folder / "bad.nii.gz")

    return make


def nothing(folder):
    pass


BLANK = np.zeros(SLICES.shape)
HALF, HOLE, LARGE = BLANK + 1.5, BLANK.copy(), BLANK + 2.0**40
HOLE[3, 3, 3] = np.nan
TO_ISO = "labels bad.nii.gz --like iso.nii.gz -o out.nii.gz"
GOOD = "labels ax_seg.nii.gz --like iso.nii.gz"


@pytest.mark.parametrize(
    ("make", "words", "sentence"),
    [
        (nothing, TO_ISO, "bad.nii.gz: no such file; check the path."),
        (voxels(HALF), TO_ISO, "bad.nii.gz: 19200 of its voxels are not whole numbers (such as"),
        (voxels(HOLE), TO_ISO, "bad.nii.gz: 1 of its voxels are not whole numbers (such as nan);"),
        (voxels(BLANK), TO_ISO, "bad.nii.gz: is empty; give a segmentation with at least one"),
        (voxels(BLANK[..., None] + [1, 2]), TO_ISO, "bad.nii.gz: has 4 dimensions"),
        (voxels(LARGE, "f8"), TO_ISO, "bad.nii.gz: has labels from 1.09951e+12 to 1.09951e+12;"),
        (elsewhere, TO_ISO, "bad.nii.gz: its labels lie beside iso.nii.gz; give an image of the"),
        (nothing, "labels ax_seg.nii.gz --like no.nii.gz -o out.nii.gz", "no.nii.gz: no such file"),
        (nothing, f"{GOOD} -o iso.nii.gz", "iso.nii.gz: would replace an input"),
        (nothing, f"{GOOD} -o out.png", "out.png: is not named .nii.gz or .nii"),
        (nothing, f"{GOOD} --transform no.txt -o out.nii.gz", "no.txt: no such file"),
        (nothing, f"{GOOD} --transform ax.json -o out.nii.gz", "ax.json: is not an ITK transform"),
        (nothing, f"{GOOD} --like-transform iso.nii.gz -o out.nii.gz", "iso.nii.gz: is not an ITK"),
    ],
)
def test_bad_input_gets_one_sentence(files, command, make, words, sentence):
    make(files)
    before = sorted(files.iterdir())
    code, printed, errors = command(*words.split())
    said = [line for line in errors.splitlines() if not line.startswith("note: ")]
    assert code == 1 and not printed and len(said) == 1
    assert said[0].startswith(f"cordinr: error: {sentence}")
    assert sorted(files.iterdir()) == before
