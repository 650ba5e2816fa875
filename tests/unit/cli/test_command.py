"""The command line as a person uses it, wrong input included."""

import nibabel as nib
import numpy as np
import pytest
import yaml

from cordinr.bids.names import sidecar_path
from cordinr.bids.view_files import load_views
from cordinr.classical.weights import automatic_weight
from cordinr.files import read_json
from cordinr.imaging.volume import load_volume, save_volume
from tests.helpers.support import blobs

pytestmark = pytest.mark.slow

QUICK = {"fit": {"width": 16, "depth": 2, "batch": 64, "passes": 2}}


@pytest.fixture
def quick(tmp_path):
    (tmp_path / "quick.yaml").write_text(yaml.safe_dump(QUICK))
    return tmp_path / "quick.yaml"


def refused(result, *words):
    """One sentence on stderr with these words, exit code 1, no traceback."""
    code, _, error = result
    lines = [line for line in error.splitlines() if not line.startswith("note:")]
    assert code == 1 and len(lines) == 1 and lines[0].startswith("cordinr: error: "), error
    for word in words:
        assert str(word) in lines[0]


def test_the_steps_by_hand(view_files, tmp_path, command, quick):
    axial, sagittal = view_files
    image, out = tmp_path / "image.nii.gz", tmp_path / "out"
    assert read_json(sidecar_path(axial))["SliceThickness"] == 4
    model, recon, finer = out / "m.safetensors", out / "r.nii.gz", out / "res-iso05_r.nii.gz"
    options = ["--fourier-dim", 8, "--config", quick, "--device", "cpu", "--seed", 3]
    assert command("fit", axial, sagittal, *options, "-o", model)[0] == 0
    assert (
        command("render", model, "--like", image, "--voxel", 0.5, "-o", recon, "-o", finer)[0] == 0
    )
    assert load_volume(recon).grid.matches(load_volume(image).grid)
    assert load_volume(finer).grid.shape == (48, 40, 32)
    assert read_json(sidecar_path(recon))["Seed"] == 3
    methods = ["--method", "cubic", "--method", "tv", "--like", image]
    baselines = [out / "cubic.nii.gz", out / "tv.nii.gz"]
    targets = ["-o", baselines[0], "-o", baselines[1]]
    assert command("baseline", axial, sagittal, *methods, *targets)[0] == 0
    assert "Weight" not in read_json(sidecar_path(baselines[0]))
    chosen = automatic_weight(load_views([axial, sagittal]), "tv")
    assert read_json(sidecar_path(baselines[1]))["Weight"] == chosen
    files = [out / "a.json", out / "b.json", out / "c.json"]
    outputs = [word for file in files for word in ("-o", file)]
    views = ["--view", axial, "--view", sagittal]
    compared = command("evaluate", recon, *baselines, "--reference", image, *views, *outputs)
    assert compared[0] == 0
    assert read_json(files[2])["psnr_fov"] > read_json(files[1])["psnr_fov"]
    assert command("aggregate", *files, "-o", out / "metrics.tsv")[0] == 0
    header, *rows = (out / "metrics.tsv").read_text().splitlines()
    assert len(rows) == 3 and set(header.split("\t")) == set(read_json(out / "metrics.json"))


def test_a_given_sigma_and_seed_win_and_stand_in_the_metrics(view_files, tmp_path, command, quick):
    image, recon = tmp_path / "image.nii.gz", tmp_path / "sub-1_desc-inrF8sigma005_T2w.nii.gz"
    options = ["--fourier-dim", 8, "--config", quick, "--sigma", 0.05, "--seed", 4]
    assert command("reconstruct", *view_files, *options, "--like", image, "-o", recon)[0] == 0
    assert command("evaluate", recon, "--reference", image, "-o", tmp_path / "m.json")[0] == 0
    row = read_json(tmp_path / "m.json")
    assert (row["desc"], row["sigma"], row["seed"]) == ("inrF8sigma005", 0.05, 4)
    other = tmp_path / "other.nii.gz"
    usual = [*options[:4], "--seed", 4]
    assert command("reconstruct", *view_files, *usual, "--like", image, "-o", other)[0] == 0
    assert not np.array_equal(load_volume(recon).array, load_volume(other).array)


def test_two_scans_make_one_isotropic_volume(view_files, tmp_path, command, quick):
    for view in view_files:
        sidecar_path(view).unlink()
    out = tmp_path / "recon.nii.gz"
    result = command("reconstruct", *view_files, "--config", quick, "--fourier-dim", 8, "-o", out)
    assert result[0] == 0 and result[2].count("no slice thickness in a sidecar") == 2
    volume = load_volume(out)
    np.testing.assert_allclose(volume.grid.voxel_sizes, 1)
    assert volume.grid.matches(load_volume(tmp_path / "image.nii.gz").grid)
    assert not list(tmp_path.glob("*.checkpoint"))


def test_reconstruct_makes_what_fit_and_render_make(view_files, tmp_path, command, quick):
    """To the last bit, also of an ensemble and its uncertainty map."""
    settings = tmp_path / "two.yaml"
    settings.write_text(yaml.safe_dump({"fit": QUICK["fit"] | {"members": 2, "channels": 2}}))
    options = ["--fourier-dim", 8, "--config", settings, "--threads", 1]
    grids = ["--like", tmp_path / "image.nii.gz", "--voxel", 1.5]
    once, twice = tmp_path / "once", tmp_path / "twice"
    outputs = [["-o", folder / "a.nii.gz", "-o", folder / "b.nii.gz"] for folder in (once, twice)]
    alone = "--images-only"
    assert command("reconstruct", *view_files, *options, *grids, *outputs[0], alone)[0] == 0
    model = tmp_path / "m.safetensors"
    assert command("fit", *view_files, *options, "-o", model)[0] == 0
    said = ["--command", "cordinr something else"]
    assert command("render", model, *grids, *outputs[1], *said)[0] == 0
    images = sorted(path.name for path in once.glob("*.nii.gz"))
    assert images == ["a.nii.gz", "a_stderr.nii.gz", "b.nii.gz", "b_stderr.nii.gz"]
    for name in images:
        assert (once / name).read_bytes() == (twice / name).read_bytes()
    assert read_json(twice / "b.json")["Command"] == "cordinr something else --threads 1"
    assert read_json(once / "b.json")["Command"].startswith("cordinr reconstruct ")


def test_a_copy_of_an_image_gives_the_same_views(tmp_path, command):
    """Even one whose position is only a quaternion: a copy holds a matrix, in single precision."""
    volume = blobs((16, 18, 20), np.diag([0.9, 0.9, 0.9, 1]))
    raw, copy = tmp_path / "raw.nii.gz", tmp_path / "copy.nii.gz"
    affine = nib.affines.from_matvec(
        nib.eulerangles.euler2mat(0.1, 0.2, 0.3) * 0.9, [-1.1, 2.2, 3.3]
    )
    image = nib.Nifti1Image((volume.array * 7).astype("i2"), affine)
    image.set_sform(None, 0)
    image.set_qform(affine, 1)
    nib.save(image, raw)
    loaded = load_volume(raw)
    save_volume(copy, loaded.array, loaded.grid)
    for source in (raw, copy):
        view = tmp_path / f"{source.name}_view.nii.gz"
        assert command("simulate", source, "--axis", "S", "--thickness", 3.6, "-o", view)[0] == 0
    views = sorted(tmp_path.glob("*_view.nii.gz"))
    assert views[0].read_bytes() == views[1].read_bytes()
    np.testing.assert_array_equal(loaded.grid.affine, load_volume(copy).grid.affine)


def write(path, kind):
    """A file that is not a usable 3D image, of one kind or another."""
    volume = blobs((12, 12, 12), np.eye(4))
    if kind == "text":
        path.write_text("this is not an image")
    elif kind == "pointer":
        path.write_text("/annex/objects/SHA256E-s7--abc.nii.gz\n")
    elif kind == "4D":
        nib.save(nib.Nifti1Image(np.random.rand(6, 6, 6, 3).astype("f4"), np.eye(4)), path)
    elif kind in ("NaN", "infinite"):
        volume.array[:8] = np.nan if kind == "NaN" else np.inf
        save_volume(path, volume.array, volume.grid)
    elif kind == "constant":
        save_volume(path, np.full((12, 12, 12), 7.0), volume.grid)
    elif kind == "truncated":
        save_volume(path, volume.array, volume.grid)
        path.write_bytes(path.read_bytes()[:-2000])


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "no such file"),
        ("text", "not a readable NIfTI"),
        ("pointer", "datalad get"),
        ("4D", "4 dimensions"),
        ("NaN", "NaN or infinite"),
        ("infinite", "NaN or infinite"),
        ("constant", "same value"),
        ("truncated", "truncated or damaged"),
    ],
)
def test_an_image_that_is_none(tmp_path, command, kind, words):
    image, view = tmp_path / "in.nii.gz", tmp_path / "out" / "view.nii.gz"
    write(image, kind)
    refused(command("simulate", image, "--axis", "S", "--thickness", 4, "-o", view), image, words)
    assert not view.parent.exists()


@pytest.mark.parametrize(
    ("axis", "thickness", "words"),
    [
        ("S", 0.5, "thinner than the voxels"),
        ("S", 40, "thinner than one slice"),
        ("Z", 4, "use R, A or S"),
        ("S", -4, "not a positive number"),
    ],
)
def test_slices_that_cannot_be(tmp_path, command, view_files, axis, thickness, words):
    image, view = tmp_path / "image.nii.gz", tmp_path / "v.nii.gz"
    options = ["--axis", axis, "--thickness", thickness, "-o", view]
    refused(command("simulate", image, *options), words)
    assert not view.exists()


def test_views_that_do_not_overlap(tmp_path, command, view_files, quick):
    away = nib.load(view_files[1])
    affine = away.affine.copy()
    affine[:3, 3] += 400
    nib.save(nib.Nifti1Image(away.get_fdata(dtype="f4"), affine), view_files[1])
    out = tmp_path / "m.safetensors"
    options = ["--fourier-dim", 8, "--config", quick, "-o", out]
    refused(command("fit", *view_files, *options), *view_files, "do not overlap")
    like = ["--like", view_files[0], "--method", "tv", "-o", tmp_path / "tv.nii.gz"]
    refused(command("baseline", *view_files, *like), "do not overlap")
    assert not out.exists() and not (tmp_path / "tv.nii.gz").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fit: {widht: 3}", "unknown key fit.widht"),
        ("fit: {passes: 0}", "fit.passes is 0"),
        ("fit: [", "not readable YAML"),
        ("- fit", "no mapping `fit:`"),
        ("fit: 3", "no mapping `fit:`"),
    ],
)
def test_a_config_that_is_none(tmp_path, command, view_files, text, words):
    (tmp_path / "bad.yaml").write_text(text)
    options = ["--fourier-dim", 8, "--config", tmp_path / "bad.yaml", "-o", tmp_path / "m"]
    refused(command("fit", *view_files, *options), "bad.yaml", words)


def test_dimensions_and_devices(tmp_path, command, view_files, quick):
    options = ["--config", quick, "-o", tmp_path / "m.safetensors"]
    for dim in (0, -3):
        result = command("fit", *view_files, "--fourier-dim", dim, *options)
        refused(result, f"Fourier dimension {dim}")
    result = command("fit", *view_files, "--fourier-dim", 8, "--device", "tpu", *options)
    refused(result, "use auto, cpu or cuda")
    import torch

    if not torch.cuda.is_available():
        result = command("fit", *view_files, "--fourier-dim", 8, "--device", "cuda", *options)
        refused(result, "sees no GPU")


def test_a_model_that_is_none(tmp_path, command):
    model = tmp_path / "m.safetensors"
    model.write_bytes(b"\x80\x04pickle?")
    out = tmp_path / "out.nii.gz"
    refused(command("render", model, "--voxel", 1, "-o", out), model, "not a readable model")
    refused(command("render", tmp_path / "no", "--voxel", 1, "-o", out), "no such file")
    assert not out.exists()


def test_counts_of_options_have_to_fit(tmp_path, command, view_files):
    image = tmp_path / "image.nii.gz"
    result = command("simulate", image, "--axis", "S", "--thickness", 4, "-o", "a", "-o", "b")
    refused(result, "one --thickness, one -o")
    refused(command("aggregate", "-o", tmp_path / "t.tsv"), "either metrics files or --index")
    outputs = ["-o", "x.nii.gz", "-o", "y.nii.gz"]
    refused(command("render", tmp_path / "m", *outputs), "one -o for --like and one for each --vox")


def test_without_a_reference_voxels_are_as_fine_as_the_finest_of_the_views(
    view_files, tmp_path, command, quick
):
    out = tmp_path / "out"
    own, finer, cubic = out / "own.nii.gz", out / "finer.nii.gz", out / "cubic.nii.gz"
    options = ["--fourier-dim", 8, "--config", quick, "--device", "cpu", "--voxel", 0.8]
    assert command("reconstruct", *view_files, *options, "-o", own, "-o", finer)[0] == 0
    assert command("baseline", *view_files, "--method", "cubic", "-o", cubic)[0] == 0
    sizes = [load_volume(path).grid.voxel_sizes for path in (own, finer, cubic)]
    np.testing.assert_allclose(sizes, [[1.0] * 3, [0.8] * 3, [1.0] * 3], rtol=1e-6)
    np.testing.assert_array_equal(load_volume(own).grid.affine, load_volume(cubic).grid.affine)


def test_a_reconstruction_on_another_grid_is_not_scored(tmp_path, command, view_files):
    image = tmp_path / "image.nii.gz"
    result = command("evaluate", view_files[0], "--reference", image, "-o", tmp_path / "m.json")
    refused(result, view_files[0], "not on the grid")


def test_an_output_folder_that_cannot_be_written(tmp_path, command, view_files):
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "v.nii.gz"  # a folder below a file: not even root can make it
    options = ["--axis", "S", "--thickness", 4, "-o", out]
    refused(command("simulate", tmp_path / "image.nii.gz", *options), out, "cannot be written")


@pytest.mark.parametrize("name", ["iso", "iso.mgz", "file/iso.nii.gz"])
def test_an_output_that_cannot_be_is_refused_before_the_work(
    tmp_path, command, view_files, quick, name, monkeypatch
):
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr("cordinr.inr.fit.fit_inr", None)  # would be called after the check
    out = tmp_path / name
    options = ["--config", quick, "--fourier-dim", 8, "-o", out]
    refused(
        command("reconstruct", *view_files, *options), tmp_path / "file" if "/" in name else out
    )
    assert sorted(tmp_path.iterdir()) == before


def test_wrong_words_are_usage_errors(command):
    code, _, error = command("fit")
    assert code == 2 and "Missing argument" in error
    assert command("nonsense")[0] == 2
