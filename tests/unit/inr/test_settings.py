"""Settings of a fit: what they can be, and the sentence where one cannot be that."""

import dataclasses

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from cordinr.errors import InputError
from cordinr.inr.settings import FitSettings, read_settings, setting_schemas


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ({"widht": 3}, "unknown key fit.widht; known are encoding, sigma"),
        ({3: 3}, "unknown key fit.3"),
        ({"width": 0}, "fit.width is 0; give a positive number"),
        ({"width": 2.5}, "fit.width is '2.5'; give a whole number"),
        ({"width": 2.0}, "fit.width is '2.0'; give a whole number"),
        ({"width": "64"}, "fit.width is '64'; give a whole number"),
        ({"width": True}, "give a whole number"),
        ({"width": None}, "fit.width is 'None'; give a whole number"),
        ({"width": 10**400}, "give a number up to 1000000000"),
        ({"seed": -1}, "fit.seed is -1; give a number from 0"),
        ({"passes": 0}, "give a positive number"),
        ({"passes": True}, "fit.passes is 'True'; give a number"),
        ({"passes": 10**400}, "give a number up to 1000000000"),
        ({"sigma": float("nan")}, "give a positive number"),
        ({"sigma": float("inf")}, "fit.sigma is inf; give a number up to 1000000000"),
        ({"depth": 1001}, "fit.depth is 1001; give a number up to 1000"),
        ({"profile_points": 1001}, "give a number up to 1000"),
        ({"dropout": 1.0}, "fit.dropout is 1.0; give a probability below 1"),
        ({"dropout": -0.1}, "fit.dropout is -0.1; give a number from 0"),
        ({"encoding": "hash"}, "fit.encoding is 'hash'; use fourier, siren, none"),
        ({"loss": ["mse"]}, "use mse, l1"),
    ],
)
def test_an_invalid_setting_is_one_clear_sentence(mapping, sentence):
    with pytest.raises(InputError, match=sentence) as error:
        FitSettings.from_mapping(mapping, "config.yaml")
    assert str(error.value).startswith("config.yaml: ")
    assert len(str(error.value).splitlines()) == 1


def test_what_a_program_sets_is_checked_as_well():
    with pytest.raises(ValidationError, match="width"):
        FitSettings(width=0)
    with pytest.raises(ValidationError, match="passes"):
        dataclasses.replace(FitSettings(), passes=-1.0)


def test_numbers_stay_as_they_were_written():
    """The header of a model says 40 where the configuration does."""
    settings = dataclasses.asdict(FitSettings(passes=40, smoothing=0, rate=1e-3))
    assert str([settings[name] for name in ("passes", "smoothing", "rate")]) == "[40, 0, 0.001]"


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(FitSettings)])
def test_the_schema_of_a_setting_has_the_bounds_that_the_settings_have(name):
    schema = Draft202012Validator(setting_schemas()[name])
    for value in (-1, -1e-9, 0, 1e-9, 0.999, 1, 2, 1000, 1001, 10**9, 10**9 + 1, True, None, "mse"):
        try:
            FitSettings.from_mapping({name: value}, "")
        except InputError:
            assert not schema.is_valid(value), value
        else:
            assert schema.is_valid(value), value


def test_an_option_wins_over_the_file_and_the_file_over_the_default(tmp_path):
    path = tmp_path / "fit.yaml"
    path.write_text(yaml.safe_dump({"fit": {"seed": 3, "sigma": 0.1, "width": 8}}))
    assert read_settings(path, None) == FitSettings(seed=3, sigma=0.1, width=8)
    assert read_settings(path, 0, 0.2) == FitSettings(seed=0, sigma=0.2, width=8)
    assert read_settings(None, 5) == FitSettings(seed=5)
    with pytest.raises(InputError, match=r"^--sigma: fit.sigma is 0; give a positive number"):
        read_settings(path, None, 0)
