"""Names of files and the labels in them."""

import pytest

from cordinr.bids.names import (
    companion_path,
    describe_label,
    entities,
    image_of,
    inr_label,
    resolution,
    resolution_label,
    sidecar_path,
    variant_labels,
    variant_setting,
    voxel_size,
)
from cordinr.errors import InputError


@pytest.mark.parametrize(("mm", "label"), [(0.5, "iso05"), (1, "iso1"), (0.75, "iso075")])
def test_resolution_labels_go_both_ways(mm, label):
    assert resolution_label(mm) == label and voxel_size(label) == mm
    assert f"{mm:g} mm" in resolution(label)


@pytest.mark.parametrize("mm", [12, 10, 9.9999999, 1e-5, float("nan")])
def test_a_voxel_size_whose_label_would_mean_another_is_refused(mm):
    with pytest.raises(InputError, match="label"):
        resolution_label(mm)


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("sub-01_res-iso05_desc-inrF128_T2w.nii.gz", "sub-01"),
        ("a/sub-01/sub-01_desc-inrF128_res-iso05_T2w.nii", "sub-01"),
        ("sub-01_ses-a_acq-sag_run-02_desc-cubic_T2w.nii.gz", "sub-01_ses-a_acq-sag_run-02"),
        ("sub-01_desc-tv_acq-sag_res-thick_run-2_T2w.nii.gz", "sub-01_acq-sag_run-2"),
        ("sub-01_acq-a-b_desc-x-y_T2w.nii.gz", "sub-01_acq-a-b"),
        ("sub-res_acq-desc_desc-acq_T2w.nii.gz", "sub-res_acq-desc"),
        ("sub-01_odd_new-entity_desc-tv_T2w.nii.gz", "sub-01_odd_new-entity"),
        ("sub-01_desc-own_desc-cubic_T2w.nii.gz", "sub-01_desc-own"),
        ("sub-01_run-1_T2w.nii.gz", "sub-01_run-1_T2w"),
        ("sub-01_desc-tv_metrics.json", "sub-01"),
        ("sub-01_desc-tv.nii.gz", "sub-01"),
        ("my_scan_desc-tv.nii.gz", "my_scan"),
        ("my_scan.nii.gz", "my_scan"),
        ("desc-tv_T2w.nii.gz", "desc-tv_T2w"),
    ],
)
def test_the_image_of_a_file_is_named_by_its_entities(name, image):
    assert image_of(name) == image


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


def test_an_uncertainty_map_is_named_after_its_image():
    names = ("sub-1_desc-inrF8_T2w.nii.gz", "sub-1_T2w.nii.gz", "scan.nii.gz")
    maps = [str(companion_path(name, "stderr")) for name in names]
    assert maps == [
        "sub-1_desc-inrF8stderr_T2w.nii.gz",
        "sub-1_desc-stderr_T2w.nii.gz",
        "scan_stderr.nii.gz",
    ]
    for label in ("learnedstderr", "inrF8stderr", "inrF8seed1stderr"):
        assert describe_label(label).startswith("Standard error of desc-")
    assert describe_label("inrF8spread").startswith("Standard deviation over the ensemble")


def test_labels_are_explained_or_refused():
    assert "128" in describe_label("inrF128")
    with pytest.raises(InputError, match="not known"):
        describe_label("inr128")
