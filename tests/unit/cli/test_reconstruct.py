"""The verb `reconstruct` on scans as patients leave them: displaced, unequal, in chunks."""

import json
from dataclasses import replace

import numpy as np
import pytest
import yaml

from cordinr.acquisition.overlap import coverage
from cordinr.bids.view_files import read_view
from cordinr.files import read_json
from cordinr.imaging.volume import Volume, load_volume, save_volume
from tests.helpers.scans import body, displacement, scan

QUICK = {"fit": {"width": 16, "channels": 2, "max_steps": 60}}


def write(folder, **views):
    """Save scans with their slice thickness; return their paths."""
    paths = []
    for name, view in views.items():
        paths.append(folder / f"{name}.nii.gz")
        save_volume(paths[-1], view.volume.array, view.volume.grid)
        sidecar = {"SliceThickness": view.profile.thickness}
        (folder / f"{name}.json").write_text(json.dumps(sidecar))
    return paths


def part(view, low, stop):
    """The slices `low` to `stop` of a view whose slices lie along its last axis."""
    grid = view.volume.grid
    shape = np.array([*grid.shape[:2], stop - low])
    array = np.ascontiguousarray(view.volume.array[:, :, low:stop])
    return Volume(array, grid.cropped(np.array([0, 0, low]), shape))


@pytest.fixture
def truth():
    return displacement(body().grid.centre, np.array([2.0, -1.5, 1.0]), np.array([1.5, 2.0, -1.0]))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "quick.yaml").write_text(yaml.safe_dump(QUICK))
    return tmp_path


@pytest.fixture
def sagittal():
    return scan(body(), "R", thickness=3, spacing=3.3, in_plane=0.9)


@pytest.fixture
def axial(truth):
    return scan(body(), "S", thickness=4, spacing=4, in_plane=0.9, moved=truth, gain=1.7)


def run(command, folder, paths, *options):
    usual = ["--config", folder / "quick.yaml", "--fourier-dim", 8, "--threads", 1]
    return command("reconstruct", *paths, "-o", folder / "out.nii.gz", *usual, *options)


def error(folder, paths):
    """RMS error over what both scans see, in units of the intensity range."""
    image, out = body(), load_volume(folder / "out.nii.gz")
    seen = coverage([read_view(paths[0])], image.grid) & (image.array > 30)
    index = np.rint(out.grid.index(image.grid.centres())).astype(int)
    inside = ((index >= 0) & (index < out.grid.shape)).all(axis=1) & seen.ravel()
    values = out.array[tuple(index[inside].T)]
    inside[inside] = values != 0
    difference = values[values != 0] - image.array.ravel()[inside]
    return float(np.sqrt(np.mean(difference**2)) / np.percentile(image.array, 99.9))


@pytest.mark.slow
def test_displaced_scans_of_unlike_gain_give_one_volume(folder, sagittal, axial, command):
    paths = write(folder, sag=sagittal, ax=axial)
    code, printed, _ = run(command, folder, paths, "--voxel", 1)
    assert code == 0
    assert f"{paths[0]}: sagittal, " in printed and f"{paths[1]}: axial, " in printed
    assert f"{paths[1]}: is displaced by 2.7 mm" in printed and "reconstructing " in printed
    assert "trusted" in printed.splitlines()[-1]
    names = {path.name for path in folder.glob("out*")}
    assert names >= {
        *("out.nii.gz", "out.json", "out_coverage.nii.gz", "out_coverage.json"),
        *("out_sag_xfm.txt", "out_ax_xfm.txt", "out_check.json", "out_slices.tsv"),
    }
    sidecar = read_json(folder / "out.json")
    assert [each["Scan"] for each in sidecar["Alignment"]] == ["sag.nii.gz", "ax.nii.gz"]
    assert sidecar["Alignment"][1]["AlignmentGain"] == pytest.approx(1.7, rel=0.02)
    shift = sidecar["Alignment"][1]["AlignmentTranslation"]
    assert shift == pytest.approx([1.5, 2.0, -1.0], abs=0.1)
    assert read_json(folder / "out_check.json")["verdict"] == "trusted"
    covered = load_volume(folder / "out_coverage.nii.gz").array
    assert set(np.unique(covered)) <= {0, 1, 2} and (covered == 2).mean() > 0.6
    aligned = error(folder, paths)
    assert run(command, folder, paths, "--voxel", 1, "--align", "none")[0] == 0
    assert aligned < 0.5 * error(folder, paths)


@pytest.mark.slow
def test_two_displaced_chunks_and_a_scan_across_them(folder, sagittal, axial, truth, command):
    other = displacement(body().grid.centre, np.array([-2.0, 1, 1]), np.array([-1.0, 1.0, 1.5]))
    upper = scan(body(), "S", thickness=4, spacing=4, in_plane=0.9, moved=other, gain=0.8)
    count = axial.volume.grid.shape[2]
    paths = write(folder, sag=sagittal, ax1=axial, ax2=upper)
    for path, view, ends in zip(
        paths[1:], (axial, upper), ((0, count // 2), (count // 2, count)), strict=True
    ):
        chunk = part(view, *ends)
        save_volume(path, chunk.array, chunk.grid)
    code, printed, _ = run(command, folder, paths, "--voxel", 1)
    assert code == 0 and "trusted" in printed.splitlines()[-1]
    found = read_json(folder / "out.json")["Alignment"]
    assert found[1]["AlignmentTranslation"] == pytest.approx([1.5, 2.0, -1.0], abs=0.3)
    assert found[2]["AlignmentTranslation"] == pytest.approx([-1.0, 1.0, 1.5], abs=0.3)
    assert error(folder, paths) < 0.06
    # The whole height of both chunks, not only what every scan sees.
    heights = np.ptp(load_volume(folder / "out.nii.gz").grid.corners[:, 2])
    assert heights > 0.85 * np.ptp(axial.volume.grid.corners[:, 2])


def test_one_scan_alone_is_taken_with_a_word_of_warning(folder, sagittal, command):
    (path,) = write(folder, sag=sagittal)
    code, printed, _ = run(command, folder, [path], "--voxel", 1.5)
    assert code == 0 and "one scan alone shows no detail across its slices" in printed
    assert not list(folder.glob("*_xfm.txt"))


def test_scans_of_one_name_have_a_transform_each(folder, sagittal, axial, command):
    paths = []
    for name, view in (("sag", sagittal), ("ax", axial)):
        (folder / name).mkdir()
        paths += write(folder / name, T2w=view)
    assert run(command, folder, paths, "--voxel", 2)[0] == 0
    transforms = [folder / f"out_T2w-{number}_xfm.txt" for number in (1, 2)]
    assert sorted(folder.glob("*_xfm.txt")) == transforms
    assert transforms[0].read_text() != transforms[1].read_text()


def test_images_alone_can_be_asked_for(folder, sagittal, axial, command):
    paths = write(folder, sag=sagittal, ax=axial)
    assert run(command, folder, paths, "--voxel", 2, "--images-only")[0] == 0
    assert {path.name for path in folder.glob("out*")} == {
        *("out.nii.gz", "out.json", "out_stderr.nii.gz", "out_stderr.json")
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--align", "elastic"], "--align is 'elastic'"),
        (["--fixed", 3], "--fixed is 3, but there are 2 scans"),
        (["--fixed", 0], "--fixed is 0, but there are 2 scans"),
        (["--fast", "--best"], "--fast and --best contradict each other"),
        (["--field", "all"], "field 'all' is not known"),
        (["--mask", "none.nii.gz"], "none.nii.gz"),
    ],
)
def test_wrong_options_get_a_sentence_and_nothing_is_written(
    folder, sagittal, axial, command, options, said
):
    paths = write(folder, sag=sagittal, ax=axial)
    code, _, errors = run(command, folder, paths, *options)
    sentences = [line for line in errors.splitlines() if not line.startswith("note: ")]
    assert code == 1 and len(sentences) == 1 and said in sentences[0]
    assert not list(folder.glob("out*"))


def test_scans_of_one_direction_are_refused_unless_taken_as_they_are(folder, axial, command):
    count = axial.volume.grid.shape[2]
    paths = write(folder, low=axial, high=axial)
    for path, ends in zip(paths, ((0, count // 2 + 1), (count // 2, count)), strict=True):
        chunk = part(axial, *ends)
        save_volume(path, chunk.array, chunk.grid)
    code, _, errors = run(command, folder, paths)
    assert code == 1 and "slices in one direction only" in errors
    assert not list(folder.glob("out*"))
    assert run(command, folder, paths, "--align", "none", "--voxel", 1.5, "--images-only")[0] == 0
    out = load_volume(folder / "out.nii.gz").grid
    assert np.ptp(out.corners[:, 2]) > 0.9 * np.ptp(axial.volume.grid.corners[:, 2])


@pytest.mark.slow
def test_a_scan_of_another_person_is_told(folder, sagittal, command):
    """Both bodies have one outline, so that something correlates."""
    other = scan(body(7), "S", thickness=4, spacing=4, in_plane=0.9)
    paths = write(folder, sag=sagittal, ax=other)
    code, printed, _ = run(command, folder, paths, "--voxel", 1.5)
    verdict = printed.splitlines()[-1]
    assert code == 0 and "do not use: the scans do not show the same where they cross" in verdict


@pytest.mark.slow
def test_a_scan_that_cannot_be_aligned_stays_and_is_told(folder, sagittal, axial, command):
    rng = np.random.default_rng(0)
    array = axial.volume.array
    noise = rng.permutation(array.ravel()).reshape(array.shape)
    paths = write(folder, sag=sagittal, ax=replace(axial, volume=Volume(noise, axial.volume.grid)))
    code, printed, errors = run(command, folder, paths, "--voxel", 1.5)
    assert code == 0 and "does not show what the scans of other directions show" in errors
    assert "do not use" in printed.splitlines()[-1]
    for path in folder.glob("out*"):
        path.unlink()
    code, _, errors = run(command, folder, paths, "--strict")
    assert code == 1 and "does not show what" in errors and not list(folder.glob("out*"))


@pytest.mark.slow
def test_a_prior_draws_the_volume_and_says_how_uncertain_it_is(folder, sagittal, axial, command):
    paths = write(folder, sag=sagittal, ax=axial)
    assert run(command, folder, paths, "--align", "none", "--voxel", 2)[0] == 0
    fields = read_json(folder / "out.json")
    assert fields["Prior"] == "learned" and "sub-errsm11" in fields["PriorLearners"]["spine-cohort"]
    image, error = (load_volume(folder / f"out{kind}.nii.gz") for kind in ("", "_stderr"))
    assert image.grid.matches(error.grid) and (error.array[image.array != 0] > 0).all()
    assert read_json(folder / "out_stderr.json")["Description"].startswith("Standard error of")
    for word in ("tv", "none"):
        (folder / "out_stderr.nii.gz").unlink(missing_ok=True)
        assert run(command, folder, paths, "--align", "none", "--prior", word, "--voxel", 2)[0] == 0
        fields = read_json(folder / "out.json")
        assert fields["Prior"] == word and "PriorLearners" not in fields
        assert not (folder / "out_stderr.nii.gz").exists()
        assert np.abs(load_volume(folder / "out.nii.gz").array - image.array).max() > 1


def test_nobody_is_reconstructed_with_a_prior_that_has_seen_them(folder, sagittal, axial, command):
    names = {"sub-errsm11_acq-sag_T2w": sagittal, "sub-errsm11_acq-ax_T2w": axial}
    paths = write(folder, **names)
    before = sorted(folder.iterdir())
    code, printed, errors = run(command, folder, paths)
    assert code == 1 and not printed
    assert "prior learned: has learnt from sub-errsm11" in errors
    code, _, errors = run(command, folder, paths, "--prior", folder / "none.safetensors")
    assert code == 1 and "none.safetensors" in errors
    assert sorted(folder.iterdir()) == before


def test_an_uncertainty_map_does_not_replace_a_scan(folder, sagittal, axial, command):
    paths = write(folder, out_stderr=sagittal, ax=axial)
    code, _, errors = run(command, folder, paths)
    assert code == 1 and str(paths[0]) in errors
    assert load_volume(paths[0]).grid.matches(sagittal.volume.grid)
