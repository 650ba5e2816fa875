"""A prior as a file, and files that are none."""

import json
import os
import stat

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, safe_open, save_file

from cordinr.errors import InputError
from cordinr.prior.prior_file import FORMAT, load_prior, save_prior
from tests.helpers.priors import tiny_prior


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "prior.safetensors"
    save_prior(file, tiny_prior(calibration=1.5))
    return file


def header_of(path) -> dict:
    with safe_open(path, "pt") as stored:
        return json.loads(stored.metadata()[FORMAT])


def test_it_comes_back_as_it_was(path):
    prior, stored = tiny_prior(calibration=1.5), load_prior(path)
    assert stored.learners == prior.learners
    assert stored.known == prior.known
    assert stored.calibration == 1.5
    assert stored.record == {"licence": "MIT"}
    assert stored.people == {"sub-01", "sub-02"}
    for one, other in zip(prior.network.parameters(), stored.network.parameters(), strict=True):
        np.testing.assert_allclose(one.detach(), other.detach(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_who_may_read_it_is_as_the_umask_says(path, mask, mode):
    """Priors of a run lie in a dataset that others read; safetensors makes files for one alone."""
    before = os.umask(mask)
    try:
        save_prior(path, tiny_prior())
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_the_same_prior_gives_the_same_bytes(path, tmp_path):
    save_prior(tmp_path / "again.safetensors", tiny_prior(calibration=1.5))
    assert path.read_bytes() == (tmp_path / "again.safetensors").read_bytes()


@pytest.mark.parametrize("kept", [0, 7, 500, -1])
def test_a_file_that_was_cut_off_is_refused(path, kept):
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"prior.safetensors: is not a readable prior"):
        load_prior(path)


def test_a_file_of_something_else_is_refused(path):
    save_file({"a": torch.zeros(3)}, path)
    with pytest.raises(InputError, match="is not a prior; give a file `cordinr learn` wrote"):
        load_prior(path)
    save_file({"a": torch.zeros(3)}, path, metadata={"cordinr-prior-99": "{}"})
    with pytest.raises(InputError, match="another version"):
        load_prior(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("architecture", {"channels": 14, "widths": [10**6], "blocks": [1]}),
        ("architecture", {"channels": 3, "widths": [4], "blocks": [1]}),
        ("architecture", {"channels": 14, "widths": [4, 7], "blocks": [1, 1]}),
        ("learners", []),
        ("learners", [{"person": ""}]),
        ("learners", "sub-01"),
        ("known", {}),
        ("known", {"thickness": [6, 3], "spacing": [3, 6], "noise": 0}),
        ("known", None),
        ("calibration", "much"),
        ("calibration", float("nan")),
        ("calibration", 1e9),
        ("record", 3),
    ],
)
def test_a_header_that_cannot_be_is_refused(path, key, value):
    header, tensors = header_of(path), load_file(path)
    save_file(tensors, path, metadata={FORMAT: json.dumps(header | {key: value})})
    with pytest.raises(InputError, match=r"prior.safetensors: is not a readable prior"):
        load_prior(path)


@pytest.mark.parametrize("number", ["1e999", "1" + "0" * 400])
def test_a_number_that_no_computer_holds_is_refused(path, number):
    text = json.dumps(header_of(path) | {"calibration": 77.0}).replace("77.0", number)
    known = json.dumps(header_of(path)["known"] | {"noise": 77.0}).replace("77.0", number)
    other = json.dumps(header_of(path) | {"known": "KNOWN"}).replace('"KNOWN"', known)
    record = json.dumps(header_of(path) | {"record": {"steps": 77.0}}).replace("77.0", number)
    for broken in (text, other, *([record] if number == "1e999" else [])):
        save_file(load_file(path), path, metadata={FORMAT: broken})
        with pytest.raises(InputError, match="is not a readable prior"):
            load_prior(path)
        save_prior(path, tiny_prior(calibration=1.5))


def test_weights_that_are_not_finite_are_refused(path):
    header, tensors = header_of(path), load_file(path)
    tensors["last.weight"][0, 0] = torch.nan
    save_file(tensors, path, metadata={FORMAT: json.dumps(header)})
    with pytest.raises(InputError, match=r"last.weight is not of finite numbers"):
        load_prior(path)


def test_a_prior_that_is_not_finite_is_not_written(tmp_path):
    prior = tiny_prior()
    with torch.no_grad():
        prior.network.last.weight.fill_(1e9)
    with pytest.raises(InputError, match="not finite"):
        save_prior(tmp_path / "prior.safetensors", prior)
    assert not list(tmp_path.iterdir())


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_prior(tmp_path / "none.safetensors")
