"""Metadata by the inheritance principle, and what of it an image on another grid keeps."""

import pytest

from cordinr.bids.metadata import metadata_of, read_inherited_metadata, shared_metadata, sidecars_of
from cordinr.errors import InputError
from cordinr.files import write_json

IMAGE = "sub-01/ses-a/anat/sub-01_ses-a_acq-hi_run-1_T2w.nii.gz"


@pytest.fixture
def dataset(tmp_path):
    for path, content in {
        "dataset_description.json": {"Name": "x", "BIDSVersion": "1.8.0"},
        "T2w.json": {"FlipAngle": 1, "EchoTime": 1, "RepetitionTime": 1},
        "acq-hi_T2w.json": {"FlipAngle": 2},
        "acq-lo_T2w.json": {"FlipAngle": 99},
        "T1w.json": {"FlipAngle": 98},
        "sub-01/ses-a/sub-01_ses-a_T2w.json": {"EchoTime": 3},
        "sub-01/ses-b/sub-01_ses-b_T2w.json": {"EchoTime": 97},
        IMAGE.replace(".nii.gz", ".json"): {"RepetitionTime": 4},
        "sub-01/ses-a/anat/sub-01_ses-a_acq-hi_run-2_T2w.json": {"RepetitionTime": 96},
    }.items():
        write_json(tmp_path / path, content)
    return tmp_path


def test_files_further_down_win_and_foreign_ones_do_not_count(dataset):
    assert read_inherited_metadata(dataset, IMAGE) == {
        "FlipAngle": 2,
        "EchoTime": 3,
        "RepetitionTime": 4,
    }
    assert sidecars_of(dataset, IMAGE)[0] in ("T2w.json", "acq-hi_T2w.json")
    assert metadata_of(dataset / IMAGE) == read_inherited_metadata(dataset, IMAGE)


def test_an_image_outside_a_dataset_has_its_own_sidecar_only(tmp_path):
    write_json(tmp_path / "T2w.json", {"FlipAngle": 1})
    assert metadata_of(tmp_path / "scan_T2w.nii.gz") == {}
    write_json(tmp_path / "scan_T2w.json", {"FlipAngle": 7})
    assert metadata_of(tmp_path / "scan_T2w.nii.gz") == {"FlipAngle": 7}


def test_pybids_finds_the_same(dataset):
    from bids import BIDSLayout

    (dataset / IMAGE).write_bytes(b"")
    assert BIDSLayout(dataset, validate=False).get_metadata(
        str(dataset / IMAGE)
    ) == read_inherited_metadata(dataset, IMAGE)


def test_what_holds_is_kept_and_what_does_not_is_dropped():
    first = {"EchoTime": 0.1, "Manufacturer": "A", "SliceThickness": 0.8, "AcquisitionMatrixPE": 3}
    second = first | {"Manufacturer": "B"}
    assert shared_metadata([first]) == {"Manufacturer": "A", "EchoTime": 0.1}
    assert shared_metadata([first, second]) == {"EchoTime": 0.1}
    assert shared_metadata([first, {}]) == shared_metadata([]) == {}


def test_a_sidecar_that_is_none_is_named(dataset):
    (dataset / "T2w.json").write_text("[1, 2]")
    with pytest.raises(InputError, match=r"T2w\.json: is not a JSON object"):
        read_inherited_metadata(dataset, IMAGE)
