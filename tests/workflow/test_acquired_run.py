"""The workflow on acquired scans: displaced scans of a phantom of which the truth is known."""

import csv
import re

import numpy as np
import pytest
import yaml
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation
from snakemake.utils import update_config

from cordinr.datasets.git import environment as git_identity
from cordinr.datasets.git import git
from cordinr.files import read_json
from cordinr.imaging.volume import load_scan, load_volume
from cordinr.phantom.acquired import DISPLACEMENTS, displaced, write_acquired_dataset
from tests.helpers.runs import TINY, planned_jobs, validate_bids
from tests.helpers.support import ROOT

SCANS = ["sub-01_acq-sag", "sub-01_acq-ax_chunk-1", "sub-01_acq-ax_chunk-2"]
METHODS = ["cubic", "tikhonov", "tv", "inrF8", "inrF16"]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Two phantoms, of which the second has lost its axial scans."""
    folder = tmp_path_factory.mktemp("acquired") / "raw"
    write_acquired_dataset(folder, subjects=2, voxel=1.2, truth=1.0, snr=40.0, seed=0)
    with git_identity():
        git(folder, "rm", "--quiet", "-r", "sub-02/anat/*_acq-ax_*")
        git(folder, "commit", "--quiet", "-m", "no axial scans")
        git(folder, "tag", "--force", "v1")
    return folder


def config_of(source, **changes):
    """workflow/acquired.yaml with that dataset and a tiny budget."""
    config = yaml.safe_load((ROOT / "workflow/acquired.yaml").read_text())
    update_config(config, TINY | {"dataset": {"source": str(source)}} | changes)
    return config


@pytest.fixture(scope="module")
def run(checkout, source):
    """A finished run, which no test changes."""
    project = checkout("acquired")
    project.configure(**config_of(source))
    answer = project.snakemake()
    assert answer.returncode == 0, answer.stdout
    return project


def issues(report, *severities):
    """Codes and places of what the validator found, of some severities or of all."""
    found = report["issues"]["issues"]
    chosen = [each for each in found if not severities or each["severity"] in severities]
    return [(issue["code"], issue.get("location")) for issue in chosen]


def test_the_source_is_a_valid_raw_dataset(source):
    assert issues(validate_bids(source), "error") == []


def test_the_derivatives_are_a_valid_dataset(run):
    report = validate_bids(run.results / "cordinr")
    assert issues(report) == []
    assert report["summary"]["totalFiles"] > 30


def test_a_subject_without_axial_scans_is_left_out_with_the_reason(run):
    rows = read_table(run.results / "inputs.tsv")
    assert [row["image"] for row in rows if row["path"]] == ["sub-01"]
    reason = "sub-02 has no T2w scan with acquisition ax; it is left out."
    assert rows[1]["problem"].endswith(reason) and rows[1]["incomplete"] == "acquisition ax"
    assert f"{reason}\n" in (run.results / "logs/index.log").read_text()
    assert not list((run.results / "cordinr").glob("sub-02*"))


def test_every_image_is_there_with_its_sidecar_and_its_sources(run):
    root = run.results / "cordinr"
    names = [f"{scan}_desc-aligned_T2w" for scan in SCANS]
    names += [f"sub-01_desc-{method}_T2w" for method in METHODS]
    for dim in (8, 16):
        names += [f"sub-01_res-iso1_desc-inrF{dim}{end}_T2w" for end in ("", "stderr")]
        names += [f"sub-01_desc-inrF{dim}stderr_T2w"]
    links = read_json(root / "dataset_description.json")["DatasetLinks"]
    for name in names:
        assert np.isfinite(load_volume(root / f"sub-01/anat/{name}.nii.gz").array).all()
        sidecar = read_json(root / f"sub-01/anat/{name}.json")
        assert sidecar["Command"].startswith("cordinr ")
        for uri in sidecar["Sources"]:
            _, link, path = uri.split(":")
            assert ((root / links[link] if link else root) / path).exists(), uri
    folder = root / "sub-01/anat"
    assert len(list(folder.iterdir())) == 2 * len(names) + len(SCANS)
    own = load_volume(folder / "sub-01_desc-inrF8_T2w.nii.gz").grid
    assert own.matches(load_volume(folder / "sub-01_desc-tv_T2w.nii.gz").grid)
    np.testing.assert_allclose(own.voxel_sizes, 0.96, rtol=1e-3)  # of the axial scans


def read_table(path):
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


@pytest.fixture(scope="module")
def true_rows(source):
    return {
        row["scan"].rpartition("/")[2].removesuffix("_T2w.nii.gz"): row
        for row in read_table(source / DISPLACEMENTS)
    }


@pytest.mark.parametrize("scan", SCANS)
def test_poses_and_gains_in_the_sidecars_are_the_true_ones(run, source, true_rows, scan):
    row = {name: float(text) for name, text in true_rows[scan].items() if name != "scan"}
    axes = ("right", "anterior", "superior")
    shift = np.array([row[f"{axis}_mm"] for axis in axes])
    turn = np.array([row[f"turn_{axis}_degrees"] for axis in axes])
    raw = load_scan(source / f"sub-01/anat/{scan}_T2w.nii.gz").grid
    true = displaced(raw, shift, turn)
    aligned = run.results / f"cordinr/sub-01/anat/{scan}_desc-aligned_T2w.nii.gz"
    sidecar = read_json(aligned.with_name(aligned.name.replace(".nii.gz", ".json")))
    rotation = Rotation.from_rotvec(sidecar["AlignmentRotationVector"])
    pivot = np.array(sidecar["AlignmentRotationCentre"])
    centre = pivot + rotation.apply(raw.centre - pivot) + sidecar["AlignmentTranslation"]
    assert np.linalg.norm(centre - true.centre) < 0.5
    error = rotation * Rotation.from_rotvec(np.radians(turn)).inv()
    assert np.degrees(error.magnitude()) < 0.6
    assert sidecar["AlignmentGain"] == pytest.approx(row["gain"], rel=0.05)
    np.testing.assert_allclose(load_scan(aligned).grid.centre, centre, atol=1e-3)
    assert np.linalg.norm(shift) > 1 or scan == SCANS[0]


@pytest.mark.parametrize("method", ["cubic", "tv"])
def test_it_is_closer_to_the_truth_than_what_unaligned_scans_give(
    run, source, tmp_path, command, method
):
    aligned = run.results / f"cordinr/sub-01/anat/sub-01_desc-{method}_T2w.nii.gz"
    unaligned = tmp_path / f"sub-01_desc-{method}_T2w.nii.gz"
    raw = [source / f"sub-01/anat/{scan}_T2w.nii.gz" for scan in SCANS]
    assert command("baseline", *raw, "--method", method, "--like", aligned, "-o", unaligned)[0] == 0
    [path] = source.glob("derivatives/truth/sub-01/anat/sub-01_res-*_desc-truth_T2w.nii.gz")
    truth = load_volume(path)
    errors = [error_db(load_volume(image), truth) for image in (aligned, unaligned)]
    assert errors[0] > errors[1] + 3


def error_db(image, truth):
    """PSNR in dB, where an image lies within the field of view of the truth."""
    world = image.grid.centres()
    within = truth.grid.contains(truth.grid.index(world))
    positions = truth.grid.index(world[within]).T
    expected = map_coordinates(truth.array, positions, order=1, mode="nearest")
    difference = image.array.ravel()[within] - expected
    return 20 * np.log10(expected.max() / np.sqrt(np.mean(difference**2)))


def test_checks_without_a_reference_are_tidy_and_described(run):
    rows = read_table(run.results / "checks.tsv")
    assert [*rows[0]] == [*read_json(run.results / "checks.json")]
    assert [row["desc"] for row in rows if row["image"] == "sub-01"] == METHODS
    for row in rows[:-1]:
        assert row["verdict"] in ("trusted", "doubtful", "do not use") and row["problem"] == "n/a"
        assert 0 < float(row["trust"]) < 1 and int(row["slices"]) == 26
        assert float(row["agreement"]) > 0.95  # 0.6 to 0.8 before the alignment
    assert rows[-1]["image"] == "sub-02" and rows[-1]["problem"].endswith("it is left out.")
    tv = rows[METHODS.index("tv")]
    assert tv["verdict"] == "trusted" and float(tv["fit_seconds"]) > 0
    slices = read_table(run.results / "checks/sub-01/anat/sub-01_slices.tsv")
    assert len(slices) == len(METHODS) * 26
    for method in METHODS:
        assert (run.results / f"figures/sub-01/anat/sub-01_desc-{method}_residuals.png").exists()


def test_the_page_shows_every_reconstruction_and_the_index_leads_to_it(run):
    page = (run.results / "cordinr/sub-01.html").read_text()
    assert page.count('<img src="data:image/png') == len(METHODS) + 1
    assert "trusted" in page and "sub-01_acq-ax_chunk-2" in page
    index = (run.results / "cordinr/index.html").read_text()
    assert 'href="sub-01.html"' in index and "sub-02 has no T2w scan" in index


def test_what_the_jobs_cost(run):
    rows = read_table(run.results / "benchmarks.tsv")
    jobs = [row["rule"] for row in rows]
    assert {rule: jobs.count(rule) for rule in jobs} == {
        "align": 1,
        "baseline": 1,
        "check": 1,
        "fit": 2,
        "render": 2,
    }
    assert not (run.results / "aligned").exists(), "the folder of the alignment was temporary"


def test_a_second_run_has_nothing_to_do(own_run):
    answer = own_run.snakemake()
    assert answer.returncode == 0 and "Nothing to be done" in answer.stdout


def test_an_aligned_scan_that_is_gone_is_made_again_with_what_depends_on_it(own_run):
    (own_run.results / f"cordinr/sub-01/anat/{SCANS[1]}_desc-aligned_T2w.nii.gz").unlink()
    jobs = planned_jobs(own_run)
    assert jobs["align"] == 1 and jobs["keep_aligned"] == 3 and "fetch_scan" not in jobs


def test_whom_a_person_asks_for_by_name_must_have_a_complete_set(own_run, source):
    config = config_of(source)
    config["dataset"]["subjects"] = ["01", "02"]
    own_run.configure(**config)
    answer = own_run.snakemake()
    assert answer.returncode != 0
    assert re.search(r"1 of 2 have no image \(sub-02\)", answer.stdout)


def test_contradictions_are_refused_before_anything_is_done(own_run, source):
    config = config_of(source)
    config["views"]["coronal"] = {"axis": "A", "thickness": 4.0}
    own_run.configure(**config)
    answer = own_run.snakemake()
    assert answer.returncode != 0
    assert "config: views: has simulated views (coronal) beside the acquired scans" in answer.stdout
