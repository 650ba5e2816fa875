"""BIDS URIs in place of paths."""

from pathlib import Path

import pytest

from cordinr.bids.sidecars import image_sidecar
from cordinr.bids.uris import bids_uri, resolve_bids_uri
from cordinr.errors import InputError
from cordinr.files import write_json

IMAGE = "sub-01/anat/sub-01_T2w.nii.gz"


def test_a_path_stays_as_it_is(tmp_path):
    assert resolve_bids_uri("some/image.nii.gz", tmp_path / "out.nii.gz") == Path(
        "some/image.nii.gz"
    )


def test_a_uri_is_looked_up_from_the_dataset_of_the_output(tmp_path, monkeypatch):
    write_json(tmp_path / "dataset_description.json", {"DatasetLinks": {"raw": "sourcedata/raw"}})
    raw = tmp_path / "sourcedata" / "raw" / IMAGE
    assert resolve_bids_uri(f"bids:raw:{IMAGE}", tmp_path / IMAGE) == raw
    assert resolve_bids_uri(f"bids::{IMAGE}", tmp_path / IMAGE) == tmp_path / IMAGE
    monkeypatch.chdir(tmp_path)
    assert resolve_bids_uri(f"bids:raw:{IMAGE}", IMAGE) == raw


@pytest.mark.parametrize(
    ("image", "words"), [(IMAGE, "do not name 'raw'"), ("out.nii.gz", "lies in no BIDS dataset")]
)
def test_a_uri_that_leads_nowhere(tmp_path, image, words):
    write_json(tmp_path / "dataset_description.json", {"DatasetLinks": {"other": ".."}})
    with pytest.raises(InputError, match=words):
        resolve_bids_uri(f"bids:raw:{IMAGE}", tmp_path / image)


def test_a_dataset_without_description(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        resolve_bids_uri(f"bids:raw:{IMAGE}", tmp_path / IMAGE)


def test_sources_are_uris_inside_the_dataset(tmp_path):
    image = tmp_path / "out/sub-01/anat/sub-01_desc-tv_T2w.nii.gz"
    view = tmp_path / "out/sub-01/anat/sub-01_res-axial_desc-simulated_T2w.nii.gz"
    assert bids_uri(view, image) == f"bids::sub-01/anat/{view.name}"
    elsewhere = tmp_path / "raw/sub-01/anat/sub-01_T2w.nii.gz"
    assert bids_uri(elsewhere, image) == str(elsewhere)
    assert bids_uri("bids:raw:sub-01/x.nii.gz", image) == "bids:raw:sub-01/x.nii.gz"
    sidecar = image_sidecar(view, [elsewhere], "A view.", SliceThickness=4)
    assert sidecar["Resolution"].endswith("axial view") and sidecar["SliceThickness"] == 4
