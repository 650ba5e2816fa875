"""Runs that cannot succeed: what is wrong is said in one sentence, and all else is finished."""

import re
import shutil
import subprocess

import nibabel as nib
import numpy as np
import pytest

from cordinr.dataset import create
from cordinr.index import load_index
from cordinr.table import load_table
from runs import phantom_config


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
    holes[3, 4, 5] = np.nan
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
    (root / "sub-none" / "anat").mkdir(parents=True)
    shutil.copy(good, root / "sub-none" / "anat" / "sub-none_T1w.nii.gz")
    # Another image than those, or git-annex has its content under their key.
    lost = root / "sub-lost" / "anat" / "sub-lost_T2w.nii.gz"
    lost.parent.mkdir(parents=True)
    nib.save(nib.Nifti1Image(array[::-1], image.affine), lost)
    create(root, "good and bad")
    subprocess.run(["git", "annex", "drop", "--force", lost], cwd=root, check=True)
    return root


def test_one_bad_subject_never_stops_the_others(checkout, broken_source):
    project = checkout("broken")
    names = ["01", "nan", "text", "cut", "flat", "time", "thin", "lost", "none", "nobody"]
    config = phantom_config(
        broken_source, fourier_dims=[8], voxel_sizes=[], dataset={"subjects": names}
    )
    project.configure(**config)
    answer = project.snakemake("--keep-going")
    assert answer.returncode != 0
    said = "\n".join(sentences(answer.stdout))
    for subject, words in {
        "nan": "NaN or infinite",
        "text": "not a readable NIfTI",
        "cut": "truncated or damaged",
        "flat": "same value",
        "time": "4 dimensions",
        "thin": "thinner than one slice",
        "lost": "content cannot be got",
        "none": "no such file; correct dataset.subjects",
        "nobody": "no such file; correct dataset.subjects",
    }.items():
        lines = [line for line in said.splitlines() if f"sub-{subject}" in line]
        assert lines and all(words in line for line in lines), (subject, said)
    done = {path.parts[-3] for path in project.results.glob("cordinr/sub-*/anat/*desc-inrF8*")}
    assert done == {"sub-01"}
    problems = {row.subject: row.problem for row in load_index(project.results / "inputs.tsv")}
    assert "has no T2w image" in problems["none"]
    assert "is not in the dataset" in problems["nobody"]
    assert (project.results / "figures/sub-01/anat/sub-01_comparison.png").exists()
    assert not list(project.results.rglob(".partial-*"))
    check_table_and_summary(project, answer.stdout, names)
    # Left out, they are no longer missed, and only what depends on that is made anew.
    config["dataset"]["subjects"] = ["01"]
    project.configure(**config)
    answer = project.snakemake()
    assert answer.returncode == 0 and "missing:" not in answer.stdout, answer.stdout
    table = load_table(project.results / "metrics.tsv")
    assert len(table) == 4 and (table.problem == "").all()
    assert (project.results / "metrics.json").exists()
    assert not re.search(r"Job \d+: (Fit|Render|Simulate) ", answer.stdout)


def check_table_and_summary(project, output, names):
    """Nine of ten are missing: the table of the failed run and its last words say why."""
    table = load_table(project.results / "metrics.tsv")
    assert set(table.subject) == set(names)
    assert set(table[table.psnr_fov.notna()].subject) == {"01"}
    problems = table[table.problem != ""].set_index("subject").problem
    assert len(problems) == 9 and "01" not in problems
    for subject, words in {"nan": "NaN", "lost": "cannot be got", "none": "has no T2w"}.items():
        assert words in problems[subject] and subject in problems[subject]
    # Without it Snakemake knows that its own table is still to be made.
    assert not (project.results / "metrics.json").exists()
    last = output[output.index(" failed.\n") :]
    for subject, problem in problems.items():
        assert f"missing: sub-{subject}: {problem}" in last
    assert "1 INRs fitted so far in" in last
    first = re.search(r"^failed: (\w+), log: (\S+)$\n    (.*)", last, re.MULTILINE)
    assert (project.folder / first[2]).read_text().rstrip().endswith(first[3])


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
