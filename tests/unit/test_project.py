"""The project about itself: versions, environments and pages agree."""

import re

import yaml

import cordinr
from support import ROOT


def pins(lines):
    found = (re.fullmatch(r"([\w.-]+)==([\w.+-]+)", line.strip()) for line in lines)
    return {m[1].lower().replace("_", "-"): m[2] for m in found if m}


def test_conda_and_pip_install_the_same_versions():
    conda = yaml.safe_load((ROOT / "envs/cordinr.yaml").read_text())
    wanted = pins(next(d["pip"] for d in conda["dependencies"] if isinstance(d, dict)))
    locked = pins((ROOT / "envs/constraints.txt").read_text().splitlines())
    assert wanted and wanted.items() <= locked.items()
    direct = re.findall(r'^  "([\w-]+)', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert {name.lower() for name in direct} <= wanted.keys() | {"bids-validator-deno"}


def test_the_citation_has_the_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == cordinr.__version__


def test_the_snakefile_stays_a_table_of_contents():
    assert len((ROOT / "Snakefile").read_text().splitlines()) < 80


def test_the_readme_explains_every_setting():
    readme = (ROOT / "README.md").read_text()
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    sections = {"dataset", "fit", "baselines"}
    keys = {*config, *(key for name in sections for key in config[name])} - sections
    assert [key for key in keys if f"`{key}`" not in readme and f".{key}`" not in readme] == []
