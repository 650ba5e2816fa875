"""The layout of results/: the library looks for files where the rules of the workflow make them."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from cordinr.datasets.index import IndexRow
from cordinr.datasets.layout import ResultPaths
from cordinr.figures.captions import IMAGE_CAPTIONS
from tests.helpers.support import ROOT

SCRIPT = """
import json, sys
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import OutputSettings, Quietness, ResourceSettings

with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
    workflow = api.workflow(ResourceSettings(cores=1), snakefile=Path("Snakefile"))._workflow
    files = [[str(file) for file in rule.output] for rule in workflow.rules]
    logs = [str(file) for rule in workflow.rules for file in rule.log]
json.dump({"outputs": sum(files, []), "logs": logs}, sys.stdout)
"""
"""Prints the patterns of the outputs and logs of all rules."""


@pytest.fixture(scope="module")
def patterns() -> dict[str, set[str]]:
    """The patterns, their wildcards without constraints."""
    command = [sys.executable, "-c", SCRIPT]
    printed = subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE)
    return {
        kind: {re.sub(r"\{(\w+),[^{}]*\}", r"{\1}", path) for path in paths}
        for kind, paths in json.loads(printed.stdout).items()
    }


@pytest.fixture(scope="module")
def row() -> IndexRow:
    """An image whose name are the wildcards of the rules."""
    empty = IndexRow(**dict.fromkeys(IndexRow.__dataclass_fields__, ""))
    return replace(empty, folder="{folder}", image="{image}")


def test_every_path_is_made_by_a_rule(patterns, row):
    paths = ResultPaths(Path("results"))
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    inr = "inrF{dim}{variant}"
    fitted = [f"inrF{dim}" for dim in config["fourier_dims"]]
    baselines = config["baselines"]["methods"]
    made = [
        *(paths.index, paths.source, paths.table, paths.descriptions),
        *(paths.view(row, name) for name in config["views"]),
        *(paths.recon(row, label) for label in [*baselines, "inrF{dim}", inr]),
        paths.reference(row).with_name("{image}_{kind}.nii.gz"),
        *(paths.figure(row, name) for name in IMAGE_CAPTIONS),
        *(paths.record(row, label) for label in [*baselines, inr]),
        paths.record(row, inr, "render"),
        *(paths.metrics(row, label) for label in [*baselines, *fitted]),
        *(paths.metrics(row, label, "{res}") for label in fitted),
    ]
    assert {str(path) for path in made} <= patterns["outputs"]


def test_records_and_logs_lie_in_their_folders(patterns, row):
    paths = ResultPaths(Path("results"))
    records = {path for path in patterns["outputs"] if path.endswith(("_fit.json", "_render.json"))}
    assert records and all(Path(path).is_relative_to(paths.records) for path in records)
    # One folder per rule, which mirrors the dataset.
    of_images = [Path(path) for path in patterns["logs"] if "{image}" in path]
    assert of_images
    assert all(path.parts[2:-1] == (path.parts[2], "{folder}") for path in of_images)
    assert all(Path(path).is_relative_to(paths.logs) for path in patterns["logs"])
