"""What an installation without the workflow extra can do, and what it says otherwise."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest

from cordinr.cli import WORKFLOW_MODULES
from cordinr.imaging.volume import load_volume
from tests.helpers.support import ROOT, save_noise_views

QUICK = {"fit": {"width": 16, "channels": 2, "batch": 512, "passes": 2}}

WITHOUT_EXTRA = """
import sys
from cordinr.cli import WORKFLOW_MODULES, main

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in WORKFLOW_MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
main()
"""
"""The command, on a Python that finds no module of the extra."""


def run(*words):
    command = [sys.executable, "-c", WITHOUT_EXTRA, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True)


def test_two_scans_need_no_extra(tmp_path):
    # Names in JSON are names in YAML as well.
    settings, output = tmp_path / "quick.yaml", tmp_path / "iso_T2w.nii.gz"
    settings.write_text(json.dumps(QUICK))
    views = save_noise_views(tmp_path, 20)
    options = ("--fourier-dim", 8, "--config", settings, "--device", "cpu", "-o", output)
    answer = run("reconstruct", *views, *options)
    assert answer.returncode == 0, answer.stderr
    assert load_volume(output).array.std() > 0


@pytest.mark.parametrize(
    ("words", "module"),
    [
        ("costs {0} -o a.tsv", "pandas"),
        ("evaluate a.nii.gz --reference b.nii.gz -o a.json", "skimage"),
        ("cohort a.tsv --figure time -o a.svg", "pandas"),
    ],
)
def test_a_verb_of_the_workflow_says_what_to_install(tmp_path, words, module):
    answer = run(*words.format(tmp_path).split())
    assert answer.returncode == 1
    assert answer.stderr.splitlines() == [
        f"cordinr: error: this verb needs the workflow extra, and {module} is not installed: "
        "pip install 'cordinr[workflow]'"
    ]


def test_the_modules_of_the_extra_are_those_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = project["optional-dependencies"]["workflow"]
    packages = {re.match(r"[\w-]+", each)[0] for each in extra} - {"git-annex"}  # a program
    owners = packages_distributions()
    assert {owners[module][0].lower() for module in WORKFLOW_MODULES} == packages
