"""The whole workflow on the embedded dataset, and what stands in results/ afterwards."""

import os
import re
import signal
import subprocess
import sys
import sysconfig
import venv
from collections import Counter
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from cordinr.evaluation.table import column_dictionary, load_table
from cordinr.files import read_json
from tests.helpers.runs import environment, phantom_config, planned_jobs, validate_bids, wait_until

IMAGES = [f"sub-{s}/anat/sub-{s}" for s in ("01", "02")]
BASELINES = ["cubic", "tikhonov", "tv", "learned"]
METHODS = [*BASELINES, "inrF8", "inrF16"]


def config_of(source):
    """The configuration of the run: with the learned image beside the classical ones."""
    return phantom_config(source, baselines={"methods": BASELINES})


@pytest.fixture(scope="module")
def run(checkout, phantom_source):
    """A finished run, which no test changes."""
    project = checkout("run")
    project.configure(**config_of(phantom_source))
    answer = project.snakemake()
    assert answer.returncode == 0, answer.stdout
    return project


def test_the_source_is_a_valid_raw_dataset(phantom_source):
    assert issues(validate_bids(phantom_source), "error") == []


def test_the_derivatives_are_a_valid_dataset(run):
    report = validate_bids(run.results / "cordinr")
    assert issues(report) == []
    assert report["summary"]["totalFiles"] > 20


def issues(report, *severities):
    """Errors and warnings, or those of some severities."""
    found = report["issues"]["issues"]
    chosen = [each for each in found if not severities or each["severity"] in severities]
    return [(issue["code"], issue.get("location")) for issue in chosen]


def test_every_image_is_there_with_its_sidecar(run):
    root = run.results / "cordinr"
    for image in IMAGES:
        names = [f"{image}_res-{view}_desc-simulated_T2w" for view in ("axial", "sagittal")]
        names += [f"{image}_desc-{method}_T2w" for method in [*METHODS, "learnedstderr"]]
        for dim in (8, 16):
            names += [f"{image}_res-iso1_desc-inrF{dim}{end}_T2w" for end in ("", "stderr")]
            names += [f"{image}_desc-inrF{dim}stderr_T2w"]
        for name in names:
            assert np.isfinite(nib.load(root / f"{name}.nii.gz").get_fdata()).all()
            sidecar = read_json(root / f"{name}.json")
            assert sidecar["Sources"] and sidecar["Command"].startswith("cordinr ")
        folder = (root / image).parent
        assert len(list(folder.iterdir())) == 2 * len(names)


def test_the_uncertainty_map_tells_how_large_the_error_may_be(run):
    root = run.results / "cordinr"
    for image in IMAGES:
        for grid in ("", "_res-iso1"):
            std = nib.load(root / f"{image}{grid}_desc-inrF16stderr_T2w.nii.gz")
            mean = nib.load(root / f"{image}{grid}_desc-inrF16_T2w.nii.gz")
            assert std.shape == mean.shape and (std.affine == mean.affine).all()
            values = std.get_fdata()
            assert values.min() >= 0 and 0 < values.mean() < mean.get_fdata().max()
    described = (root / "descriptions.tsv").read_text()
    assert "desc-inrF16stderr\tStandard error of desc-inrF16" in described


def test_sources_lead_to_files(run):
    """Every BIDS URI resolves, through DatasetLinks where it names the raw dataset."""
    root = run.results / "cordinr"
    links = read_json(root / "dataset_description.json")["DatasetLinks"]
    for sidecar in root.glob("sub-*/anat/*.json"):
        for source in read_json(sidecar)["Sources"]:
            scheme, name, path = source.split(":")
            base = root / links[name] if name else root
            assert scheme == "bids" and (base / path).exists(), source


def test_the_table_is_tidy_and_described(run):
    table = load_table(run.results / "metrics.tsv")
    assert list(table.columns) == list(read_json(run.results / "metrics.json"))
    assert list(table.columns) == list(column_dictionary())
    assert len(table) == 2 * (len(BASELINES) + 2 + 2)
    keys = ["image", "desc", "res"]
    assert not table.duplicated(keys).any()
    own = table[table.res == ""]
    assert own[["psnr_fov", "ssim_fov", "nrmse_fov", "psnr_fg", "psnr_cord"]].notna().all(axis=None)
    assert (own.groupby("image").size() == len(METHODS)).all()
    inr = table[table.method == "inr"]
    assert inr[["fit_seconds", "render_seconds", "peak_memory_mb"]].gt(0).all(axis=None)
    assert set(table[table.res == "iso1"].voxel_size) == {1.0}


def test_the_table_of_costs_has_every_job_that_works(run):
    rows = [line.split("\t") for line in (run.results / "benchmarks.tsv").read_text().splitlines()]
    jobs = Counter(row[0] for row in rows[1:])
    worked = {"simulate": 2, "baseline": 2, "fit": 4, "render": 4, "evaluate": 4}
    assert jobs == worked | {"compare": 2, "resolution": 2}
    seconds = rows[0].index("s")
    assert all(float(row[seconds]) > 0 for row in rows[1:])


def test_the_last_words_are_what_it_did(own_run):
    answer = own_run.snakemake("--forcerun", "describe")
    assert answer.returncode == 0, answer.stdout
    words = answer.stdout[answer.stdout.index(" jobs done, 0 failed.") :]
    assert re.search(r"^4 INRs fitted so far in \d\.\d\d hours", words, re.MULTILINE)
    # A line per job, and no more: neither command nor reason.
    assert re.search(r"^Job \d+: Everything is made", answer.stdout, re.MULTILINE)
    assert "cordinr describe" not in answer.stdout and "reason:" not in answer.stdout


def test_baselines_rank_as_they_should(run):
    table = load_table(run.results / "metrics.tsv")
    psnr = table[table.res == ""].pivot_table("psnr_fov", "image", "method")
    assert (psnr["tikhonov"] > psnr["cubic"] + 1).all()


def test_figures_are_pictures(run):
    from matplotlib.image import imread

    figures = [f"{image}_{name}" for image in IMAGES for name in ("comparison", "resolution")]
    for name in figures:
        pixels = imread(run.results / "figures" / f"{name}.png")
        assert min(pixels.shape[:2]) > 400 and pixels[..., :3].std() > 0.1


def test_the_page_has_both_figures_and_the_loss_of_every_fit(run):
    page = (run.results / "cordinr/sub-01.html").read_text()
    assert page.count('<img src="data:image/png') == 2
    assert page.count("<polyline") == 2
    for dim in (8, 16):
        record = f"records/sub-01/anat/sub-01_desc-inrF{dim}_fit.json"
        assert f'href="../{record}"' in page and read_json(run.results / record)["losses"]["loss"]


def test_quiet_runs_say_nothing(own_run):
    answer = own_run.snakemake("--forcerun", "describe", "--quiet", "all")
    assert answer.returncode == 0
    assert answer.stdout.splitlines()[1:] == [], answer.stdout  # the profile has a line


def test_it_can_be_watched_when_it_is_over(run):
    command = [sys.executable, "-m", "cordinr", "watch"]
    answer = subprocess.run(
        command, cwd=run.folder, env=environment(), capture_output=True, text=True
    )
    assert answer.returncode == 0 and answer.stderr == ""
    assert "the run has ended after" in answer.stdout


def test_a_second_run_has_nothing_to_do(own_run):
    answer = own_run.snakemake()
    assert answer.returncode == 0 and "Nothing to be done" in answer.stdout


def test_metrics_that_are_gone_are_made_again(own_run):
    """A killed job has taken them along; table and figures are there."""
    path = own_run.results / "metrics/sub-01/anat/sub-01_desc-tv_metrics.json"
    path.unlink()
    answer = own_run.snakemake("--dry-run")
    assert answer.returncode == 0 and re.search(r"^evaluate +1$", answer.stdout, re.MULTILINE)


def test_the_report_holds_the_figures(own_run):
    answer = own_run.snakemake("--report", "report.html")
    assert answer.returncode == 0, answer.stdout
    page = (own_run.folder / "report.html").read_text()
    for name in (
        "ablation.svg",
        "outliers.svg",
        "time.svg",
        "sub-01_comparison.png",
        "sub-02_comparison.png",
        "sub-01_resolution.png",
        "benchmarks.tsv",
    ):
        assert name in page


def test_a_change_redoes_what_depends_on_it_and_no_more(own_run, phantom_source):
    config = config_of(phantom_source)
    own_run.configure(**(config | {"fit": config["fit"] | {"seed": 7}}))
    assert planned_jobs(own_run)["fit"] == 4
    own_run.configure(**(config | {"voxel_sizes": [1.0, 1.5]}))
    finer = planned_jobs(own_run)
    assert finer["render"] == 4 and "fit" not in finer and "simulate" not in finer
    own_run.configure(**(config | {"fourier_dims": [8, 16, 24]}))
    more = planned_jobs(own_run)
    assert more["fit"] == 2 and "baseline" not in more
    own_run.configure(**config)
    assert planned_jobs(own_run) == {}, "the settings are as they were"


def test_an_interrupted_run_goes_on(checkout, phantom_source):
    project = checkout("interrupted")
    config = phantom_config(phantom_source, fourier_dims=[8])
    config["dataset"]["subjects"] = ["01"]
    config["fit"] = config["fit"] | {"passes": 10_000, "max_steps": 1_000_000}
    project.configure(**config)
    fitting = project.results / "logs/fit/sub-01/anat/sub-01_desc-inrF8.log"
    with project.running(project.folder / "first.log") as run:
        wait_until(lambda: fitting.exists() and "step" in fitting.read_text(), "a step of the fit")
        os.killpg(run.pid, signal.SIGINT)
        assert run.wait(timeout=60) != 0
    whole = [p for p in project.results.rglob("*.nii.gz") if "sourcedata" not in p.parts]
    assert whole and all(nib.load(p).get_fdata().size for p in whole)
    config["fit"]["passes"] = 2
    project.configure(**config)
    answer = project.snakemake()
    assert answer.returncode == 0, answer.stdout
    assert (project.results / "metrics.tsv").exists()


def test_a_bare_checkout_without_an_installed_package(checkout, phantom_source, tmp_path):
    """A python that has the dependencies but not cordinr: the command comes from the checkout.

    That python is not on PATH, where another one comes first.
    """
    project = checkout("bare")
    config = phantom_config(phantom_source, fourier_dims=[8], voxel_sizes=[])
    config["dataset"]["subjects"] = ["01"]
    project.configure(**config)
    venv.create(tmp_path / "venv")
    # Paths named in a .pth file are searched, but their own .pth files (ours) are not read.
    packages = sysconfig.get_path("purelib")
    own = sysconfig.get_path("purelib", vars={"base": str(tmp_path / "venv")})
    (Path(own) / "dependencies.pth").write_text(packages)
    programs = tmp_path / "venv" / "bin"
    (programs / "git-annex").symlink_to(Path(sys.executable).parent / "git-annex")
    other = tmp_path / "other"
    other.mkdir()
    (other / "python3").write_text("#!/bin/sh\necho this python has nothing >&2\nexit 9\n")
    (other / "python3").chmod(0o755)
    elsewhere = [p for p in os.environ["PATH"].split(":") if not Path(p, "cordinr").exists()]
    answer = subprocess.run(
        [programs / "python", *project.command()[1:]],
        cwd=project.folder,
        env=environment() | {"PATH": ":".join([str(other), *elsewhere])},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    assert (project.results / "metrics.tsv").exists()


def test_one_image_can_be_asked_for_and_a_new_subject_redoes_nothing(checkout, phantom_source):
    project = checkout("single")
    config = phantom_config(phantom_source, fourier_dims=[8], voxel_sizes=[])
    config["dataset"]["subjects"] = ["01"]
    project.configure(**config)
    view = "results/cordinr/sub-01/anat/sub-01_res-axial_desc-simulated_T2w.nii.gz"
    answer = project.snakemake(view)
    assert answer.returncode == 0, answer.stdout
    before = (project.folder / view).stat().st_mtime_ns
    config["dataset"]["subjects"] = ["01", "02"]
    project.configure(**config)
    second = view.replace("sub-01", "sub-02")
    answer = project.snakemake(view, second)
    assert answer.returncode == 0, answer.stdout
    assert (project.folder / second).exists()
    assert (project.folder / view).stat().st_mtime_ns == before
