"""Priors that a run learns itself: no image is reconstructed with one that has seen its person."""

import gzip
import shlex
import shutil
import subprocess

import numpy as np
import pytest

from cordinr.files import read_json, write_json
from cordinr.imaging.volume import load_volume
from cordinr.prior.people import Learner
from cordinr.prior.prior_file import load_prior
from cordinr.prior.shipped import shipped_prior
from tests.helpers.priors import write_cohort
from tests.helpers.runs import environment, phantom_config, planned_jobs

SITES = {"01": "A", "02": "B", "03": "A"}
FOLDS = {"01": 1, "02": 2, "03": 1}
"""The larger site is the first part."""

OTHERS = {1: ["02"], 2: ["01", "03"]}
LEARN = {"folds": 2, "steps": 2, "batch": 1, "examples": 1, "phantoms": 0}
METHODS = ["learned", "inrF8"]
IMAGES = [
    f"results/cordinr/sub-{label}/anat/sub-{label}_desc-{method}_T2w.nii.gz"
    for label in SITES
    for method in METHODS
]
LEARNED = IMAGES[::2]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A plain folder of three small images of two sites."""
    folder = tmp_path_factory.mktemp("source") / "data"
    write_cohort(folder, SITES, size=20)
    return folder


def config_of(source, **learn):
    """Learned images of all three people, and the smallest of INRs."""
    return phantom_config(
        source,
        dataset={"name": "three", "version": "", "truth": "", "mask": ""},
        baselines={"methods": ["learned"]},
        prior="folds",
        learn=LEARN | learn,
        fourier_dims=[8],
        device="cpu",
    )


@pytest.fixture(scope="module")
def run(checkout, source):
    """A run of the images alone, without figures and pages, which no test changes."""
    project = checkout("folds")
    project.configure(**config_of(source))
    answer = project.snakemake(*IMAGES)
    assert answer.returncode == 0, answer.stdout
    return project


def prior_path(fold):
    return f"code/priors/fold-{fold}of2.safetensors"


def test_every_fold_has_a_prior_of_all_others(run):
    root = run.results / "cordinr"
    assert {path.name for path in (root / "code/priors").iterdir()} == {
        "fold-1of2.safetensors",
        "fold-2of2.safetensors",
    }
    for fold, others in OTHERS.items():
        prior = load_prior(root / prior_path(fold))
        people = [Learner(f"sub-{label}", "three", SITES[label]) for label in others]
        assert list(prior.learners) == people
        assert prior.record["scores"] == [] and prior.record["steps"] == LEARN["steps"]


@pytest.mark.parametrize("method", METHODS)
def test_no_image_is_made_with_a_prior_that_holds_its_person(run, method):
    root = run.results / "cordinr"
    for label, fold in FOLDS.items():
        fields = read_json(root / f"sub-{label}/anat/sub-{label}_desc-{method}_T2w.json")
        assert fields["Prior"] == f"fold-{fold}of2.safetensors"
        assert fields["PriorLearners"] == {"three": [f"sub-{each}" for each in OTHERS[fold]]}
        assert f"sub-{label}" not in load_prior(root / prior_path(fold)).people
        assert f"--prior {prior_path(fold)} --dataset three" in fields["Command"]


def test_the_command_of_a_sidecar_makes_the_image_again_from_the_derivatives(run, tmp_path):
    copy = tmp_path / "results/cordinr"
    shutil.copytree(run.results / "cordinr", copy)
    image = copy / "sub-02/anat/sub-02_desc-inrF8_T2w.nii.gz"
    first = load_volume(image)
    words = shlex.split(read_json(image.with_name("sub-02_desc-inrF8_T2w.json"))["Command"])
    # In place of the raw image, which is not there: on its grid are the baselines.
    words[words.index("--like") + 1] = "sub-02/anat/sub-02_desc-learned_T2w.nii.gz"
    image.unlink()
    subprocess.run(words, cwd=copy, env=environment(), check=True)
    np.testing.assert_array_equal(load_volume(image).array, first.array)


def test_nothing_is_learnt_twice_but_for_other_settings(own_run, source):
    assert planned_jobs(own_run, *IMAGES) == {}
    own_run.configure(**config_of(source, steps=3))
    assert planned_jobs(own_run, *IMAGES) == {"learn": 2, "baseline": 3, "fit": 3, "render": 3}


def test_priors_go_on_from_one_that_is_there(own_run, source):
    """And whoever was in that one is in them, and told."""
    own_run.configure(**config_of(source, start="learned", rate=1e-4))
    answer = own_run.snakemake(LEARNED[1])
    assert answer.returncode == 0, answer.stdout
    first = shipped_prior()
    prior = load_prior(own_run.results / "cordinr" / prior_path(2))
    assert set(prior.learners) == {
        *first.learners,
        *(Learner(f"sub-{e}", "three", "A") for e in ("01", "03")),
    }
    assert prior.record["start"]["digest"] == first.digest
    assert prior.record["learning_rate"] == 1e-4
    fields = read_json(own_run.folder / LEARNED[1].replace(".nii.gz", ".json"))
    assert fields["PriorLearners"]["spine-cohort"] == sorted(
        each.person for each in first.learners if each.dataset == "spine-cohort"
    )


def test_an_image_that_cannot_be_got_costs_itself_alone(checkout, source, tmp_path):
    broken = tmp_path / "data"
    shutil.copytree(source, broken)
    image = broken / "sub-03/anat/sub-03_T2w.nii.gz"
    content = gzip.decompress(image.read_bytes())
    image.write_bytes(gzip.compress(content[:-5000]))
    project = checkout("an image lost")
    project.configure(**config_of(broken))
    answer = project.snakemake(*LEARNED)
    assert answer.returncode != 0
    root = project.results / "cordinr"
    made = [(project.folder / path).exists() for path in LEARNED]
    assert made == [True, True, False], answer.stdout
    # Who is in which fold has not changed.
    assert load_prior(root / prior_path(2)).people == {"sub-01"}


def test_more_folds_than_people_are_refused(checkout, source):
    project = checkout("many folds")
    project.configure(**config_of(source, folds=4))
    answer = project.snakemake(*LEARNED)
    words = "config: prior: folds: 3 people cannot be divided into 4 folds; choose fewer folds"
    assert answer.returncode != 0 and words in answer.stdout
    assert not (project.results / "reference").exists()


def test_one_person_under_many_labels_is_refused(checkout, source, tmp_path):
    """As in spine-generic's data-single-subject, where each label is a scanner."""
    folder = tmp_path / "data"
    shutil.copytree(source, folder)
    description = folder / "dataset_description.json"
    write_json(description, read_json(description) | {"Name": "Spinal Cord MRI (Single-subject)"})
    project = checkout("one person")
    project.configure(**config_of(folder))
    answer = project.snakemake(*LEARNED)
    assert answer.returncode != 0 and "all its subjects are one person" in answer.stdout
    assert not (project.results / "reference").exists()


@pytest.mark.parametrize("setting", ["prior", "learn.start"])
def test_a_prior_that_is_not_there_is_refused(checkout, source, setting):
    project = checkout("no prior")
    learn = {"start": "fold"} if setting == "learn.start" else {}
    project.configure(**config_of(source, **learn) | ({} if learn else {"prior": "fold"}))
    answer = project.snakemake("--dry-run")
    assert answer.returncode != 0
    words = f"config: {setting}: there is no file fold; give one that `cordinr learn`"
    assert words in answer.stdout
