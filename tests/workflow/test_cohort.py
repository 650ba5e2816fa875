"""A run with another seed, two further sigmas and two sites, and the figures of all images."""

import shutil
import xml.etree.ElementTree as ElementTree

import pandas as pd
import pytest

from cordinr.evaluation.table import load_table
from cordinr.figures.captions import CAPTIONS
from cordinr.files import read_json
from tests.helpers.runs import phantom_config, planned_jobs, validate_bids

INRS = ["inrF8", "inrF16"]
VARIANTS = ["inrF8seed5", "inrF16seed5", "inrF16sigma005", "inrF16sigma01"]


@pytest.fixture(scope="module")
def config(phantom_source, tmp_path_factory):
    """Of a plain folder whose participants come from two sites."""
    source = tmp_path_factory.mktemp("sites") / "data"
    shutil.copytree(phantom_source, source, ignore=shutil.ignore_patterns(".git*", ".datalad"))
    participants = "participant_id\tinstitution_id\nsub-01\tA & B\nsub-02\tC\n"
    (source / "participants.tsv").write_text(participants)
    (source / "participants.json").unlink()
    ablations = {"seeds": [0, 5], "fourier_sigmas": [0.025, 0.05, 0.1], "prior": "tv"}
    return phantom_config(source, dataset={"name": "sites", "version": ""}, **ablations)


@pytest.fixture(scope="module")
def run(checkout, config):
    """A finished run, which no test changes."""
    project = checkout("cohort")
    project.configure(**config)
    answer = project.snakemake()
    assert answer.returncode == 0, answer.stdout
    assert planned_jobs(project) == {}
    return project


def test_variants_are_on_the_raw_grid_and_explained(run):
    root = run.results / "cordinr"
    folder = root / "sub-01/anat"
    described = (root / "descriptions.tsv").read_text()
    for label in VARIANTS:
        sidecar = read_json(folder / f"sub-01_desc-{label}_T2w.json")
        assert (folder / f"sub-01_desc-{label}spread_T2w.nii.gz").exists()
        assert not (folder / f"sub-01_res-iso1_desc-{label}_T2w.nii.gz").exists()
        assert f"desc-{label}\t" in described and f"desc-{label}spread\t" in described
        option = "--seed 5" if "seed" in label else "--sigma 0."
        assert option in sidecar["Command"] and "--voxel" not in sidecar["Command"]
    assert "seed 5." in described and "sigma 0.05 cycles/mm." in described
    assert validate_bids(root)["issues"]["issues"] == []


def test_the_table_has_what_was_fitted_how(run):
    table = load_table(run.results / "metrics.tsv")
    inr = table[table.method.eq("inr") & table.res.eq("")].set_index(["image", "desc"])
    found = {label: (row.sigma, row.seed) for label, row in inr.loc["sub-01"].iterrows()}
    assert found == {
        "inrF8": (0.025, 0),
        "inrF16": (0.025, 0),
        "inrF8seed5": (0.025, 5),
        "inrF16seed5": (0.025, 5),
        "inrF16sigma005": (0.05, 0),
        "inrF16sigma01": (0.1, 0),
    }
    assert inr.psnr_fov.nunique() == len(inr) and inr.fit_seconds.gt(0).all()
    assert set(table[table.res.eq("iso1")].desc) == set(INRS)
    assert set(zip(table.image, table.site, strict=True)) == {("sub-01", "A & B"), ("sub-02", "C")}


def test_every_figure_is_there_with_its_numbers(run):
    folder = run.results / "figures"
    assert {path.stem for path in folder.glob("*.svg")} == set(CAPTIONS)
    for name in CAPTIONS:
        words = " ".join(ElementTree.parse(folder / f"{name}.svg").getroot().itertext())
        assert "n = 2 images" in words
        assert len(pd.read_csv(folder / f"{name}.tsv", sep="\t")) >= 2
    ablation = pd.read_csv(folder / "ablation.tsv", sep="\t", na_values="n/a")
    assert set(ablation.seeds.dropna()) == {2}
    sigmas = pd.read_csv(folder / "sigmas.tsv", sep="\t", na_values="n/a")
    assert set(sigmas.sigma.dropna()) == {0.025, 0.05, 0.1}


def test_the_pages_have_the_figures_and_no_variants(run):
    index = (run.results / "cordinr/index.html").read_text()
    assert index.count("data:image/svg+xml;base64,") == len(CAPTIONS)
    assert "../figures/sites.tsv" in index and "A &amp; B" in index
    subject = (run.results / "cordinr/sub-01.html").read_text()
    assert "desc-inrF16_T2w" in subject and "seed5_T2w" not in subject


def test_the_report_has_figures_and_numbers_with_captions(own_run):
    answer = own_run.snakemake("--report", "report.html")
    assert answer.returncode == 0, answer.stdout
    page = (own_run.folder / "report.html").read_text()
    for name, caption in CAPTIONS.items():
        assert f"{name}.svg" in page and f"{name}.tsv" in page
        assert caption.title in page and caption.text[:40] in page


def test_without_ablations_nothing_is_fitted_again_and_less_is_drawn(own_run, config):
    own_run.configure(**(config | {"seeds": [], "fourier_sigmas": []}))
    planned = planned_jobs(own_run)
    assert not {"fit", "render", "render_variant", "baseline", "simulate"} & set(planned)
    assert planned["cohort"] == len(CAPTIONS) - 1
    own_run.configure(**config)
    assert planned_jobs(own_run) == {}
