"""The verb `align`: what it writes, says and refuses."""

import json

import nibabel as nib
import numpy as np
import pytest

from cordinr.bids.view_files import load_views, place_in_file
from cordinr.imaging.volume import Volume, load_scan, save_volume
from tests.helpers.scans import body, displacement, scan


@pytest.fixture
def truth():
    return displacement(body().grid.centre, np.array([2.0, -1.5, 1.0]), np.array([1.5, 2.0, -1.0]))


@pytest.fixture
def scans(tmp_path, truth):
    """A sagittal scan, and an axial one of another gain that was displaced; a voxel is NaN."""
    image = body()
    sagittal = scan(image, "R", thickness=3, spacing=3.3, in_plane=0.9)
    axial = scan(image, "S", thickness=4, spacing=4, in_plane=0.9, moved=truth, gain=1.7)
    axial.volume.array[0, 0, 0] = np.nan
    for name, view in (("sag", sagittal), ("ax", axial)):
        save_volume(tmp_path / f"{name}.nii.gz", view.volume.array, view.volume.grid)
        sidecar = {"SliceThickness": view.profile.thickness, "EchoTime": 0.1}
        (tmp_path / f"{name}.json").write_text(json.dumps(sidecar))
    return tmp_path / "sag.nii.gz", tmp_path / "ax.nii.gz"


def outputs(folder):
    return [folder / "out" / name for name in ("sag.nii.gz", "ax.nii.gz")]


def run(command, scans, *options):
    folder = scans[0].parent
    (folder / "out").mkdir(exist_ok=True)
    targets = [argument for path in outputs(folder) for argument in ("-o", path)]
    return command("align", *scans, *targets, *options)


def test_scans_are_written_where_they_really_are(scans, truth, command):
    code, printed, _ = run(command, scans)
    assert code == 0
    sagittal, axial = outputs(scans[0].parent)
    before, after = load_scan(scans[1]), load_scan(axial)
    np.testing.assert_allclose(after.grid.affine, truth @ before.grid.affine, atol=0.2)
    np.testing.assert_allclose(after.array, before.array / 1.7, rtol=0.02, equal_nan=True)
    np.testing.assert_array_equal(load_scan(sagittal).array, load_scan(scans[0]).array)
    assert load_scan(sagittal).grid.matches(load_scan(scans[0]).grid)
    sidecar = json.loads(axial.with_name("ax.json").read_text())
    assert sidecar["EchoTime"] == 0.1 and sidecar["SliceThickness"] == 4
    assert sidecar["AlignmentGain"] == pytest.approx(1.7, rel=0.02)
    assert sidecar["AlignmentTranslation"] == pytest.approx([1.5, 2.0, -1.0], abs=0.1)
    assert axial.with_name("ax_xfm.txt").read_text().startswith("#Insight Transform File")
    assert f"{scans[0]}: stays where its header puts it." in printed
    assert f"{scans[1]}: is displaced by 2.7 mm (right +1.5, anterior +2.0" in printed


def test_the_other_scan_can_be_the_fixed_one(scans, command):
    code, printed, _ = run(command, scans, "--fixed", 2)
    assert code == 0 and f"{scans[1]}: stays" in printed
    assert nib.load(outputs(scans[0].parent)[1]).affine == pytest.approx(nib.load(scans[1]).affine)


def test_slices_that_moved_are_told_and_read_back(scans, command):
    volume = load_scan(scans[0])
    shifts = np.zeros((volume.grid.shape[2], 3))
    shifts[1::2, 1:] = [1.5, -1.0]
    image = body()
    moved = scan(image, "R", thickness=3, spacing=3.3, in_plane=0.9, shifts=lambda _: shifts)
    save_volume(scans[0], moved.volume.array, moved.volume.grid)
    code, printed, _ = run(command, scans, "--mode", "slices", "--fixed", 2)
    assert code == 0 and "Slices that moved against the others, from 0: " in printed
    target = outputs(scans[0].parent)[0]
    found = np.array(json.loads(target.with_name("sag.json").read_text())["SliceTranslations"])
    assert found.shape == shifts.shape
    passes = {bool(found[first::2].any()) for first in (0, 1)}
    assert passes == {True, False}  # one of them stays
    apart = found[1::2].mean(axis=0) - found[::2].mean(axis=0)
    assert apart == pytest.approx([0, 1.5, -1.0], abs=0.1)


def test_a_mask_says_what_counts(scans, truth, command):
    """The upper half of the axial scan is noise."""
    volume = load_scan(scans[1])
    array = volume.array.copy()
    array[:, :, 7:] = np.random.default_rng(0).gamma(2.0, 100.0, array[:, :, 7:].shape)
    save_volume(scans[1], array, volume.grid)
    mask = np.zeros(volume.grid.shape, np.uint8)
    mask[:, :, :6] = 1
    path = scans[0].parent / "mask.nii.gz"
    save_volume(path, mask, volume.grid, "uint8")
    assert run(command, scans, "--mask", path)[0] == 0
    after = load_scan(outputs(scans[0].parent)[1])
    np.testing.assert_allclose(after.grid.affine, truth @ volume.grid.affine, atol=0.5)


@pytest.mark.parametrize("options", [(), ("--strict",)])
def test_a_scan_of_something_else_is_told_and_kept_or_refused(scans, command, options):
    volume = load_scan(scans[1])
    noise = np.random.default_rng(0).gamma(2.0, 100.0, volume.array.shape)
    save_volume(scans[1], noise.astype(np.float32), volume.grid)
    code, _, errors = run(command, scans, *options)
    assert f"{scans[1]}: does not show what the scans of other directions show" in errors
    written = [path for path in outputs(scans[0].parent) if path.exists()]
    assert (code, len(written)) == ((1, 0) if options else (0, 2))
    if written:
        assert load_scan(written[1]).grid.matches(volume.grid)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda paths: ["align", *paths, "-o", paths[0].parent / "x.nii.gz"], "give one -o"),
        (lambda paths: ["align", *paths, "--fixed", 3], "--fixed is 3, but there are 2 scans"),
        (lambda paths: ["align", paths[0]], "in one direction only"),
        (lambda paths: ["align", *paths, "--mode", "each"], "mode 'each' is not known; use rigid"),
        (lambda paths: ["align", *paths, "--mask", "no.nii"], "no.nii: "),
    ],
)
def test_arguments_that_do_not_fit_are_refused(scans, command, change, sentence):
    arguments = change(scans)
    if "-o" not in arguments:
        count = sum(path in arguments for path in scans)
        for path in outputs(scans[0].parent)[:count]:
            arguments += ["-o", path.with_name(f"new-{path.name}")]
        (scans[0].parent / "out").mkdir()
    code, _, errors = command(*arguments)
    assert code == 1 and sentence in errors
    assert not list(scans[0].parent.rglob("new-*"))


def test_unmeasured_parts_do_not_count(scans, truth, command):
    volume = load_scan(scans[1])
    array = volume.array.copy()
    array[:, :, :3] = 0
    array[:8] = 0
    save_volume(scans[1], Volume(array, volume.grid).array, volume.grid)
    assert run(command, scans)[0] == 0
    after = load_scan(outputs(scans[0].parent)[1])
    np.testing.assert_allclose(after.grid.affine, truth @ volume.grid.affine, atol=0.3)


def test_sidecars_name_other_sources_and_another_command(scans, command):
    options = ["--source", "bids:raw:sag.nii.gz", "--source", "bids:raw:ax.nii.gz"]
    assert run(command, scans, *options, "--command", "cordinr align these")[0] == 0
    sidecar = json.loads(outputs(scans[0].parent)[1].with_name("ax.json").read_text())
    assert sidecar["Sources"] == ["bids:raw:ax.nii.gz"]
    assert sidecar["Command"] == "cordinr align these"
    code, _, error = run(command, scans, *options[:2])
    assert code == 1 and "give one --source for each scan" in error


def test_slices_are_counted_as_in_the_file_where_padding_is_cut_off(tmp_path, command):
    """The sagittal scan begins with slices of zeros that the axial one does not reach."""
    image = body()
    sagittal = scan(image, "R", thickness=3, spacing=3, in_plane=0.9, noise=0.01)
    axial = scan(image, "S", thickness=4, spacing=4, in_plane=0.9, noise=0.01)
    array = sagittal.volume.array.copy()
    array[:, :, 7] *= 0.7
    padded = np.pad(array, ((0, 0), (0, 0), (8, 0)))
    wide = sagittal.volume.grid.cropped(np.array([0, 0, -8]), np.array(padded.shape))
    paths = [tmp_path / "sag.nii.gz", tmp_path / "ax.nii.gz"]
    save_volume(paths[0], padded, wide)
    save_volume(paths[1], axial.volume.array, axial.volume.grid)
    for name, thickness in (("sag", 3), ("ax", 4)):
        (tmp_path / f"{name}.json").write_text(json.dumps({"SliceThickness": thickness}))
    code, printed, notes = run(command, paths)
    assert code == 0 and "were never measured" in notes
    first, count = place_in_file(load_views(paths)[0])
    assert 6 <= first <= 8 and count == padded.shape[2]
    assert "Slices with a gain of their own, from 0: 15 (0.70)." in printed
    written = outputs(tmp_path)[0]
    gains = json.loads(written.with_name("sag.json").read_text())["SliceGains"]
    assert len(gains) == padded.shape[2] and gains[15] == pytest.approx(0.7, abs=0.02)
    assert [gain for k, gain in enumerate(gains) if k != 15] == [1] * (len(gains) - 1)
    corrected = load_scan(written).array[:, :, 15]
    np.testing.assert_allclose(corrected, padded[:, :, 15] / gains[15], rtol=1e-3)


def test_slices_that_were_left_out_stay_so_when_scans_are_aligned_again(scans, command):
    """Of each alignment one slice shows another place; the first is not measured in the second."""
    axial = load_scan(scans[1])
    for folder, number in ((scans[0].parent, 5), (scans[0].parent / "out", 8)):
        image = folder / "ax.nii.gz"
        array = load_scan(image).array.copy()
        array[:, :, number] = array[::-1, :, 10]
        save_volume(image, array, load_scan(image).grid)
        paths = [folder / name for name in ("sag.nii.gz", "ax.nii.gz")]
        code, printed, _ = run(command, paths)
        assert code == 0 and f"disagree with the other scans, from 0: {number}" in printed
    written = json.loads((scans[0].parent / "out/out/ax.json").read_text())
    assert np.flatnonzero(np.array(written["SliceWeights"]) < 1).tolist() == [5, 8]
    assert len(written["SliceWeights"]) == axial.array.shape[2]
