"""Derivatives as a DataLad dataset: what is recorded, and that a clone makes the same images."""

import hashlib
import shlex
import subprocess

import pytest
from datalad.api import Dataset
from datalad.local.rerun import get_run_info

from cordinr.files import read_json
from tests.helpers.runs import environment, phantom_config, planned_jobs, validate_bids

NAMES = {
    "view": "sub-01_res-axial_desc-simulated_T2w",
    "baseline": "sub-01_desc-tv_T2w",
    "INR": "sub-01_res-iso1_desc-inrF8_T2w",
}


@pytest.fixture(scope="module")
def nobody():
    """A machine on which git knows no identity."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        for role in ("AUTHOR", "COMMITTER"):
            for key in ("NAME", "EMAIL"):
                patch.delenv(f"GIT_{role}_{key}", raising=False)
        yield


@pytest.fixture(scope="module")
def run(checkout, phantom_source, nobody):
    """A finished run of one subject, with a second run that has nothing to do."""
    project = checkout("a saved run")
    project.configure(**config(phantom_source, ["01"]))
    answer = project.snakemake()
    assert answer.returncode == 0, answer.stdout
    assert planned_jobs(project) == {}
    return project


@pytest.fixture(scope="module")
def elsewhere(run, tmp_path_factory):
    """A clone of the derivatives, without the content of any image."""
    folder = tmp_path_factory.mktemp("far away") / "clone"
    datalad("clone", run.results / "cordinr", folder, cwd=folder.parent)
    return folder


def config(source, subjects, **changes):
    on = {"dataset": {"subjects": subjects}, "results": {"datalad": True}, "fourier_dims": [8]}
    return phantom_config(source, **(on | changes))


def datalad(*arguments, cwd):
    me = {f"GIT_{who}_{key}": "me" for who in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    answer = subprocess.run(
        ["datalad", *arguments],
        cwd=cwd,
        env=environment() | me,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert answer.returncode == 0, answer.stdout


def git(folder, *arguments):
    return subprocess.check_output(["git", "-C", folder, *arguments], text=True).strip()


def records(root, *since):
    """The run records of a repository, oldest first, with the files that each commit changed."""
    found = []
    for commit in git(root, "log", "--reverse", "--format=%H", *since).splitlines():
        _, record = get_run_info(Dataset(root), git(root, "log", "-1", "--format=%B", commit))
        if record:
            files = git(root, "show", "--format=", "--name-only", commit).splitlines()
            found.append((record, set(files)))
    return found


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_each_command_is_recorded_with_what_it_made(run):
    root = run.results / "cordinr"
    found = records(root)
    verbs = [shlex.split(record["cmd"])[1] for record, _ in found]
    assert verbs == ["simulate", "baseline", "reconstruct"]
    for record, files in found:
        assert set(record["outputs"]) == files and record["pwd"] == "."
        for path in files:
            sidecar = root / path.replace(".nii.gz", ".json")
            assert read_json(sidecar)["Command"] == record["cmd"]
    raw = [f"sourcedata/raw/sub-01/anat/sub-01_T2w.{end}" for end in ("nii.gz", "json")]
    assert found[0][0]["inputs"] == raw
    read = found[0][1] | {*raw, "T2w.json"}
    assert set(found[1][0]["inputs"]) == read
    assert set(found[2][0]["inputs"]) == read | {"code/fit.yaml"}
    assert sum(path.endswith("stderr_T2w.nii.gz") for path in found[2][1]) == 2
    recorded = set().union(*(files for _, files in found))
    assert recorded == {str(p.relative_to(root)) for p in root.glob("sub-*/**/*") if p.is_file()}


def test_images_are_unlocked_annexed_files_and_all_else_is_in_git(run):
    root = run.results / "cordinr"
    assert git(root, "status", "--porcelain") == ""
    assert read_json(run.results / "datalad.json") == {"commit": git(root, "rev-parse", "HEAD")}
    for line in git(root, "ls-files", "--stage").splitlines():
        mode, _, rest = line.split(" ", 2)
        path = rest.split("\t")[1]
        if mode != "160000":
            pointer = git(root, "show", f"HEAD:{path}").startswith("/annex/objects/")
            assert mode == "100644" and pointer == path.endswith(".nii.gz"), path


def test_the_raw_dataset_is_a_subdataset_at_its_version(run, phantom_source):
    root = run.results / "cordinr"
    (raw,) = Dataset(root).subdatasets(result_renderer="disabled")
    assert raw["path"] == str(root / "sourcedata" / "raw")
    assert raw["gitshasum"] == git(phantom_source, "rev-parse", "v1^{commit}")
    assert raw["gitmodule_url"] == str(phantom_source)
    assert read_json(root / "dataset_description.json")["DatasetLinks"] == {"raw": "sourcedata/raw"}


def test_the_dataset_is_valid_bids(run):
    issues = validate_bids(run.results / "cordinr")["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []


@pytest.mark.parametrize("kind", NAMES)
def test_a_clone_elsewhere_makes_the_same_image(run, elsewhere, kind):
    path = f"sub-01/anat/{NAMES[kind]}.nii.gz"
    original = run.results / "cordinr" / path
    if (elsewhere / path).stat().st_size != original.stat().st_size:
        assert (elsewhere / path).read_text().startswith("/annex/objects/")
    made_by = git(elsewhere, "log", "-1", "--format=%H", "--", path)
    before = git(elsewhere, "rev-parse", "HEAD")
    datalad("rerun", made_by, cwd=elsewhere)
    assert digest(elsewhere / path) == digest(original)
    # Not even a sidecar differs.
    assert git(elsewhere, "status", "--porcelain") == ""
    assert git(elsewhere, "rev-parse", "HEAD") == before


def test_only_what_is_new_or_changed_is_saved(own_run, phantom_source):
    root = own_run.results / "cordinr"
    before = git(root, "rev-parse", "HEAD")
    changed = config(phantom_source, ["01", "02"], baselines={"tv_weight": 0.01})
    own_run.configure(**changed)
    answer = own_run.snakemake("results/datalad.json")
    assert answer.returncode == 0, answer.stdout
    found = records(root, f"{before}..")
    done = [(shlex.split(r["cmd"])[1], r["outputs"][0].split("/")[0]) for r, _ in found]
    assert done == [
        ("baseline", "sub-01"),
        ("simulate", "sub-02"),
        ("baseline", "sub-02"),
        ("reconstruct", "sub-02"),
    ]
    assert "sub-01/anat/sub-01_desc-tikhonov_T2w.nii.gz" not in found[0][1]  # the same bytes
    assert git(root, "status", "--porcelain") == ""
    assert "Nothing to be done" in own_run.snakemake("results/datalad.json").stdout
    after = git(root, "rev-parse", "HEAD")
    save = ["cordinr", "save", root, "--raw", own_run.results / "sourcedata" / "phantom"]
    subprocess.run(save, env=environment(), check=True)
    assert git(root, "rev-parse", "HEAD") == after


def test_a_plain_folder_is_refused_before_any_work(checkout, tmp_path):
    project = checkout("plain")
    project.configure(**config(tmp_path, ["01"], dataset={"subjects": ["01"], "version": ""}))
    answer = project.snakemake()
    assert answer.returncode != 0 and "Traceback" not in answer.stdout
    assert "config: results.datalad: " in answer.stdout and "plain folder" in answer.stdout
    assert not list(project.results.iterdir())


def test_without_the_option_there_is_no_repository(checkout, phantom_source):
    project = checkout("unsaved")
    project.configure(**(config(phantom_source, ["01"]) | {"results": {"datalad": False}}))
    answer = project.snakemake("results/cordinr/dataset_description.json")
    assert answer.returncode == 0, answer.stdout
    assert "save" not in planned_jobs(project)
    links = read_json(project.results / "cordinr" / "dataset_description.json")["DatasetLinks"]
    assert links == {"raw": "../sourcedata/phantom"}
