"""The verb `learn`: whose images it learns from, what it says and refuses."""

import inspect
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cordinr.cli.learn import learn
from cordinr.cli.learners import find_files
from cordinr.datasets.index import IndexRow, save_index
from cordinr.datasets.layout import ResultPaths
from cordinr.files import read_json, write_json
from cordinr.imaging.volume import save_volume
from cordinr.prior.learning import LearningSettings
from cordinr.prior.patches import PatchPool
from cordinr.prior.people import Learner
from cordinr.prior.prior_file import load_prior
from cordinr.prior.shipped import shipped_prior
from tests.helpers.priors import reference, write_cohort

QUICK = (
    "--phantoms 0 --per-image 1 --steps 1 --batch 1 --threads 1 --device cpu -o prior.safetensors"
)


class EndedError(Exception):
    pass


@pytest.fixture
def dataset(tmp_path, monkeypatch):
    """Three people of two sites, one image each."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "cohort"
    write_cohort(root, {"01": "x", "02": "x", "03": "y"}, size=18)
    return root


def test_people_are_of_the_dataset_as_it_was_called(dataset):
    """A run calls a linked source by the name of the link, and refuses its people by that name."""
    Path("mine").symlink_to(dataset)
    for folder, name in ((Path("mine"), "mine"), (dataset / ".", "cohort")):
        assert {each.learner.dataset for each in find_files([folder], "T2w")} == {name}


def test_it_learns_from_all_but_those_left_out(dataset, command):
    code, _, errors = command("learn", "cohort", *QUICK.split(), "--exclude-subject", "02")
    assert code == 0
    assert "learning from 2 people" in errors and "step 1/1" in errors
    prior = load_prior("prior.safetensors")
    assert prior.learners == (Learner("sub-01", "cohort", "x"), Learner("sub-03", "cohort", "y"))
    assert prior.record["examples"] == 2
    assert {row["person"] for row in prior.record["scores"]} == {"sub-02"}
    assert prior.calibration == 1
    assert "sub-02 three" in errors


def test_scores_of_people_who_were_left_out_calibrate_the_others(dataset, command):
    words = [*QUICK.split(), "--exclude-subject", "02", "--licence", "MIT"]
    assert command("learn", "cohort", *words)[0] == 0
    first = load_prior("prior.safetensors")
    Path("prior.safetensors").rename("first.safetensors")
    taken = [*QUICK.split(), "--scores-of", "first.safetensors"]
    assert command("learn", "cohort", *taken)[0] == 0
    whole = load_prior("prior.safetensors")
    assert first.record["licence"] == "MIT"
    assert whole.record["scores"] == first.record["scores"]
    assert whole.calibration == pytest.approx(
        np.clip(np.mean([row["error_over_se"] for row in first.record["scores"]]), 0.2, 5)
    )
    # Nobody's own error says how uncertain their image is.
    assert command("learn", "cohort", *taken, "--exclude-subject", "02")[0] == 0
    assert load_prior("prior.safetensors").calibration == 1


def test_a_prior_that_nobody_was_left_out_of_has_no_scores(dataset, command):
    assert command("learn", "cohort", *QUICK.split())[0] == 0
    code, _, errors = command("learn", "cohort", *QUICK.split(), "--scores-of", "prior.safetensors")
    assert code == 1 and "prior.safetensors: holds no scores" in errors


def test_the_prior_that_comes_with_cordinr_began_with_the_defaults():
    options = inspect.signature(learn).parameters
    record = shipped_prior().record["start"]
    names = {"steps": "steps", "batch": "batch", "rate": "learning_rate", "phantoms": "phantoms"}
    names |= {"per_image": "per_image", "seed": "seed"}
    assert {name: options[name].default for name in names} == {
        name: record[key] for name, key in names.items()
    }
    assert record["patch"] == LearningSettings().patch


def test_it_goes_on_from_another_prior(dataset, command):
    """Which is in the new one with all who were in it and all views that it knows."""
    words = [*QUICK.split(), "--exclude-subject", "03"]
    assert command("learn", "cohort", *words, "--no-score")[0] == 0
    Path("prior.safetensors").rename("first.safetensors")
    first = load_prior("first.safetensors")
    going_on = [*QUICK.split(), "--start", "first.safetensors", "--rate", "1e-9", "--no-score"]
    code, _, errors = command("learn", "cohort", *going_on, "--exclude-subject", "01")
    assert code == 1
    assert "prior first.safetensors: has learnt from sub-01" in errors
    code, _, errors = command("learn", "cohort", *going_on, "--exclude-subject", "03")
    assert code == 0, errors
    prior = load_prior("prior.safetensors")
    assert prior.learners == first.learners
    assert prior.record["start"] == first.record | {"digest": first.digest}
    assert prior.network.digest == first.network.digest  # as the rate is next to nothing
    write_cohort(Path("others"), {"01": "z"}, size=18)
    assert command("learn", "others", *going_on)[0] == 0
    prior = load_prior("prior.safetensors")
    assert prior.learners == (*first.learners, Learner("sub-01", "others", "z"))
    assert prior.known.joined(first.known) == prior.known != first.known


def test_a_fold_leaves_out_the_people_of_a_site(dataset, command):
    assert command("learn", "cohort", *QUICK.split(), "--fold", "1/2")[0] == 0
    assert load_prior("prior.safetensors").people == {"sub-03"}


def test_a_run_is_learnt_from_without_scores(dataset, command):
    """Its references by its index: also those that cannot be read count where folds are divided."""
    rows = []
    for label, site in (("01", "x"), ("02", "y"), ("03", "y"), ("04", "z")):
        row = IndexRow(label, "", f"sub-{label}/anat", f"sub-{label}", path="T2w.nii.gz", site=site)
        rows.append(row)
        if label != "04":
            copy = ResultPaths(Path("results")).reference(row)
            copy.parent.mkdir(parents=True)
            copy.write_bytes((dataset / f"sub-{label}/anat/sub-{label}_T2w.nii.gz").read_bytes())
    rows.append(IndexRow("05", "", "sub-05/anat", "sub-05", problem="has no T2w image"))
    save_index("results/inputs.tsv", rows)
    write_json("results/source.json", {"Name": "Spines"})
    words = [*QUICK.split(), "--fold", "1/2", "--no-score"]
    code, _, errors = command("learn", "results", *words, "--dataset", "spines")
    assert code == 0, errors
    assert "sub-04_reference.nii.gz" in errors
    prior = load_prior("prior.safetensors")
    assert prior.learners == (Learner("sub-01", "spines", "x"),)
    assert prior.record["scores"] == []
    # Nobody knows of whom it is the sub-01 then: it is refused to everyone of that name.
    assert command("learn", "results", *words)[0] == 0
    assert load_prior("prior.safetensors").learners == (Learner("sub-01", "", "x"),)
    save_index("results/inputs.tsv", [replace(rows[0], scans="a.nii.gz,b.nii.gz")])
    code, _, errors = command("learn", "results", *words)
    assert code == 1 and "inputs.tsv: is of acquired scans, which have no references" in errors


@pytest.mark.parametrize("option", ["--exclude-subject 01", "--fold 1/3"])
def test_nobody_is_left_out_of_a_dataset_of_one_person(dataset, command, option):
    description = dataset / "dataset_description.json"
    write_json(description, read_json(description) | {"Name": "Spinal Cord (Single-subject)"})
    code, _, errors = command("learn", "cohort", *QUICK.split(), *option.split())
    assert code == 1 and "cohort/dataset_description.json: the dataset is called" in errors


def test_the_same_words_give_the_same_bytes(dataset, command):
    assert command("learn", "cohort", *QUICK.split(), "--exclude-subject", "sub-03")[0] == 0
    first = (dataset.parent / "prior.safetensors").read_bytes()
    assert command("learn", "cohort", *QUICK.split(), "--exclude-subject", "sub-03")[0] == 0
    assert (dataset.parent / "prior.safetensors").read_bytes() == first
    assert [path.name for path in dataset.parent.iterdir() if path.name.startswith(".")] == []


def test_sigterm_costs_no_step(dataset, command, monkeypatch):
    """As from Slurm: the process ends by it, once the state is written, and goes on from there."""
    drawn = []

    def draw(pool, step, whole=PatchPool.draw):
        drawn.append(step)
        if len(drawn) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return whole(pool, step)

    def end(number, frame):
        raise EndedError

    monkeypatch.setattr(PatchPool, "draw", draw)
    words = ["learn", "cohort", *QUICK.split(), "--steps", "4"]
    before = signal.signal(signal.SIGTERM, end)
    try:
        with pytest.raises(EndedError):
            command(*words)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert Path(".prior.safetensors.partial").exists() and not Path("prior.safetensors").exists()
    assert command(*words)[0] == 0
    assert drawn == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--exclude-subject 09", "sub-09: none of the datasets has such a subject"),
        ("--fold 3/2", "--fold 3/2: is no part"),
        ("--fold all", "--fold all: is no part"),
        ("--fold 1/4", "3 people cannot be divided into 4 folds"),
        (
            "--exclude-subject 01 --exclude-subject 02 --exclude-subject 03",
            "0 people are left to learn from",
        ),
        ("-o prior.nii.gz", "a prior is a .safetensors file"),
    ],
)
def test_what_cannot_be_is_refused(dataset, command, words, said):
    code, _, errors = command("learn", "cohort", *QUICK.split(), *words.split())
    assert code == 1 and said in errors


def test_images_that_cannot_be_used_are_left_out(dataset, command):
    volume = reference("sub-03", 8).volume
    save_volume(dataset / "sub-03/anat/sub-03_T2w.nii.gz", volume.array, volume.grid)
    (dataset / "sub-02/anat/sub-02_T2w.nii.gz").write_bytes(b"no image")
    code, _, errors = command("learn", "cohort", *QUICK.split())
    assert code == 0
    assert "sub-03_T2w.nii.gz: is too small to learn from" in errors
    assert "sub-02_T2w.nii.gz" in errors
    assert load_prior("prior.safetensors").people == {"sub-01"}
