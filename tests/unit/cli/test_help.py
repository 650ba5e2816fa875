"""The help of the command: every verb has a group, an example that works, and options explained."""

import shlex

import pytest
from typer.main import get_command

from cordinr.cli import Panel, app, register_verbs

register_verbs()
VERBS = get_command(app).commands


def test_the_verb_for_two_scans_comes_first():
    assert next(iter(VERBS)) == "reconstruct"


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_a_group_and_an_example_that_parses(name):
    assert VERBS[name].rich_help_panel in list(Panel)
    program, verb, *arguments = shlex.split(VERBS[name].epilog.removeprefix("Example: "))
    assert (program, verb) == ("cordinr", name)
    # A usage error where an option does not exist, or a required one is missing.
    context = VERBS[name].make_context(name, arguments)
    assert context.params


@pytest.mark.parametrize("name", VERBS)
def test_every_argument_is_explained_in_a_sentence(name):
    assert VERBS[name].help.partition("\n")[0].endswith(".")
    for parameter in VERBS[name].params:
        assert parameter.help.endswith("."), parameter.name
