"""Sessions, runs, uncompressed images, and folders with spaces in their names."""

import shutil

import nibabel as nib
import pytest

from cordinr.dataset import create
from cordinr.table import load_table
from runs import phantom_config, validate_bids

STEMS = [f"sub-01/ses-a/anat/sub-01_ses-a_run-{run}" for run in (1, 2)]


@pytest.fixture(scope="module")
def run(checkout, phantom_source, tmp_path_factory):
    source = tmp_path_factory.mktemp("a study") / "my data"
    skip = shutil.ignore_patterns(".git*", ".datalad", "sub-*", "derivatives", "participants.*")
    shutil.copytree(phantom_source, source, ignore=skip)
    image = nib.load(phantom_source / "sub-01/anat/sub-01_T2w.nii.gz")
    (source / STEMS[0]).parent.mkdir(parents=True)
    nib.save(image, source / f"{STEMS[0]}_T2w.nii")
    nib.save(image, source / f"{STEMS[1]}_T2w.nii.gz")
    create(source, "one subject, one session, two runs")
    project = checkout("a project")
    dataset = {"name": "my-data", "mask": "", "truth": ""}
    project.configure(**phantom_config(source, fourier_dims=[8], dataset=dataset))
    answer = project.snakemake()
    assert answer.returncode == 0, answer.stdout
    return project


def test_every_run_of_a_session_is_reconstructed_under_its_own_name(run):
    for stem in STEMS:
        for ending in ("desc-inrF8", "res-iso1_desc-inrF8", "desc-tv", "res-axial_desc-simulated"):
            assert (run.results / "cordinr" / f"{stem}_{ending}_T2w.nii.gz").exists()
    table = load_table(run.results / "metrics.tsv")
    assert set(table.session) == {"a"}
    assert set(table.image) == {"sub-01_ses-a_run-1", "sub-01_ses-a_run-2"}


def test_equal_runs_give_equal_scores(run):
    """The uncompressed image and the compressed one hold the same voxels."""
    table = load_table(run.results / "metrics.tsv").set_index(["image", "method"])
    first, second = (table.loc[f"sub-01_ses-a_run-{k}"].psnr_fov for k in (1, 2))
    assert (first == second).all() and len(first) == 4


def test_the_names_are_valid_bids(run):
    issues = validate_bids(run.results / "cordinr")["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []
