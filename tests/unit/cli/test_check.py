"""The verb `check`: what it writes, says and refuses."""

import csv
import json

import nibabel as nib
import numpy as np
import pytest

from cordinr.acquisition.overlap import common_grid
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.imaging.volume import save_volume
from cordinr.trust.slice_table import COLUMNS
from tests.helpers.scans import body, scan


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two scans, of which a slice of the axial one is dark, and two reconstructions of them."""
    folder = tmp_path_factory.mktemp("check")
    image = body()
    sagittal = scan(image, "R", thickness=3, spacing=3.3, in_plane=1.0, noise=0.02, name="sag")
    axial = scan(image, "S", thickness=4, spacing=4, in_plane=1.0, noise=0.02, seed=1, name="ax")
    axial.volume.array[:, :, 5] *= 0.6
    views = [sagittal, axial]
    for view in views:
        save_volume(folder / f"{view.name}.nii.gz", view.volume.array, view.volume.grid)
        sidecar = {"SliceThickness": view.profile.thickness}
        (folder / f"{view.name}.json").write_text(json.dumps(sidecar))
    grid = common_grid(views, 1.0)
    for method in ("tikhonov", "cubic"):
        array = reconstruct_baseline(views, grid, method, 0.003)
        save_volume(folder / f"sub-01_desc-{method}_T2w.nii.gz", array, grid)
    return folder


def run(command, folder, *options, images=("tikhonov",), scans=("sag", "ax")):
    paths = [folder / f"sub-01_desc-{method}_T2w.nii.gz" for method in images]
    views = [word for name in scans for word in ("--view", folder / f"{name}.nii.gz")]
    return command("check", *paths, *views, *options)


def test_numbers_verdict_slices_and_figures_are_written(folder, tmp_path, command):
    targets = [tmp_path / "one.json", tmp_path / "other.json"]
    outputs = [word for target in targets for word in ("-o", target)]
    figures = ["--figure", tmp_path / "one.png", "--figure", tmp_path / "other.png"]
    table = tmp_path / "slices.tsv"
    code, printed, _ = run(
        command, folder, *outputs, *figures, "--slices", table, images=("tikhonov", "cubic")
    )
    assert code == 0
    assert "sub-01_desc-tikhonov_T2w.nii.gz: doubtful: 1 of 13 slices of ax.nii.gz" in printed
    assert "slices that do not fit: 5 dark" in printed
    one, other = (json.loads(path.read_text()) for path in targets)
    assert (one["image"], one["method"], one["verdict"]) == ("sub-01", "tikhonov", "doubtful")
    assert one["voxel_size"] == 1.0 and other["method"] == "cubic"
    assert one["residual"] < other["residual"]
    assert one["stacks"][1]["slices_that_do_not_fit"] == {"5": "dark"}
    rows = list(csv.DictReader(table.open(), delimiter="\t"))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["verdict"] for row in rows if row["scan"] == "ax.nii.gz"].count("dark") == 2
    dark = [row for row in rows if row["scan"] == "ax.nii.gz" and row["slice"] == "5"]
    assert [float(row["crossing_gain"]) for row in dark] == pytest.approx([0.6, 0.6], rel=0.05)
    for name in ("one.png", "other.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_left_out_slices_are_predicted(folder, tmp_path, command):
    code, printed, _ = run(command, folder, "-o", tmp_path / "a.json", "--hold-out", "3")
    assert code == 0 and "left-out slices predicted" in printed
    row = json.loads((tmp_path / "a.json").read_text())
    assert 0 < row["held_out_error"] < row["held_out_error_of_interpolation"]


def test_slices_keep_their_numbers_where_padding_is_cut_off(folder, tmp_path, command):
    loaded = nib.load(folder / "ax.nii.gz")
    padded = np.pad(loaded.get_fdata(dtype=np.float32), ((0, 0), (0, 0), (2, 0)))
    affine = loaded.affine.copy()
    affine[:3, 3] -= 2 * affine[:3, 2]
    nib.save(nib.Nifti1Image(padded, affine), tmp_path / "ax.nii.gz")
    (tmp_path / "ax.json").write_text((folder / "ax.json").read_text())
    out, table = tmp_path / "a.json", tmp_path / "a.tsv"
    options = ["--view", folder / "sag.nii.gz", "--view", tmp_path / "ax.nii.gz"]
    image = folder / "sub-01_desc-tikhonov_T2w.nii.gz"
    code, printed, _ = command("check", image, *options, "-o", out, "--slices", table)
    assert code == 0 and "slices that do not fit: 7 dark" in printed


@pytest.mark.parametrize(
    ("options", "scans", "said"),
    [
        ([], ("sag", "ax"), "Missing option"),
        (["-o", "a.json", "-o", "b.json"], ("sag", "ax"), "give one -o for each image"),
        (["-o", "a.json", "--figure", "a.png", "--figure", "b.png"], ("sag", "ax"), "--figure"),
        (["-o", "a.json", "--hold-out", "1"], ("sag", "ax"), "give 0, or 2 or more"),
        (["-o", "a.json"], ("sag", "none"), "none.nii.gz: no such file"),
        (["-o", "a.json"], ("sag", "sag"), "are the same scan"),
        (["-o", "a.json"], (), "Missing option"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    folder, tmp_path, command, monkeypatch, options, scans, said
):
    monkeypatch.chdir(tmp_path)
    code, _, errors = run(command, folder, *options, scans=scans)
    assert code != 0 and said in errors
    assert list(tmp_path.iterdir()) == []


def test_images_that_cannot_be_checked_are_refused(folder, tmp_path, command):
    loaded = nib.load(folder / "sub-01_desc-tikhonov_T2w.nii.gz")
    affine = loaded.affine.copy()
    affine[:3, 3] += 400
    array = loaded.get_fdata(dtype=np.float32)
    nib.save(nib.Nifti1Image(array, affine), tmp_path / "far.nii.gz")
    nib.save(nib.Nifti1Image(np.stack([array] * 2, -1), loaded.affine), tmp_path / "4d.nii.gz")
    views = ["--view", folder / "sag.nii.gz", "--view", folder / "ax.nii.gz"]
    for name, said in (("far", "covers nothing"), ("4d", "4d.nii.gz"), ("none", "no such file")):
        image = tmp_path / f"{name}.nii.gz"
        code, _, errors = command("check", image, *views, "-o", tmp_path / "a.json")
        assert code == 1 and said in errors and len(errors.strip().splitlines()) <= 3
    assert not (tmp_path / "a.json").exists()


def test_an_output_never_replaces_an_input(folder, command):
    code, _, errors = run(command, folder, "-o", folder / "ax.nii.gz")
    assert code == 1 and "would replace an input" in errors
