"""One set of versions, wherever the tools come from: pip, conda, Docker or Apptainer."""

import re
import tomllib

import pytest
import yaml

from tests.helpers.support import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA = yaml.safe_load((ROOT / "envs/cordinr.yaml").read_text())["dependencies"]
RECIPES = ["envs/Dockerfile", "envs/cordinr.def"]


def name(requirement):
    """As pip compares them: `PyYAML` and `pyyaml` are one."""
    return re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-").replace(".", "-")


def pins(lines):
    """Name to version; every line has to be a pin."""
    found = [re.fullmatch(r"([\w.-]+)==([\w.+-]+)", line.strip()) for line in lines]
    assert all(found), lines
    return {name(pin[1]): pin[2] for pin in found}


LOCKED = pins((ROOT / "envs/constraints.txt").read_text().splitlines())
PIP = pins(next(each["pip"] for each in CONDA if isinstance(each, dict)))
PYTHON = next(each for each in CONDA if str(each).startswith("python=")).partition("=")[2]


def test_every_dependency_is_locked_optional_ones_too():
    extras = PROJECT["optional-dependencies"].values()
    required = {name(each) for group in (PROJECT["dependencies"], *extras) for each in group}
    assert required - {PROJECT["name"]} <= LOCKED.keys()  # an extra may name other extras


def test_what_is_locked_is_complete():
    """Nothing that the locked packages need is left for pip to choose."""
    from importlib.metadata import PackageNotFoundError, requires

    from packaging.requirements import Requirement

    missing = set()
    for package in LOCKED:
        try:
            needed = [Requirement(each) for each in requires(package) or []]
        except PackageNotFoundError:
            continue  # of another platform
        wanted = [each for each in needed if not each.marker or each.marker.evaluate({"extra": ""})]
        missing |= {name(each.name) for each in wanted} - LOCKED.keys()
    # Those that a venv has anyway, and what the CUDA build of torch needs beside the CPU build.
    anyway = {"setuptools", "pip", "wheel", "triton"}
    assert {each for each in missing - anyway if not each.startswith(("nvidia-", "cuda-"))} == set()


def test_what_is_locked_installs_on_the_oldest_python():
    """Also on its first release, as a distribution may keep an early one for years."""
    from importlib.metadata import PackageNotFoundError, metadata

    from packaging.specifiers import SpecifierSet

    least, refusing, read = PROJECT["requires-python"].removeprefix(">=") + ".0", {}, 0
    for package in LOCKED:
        try:
            wanted = metadata(package).get("Requires-Python")
        except PackageNotFoundError:
            continue  # of another platform
        read += 1
        if wanted and least not in SpecifierSet(wanted):
            refusing[package] = wanted
    assert refusing == {}
    assert read > 100


def test_conda_installs_the_dependencies_at_the_locked_versions():
    extras = PROJECT["optional-dependencies"]
    required = [*PROJECT["dependencies"], *extras["workflow"], *extras["slurm"]]
    assert PIP.keys() == {name(each) for each in required}
    assert PIP.items() <= LOCKED.items()
    assert {"git", "pip", f"python={PYTHON}"} < set(map(str, CONDA))


def test_the_python_of_conda_is_one_that_the_package_allows():
    least = PROJECT["requires-python"].removeprefix(">=")
    assert tuple(map(int, PYTHON.split("."))) >= tuple(map(int, least.split(".")))


@pytest.mark.parametrize("recipe", RECIPES)
def test_containers_have_the_same_python_and_versions(recipe):
    text = (ROOT / recipe).read_text()
    assert re.findall(r"(?im)^from:? python:([\d.]+)", text) == [PYTHON]
    installs = re.findall(r"pip install .*", text)
    assert installs and all("-c envs/constraints.txt" in each for each in installs), installs


@pytest.mark.parametrize("recipe", RECIPES)
def test_containers_hold_what_is_there_and_all_that_a_run_needs(recipe):
    text = (ROOT / recipe).read_text()
    copied = set(re.findall(r"^    (\S+) /opt/cordinr/", text, re.MULTILINE))
    for line in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE):
        copied |= set(line.split())
    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert {"Snakefile", "config.yaml", "profiles", "workflow", "envs"} <= copied
    assert {"pyproject.toml", PROJECT["readme"], *PROJECT["license-files"]} <= copied


def test_every_rule_that_runs_something_names_the_environment():
    rules = {}
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        parts = re.split(r"(?m)^(?:rule|checkpoint) (\w+):$", path.read_text())
        rules |= dict(zip(parts[1::2], parts[2::2], strict=True))
    assert len(rules) > 12
    named = [rule for rule, text in rules.items() if '"../../envs/cordinr.yaml"' in text]
    assert named == [rule for rule, text in rules.items() if "\n    shell:\n" in text] == [*rules]


def test_the_hooks_of_git_have_the_versions_that_make_lint_has():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    tools = {"ruff-pre-commit": "ruff", "snakefmt": "snakefmt", "codespell": "codespell"}
    revisions = {each["repo"].rpartition("/")[2]: each["rev"] for each in hooks}
    for repository, tool in tools.items():
        assert revisions[repository] == f"v{LOCKED[tool]}"


def test_the_oldest_torch_that_is_allowed_is_the_one_that_is_tested():
    required = next(each for each in PROJECT["dependencies"] if name(each) == "torch")
    tests = (ROOT / ".github/workflows/tests.yml").read_text()
    assert re.search(r"torch==([\d.]+)\.0\n", tests)[1] == required.removeprefix("torch>=")
