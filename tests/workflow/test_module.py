"""Another workflow that uses this one as a module, with its own settings and results folder."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from cordinr.evaluation.table import load_table
from cordinr.files import read_json
from tests.helpers.runs import Project, phantom_config, planned_jobs

OUTER = """
configfile: "test.yaml"


rule all:
    input:
        "best.txt",


module cordinr:
    snakefile:
        "../cordinr/Snakefile"
    config:
        config["reconstruction"]
    {place}


use rule * from cordinr as cordinr_*


rule best:
    input:
        {wanted}table="{results}/metrics.tsv",
    output:
        "best.txt",
    shell:
        "cut -f 4 {{input.table}} | sort -u > {{output}}"
"""


PIPED = """

rule piped:
    output:
        "piped.txt",
    shell:
        "false | cat > {output}"
"""


@pytest.fixture
def outer(checkout, phantom_source, tmp_path):
    """Makes a study of its own beside the checkout."""

    def make(**outline: str) -> Project:
        study = Project(tmp_path / "study")
        study.folder.mkdir()
        (tmp_path / "cordinr").symlink_to(checkout("module").folder)
        (study.folder / "Snakefile").write_text(OUTER.format(**outline))
        config = phantom_config(phantom_source, fourier_dims=[8], dataset={"subjects": ["01"]})
        study.configure(cohort="whatever the other workflow needs", reconstruction=config)
        return study

    return make


def test_a_module_with_results_elsewhere(outer):
    study = outer(
        place='pathvars: results="super/resolved"',
        wanted="rules.cordinr_all.input, ",
        results="super/resolved",
    )
    answer = study.snakemake()
    assert answer.returncode == 0, answer.stdout
    methods = (study.folder / "best.txt").read_text().split()
    assert sorted(methods) == ["cubic", "inr", "method", "tikhonov", "tv"]
    results = study.folder / "super" / "resolved"
    assert not study.results.exists()
    assert set(load_table(results / "metrics.tsv").fourier_dim.dropna()) == {8}
    assert (results / "figures/ablation.svg").exists()
    sidecar = read_json(results / "cordinr/sub-01/anat/sub-01_desc-inrF8_T2w.json")
    words = sidecar["Command"].split()
    assert words[2] == "sub-01/anat/sub-01_res-axial_desc-simulated_T2w.nii.gz"
    assert words[words.index("--config") + 1] == "code/fit.yaml"
    assert planned_jobs(study) == {}
    report = study.snakemake("--report", "report.html")
    assert report.returncode == 0, report.stdout


def test_a_module_with_a_prefix(outer):
    study = outer(place='prefix: "pre"', wanted="", results="pre/results")
    answer = study.snakemake()
    assert answer.returncode == 0, answer.stdout
    assert sorted(path.name for path in study.folder.iterdir() if path.name[0] != ".") == [
        "Snakefile",
        "best.txt",
        "pre",
        "test.yaml",
    ]
    assert len(load_table(study.folder / "pre/results/metrics.tsv")) == 5


def test_a_module_says_which_of_its_settings_is_wrong(outer):
    study = outer(place='pathvars: results="there"', wanted="", results="there")
    config = yaml.safe_load((study.folder / "test.yaml").read_text())
    config["reconstruction"]["profile"] = "sinc"
    study.configure(**config)
    answer = study.snakemake("--dry-run")
    assert answer.returncode != 0 and "config: profile: 'sinc' is not one of" in answer.stdout


def test_a_pipeline_that_breaks_in_the_middle_fails(outer):
    """Also where `cordinr` is not on PATH, for which every command of a rule gets a prefix."""
    study = outer(place='pathvars: results="there"', wanted="", results="there")
    with open(study.folder / "Snakefile", "a") as snakefile:
        snakefile.write(PIPED)
    paths = os.environ["PATH"].split(os.pathsep)
    without = os.pathsep.join(path for path in paths if not Path(path, "cordinr").exists())
    answer = subprocess.run(
        study.command("piped.txt"),
        cwd=study.folder,
        env=os.environ | {"PATH": without},
        capture_output=True,
        text=True,
    )
    assert "Error in rule piped" in answer.stderr and answer.returncode != 0, answer.stderr


def test_results_of_a_plain_run_elsewhere(checkout, phantom_source, tmp_path):
    project = checkout("elsewhere")
    config = phantom_config(phantom_source, fourier_dims=[8], dataset={"subjects": ["01"]})
    project.configure(**config, pathvars={"results": str(tmp_path / "large disk")})
    answer = project.snakemake(str(tmp_path / "large disk/inputs.tsv"))
    assert answer.returncode == 0, answer.stdout
    assert (tmp_path / "large disk/sourcedata/phantom/sub-01").is_dir()
    assert not any(project.results.iterdir())
