"""What the files of the workflow hold: rules without lambdas, and nothing of Snakemake's inside."""

import re

import pytest

from tests.helpers.support import ROOT

FILES = {path.name: path.read_text() for path in ROOT.glob("workflow/rules/*.smk")}
FILES["Snakefile"] = (ROOT / "Snakefile").read_text()

DOCUMENTED = {"source_path", "basedir"}
"""Names of parts of Snakemake's `workflow` object that its documentation describes."""

FINDS_THE_LIBRARY = {"current_basedir"}
"""Names of parts that have to be read before the library can be imported."""


@pytest.mark.parametrize("name", FILES)
def test_functions_have_names(name):
    assert not re.search(r"\blambda\b", FILES[name])


def test_private_parts_of_snakemake_are_read_in_the_library_alone():
    parts = set(re.findall(r"\bworkflow\.(\w+)", "".join(FILES.values())))
    assert parts - {"rst"} <= DOCUMENTED | FINDS_THE_LIBRARY
    imported = set(re.findall(r"from (snakemake[\w.]*) import", "".join(FILES.values())))
    assert imported == {"snakemake.exceptions", "snakemake.utils"}


@pytest.mark.parametrize("name", [name for name in FILES if name != "Snakefile"])
def test_a_file_holds_rules_or_says_that_it_holds_none(name):
    has_rules = bool(re.search(r"(?m)^(?:rule|checkpoint) \w+:$", FILES[name]))
    heading = re.match(r'"""(.*?)"""', FILES[name], re.DOTALL)
    assert has_rules or (heading and "No rules." in heading[1])
    assert not (has_rules and re.search(r"(?m)^def ", FILES[name]))
