"""The verb `baseline` with a prior: what it writes, and whom it refuses."""

import numpy as np
import pytest

from cordinr.bids.names import sidecar_path
from cordinr.bids.view_files import load_views
from cordinr.files import read_json
from cordinr.imaging.volume import Volume, load_volume, save_volume
from cordinr.prior.predict import reconstruct_learned
from cordinr.prior.prior_file import save_prior
from tests.helpers.priors import tiny_prior
from tests.helpers.support import blobs, save_noise_views


@pytest.fixture
def views(tmp_path, monkeypatch):
    """Two views of sub-01, whom the prior of `prior.safetensors` has seen in "made-up"."""
    monkeypatch.chdir(tmp_path)
    save_prior("prior.safetensors", tiny_prior())
    paths = []
    for path in save_noise_views(tmp_path, 20):
        named = tmp_path / f"sub-01_acq-{path.name.split('.')[0]}_T2w.nii.gz"
        path.rename(named)
        if sidecar_path(path).exists():
            sidecar_path(path).rename(sidecar_path(named))
        paths.append(named)
    return paths


def test_the_learned_image_comes_with_its_standard_error(views, tmp_path, command):
    image = tmp_path / "sub-01_desc-learned_T2w.nii.gz"
    words = ["--method", "learned", "--prior", "prior.safetensors", "--dataset", "other"]
    code, _, errors = command("baseline", *views, *words, "-o", image, "--record", "cost.json")
    assert code == 0, errors
    volume, error = (
        load_volume(tmp_path / f"sub-01_desc-{label}_T2w.nii.gz")
        for label in ("learned", "learnedstderr")
    )
    wanted = reconstruct_learned(load_views(views), volume.grid, tiny_prior())
    np.testing.assert_allclose(volume.array, wanted.image, rtol=1e-2, atol=1)
    np.testing.assert_allclose(error.array, wanted.standard_error, rtol=1e-2, atol=1e-2)
    fields = read_json(sidecar_path(image))
    assert (fields["Method"], fields["Prior"]) == ("learned", "prior.safetensors")
    assert fields["PriorLearners"] == {"made-up": ["sub-01", "sub-02"]}
    assert "Standard error" in read_json("sub-01_desc-learnedstderr_T2w.json")["Description"]
    assert read_json("cost.json")["seconds"] > 0


@pytest.mark.parametrize("dataset", ["", "made-up"])
def test_a_prior_that_has_seen_the_subject_is_refused(views, tmp_path, command, dataset):
    words = ["--method", "learned", "--prior", "prior.safetensors", "--dataset", dataset]
    code, _, errors = command("baseline", *views, *words, "-o", "x.nii.gz")
    assert code == 1 and "prior prior.safetensors: has learnt from sub-01" in errors
    assert not (tmp_path / "x.nii.gz").exists()


def test_the_prior_of_cordinr_is_taken_unless_another_is_given(views, tmp_path, command):
    assert command("baseline", *views, "--method", "learned", "-o", "x.nii.gz")[0] == 0
    assert read_json("x.json")["Prior"] == "learned"
    assert load_volume(tmp_path / "x_stderr.nii.gz").array.min() > 0


@pytest.mark.parametrize("method", ["tv", "learned"])
def test_an_image_is_good_where_its_grid_ends_within_slices(tmp_path, method, command):
    """Gaussian slices of 4 mm show 10 mm each, so that some end beyond the small grid."""
    save_prior(tmp_path / "prior.safetensors", tiny_prior())
    volume = blobs((24, 20, 28), np.eye(4))
    part = (slice(6, 18), slice(3, 17), slice(7, 20))
    grid = volume.grid.cropped(np.array([6, 3, 7]), np.array([12, 14, 13]))
    small = Volume(np.ascontiguousarray(volume.array[part]), grid)
    for name, each in (("large", volume), ("small", small)):
        save_volume(tmp_path / f"{name}.nii.gz", each.array, each.grid)
    views = [tmp_path / "axial.nii.gz", tmp_path / "sagittal.nii.gz"]
    words = [
        "--axis",
        "S",
        "--axis",
        "R",
        *["--thickness", "4"] * 2,
        *["--profile", "gaussian"] * 2,
    ]
    words += ["-o", views[0], "-o", views[1]]
    assert command("simulate", tmp_path / "large.nii.gz", *words)[0] == 0
    images = {}
    for name in ("large", "small"):
        image = tmp_path / f"{name}-{method}.nii.gz"
        words = ["--method", method, "--prior", tmp_path / "prior.safetensors", "-o", image]
        code, _, errors = command("baseline", *views, "--like", tmp_path / f"{name}.nii.gz", *words)
        assert code == 0, errors
        images[name] = load_volume(image)
    assert images["small"].grid.matches(grid)
    # Three times as much where slices are cut off at the edge.
    assert np.sqrt(np.mean((images["small"].array - small.array) ** 2)) < 1
