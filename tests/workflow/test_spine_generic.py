"""A twin of spine-generic: 267 subjects, real git-annex, a host that has the content elsewhere."""

import csv

import pytest
from bids import BIDSLayout
from twin import DESCRIPTION, SITES, Host, write_twin

from cordinr.annex_pointer import is_annex_pointer
from cordinr.files import read_json
from cordinr.index import load_index
from cordinr.table import load_table
from runs import phantom_config, planned_jobs, validate_bids

LEFT_OUT = {"amu02", "mountSinai03", *(f"beijingVerio0{k}" for k in range(1, 5))}
TAKEN = ["amu01", "mountSinai01"]
MASK = "derivatives/labels/{folder}/{image}_{suffix}_label-SC_seg.nii.gz"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spine-generic")
    write_twin(folder / "twin", subjects=267)
    host = Host(folder / "twin", folder / "hosting")
    yield host
    host.switch_off()


@pytest.fixture(scope="module")
def project(host, checkout):
    """A project on all subjects whose dataset is indexed."""
    project = checkout("multi")
    (project.folder / "gitconfig").write_text(Host.GIT_CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(project.folder / "gitconfig"))
        configure(project, host, "all")
        answer = project.snakemake("results/inputs.tsv")
        assert answer.returncode == 0, answer.stdout
        yield project


def configure(project, host, subjects, **dataset):
    chosen = {"name": "multi", "source": str(host.bare), "subjects": subjects, "truth": ""}
    config = phantom_config(host.bare, dataset=chosen | {"mask": MASK} | dataset)
    project.configure(**config, profile="gaussian")


@pytest.fixture(scope="module")
def run(project, host):
    """Two subjects of it reconstructed, one that exclude.yml lists not."""
    configure(project, host, [*TAKEN, "beijingVerio02"], drop=True)
    answer = project.snakemake()
    assert answer.returncode == 0, answer.stdout
    yield project


def test_all_subjects_are_found_but_those_of_exclude_yml(project):
    rows = load_index(project.results / "inputs.tsv")
    found = {row.subject for row in rows}
    assert len(rows) == 267 - len(LEFT_OUT) and not found & LEFT_OUT
    assert all(row.mask and row.path and not row.problem for row in rows)
    log = (project.results / "logs/index.log").read_text()
    assert log.count("left out: sub-") == len(LEFT_OUT)
    assert "sub-beijingVerio02 (exclude.yml, csa_t2: beijingVerio, Site did not" in log
    assert f"{len(rows)} images" in log and "GB to download" in log


def test_the_plan_for_all_subjects_is_complete(project, host):
    configure(project, host, "all")
    jobs = planned_jobs(project)
    taken = 267 - len(LEFT_OUT)
    assert jobs["fetch"] == 2 * taken and jobs["fit"] == 2 * taken and jobs["compare"] == taken


def test_the_exclusion_can_be_switched_off(project, host, checkout):
    everybody = checkout("everybody")
    configure(everybody, host, "all", exclude="")
    assert everybody.snakemake("results/inputs.tsv").returncode == 0
    found = {row.subject for row in load_index(everybody.results / "inputs.tsv")}
    assert len(found) == 267 and found > LEFT_OUT and len(SITES) == 3


def test_content_is_got_used_and_dropped(run):
    table = load_table(run.results / "metrics.tsv")
    assert sorted(set(table.subject)) == sorted(TAKEN) and table.psnr_cord.notna().all()
    clone = run.results / "sourcedata/multi"
    for row in load_index(run.results / "inputs.tsv"):
        assert is_annex_pointer(clone / row.path) and is_annex_pointer(clone / row.mask)


def test_the_derivatives_are_valid_without_a_warning(run):
    issues = validate_bids(run.results / "cordinr")["issues"]["issues"]
    assert [(issue["code"], issue["severity"], issue.get("location")) for issue in issues] == []


def test_the_raw_dataset_is_named_with_version_and_commit(run):
    about = read_json(run.results / "cordinr/dataset_description.json")
    (source,) = about["SourceDatasets"]
    assert source["Version"] == "v1" and len(source["Commit"]) == 40
    assert source["URL"].endswith("twin.git") and about["Authors"] == DESCRIPTION["Authors"]
    linked = run.results / "cordinr" / about["DatasetLinks"]["raw"]
    assert (linked / "dataset_description.json").exists()


def test_pybids_finds_every_image_with_its_metadata(run):
    layout = BIDSLayout(run.results / "cordinr", is_derivative=True)
    assert layout.get_subjects() == sorted(TAKEN)
    for query in (
        {"desc": "inrF8", "res": "iso1"},
        {"desc": "tv"},
        {"desc": "simulated", "res": "sagittal"},
        {"desc": "inrF16spread", "res": "iso1"},
    ):
        (image,) = layout.get(subject="amu01", extension=".nii.gz", **query)[-1:]
        metadata = image.get_metadata()
        assert metadata["EchoTime"] == 0.12 and metadata["MagneticFieldStrength"] == 3
        assert metadata["SkullStripped"] is False and metadata["Sources"]
    view = layout.get(subject="amu01", desc="simulated", res="axial", extension=".nii.gz")[0]
    assert view.get_metadata()["SliceThickness"] == 4.0
    inr = layout.get(subject="amu01", desc="inrF8", extension=".nii.gz")[0].get_metadata()
    assert inr["Method"] == "inr" and inr["FourierDimension"] == 8 and inr["Seed"] == 0
    assert inr["ViewProfiles"] == ["gaussian, 4 mm"] * 2 and "SliceThickness" not in inr


def test_every_source_of_every_image_is_a_file(run):
    root = run.results / "cordinr"
    links = read_json(root / "dataset_description.json")["DatasetLinks"]
    sidecars = list(root.glob("sub-*/anat/*.json"))
    assert len(sidecars) == 2 * (2 + 3 + 2 * 4)
    for sidecar in sidecars:
        for source in read_json(sidecar)["Sources"]:
            _, dataset, path = source.split(":", 2)
            assert (root / links.get(dataset, ".") / path).is_file(), source


def test_participants_and_masks_of_the_clone_are_untouched(run):
    clone = run.results / "sourcedata/multi"
    with open(clone / "participants.tsv") as stream:
        assert sum(1 for _ in csv.reader(stream)) == 268
