"""A plain folder; sessions, runs, acquisitions, plus signs, T1w, uncompressed images, spaces."""

import shutil

import nibabel as nib
import pytest

from cordinr.evaluation.table import load_table
from tests.helpers.runs import phantom_config, validate_bids

ANAT = "sub-1+/ses-a+b/anat/sub-1+_ses-a+b"
STEMS = [f"{ANAT}_acq-hi+_run-{run}" for run in (1, 2)]
SIMILAR = [f"{ANAT}_acq-hi_T1w", f"{ANAT.replace('a+b', 'a')}_acq-hi+_T1w"]


@pytest.fixture(scope="module")
def run(checkout, phantom_source, tmp_path_factory):
    """A plain folder with T1w images; two of one session and acquisition are asked for."""
    source = tmp_path_factory.mktemp("a study") / "my data"
    skip = shutil.ignore_patterns(".git*", ".datalad", "sub-*", "derivatives", "participants.*")
    shutil.copytree(phantom_source, source, ignore=skip)
    image = nib.load(phantom_source / "sub-01/anat/sub-01_T2w.nii.gz")
    for name in (f"{STEMS[0]}_T1w.nii", f"{STEMS[1]}_T1w.nii.gz", f"{STEMS[1]}_T2w.nii.gz"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        nib.save(image, source / name)
    for name in SIMILAR:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        nib.save(image, source / f"{name}.nii.gz")
    before = sorted(source.rglob("*"))
    project = checkout("a project")
    chosen = {"suffix": "T1w", "entities": {"session": "a+b", "acquisition": ["hi+", "none"]}}
    dataset = {"name": "my-data", "version": "", "mask": "", "truth": ""} | chosen
    project.configure(**phantom_config(source, fourier_dims=[8], dataset=dataset))
    answer = project.snakemake()
    assert answer.returncode == 0, answer.stdout
    assert sorted(source.rglob("*")) == before
    return project


def test_every_run_of_a_session_is_reconstructed_under_its_own_name(run):
    for stem in STEMS:
        for ending in ("desc-inrF8", "res-iso1_desc-inrF8", "desc-tv", "res-axial_desc-simulated"):
            assert (run.results / "cordinr" / f"{stem}_{ending}_T1w.nii.gz").exists()
    table = load_table(run.results / "metrics.tsv")
    assert set(table.session) == {"a+b"}
    assert set(table.image) == {stem.split("/")[-1] for stem in STEMS}


def test_equal_runs_give_equal_scores(run):
    """The uncompressed image and the compressed one hold the same voxels."""
    table = load_table(run.results / "metrics.tsv").set_index(["image", "method"])
    first, second = (table.loc[stem.split("/")[-1]].psnr_fov for stem in STEMS)
    assert (first == second).all() and len(first) == 4


def test_the_subject_has_its_page(run):
    assert 'href="sub-1+.html"' in (run.results / "cordinr/index.html").read_text()
    assert (run.results / "cordinr/sub-1+.html").exists()


def test_the_names_are_valid_bids(run):
    issues = validate_bids(run.results / "cordinr")["issues"]["issues"]
    assert [(issue["code"], issue.get("location")) for issue in issues] == []
