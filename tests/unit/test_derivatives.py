"""Names, sidecars and what a view's geometry is taken from."""

import numpy as np
import pytest

from cordinr.derivatives import bids_uri, describe_label, image_sidecar, read_view
from cordinr.errors import InputError
from cordinr.files import read_json, write_json
from cordinr.naming import (
    entities,
    inr_label,
    resolution,
    resolution_label,
    sidecar_path,
    variant_labels,
    variant_setting,
    voxel_size,
)
from cordinr.volume import save_volume
from support import blobs


@pytest.fixture
def slices(tmp_path):
    """An image of 1 x 4 x 1 mm voxels without a sidecar."""
    volume = blobs((12, 6, 10), np.diag([1, 4, 1, 1.0]))
    save_volume(tmp_path / "view.nii.gz", volume.array, volume.grid)
    return tmp_path / "view.nii.gz"


@pytest.mark.parametrize(("mm", "label"), [(0.5, "iso05"), (1, "iso1"), (0.75, "iso075")])
def test_resolution_labels_go_both_ways(mm, label):
    assert resolution_label(mm) == label and voxel_size(label) == mm
    assert f"{mm:g} mm" in resolution(label)


@pytest.mark.parametrize("sigma", [0.0156, 0.031, 0.0625, 0.0001, 1, 2.5])
def test_labels_of_sigmas_are_of_letters_and_digits_and_go_both_ways(sigma):
    label = inr_label(512, sigma=sigma)
    assert label.isalnum() and variant_setting(label) == ("sigma", sigma)
    assert f"sigma {sigma:g} cycles/mm" in describe_label(label)


def test_labels_of_inrs():
    assert inr_label(128) == "inrF128" and variant_setting("inrF128") is None
    assert inr_label(128, seed=10) == "inrF128seed10"
    assert variant_setting("inrF128seed10") == ("seed", 10)
    assert "seed 10." in describe_label("inrF128seed10")
    assert "desc-inrF128seed10:" in describe_label("inrF128seed10spread")
    assert inr_label(512, sigma=0.031) == "inrF512sigma0031"
    for label in ("tv", "simulated", "inrF128spread", ""):
        assert variant_setting(label) is None


def test_what_is_fitted_anyway_is_no_variant():
    fit = {"sigma": 0.025, "seed": 1}
    labels = variant_labels([8, 32, 16], [0.025, 0.05], [0, 1], fit)
    assert labels == ["inrF8seed0", "inrF32seed0", "inrF16seed0", "inrF32sigma005"]
    assert variant_labels([8, 16], [], [], fit) == []


def test_entities_and_sidecar_of_a_name():
    name = "results/sub-01_ses-a_res-iso05_desc-inrF128_T2w.nii.gz"
    assert entities(name) == {"sub": "01", "ses": "a", "res": "iso05", "desc": "inrF128"}
    assert str(sidecar_path(name)) == name.replace(".nii.gz", ".json")
    with pytest.raises(InputError, match=r"\.nii"):
        sidecar_path("image.mgz")


def test_sources_are_uris_inside_the_dataset(tmp_path):
    image = tmp_path / "out/sub-01/anat/sub-01_desc-tv_T2w.nii.gz"
    view = tmp_path / "out/sub-01/anat/sub-01_res-axial_desc-simulated_T2w.nii.gz"
    assert bids_uri(view, image) == f"bids::sub-01/anat/{view.name}"
    elsewhere = tmp_path / "raw/sub-01/anat/sub-01_T2w.nii.gz"
    assert bids_uri(elsewhere, image) == str(elsewhere)
    assert bids_uri("bids:raw:sub-01/x.nii.gz", image) == "bids:raw:sub-01/x.nii.gz"
    sidecar = image_sidecar(view, [elsewhere], "A view.", SliceThickness=4)
    assert sidecar["Resolution"].endswith("axial view") and sidecar["SliceThickness"] == 4


def test_labels_are_explained_or_refused():
    assert "128" in describe_label("inrF128")
    with pytest.raises(InputError, match="not known"):
        describe_label("inr128")


def test_without_a_sidecar_the_header_speaks_and_it_is_said(slices):
    view, note = read_view(slices)
    assert (view.axis, view.profile.shape, view.profile.thickness) == (1, "box", 4)
    assert "no slice thickness" in note and "4 mm" in note


def test_a_sidecar_states_thickness_gap_and_profile(slices):
    stated = {"SliceThickness": 3.2, "SpacingBetweenSlices": 4, "SliceProfile": "gaussian"}
    write_json(sidecar_path(slices), stated)
    view, note = read_view(slices)
    assert (view.axis, view.profile.shape, view.profile.thickness) == (1, "gaussian", 3.2)
    assert note is None


def test_the_slice_axis_of_a_sidecar_wins(slices):
    write_json(sidecar_path(slices), {"SliceThickness": 1, "SliceEncodingDirection": "k-"})
    assert read_view(slices)[0].axis == 2


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        ({"SliceThickness": "thick"}, "SliceThickness is 'thick'"),
        ({"SliceThickness": -4}, "not a positive number"),
        ({"SliceThickness": True}, "not a positive number"),
        ({"SpacingBetweenSlices": 5}, "header says 4"),
        ({"SliceThickness": 4, "SliceProfile": "sinc"}, "'sinc' is not known"),
    ],
)
def test_a_sidecar_that_makes_no_sense_is_refused(slices, stated, sentence):
    write_json(sidecar_path(slices), stated)
    with pytest.raises(InputError, match=sentence):
        read_view(slices)


def test_isotropic_images_without_a_sidecar_are_no_views(tmp_path):
    volume = blobs((8, 8, 8), np.eye(4))
    save_volume(tmp_path / "iso.nii.gz", volume.array, volume.grid)
    with pytest.raises(InputError, match="no axis has thicker slices"):
        read_view(tmp_path / "iso.nii.gz")


def test_json_that_is_none_is_refused(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(InputError, match="not readable JSON"):
        read_json(tmp_path / "x.json")
    (tmp_path / "x.json").write_text("[1]")
    with pytest.raises(InputError, match="not a JSON object"):
        read_json(tmp_path / "x.json")
