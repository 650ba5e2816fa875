"""Sets of acquired scans in a BIDS dataset: which are complete, and what the others lack."""

import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from cordinr.datasets.copy import copy_scan
from cordinr.datasets.exclusion import excluded_subjects
from cordinr.datasets.index import load_index, save_index
from cordinr.datasets.scan_sets import find_scan_sets, parse_directions
from cordinr.errors import InputError
from cordinr.files import read_json, write_json
from cordinr.imaging.volume import load_scan, save_volume
from tests.helpers.support import blobs

SAG_AND_AX = [{"acquisition": ["sag"]}, {"acquisition": ["ax"]}]
NAMES = [
    "sub-a/anat/sub-a_acq-sag_T2w",
    "sub-a/anat/sub-a_acq-ax_chunk-2_T2w",
    "sub-a/anat/sub-a_acq-ax_chunk-1_T2w",
    "sub-a/anat/sub-a_acq-cor_T2w",
    "sub-b/ses-1/anat/sub-b_ses-1_acq-sag_run-1_T2w",
    "sub-b/ses-1/anat/sub-b_ses-1_acq-sag_run-02_T2w",
    "sub-b/ses-1/anat/sub-b_ses-1_acq-ax_T2w",
    "sub-b/ses-2/anat/sub-b_ses-2_acq-sag_T2w",
    "sub-c/anat/sub-c_acq-ax_T2w",
    "sub-d/anat/sub-d_T1w",
]


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("scans") / "raw"
    write_json(root / "dataset_description.json", {"Name": "scans", "BIDSVersion": "1.10.0"})
    volume = blobs((12, 12, 4), np.diag([1.0, 1.0, 4.0, 1.0]))
    for name in NAMES:
        save_volume(root / f"{name}.nii.gz", volume.array, volume.grid)
    return root


@pytest.fixture
def own_scans(scans, tmp_path) -> Path:
    """A copy of the dataset, for a test that changes it."""
    return Path(shutil.copytree(scans, tmp_path / "raw"))


def find(root, directions=SAG_AND_AX, subjects=None, **more):
    """The rows of a dataset by folder and name of the image."""
    rows = find_scan_sets(root, subjects, "T2w", directions, **more)
    return {f"{row.folder}/{row.image}": row for row in rows}


def test_a_set_has_all_runs_and_chunks_of_each_direction_in_the_order_of_the_setting(scans):
    rows = find(scans)
    assert [Path(path).name for path in rows["sub-a/anat/sub-a"].scan_paths] == [
        "sub-a_acq-sag_T2w.nii.gz",
        "sub-a_acq-ax_chunk-1_T2w.nii.gz",
        "sub-a_acq-ax_chunk-2_T2w.nii.gz",
    ]
    row = rows["sub-b/ses-1/anat/sub-b_ses-1"]
    assert (row.subject, row.session, row.path) == ("b", "1", row.scan_paths[0])
    assert len(row.scan_paths) == 3 and not row.problem
    turned = find(scans, SAG_AND_AX[::-1])["sub-a/anat/sub-a"]
    assert turned.path == "sub-a/anat/sub-a_acq-ax_chunk-1_T2w.nii.gz"


def test_what_is_incomplete_is_left_out_and_says_what_it_lacks(scans):
    rows = find(scans)
    assert [name for name, row in rows.items() if not row.path] == [
        "sub-b/ses-2/anat/sub-b_ses-2",
        "sub-c/anat/sub-c",
        "sub-d/anat/sub-d",
    ]
    session = rows["sub-b/ses-2/anat/sub-b_ses-2"]
    assert session.incomplete == "acquisition ax"
    assert (
        session.problem == f"{scans}: sub-b_ses-2 has no T2w scan with acquisition ax; it is "
        "left out."
    )
    assert rows["sub-d/anat/sub-d"].incomplete == "acquisition sag; acquisition ax"
    assert rows["sub-d/anat/sub-d"].problem == f"{scans}: sub-d has no T2w scan; it is left out."
    neither = find(scans, [{"acquisition": ["cor"]}, {"chunk": ["1"]}])["sub-c/anat/sub-c"]
    assert "with acquisition cor and none with chunk 1; it" in neither.problem


def test_a_subject_asked_for_by_name_fails_where_none_of_its_sets_is_complete(scans):
    rows = find(scans, subjects=["a", "b", "c", "d", "x"])
    kinds = {name.rpartition("/")[2]: bool(row.incomplete) for name, row in rows.items()}
    assert kinds == {
        "sub-a": False,
        "sub-b_ses-1": False,
        "sub-b_ses-2": True,  # the other session has an image
        "sub-c": False,
        "sub-d": False,
        "sub-x": False,
    }
    assert "is not in the dataset" in rows["sub-x/anat/sub-x"].problem


def test_labels_runs_and_missing_entities_select_scans(scans):
    by_run = find(scans, [{"acquisition": ["sag"], "run": ["2", ""]}, {"acquisition": ["ax"]}])
    names = by_run["sub-b/ses-1/anat/sub-b_ses-1"].scan_paths
    assert [Path(name).name for name in names] == [
        "sub-b_ses-1_acq-sag_run-02_T2w.nii.gz",
        "sub-b_ses-1_acq-ax_T2w.nii.gz",
    ]
    assert by_run["sub-a/anat/sub-a"].path
    of_session = find(scans, entities={"session": ["1"]})
    assert [name for name, row in of_session.items() if row.path] == [
        "sub-b/ses-1/anat/sub-b_ses-1"
    ]


def test_an_excluded_scan_makes_its_set_incomplete_and_an_excluded_session_none(own_scans):
    (own_scans / "exclude.yml").write_text(
        "motion:\n- sub-a_acq-ax_chunk-1\n- sub-b: {session: 2, reason: motion}\n- sub-c\n"
    )
    rows = find(own_scans, leave_out=excluded_subjects(own_scans, "motion"))
    assert len(rows["sub-a/anat/sub-a"].scan_paths) == 2
    assert [*rows] == ["sub-a/anat/sub-a", "sub-b/ses-1/anat/sub-b_ses-1", "sub-d/anat/sub-d"]


def test_scans_that_cannot_be_used_have_a_problem(own_scans):
    (own_scans / f"{NAMES[1]}.nii.gz").write_bytes(b"not an image")
    folder = own_scans / "sub-b/ses-2/anat"
    shutil.copy(own_scans / f"{NAMES[6]}.nii.gz", folder / "sub-b_acq-ax_ses-2_T2w.nii.gz")
    rows = find(own_scans)
    broken = rows["sub-a/anat/sub-a"]
    assert "sub-a_acq-ax_chunk-2_T2w.nii.gz: is not" in broken.problem and not broken.scans
    assert broken.path == broken.incomplete == ""
    assert "is not named in the order of BIDS" in rows["sub-b/ses-2/anat/sub-b_ses-2"].problem


def test_a_scan_of_two_directions_is_refused(scans):
    with pytest.raises(InputError, match="has both acquisition sag and chunk none; tell th"):
        find(scans, [{"acquisition": ["sag"]}, {"chunk": [""]}], subjects=["a"])


def test_an_unknown_entity_is_named_with_its_setting(scans):
    with pytest.raises(InputError, match=r"views\.acquired: the dataset has no 'plane'; use acq"):
        find(scans, [{"plane": ["sag"]}, {"acquisition": ["ax"]}])


def test_the_index_keeps_the_scans_and_has_no_such_columns_without_them(scans, tmp_path):
    rows = [*find(scans).values()]
    save_index(tmp_path / "inputs.tsv", rows)
    assert load_index(tmp_path / "inputs.tsv") == rows
    header = (tmp_path / "inputs.tsv").read_text().splitlines()[0].split("\t")
    assert header[-2:] == ["scans", "incomplete"]


def test_no_complete_set_at_all_is_an_error(scans):
    words = (
        r"has no complete set of scans; correct views\.acquired\. The first: .* acquisition none"
    )
    with pytest.raises(InputError, match=words):
        find(scans, [{"acquisition": ["sag"]}, {"acquisition": [""]}])


def test_directions_are_parsed():
    parsed = parse_directions(["acquisition=sag,run=1,run=", "chunk=2"])
    assert parsed == [{"acquisition": ["sag"], "run": ["1", ""]}, {"chunk": ["2"]}]
    with pytest.raises(InputError, match="--scans sag: is not NAME=LABEL"):
        parse_directions(["sag"])


def test_a_copy_of_a_scan_has_its_voxels_and_all_metadata(own_scans, tmp_path):
    scan, output = "sub-a/anat/sub-a_acq-sag_T2w.nii.gz", tmp_path / "copies/scan_T2w.nii.gz"
    write_json(own_scans / "T2w.json", {"FlipAngle": 150, "SliceThickness": 3.0})
    write_json(own_scans / "sub-a/anat/sub-a_acq-sag_T2w.json", {"SliceThickness": 3.5})
    copy_scan(own_scans, scan, output, jobs=1)
    original, copy = load_scan(own_scans / scan), load_scan(output)
    np.testing.assert_array_equal(copy.array, original.array)
    assert copy.grid.matches(original.grid)
    expected = {"FlipAngle": 150, "SliceThickness": 3.5}
    assert read_json(output.with_name("scan_T2w.json")) == expected


def test_a_scan_that_lies_nobody_knows_where_is_not_copied(own_scans, tmp_path):
    scan, output = "sub-a/anat/sub-a_acq-sag_T2w.nii.gz", tmp_path / "scan_T2w.nii.gz"
    image = nib.load(own_scans / scan)
    unknown = nib.Nifti1Image(image.get_fdata(dtype=np.float32), None)
    nib.save(unknown, own_scans / scan)
    with pytest.raises(InputError, match="its header gives no orientation"):
        copy_scan(own_scans, scan, output, jobs=1)
    assert not output.exists()


def test_the_end_of_a_run_misses_only_whom_somebody_asked_for(scans, tmp_path, command):
    index = tmp_path / "inputs.tsv"
    save_index(index, [*find(scans).values()])
    assert command("found", index)[0] == 0
    save_index(index, [*find(scans, subjects=["a", "c"]).values()])
    code, _, error = command("found", index)
    assert code == 1 and "1 of 2 have no image (sub-c)" in error
