"""The floors of the library: which package imports which, and what docs/code.md says of it."""

import ast
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.helpers.support import ROOT

LIBRARY = ROOT / "workflow/cordinr"
PAGE = (ROOT / "docs/code.md").read_text()
PACKAGES = sorted(path.parent.name for path in LIBRARY.glob("*/__init__.py"))

GROUND = "ground"
"""Name in the picture of the modules that lie beside the packages."""

MAX_LINES = 300
"""Largest number of lines of a module."""

STARTS_SNAKEMAKE = "run.remainder"
"""The one module that is the program of a process of its own, which runs Snakemake once more."""


@cache
def modules() -> dict[str, Path]:
    """Path of every module by its name within the library; that of a package is its `__init__`."""
    paths = {}
    for path in LIBRARY.rglob("*.py"):
        parts = path.relative_to(LIBRARY).with_suffix("").parts
        paths[".".join(part for part in parts if part != "__init__")] = path
    return paths


@cache
def imports(module: str) -> set[str]:
    """What a module imports, lazily or not; names from outside the library begin with `/`."""
    path = modules()[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {f"/{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(f"/{node.module}")
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1], node.module or ""]
            origin = ".".join(filter(None, base))
            members = {f"{origin}.{alias.name}".strip(".") for alias in node.names}
            names |= {each if each in modules() else origin for each in members}
    return names


def inner_imports() -> dict[str, set[str]]:
    """Of every module the modules of the library that it imports."""
    return {
        module: {name for name in imports(module) if not name.startswith("/")}
        for module in modules()
    }


def package_of(module: str) -> str:
    first = module.split(".")[0]
    return first if first in PACKAGES else GROUND


def picture() -> dict[str, set[str]]:
    """Of every package those that an arrow of the page leads to."""
    arrows = re.findall(r"(?m)^    (\w+) --> (\w+)$", PAGE)
    return {upper: {b for a, b in arrows if a == upper} for upper in {*sum(arrows, ())}}


def reachable(package: str) -> set[str]:
    below = picture()[package]
    return below.union(*(reachable(each) for each in below))


def rows() -> dict[str, list[str]]:
    """Cells of the table of packages by the name of the package."""
    table = PAGE.partition("| package |")[2].partition("\n\n")[0]
    lines = [line.strip("|").split(" | ") for line in table.splitlines()[2:]]
    return {re.search(r"\w+", first)[0]: [first, *cells] for first, *cells in lines}


@pytest.mark.parametrize("package", [GROUND, *PACKAGES])
def test_a_package_imports_only_what_the_arrows_lead_to(package):
    allowed = reachable(package) | {package}
    wrong = {
        (module, other)
        for module, others in inner_imports().items()
        for other in others
        # `__main__` is the door to the command, and the version may be asked for anywhere.
        if package_of(module) == package and module != "__main__" and other
        if package_of(other) not in allowed
    }
    assert wrong == set()


def test_every_arrow_is_an_import():
    pairs = {
        (package_of(module), package_of(other))
        for module, others in inner_imports().items()
        for other in others
    }
    assert {(upper, lower) for upper, others in picture().items() for lower in others} <= pairs


def test_no_modules_import_each_other_in_a_circle():
    order = list(TopologicalSorter(inner_imports()).static_order())  # raises CycleError
    assert order.index("imaging.grid") < order.index("inr.fit")


def test_nothing_imports_snakemake():
    users = {
        module
        for module in modules()
        if any(name.split(".")[0] == "/snakemake" for name in imports(module))
    }
    assert users <= {STARTS_SNAKEMAKE}


def test_the_page_has_every_package_and_module():
    assert rows().keys() == picture().keys() == {GROUND, *PACKAGES}
    for package, cells in rows().items():
        names = {name for name in modules() if package_of(name) == package and name != package}
        names -= {"", "__main__"}
        listed = re.findall(r"`(\w+)`", cells[3])
        assert sorted(listed) == sorted(name.removeprefix(f"{package}.") for name in names)


def test_the_page_says_who_may_import_a_package():
    for package, cells in rows().items():
        named = set(re.findall(r"`(\w+)`", cells[2]))
        if "all above" in cells[2]:
            named |= {upper for upper in picture() for each in named if each in reachable(upper)}
        users = {upper for upper in picture() if package in reachable(upper)}
        assert named == users or (cells[2].startswith("every package") and len(users) > 10)


def test_the_page_has_every_rule():
    text = "".join(path.read_text() for path in ROOT.glob("workflow/rules/*.smk"))
    rules = set(re.findall(r"(?m)^(?:rule|checkpoint) (\w+):$", text))
    table = PAGE.partition("| rule |")[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines()]
    listed = set(re.findall(r"`(\w+)`", " ".join(cells)))
    assert len(rules) > 12 and listed == rules


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_begins_with_a_map_of_its_modules(package):
    tree = ast.parse((LIBRARY / package / "__init__.py").read_text())
    named = set(re.findall(r"`(\w+)`", ast.get_docstring(tree) or ""))
    names = {path.stem for path in (LIBRARY / package).glob("*.py")} - {"__init__"}
    assert names <= named
    if package != "cli":  # which is the command itself
        assert len(tree.body) == 1


def test_a_module_fits_on_few_screens():
    lengths = {name: len(path.read_text().splitlines()) for name, path in modules().items()}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}
