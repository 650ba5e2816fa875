"""Runs that cannot succeed: what is wrong is said in one sentence, and all else is finished."""

import html
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from cordinr.datasets.index import load_index
from cordinr.datasets.source import create
from cordinr.evaluation.table import load_table
from tests.helpers.runs import environment, phantom_config, wait_until


def sentences(output: str) -> list[str]:
    """What the command said, from the failed logs that Snakemake shows."""
    return [line for line in output.splitlines() if line.startswith("cordinr: error: ")]


@pytest.fixture(scope="module")
def broken_source(tmp_path_factory, phantom_source):
    """The phantom, and subjects whose image is not usable, each for a reason of its own."""
    root = tmp_path_factory.mktemp("broken") / "dataset"
    shutil.copytree(phantom_source, root, ignore=shutil.ignore_patterns(".git*", ".datalad"))
    good = root / "sub-01" / "anat" / "sub-01_T2w.nii.gz"
    shutil.rmtree(root / "sub-02")
    image = nib.load(good)
    array = np.asanyarray(image.dataobj)
    holes = array.copy()
    holes[3:] = np.nan
    bad = {
        "nan": nib.Nifti1Image(holes, image.affine).to_bytes(),
        "text": b"this is no image",
        "cut": good.read_bytes()[:-3000],
        "flat": nib.Nifti1Image(np.full(array.shape, 5, "f4"), image.affine).to_bytes(),
        "time": nib.Nifti1Image(np.stack([array, array], -1), image.affine).to_bytes(),
        "thin": nib.Nifti1Image(array[:, :, :1], image.affine).to_bytes(),
    }
    for name, content in bad.items():
        extension = ".nii.gz" if name in ("text", "cut") else ".nii"
        path = root / f"sub-{name}" / "anat" / f"sub-{name}_T2w{extension}"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    # Of one subject only the second session is bad.
    for session, content in {"a": good.read_bytes(), "b": bad["cut"]}.items():
        path = root / f"sub-two/ses-{session}/anat/sub-two_ses-{session}_T2w.nii.gz"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    (root / "sub-none" / "anat").mkdir(parents=True)
    shutil.copy(good, root / "sub-none" / "anat" / "sub-none_T1w.nii.gz")
    # Another image than those, or git-annex has its content under their key.
    lost = root / "sub-lost" / "anat" / "sub-lost_T2w.nii.gz"
    lost.parent.mkdir(parents=True)
    nib.save(nib.Nifti1Image(array[::-1], image.affine), lost)
    shutil.copy(lost, root.with_name("content.nii.gz"))
    create(root, "good and bad")
    subprocess.run(["git", "annex", "drop", "--force", lost], cwd=root, check=True)
    return root


ASKED = ["01", "two", "nan", "text", "cut", "flat", "time", "thin", "lost", "none", "nobody"]
FAILED = {
    "sub-nan": "NaN or infinite",
    "sub-text": "not a readable NIfTI",
    "sub-cut": "truncated or damaged",
    "sub-two_ses-b": "truncated or damaged",
    "sub-flat": "same value",
    "sub-thin": "thinner than one slice",
    "sub-lost": "content cannot be got",
}
ABSENT = {
    "sub-time": "4 dimensions",
    "sub-none": "has no T2w image",
    "sub-nobody": "is not in the dataset",
}
GOOD = {"sub-01", "sub-two_ses-a"}


@pytest.fixture(scope="module")
def config(broken_source):
    return phantom_config(
        broken_source, fourier_dims=[8], voxel_sizes=[], dataset={"subjects": ASKED}
    )


@pytest.fixture(scope="module")
def broken(checkout, config):
    """A project after a run in which most images failed, and what that run said."""
    project = checkout("broken")
    project.configure(**config)
    answer = project.snakemake()
    assert answer.returncode != 0
    return project, answer.stdout


@pytest.fixture
def own_broken(broken):
    """A copy of that project, for a test that changes it."""
    with broken[0].copied() as project:
        yield project


def made(project) -> dict[str, int]:
    """When the results were made that another run should not make again."""
    folders = ["cordinr", "figures", "metrics", "models", "reference"]
    files = [path for name in folders for path in (project.results / name).rglob("*.*")]
    files += [project.results / name for name in ("metrics.tsv", "metrics.json", "benchmarks.tsv")]
    return {
        str(path.relative_to(project.results)): path.stat().st_mtime_ns
        for path in files
        if path.is_file()
    }


def changed(before: dict[str, int], after: dict[str, int]) -> set[str]:
    """What was there before and was made again, or is gone."""
    return {name for name, when in before.items() if after.get(name) != when}


def linked(project) -> set[str]:
    """The pages to which the index page leads."""
    page = (project.results / "cordinr/index.html").read_text()
    return set(re.findall(r'href="(sub-\w+\.html)"', page))


def test_one_bad_image_never_stops_the_others(broken):
    project, output = broken
    said = "\n".join(sentences(output))
    for image, words in FAILED.items():
        lines = [line for line in said.splitlines() if f"{image}_" in line]
        assert lines and all(words in line for line in lines), (image, said)
    results = project.results
    done = {path.name.split("_desc")[0] for path in results.glob("cordinr/**/*desc-inrF8_*.nii.gz")}
    assert done == GOOD
    problems = {row.image: row.problem for row in load_index(results / "inputs.tsv")}
    assert all(words in problems[image] for image, words in ABSENT.items())
    assert not list(results.rglob(".partial-*"))
    # What is of all images is of all that there are.
    for figure in ("ablation", "outliers", "time"):
        assert "sub-nan" not in (results / f"figures/{figure}.tsv").read_text()
        assert (results / f"figures/{figure}.svg").exists()
    assert "sub-two_ses-a" in (results / "figures/outliers.tsv").read_text()
    assert (results / "benchmarks.tsv").exists() and (results / "metrics.json").exists()
    pages = {path.name for path in results.glob("cordinr/sub-*.html")}
    assert pages == linked(project) == {"sub-01.html", "sub-two.html"}
    assert "sub-two_ses-b" not in (results / "cordinr/sub-two.html").read_text()


def test_table_index_page_and_summary_say_why_images_are_missing(broken):
    project, output = broken
    table = load_table(project.results / "metrics.tsv")
    assert set(table[table.psnr_fov.notna()].image) == GOOD
    problems = table[table.problem != ""].set_index("image").problem
    assert set(problems.index) == {*FAILED, *ABSENT}
    page = html.unescape((project.results / "cordinr/index.html").read_text())
    last = output[output.rindex(" failed.\n") :]
    for image, words in (FAILED | ABSENT).items():
        assert words in problems[image]
        assert f"missing: {image}: {problems[image]}\n" in last
        assert f"{image}: {problems[image]}<" in page
    assert "2 INRs fitted so far in" in last
    first = re.search(r"^failed: (\w+), log: (\S+)$\n    (.*)", last, re.MULTILINE)
    assert (project.folder / first[2]).read_text().rstrip().endswith(first[3])
    partial = load_table(project.results / "metrics_partial.tsv")
    assert list(partial.problem) == list(table.problem)


def test_what_fails_again_costs_nothing_that_is_there(own_broken):
    before = made(own_broken)
    answer = own_broken.snakemake("--forcerun", "describe")
    assert answer.returncode != 0
    described = {"README", "T2w.json", ".bidsignore"}
    again = {Path(name).name for name in changed(before, made(own_broken))}
    assert {name for name in again - described if "descri" not in name} == set()
    jobs = set(re.findall(r"^Job \d+: (\w+)", answer.stdout, re.MULTILINE))
    assert jobs <= {"Fetch", "Simulate", "Describe"}
    assert len(re.findall("^missing: ", answer.stdout, re.MULTILINE)) == len(FAILED | ABSENT)


def test_an_image_that_was_mended_joins_the_others(own_broken, broken_source):
    before = made(own_broken)
    content = broken_source.with_name("content.nii.gz")
    command = ["git", "annex", "reinject", "--known", content]
    clone = own_broken.results / "sourcedata/phantom"
    subprocess.run(command, cwd=clone, env=environment(), check=True)
    answer = own_broken.snakemake()
    assert answer.returncode != 0
    table = load_table(own_broken.results / "metrics.tsv")
    assert set(table[table.psnr_fov.notna()].image) == {*GOOD, "sub-lost"}
    assert set(table[table.problem != ""].image) == {*FAILED, *ABSENT} - {"sub-lost"}
    assert linked(own_broken) == {"sub-01.html", "sub-lost.html", "sub-two.html"}
    images = {name for name in changed(before, made(own_broken)) if "/anat/" in name}
    assert images == set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_was_stopped_is_not_followed_by_another(own_broken, config, number):
    fit = config["fit"] | {"passes": 10_000, "max_steps": 1_000_000}
    dataset = config["dataset"] | {"subjects": ["01", "flat"]}
    own_broken.configure(**config | {"fit": fit, "dataset": dataset})
    before = made(own_broken)
    log = own_broken.folder / "stopped.log"
    fitting = own_broken.results / "logs/fit/sub-01/anat/sub-01_desc-inrF8.log"
    fitting.unlink()

    def at_work():
        fits = fitting.exists() and "step" in fitting.read_text()
        return fits and "same value" in log.read_text()

    with own_broken.running(log) as run:
        wait_until(at_work, "a step of the fit after the failure of the other image")
        os.killpg(run.pid, number)
        assert run.wait(timeout=60) != 0
    said = log.read_text()
    assert said.count("Building DAG of jobs") == 1, said
    assert "missing: sub-flat: " in said
    partial = load_table(own_broken.results / "metrics_partial.tsv")
    problems = partial[partial.problem != ""].set_index("image").problem
    assert "same value" in problems["sub-flat"]
    after = made(own_broken)
    assert all(after[name] == before[name] for name in ("metrics.tsv", "metrics.json"))
    assert after["cordinr/index.html"] == before["cordinr/index.html"]


def test_what_the_index_knows_holds_up_nothing_even_without_keep_going(own_broken, config):
    own_broken.configure(**config | {"dataset": config["dataset"] | {"subjects": ["none", "01"]}})
    answer = own_broken.snakemake("--workflow-profile", "none")
    assert answer.returncode != 0
    table = load_table(own_broken.results / "metrics.tsv")
    assert set(table.image) == {"sub-01", "sub-none"}
    assert linked(own_broken) == {"sub-01.html"}
    page = (own_broken.results / "cordinr/index.html").read_text()
    assert ABSENT["sub-none"] in page
    [line] = sentences(answer.stdout) or re.findall("^    cordinr.*", answer.stdout, re.MULTILINE)
    assert "inputs.tsv: 1 of 2 have no image (sub-none)" in line
    assert re.search("^missing: sub-none: .* has no T2w image", answer.stdout, re.MULTILINE)


def test_those_left_out_are_no_longer_missed(own_broken, config):
    """Only what depends on them is made anew."""
    own_broken.configure(**config | {"dataset": config["dataset"] | {"subjects": ["01"]}})
    answer = own_broken.snakemake()
    assert answer.returncode == 0 and "missing:" not in answer.stdout, answer.stdout
    table = load_table(own_broken.results / "metrics.tsv")
    assert len(table) == 4 and (table.problem == "").all()
    assert not re.search(r"Job \d+: (Fit|Render|Simulate) ", answer.stdout)
    left = {path.name for path in own_broken.results.glob("*.*")}
    assert "metrics.json" in left and not left & {"metrics_partial.tsv", "failed.tsv"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": "nowhere/at/all"}, "nowhere/at/all: cannot be cloned"),
        ({"version": "r2099"}, "no version 'r2099'"),
        ({"subjects": ["nobody"]}, "nobody is not in the dataset"),
        ({"suffix": "T1w"}, "has no T1w image"),
    ],
)
def test_a_dataset_that_cannot_be_used(checkout, phantom_source, change, words):
    project = checkout("dataset")
    project.configure(**phantom_config(phantom_source, dataset=change))
    answer = project.snakemake()
    assert answer.returncode != 0
    assert [line for line in sentences(answer.stdout) if words in line], answer.stdout
    assert not (project.results / "inputs.tsv").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"forier_dims": [8]}, "'forier_dims' was unexpected"),
        ({"fit": {"widht": 8}}, "'widht' was unexpected"),
        ({"fourier_dims": [0]}, "0 is less than the minimum of 1"),
        ({"fourier_dims": [8.5]}, "8.5 is not of type 'integer'"),
        ({"fourier_dims": ["many"]}, "'many' is not of type 'integer'"),
        ({"fourier_dims": []}, "fourier_dims"),
        ({"views": {"axial": {"axis": "Z", "thickness": 4}}}, "'Z' is not one of"),
        ({"profile": "sinc"}, "'sinc' is not one of"),
    ],
)
def test_a_config_that_does_not_fit_its_schema(checkout, phantom_source, change, words):
    project = checkout("config")
    project.configure(**(phantom_config(phantom_source) | change))
    answer = project.snakemake("--dry-run")
    assert answer.returncode != 0 and "Traceback" not in answer.stdout
    assert [line for line in answer.stdout.splitlines() if "config: " in line and words in line]


def test_slices_thinner_than_voxels(checkout, phantom_source):
    project = checkout("thin")
    config = phantom_config(phantom_source, dataset={"subjects": ["01"]})
    config["views"] = {"axial": {"thickness": 0.5, "axis": "S"}}
    project.configure(**config)
    answer = project.snakemake()
    assert answer.returncode != 0
    assert any("thinner than the voxels" in line for line in sentences(answer.stdout))
    assert not list(project.results.glob("cordinr/sub-*"))
