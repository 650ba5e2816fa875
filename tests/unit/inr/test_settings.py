"""Settings of a fit, and that they are described in one way everywhere."""

from dataclasses import asdict

import pytest
import yaml
from jsonschema import Draft202012Validator

from cordinr.errors import InputError
from cordinr.inr.settings import FitSettings
from tests.helpers.support import ROOT

SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


def test_config_schema_and_library_agree_on_every_setting():
    assert CONFIG["fit"] == asdict(FitSettings())
    assert SCHEMA["properties"]["fit"]["properties"].keys() == CONFIG["fit"].keys()
    assert FitSettings.from_mapping(CONFIG["fit"], "config.yaml") == FitSettings()


def test_the_config_fits_its_schema_and_every_key_is_described():
    Draft202012Validator(SCHEMA).validate(CONFIG)

    def keys(schema, where=""):
        for name, part in schema.get("properties", {}).items():
            yield f"{where}{name}", part
            yield from keys(part, f"{where}{name}.")

    undescribed = [name for name, part in keys(SCHEMA) if len(part.get("description", "")) < 5]
    assert undescribed == []
    assert all("#" in line for line in config_lines())


@pytest.mark.parametrize("overlay", ["demo", "original"])
def test_overlays_fit_the_schema_and_the_library(overlay):
    content = yaml.safe_load((ROOT / f"workflow/{overlay}.yaml").read_text())
    merged = {**CONFIG, **content, "fit": CONFIG["fit"] | content["fit"]}
    merged["dataset"] = CONFIG["dataset"] | content.get("dataset", {})
    Draft202012Validator(SCHEMA).validate(merged)
    FitSettings.from_mapping(merged["fit"], overlay)


def config_lines():
    """Lines of config.yaml that set a value, where a section's heading needs no comment."""
    text = (ROOT / "config.yaml").read_text().splitlines()
    return [line for line in text if ": " in line and not line.startswith("#")]


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ({"widht": 3}, "unknown key fit.widht"),
        ({"width": 0}, "fit.width is 0; give a positive number"),
        ({"width": 2.5}, "fit.width is '2.5'; give a whole number"),
        ({"width": True}, "give a whole number"),
        ({"passes": 0}, "give a positive number"),
        ({"sigma": float("nan")}, "give a positive number"),
        ({"dropout": 1.0}, "below 1"),
        ({"encoding": "hash"}, "use fourier, siren, none"),
        ({"loss": ["mse"]}, "use mse, l1"),
    ],
)
def test_an_invalid_setting_is_one_clear_sentence(mapping, sentence):
    with pytest.raises(InputError, match=sentence):
        FitSettings.from_mapping(mapping, "config.yaml")
