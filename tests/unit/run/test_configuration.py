"""The configuration of the workflow: one model, and the files that come from it or repeat it."""

import copy
from typing import get_args

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from snakemake.utils import update_config

from cordinr.errors import InputError
from cordinr.imaging.grid import ANATOMICAL_AXES
from cordinr.methods import BASELINES
from cordinr.prior.shipped import shipped_prior
from cordinr.run.configuration import (
    Baselines,
    Configuration,
    Learn,
    check_configuration,
    configuration_schema,
)
from cordinr.run.input_settings import View
from docs import settings
from tests.helpers.support import ROOT

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())

GOOD = [
    ("dataset.subjects", "all"),
    ("dataset.entities", {"session": ["pre", 2, None], "acquisition": None, "run": 1}),
    ("dataset.mask", ""),
    ("views.oblique", {"axis": "A", "thickness": 3, "spacing": 3.3}),
    ("views.axial", None),
    ("views.acquired", [{"acquisition": "sag"}, {"acquisition": "ax", "run": [1, 2, None]}]),
    ("views.acquired", None),
    ("fourier_sigmas", [0.0156, 1]),
    ("fit.passes", 15),
    ("fit.smoothing", 0),
    ("prior", "none"),
    ("prior", "~/learnt/elsewhere.safetensors"),
    ("learn.phantoms", 0),
    ("pathvars", {"results": "/large/disk"}),
]
BAD = [
    ("datasets", {}, "'datasets' was unexpected"),
    ("dataset.names", "x", "'names' was unexpected"),
    ("dataset.name", "a/b", "'a/b' does not match"),
    ("dataset.source", "", "should be non-empty"),
    ("dataset.version", 1.0, "1.0 is not of type 'string'"),
    ("dataset.subjects", [], "dataset.subjects: "),
    ("dataset.subjects", ["01", "01"], "has non-unique elements"),
    ("dataset.entities", {"Session": "pre"}, "'Session' does not match"),
    ("dataset.entities", {"run": 1.5}, "1.5 is not of type 'string', 'integer', 'array', 'null'"),
    ("dataset.mask", None, "None is not of type 'string', 'array'"),
    ("dataset.drop", 1, "1 is not of type 'boolean'"),
    ("views", {}, "views: "),
    ("views.iso", {"axis": "S", "thickness": 4}, "'iso' does not match"),
    ("views.axial", {"axis": "S"}, "'thickness' is a required property"),
    ("views.axial.axis", "Z", "'Z' is not one of ['R', 'A', 'S']"),
    ("views.axial.thickness", 0, "0 is less than or equal to the minimum of 0"),
    ("views.axial.spacing", None, "None is not of type 'number'"),
    ("views.acquired", [], "config: views.acquired: names fewer than two slice directions"),
    ("views.acquired", [{"acquisition": "sag"}], "names fewer than two slice directions"),
    ("views.acquired", [{"run": 1}, {}], "views.acquired.1: {} should be non-empty"),
    ("views.acquired", [{"run": 1}, {"Run": 2}], "'Run' does not match"),
    ("views.acquired", {"axis": "S", "thickness": 4}, "is not of type 'array', 'null'"),
    ("profile", "sinc", "'sinc' is not one of"),
    ("fourier_dims", [8.5], "8.5 is not of type 'integer'"),
    ("fourier_dims", [True], "True is not of type 'integer'"),
    ("fourier_dims", [8, 8], "[8, 8] has non-unique elements"),
    ("fourier_sigmas", [0.00001], "1e-05 is less than the minimum of 0.0001"),
    ("fourier_sigmas", [10], "10 is greater than or equal to the maximum of 10"),
    ("voxel_sizes", ["fine"], "'fine' is not of type 'number'"),
    ("seeds", [-1], "-1 is less than the minimum of 0"),
    ("fit", None, "None is not of type 'object'"),
    ("fit.widht", 8, "'widht' was unexpected"),
    ("fit.rate", True, "True is not of type 'number'"),
    ("fit.rate", float("nan"), "config: fit.rate is nan; give a positive number."),
    ("fit.depth", 1001, "1001 is greater than the maximum of 1000"),
    ("fit.depth", 2.0, "config: fit.depth is '2.0'; give a whole number."),
    ("fit.dropout", 1, "1 is greater than or equal to the maximum of 1"),
    ("prior", None, "None is not of type 'string'"),
    ("prior", "", "should be non-empty"),
    ("learn.folds", 1, "1 is less than the minimum of 2"),
    ("learn.steps", 0, "0 is less than the minimum of 1"),
    ("learn.per_image", 1, "'per_image' was unexpected"),
    ("baselines.prior", "learned", "'prior' was unexpected"),
    ("baselines.methods", ["magic"], "'magic' is not one of"),
    ("results.datalad", "yes", "'yes' is not of type 'boolean'"),
    ("pathvars.result", "there", "'result' was unexpected"),
    ("device", "tpu", "'tpu' is not one of"),
    ("fit_threads", 0, "0 is less than the minimum of 1"),
]


def changed(path, value):
    """The default configuration with another value at a path like `fit.width`."""
    config = copy.deepcopy(CONFIG | {"pathvars": {"results": "results"}})
    *sections, name = path.split(".")
    section = config
    for each in sections:
        section = section[each]
    section[name] = value
    return config


def test_config_yaml_says_what_the_models_have_as_defaults():
    assert Configuration.model_validate(CONFIG) == Configuration()
    properties = configuration_schema()["properties"]
    assert [*CONFIG] == [name for name in properties if name != "pathvars"]
    for section in ("dataset", "fit", "learn", "baselines", "results"):
        assert [*CONFIG[section]] == [*properties[section]["properties"]]


def test_every_setting_of_config_yaml_has_a_comment():
    lines = (ROOT / "config.yaml").read_text().splitlines()
    assert [line for line in lines if ": " in line and "#" not in line] == []


def test_the_schema_and_the_table_are_those_of_the_models():
    """`make settings` writes them."""
    assert settings.SCHEMA.read_text() == settings.schema_text()
    assert settings.PAGE.read_text() == settings.page_text()


def test_every_setting_has_a_sentence():
    for line in settings.table().splitlines()[2:]:
        meaning = line.split(" | ")[-1].removesuffix(" |")
        assert meaning[0].isupper() and meaning.endswith(".") and len(meaning) > 10, line


def test_the_schema_file_is_a_valid_schema_that_allows_the_defaults():
    schema = yaml.safe_load(settings.SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(CONFIG)


def test_the_models_name_what_the_library_has():
    [methods] = get_args(get_args(Baselines.__annotations__["methods"])[0])
    assert get_args(methods) == tuple(BASELINES)
    assert get_args(View.__annotations__["axis"]) == ANATOMICAL_AXES


@pytest.mark.parametrize("overlay", ["demo", "original", "acquired"])
def test_the_overlays_fit_the_models(overlay):
    config = copy.deepcopy(CONFIG)
    update_config(config, yaml.safe_load((ROOT / f"workflow/{overlay}.yaml").read_text()))
    check_configuration(config)
    assert Configuration.model_validate(config) != Configuration()


@pytest.mark.parametrize(("path", "value"), GOOD)
def test_a_good_setting_passes_the_schema_and_the_models(path, value):
    config = changed(path, value)
    check_configuration(config)
    Configuration.model_validate(config)


@pytest.mark.parametrize(("path", "value", "words"), BAD)
def test_a_bad_setting_is_refused_in_one_sentence_by_the_schema_and_by_the_models(
    path, value, words
):
    config = changed(path, value)
    with pytest.raises(InputError) as error:
        check_configuration(config)
    assert words in str(error.value) and str(error.value).startswith("config: ")
    with pytest.raises(ValidationError):
        Configuration.model_validate(config)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("views.coronal", {"axis": "A", "thickness": 4}, "config: views: has simulated views (cor"),
        ("views.axial.thickness", 3, "config: views: has simulated views (axial) beside the acq"),
        ("dataset.truth", "truth/{image}.nii.gz", "config: dataset.truth: is for images to simu"),
        ("profile", "gaussian", "config: profile: is gaussian, which is that of simulated views"),
    ],
)
def test_what_has_no_meaning_for_acquired_scans_is_refused(path, value, words):
    config = changed(path, value)
    check_configuration(config)
    config["views"]["acquired"] = [{"acquisition": "sag"}, {"acquisition": "ax"}]
    with pytest.raises(InputError) as error:
        check_configuration(config)
    assert str(error.value).startswith(words) and str(error.value).endswith(".")


def test_folds_need_people_with_references():
    config = changed("prior", "folds")
    with pytest.raises(InputError, match=r"learn.folds: is 5, but dataset.subjects names 2"):
        check_configuration(config)
    for fits in ({"learn": {"folds": 2}}, {"dataset": {"subjects": "all"}}):
        enough = copy.deepcopy(config)
        update_config(enough, fits)
        check_configuration(enough)
    config["views"]["acquired"] = [{"acquisition": "sag"}, {"acquisition": "ax"}]
    with pytest.raises(InputError, match=r"config: prior: is folds, but acquired scans have no"):
        check_configuration(config)
    check_configuration(config | {"prior": "learned"})


def test_priors_are_learnt_as_that_of_cordinr_began():
    record = shipped_prior().record["start"]
    names = ("steps", "batch", "phantoms", "seed")
    assert {name: getattr(Learn(), name) for name in names} == {
        name: record[name] for name in names
    }
    assert Learn().rate == record["learning_rate"]
    assert Learn().examples == record["examples"] - record["phantoms"]


def test_a_view_has_the_spacing_of_its_thickness_unless_it_says_another():
    assert View(axis="S", thickness=4).spacing == 4
    assert View(axis="S", thickness=4, spacing=5).spacing == 5
