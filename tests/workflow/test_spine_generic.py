"""The public datasets as they really are, from their lists: see `spine_generic`."""

import csv
import re

import numpy as np
import pytest
import yaml
from bids import BIDSLayout

from cordinr.annex_pointer import is_annex_pointer
from cordinr.datasets.annex import drop_content, get_content
from cordinr.datasets.index import load_index
from cordinr.datasets.source import clone_or_link
from cordinr.evaluation.table import load_table
from cordinr.files import read_json
from cordinr.imaging.volume import load_grid, load_volume
from tests.helpers.runs import TINY, planned_jobs, validate_bids
from tests.helpers.spine_generic import GE, LISTS, PSR, RPI, VERSIONS, image, listed, mask, publish
from tests.helpers.support import ROOT
from tests.helpers.twin import Host

if not LISTS.is_dir():
    pytest.skip(f"the lists of the datasets are not at {LISTS}", allow_module_level=True)

SMALL = {key: TINY[key] for key in ("fourier_dims", "fit", "fit_threads")}
NEWEST = {"single": "r20211115", "multi": "r20250314"}
TAKEN = ["amu01", "mountSinai01"]
MASKLESS = "unf01"
"""Its mask is listed and nobody has its content."""

OLD = "nwu06"
"""At the oldest version its mask is on another grid than its image, with other axes."""

CORD = re.compile(
    "derivatives/labels/sub-([^/]+)/anat/sub-[^/]+_T2w_(label-SC_seg|seg-manual|RPI_r_seg-manual)"
    r"\.nii\.gz"
)


def tag(name, version):
    """What to put for `dataset.version`; the newest commit of single has no tag."""
    return version if version != "HEAD" else {"multi": NEWEST["multi"], "single": "master"}[name]


def advised_against(name, version):
    """Whom `csa_t2` of exclude.yml lists: subjects, and those of its sites."""
    folder = LISTS / name / version
    entries = (yaml.safe_load((folder / "exclude.yml").read_text())).get("csa_t2", [])
    with open(folder / "participants.tsv") as stream:
        sites = {
            row["participant_id"]: row["institution_id"]
            for row in csv.DictReader(stream, delimiter="\t")
        }
    return {label[4:] for label, site in sites.items() if label in entries or site in entries}


@pytest.fixture(scope="module", autouse=True)
def reachable(tmp_path_factory):
    """git-annex may connect to this machine."""
    path = tmp_path_factory.mktemp("git") / "gitconfig"
    path.write_text(Host.GIT_CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(path))
        yield


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    folder = tmp_path_factory.mktemp("single")
    shapes = {"oxfordFmrib": PSR, "unf": PSR, "chiba750": GE}
    content = {}
    for seed, (label, affine) in enumerate(shapes.items()):
        data = image(folder, affine, (38, 38, 20) if affine is GE else (23, 22, 21), seed)
        path = f"sub-{label}/anat/sub-{label}_T2w.nii.gz"
        content |= {(version, path): data for version in VERSIONS["single"]}
    twin = publish("single", folder / "published", content)
    yield twin
    twin.close()


@pytest.fixture(scope="module")
def multi(tmp_path_factory):
    folder = tmp_path_factory.mktemp("multi")
    content = {}
    for seed, label in enumerate([*TAKEN, MASKLESS]):
        stem = f"sub-{label}/anat/sub-{label}_T2w"
        content["HEAD", f"{stem}.nii.gz"] = image(folder, RPI, (20, 23, 22), seed)
        if label != MASKLESS:
            path = f"derivatives/labels/{stem}_label-SC_seg.nii.gz"
            content["HEAD", path] = mask(folder, RPI, (20, 23, 22))
    stem = f"sub-{OLD}/anat/sub-{OLD}_T2w"
    content["r20201130", f"{stem}.nii.gz"] = image(folder, PSR, (23, 22, 21), 9)
    path = f"derivatives/labels/{stem}_RPI_r_seg-manual.nii.gz"
    content["r20201130", path] = mask(folder, RPI, (20, 24, 25))
    twin = publish("multi", folder / "published", content)
    yield twin
    twin.close()


@pytest.mark.parametrize("name", VERSIONS)
def test_every_version_is_indexed_and_planned_as_its_list_says(name, request, checkout):
    twin, project = request.getfixturevalue(name), checkout(name)
    for version in VERSIONS[name]:
        chosen = {"name": name, "source": str(twin.bare), "version": tag(name, version)}
        project.configure(dataset=chosen | {"subjects": "all"}, **SMALL)
        answer = project.snakemake("results/inputs.tsv")
        assert answer.returncode == 0, answer.stdout
        rows = load_index(project.results / "inputs.tsv")
        paths = [each.path for each in listed(name, version)]
        images = {p for p in paths if re.fullmatch(r"sub-[^/]+/anat/sub-[^/]+_T2w\.nii\.gz", p)}
        masks = {found[1] for found in map(CORD.fullmatch, paths) if found}
        skipped = advised_against(name, version)
        assert len(skipped) == (7 if name == "multi" else 0)
        left = {path for path in images if path.split("/")[0][4:] not in skipped}
        assert {row.path for row in rows if row.path} == left
        assert {row.subject for row in rows if row.mask} == masks - skipped
        log = (project.results / "logs/index.log").read_text()
        assert all(f"left out: sub-{label} (exclude.yml, csa_t2: " in log for label in skipped)
        assert log.count("left out: ") == len(skipped)
        assert ("'csa_t2'" in log) == (name == "single")
        jobs = planned_jobs(project)
        assert jobs["fetch"] == len(left) + len(masks - skipped)
        assert jobs["fit"] == 2 * len(left) and jobs["compare"] == len(left)


@pytest.mark.parametrize(("name", "label"), [("single", "unf"), ("multi", "amu01")])
def test_content_is_got_and_dropped(name, label, request, tmp_path):
    """From an S3 bucket by its public address, and through `httpalso`.

    Through the latter git-annex cannot tell whether flat buckets have a file, so that it is kept.
    """
    twin, clone = request.getfixturevalue(name), tmp_path / "clone"
    clone_or_link(str(twin.bare), "", clone)
    path = f"sub-{label}/anat/sub-{label}_T2w.nii.gz"
    assert is_annex_pointer(clone / path)
    assert load_volume(get_content(clone, [path])[0]).array.std() > 10
    note = drop_content(clone, [path])
    assert is_annex_pointer(clone / path) == (note is None) == (name == "single")


@pytest.fixture(scope="module")
def default_run(single, checkout):
    """The configuration as it is, but for the source and the budget."""
    project = checkout("default")
    project.configure(dataset={"source": str(single.bare)}, **SMALL)
    answer = project.snakemake()
    assert answer.returncode == 0, answer.stdout
    return project


@pytest.fixture
def own_default_run(default_run):
    """A copy of that run, for a test that changes it."""
    with default_run.copied() as project:
        yield project


def test_the_default_configuration_runs_to_its_end(default_run):
    table = load_table(default_run.results / "metrics.tsv")
    assert set(table.subject) == {"oxfordFmrib", "unf"} and table.psnr_fov.notna().all()
    assert "psnr_cord" not in table or table.psnr_cord.isna().all()
    page = (default_run.results / "cordinr/sub-unf.html").read_text()
    assert "There are no metrics of the spinal cord. The index has no mask of it" in page
    about = read_json(default_run.results / "source.json")
    assert (
        about["Version"] == yaml.safe_load((ROOT / "config.yaml").read_text())["dataset"]["version"]
    )


def test_an_image_of_unequal_voxels_is_resampled_and_ends_in_the_table(own_default_run, single):
    chosen = {"source": str(single.bare), "subjects": ["oxfordFmrib", "unf", "chiba750"]}
    own_default_run.configure(dataset=chosen, **SMALL)
    answer = own_default_run.snakemake()
    assert answer.returncode == 0, answer.stdout
    table = load_table(own_default_run.results / "metrics.tsv")
    assert set(table.subject) == {"chiba750", "oxfordFmrib", "unf"}
    (size,) = set(table.voxel_size[(table.subject == "chiba750") & (table.res.fillna("") == "")])
    assert size == 0.8
    stem = "reference/sub-chiba750/anat/sub-chiba750_reference"
    np.testing.assert_allclose(
        load_grid(own_default_run.results / f"{stem}.nii.gz").voxel_sizes, 0.8
    )
    text = "from 0.5 x 0.5 x 0.8 mm to 0.8 x 0.8 x 0.8 mm"
    assert read_json(own_default_run.results / f"{stem}.json")["Resampled"] == text
    assert text in (own_default_run.results / "cordinr/sub-chiba750.html").read_text()
    log = own_default_run.results / "logs/fetch/sub-chiba750/anat/sub-chiba750_reference.log"
    assert f"is resampled {text}" in log.read_text()


def test_a_mask_on_another_grid_gives_figures_of_the_cord(multi, checkout):
    project = checkout("old")
    chosen = {"name": "multi", "source": str(multi.bare), "version": "r20201130"}
    project.configure(dataset=chosen | {"subjects": [OLD]}, **SMALL, voxel_sizes=[])
    answer = project.snakemake("results/metrics.tsv")
    assert answer.returncode == 0, answer.stdout
    table = load_table(project.results / "metrics.tsv")
    assert set(table.subject) == {OLD} and table.psnr_cord.notna().all()
    cord = load_volume(project.results / f"reference/sub-{OLD}/anat/sub-{OLD}_cord.nii.gz")
    grid = load_grid(project.results / f"reference/sub-{OLD}/anat/sub-{OLD}_reference.nii.gz")
    assert cord.grid.matches(grid)
    middle = grid.world(np.argwhere(cord.array)).mean(axis=0)
    assert np.abs(middle[:2] - [1, -1]).max() < 0.4  # where both were drawn
    log = project.results / f"logs/fetch/sub-{OLD}/anat/sub-{OLD}_cord.log"
    assert "is on another grid than its image" in log.read_text()


@pytest.fixture(scope="module")
def run(multi, checkout):
    """Two subjects of the newest version, one without a mask to be got, and one left out."""
    project = checkout("newest")
    chosen = {"name": "multi", "source": str(multi.bare), "version": NEWEST["multi"]}
    subjects = [*TAKEN, MASKLESS, "beijingVerio02"]
    budget = TINY | {"profile": "gaussian"}
    project.configure(dataset=chosen | {"subjects": subjects}, **budget)
    answer = project.snakemake()
    assert answer.returncode == 0, answer.stdout
    return project


def test_the_cord_has_figures_where_its_mask_can_be_got(run):
    table = load_table(run.results / "metrics.tsv")
    assert sorted(set(table.subject)) == sorted([*TAKEN, MASKLESS])
    assert (table.psnr_cord.notna() == (table.subject != MASKLESS)).all()


def test_a_mask_that_nobody_has_costs_the_cord_and_is_explained(run):
    stem = f"sub-{MASKLESS}/anat/sub-{MASKLESS}"
    why = read_json(run.results / f"reference/{stem}_cord.json")["CordProblem"]
    assert "its content cannot be got" in why and "\n" not in why
    log = (run.results / f"logs/fetch/{stem}_cord.log").read_text()
    assert why in log and f"--forcerun results/reference/{stem}_cord.nii.gz`" in log
    page = (run.results / f"cordinr/sub-{MASKLESS}.html").read_text()
    assert (
        "There are no metrics of the spinal cord." in page and "its content cannot be got" in page
    )
    assert (
        "no metrics of the spinal cord" not in (run.results / "cordinr/sub-amu01.html").read_text()
    )


def test_a_mask_can_be_tried_again(run):
    """By the line in its log, which makes anew whatever depends on the mask."""
    mask = f"results/reference/sub-{MASKLESS}/anat/sub-{MASKLESS}_cord.nii.gz"
    plan = run.snakemake("--dry-run", "--forcerun", mask).stdout.split("Job stats:")[1]
    assert re.search(r"^fetch +1$", plan, re.M) and re.search(r"^evaluate +1$", plan, re.M)
    assert not re.search("^fit ", plan, re.M)


def test_the_derivatives_are_valid_without_a_warning(run):
    issues = validate_bids(run.results / "cordinr")["issues"]["issues"]
    assert [(issue["code"], issue["severity"], issue.get("location")) for issue in issues] == []


def test_the_raw_dataset_is_named_with_version_and_commit(run):
    about = read_json(run.results / "cordinr/dataset_description.json")
    (source,) = about["SourceDatasets"]
    assert source["Version"] == NEWEST["multi"] and len(source["Commit"]) == 40
    assert source["URL"].endswith("twin.git")
    stated = read_json(LISTS / "multi/HEAD/dataset_description.json")
    assert about["Authors"] == stated["Authors"]
    linked = run.results / "cordinr" / about["DatasetLinks"]["raw"]
    assert (linked / "dataset_description.json").exists()


def test_pybids_finds_every_image_with_its_metadata(run):
    layout = BIDSLayout(run.results / "cordinr", is_derivative=True)
    assert layout.get_subjects() == sorted([*TAKEN, MASKLESS])
    for query in (
        {"desc": "inrF8", "res": "iso1"},
        {"desc": "tv"},
        {"desc": "simulated", "res": "sagittal"},
        {"desc": "inrF16stderr", "res": "iso1"},
    ):
        (found,) = layout.get(subject="amu01", extension=".nii.gz", **query)[-1:]
        metadata = found.get_metadata()
        assert metadata["EchoTime"] == 0.12 and metadata["RepetitionTime"] == 1.5
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
    assert len(sidecars) == 3 * (2 + 3 + 2 * 4)
    for sidecar in sidecars:
        for source in read_json(sidecar)["Sources"]:
            _, dataset, path = source.split(":", 2)
            assert (root / links.get(dataset, ".") / path).is_file(), source


def test_participants_of_the_clone_are_untouched(run):
    given = (LISTS / "multi/HEAD/participants.tsv").read_bytes()
    assert (run.results / "sourcedata/multi/participants.tsv").read_bytes() == given
