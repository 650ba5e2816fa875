"""A run that asks for conda on a machine without it."""

import shutil

import pytest


@pytest.mark.skipif(shutil.which("conda") is not None, reason="conda is here")
def test_conda_that_is_not_there_is_said_in_a_line(tmp_path):
    from tests.helpers.runs import copy_project

    project = copy_project(tmp_path / "project")
    project.configure(dataset={"source": str(tmp_path), "version": ""})
    answer = project.snakemake("results/inputs.tsv", "--sdm", "conda")
    assert answer.returncode != 0 and "Traceback" not in answer.stdout
    assert "Is conda installed and accessible?" in answer.stdout
