"""Odd folders and files of a raw dataset, which cost nobody else anything."""

import os

import numpy as np
import pytest

from cordinr.datasets.index import find_images
from cordinr.datasets.subjects import name_contradicts_folder, sites_of, subjects_of
from cordinr.errors import InputError
from cordinr.files import write_json
from cordinr.imaging.volume import save_volume
from tests.helpers.support import blobs

CUBES = blobs((10, 10, 10), np.eye(4))


@pytest.fixture
def dataset(tmp_path):
    """Two subjects as they should be."""
    root = tmp_path / "dataset"
    write_json(root / "dataset_description.json", {"Name": "x", "BIDSVersion": "1.8.0"})
    for label in ("01", "02"):
        save(root, f"sub-{label}/anat/sub-{label}_T2w.nii.gz")
    return root


def save(root, path, volume=CUBES) -> None:
    save_volume(root / path, volume.array, volume.grid)


def found(root, subjects=None) -> dict[str, str]:
    """The problem of each image, or an empty text, as the index has it."""
    rows = find_images(root, subjects, "T2w", mask="", truth="")
    assert [row.image for row in rows if bool(row.path) == bool(row.problem)] == []
    return {row.image: row.problem for row in rows}


def test_odd_folders_are_passed_over_with_a_note(dataset, notes):
    for name in ("sub-02_bak", "sub-03 (copy)", "Sub-06", "sub-x.old", "sub-a-b"):
        label = name[4:6]
        save(dataset, f"{name}/anat/sub-{label}_T2w.nii.gz")
    (dataset / "sub-").mkdir()
    (dataset / "sub-04").write_text("a file")
    (dataset / "sub-05").symlink_to("nowhere")
    assert found(dataset) == {"sub-01": "", "sub-02": ""}
    [note] = notes()
    assert "Sub-06, sub-, sub-02_bak, sub-03 (copy), sub-04, sub-05, sub-a-b, sub-x.old are" in note
    assert subjects_of(dataset) == ["01", "02"]


def test_a_linked_subject_is_one(dataset, tmp_path):
    save(tmp_path, "sub-03/anat/sub-03_T2w.nii.gz")
    (dataset / "sub-03").symlink_to(tmp_path / "sub-03")
    assert found(dataset) == {"sub-01": "", "sub-02": "", "sub-03": ""}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("sub-01/anat/sub-02_T2w.nii.gz", "of another subject or session"),
        ("sub-01/ses-1/anat/sub-01_ses-2_T2w.nii.gz", "of another subject or session"),
        ("sub-01/ses-1_bak/anat/sub-01_ses-1_T2w.nii.gz", "of another subject or session"),
        ("sub-01/anat/sub-01_T2w (copy).nii.gz", "not named so"),
        ("sub-01/anat/sub-01_T2w_old.nii.gz", "not named so"),
        ("sub-01/anat/sub-01_t2w.nii.gz", "not named so"),
        ("sub-01/anat/sub-01_desc-x_T2w.nii", "not named so"),
        ("sub-01/sub-01_T2w.nii.gz", "not named so"),
        ("sub-01/anat/old/sub-01_acq-x_T2w.nii.gz", "not named so"),
        ("sub-01/anat/T2w.nii.gz", "not named so"),
    ],
)
def test_images_named_unlike_bids_are_passed_over_with_a_note(dataset, notes, path, reason):
    save(dataset, path)
    assert found(dataset) == {"sub-01": "", "sub-02": ""}
    [note] = notes()
    assert f"{path} is passed over" in note and reason in note


@pytest.mark.parametrize("name", [b"acq-\xff", b"acq-\xc3\xa9", b"acq-a\nb"])
def test_names_that_are_no_text_are_passed_over(dataset, name, notes):
    good = dataset / "sub-01/anat/sub-01_T2w.nii.gz"
    for path in (b"sub-01/anat/sub-01_" + name, b"sub-01/" + name + b"/sub-01", b"sub-" + name):
        odd = os.path.join(os.fsencode(dataset), path + b"_T2w.nii.gz")
        os.makedirs(os.path.dirname(odd), exist_ok=True)
        with open(odd, "wb") as stream:
            stream.write(good.read_bytes())
    assert found(dataset) == {"sub-01": "", "sub-02": ""}
    assert ["passed over" in note for note in notes()] == [True, True]


@pytest.mark.parametrize(
    "content",
    ['{"Name": "Zürich"}'.encode("latin-1"), '{"Name": "x"}'.encode("utf-16"), b'{"Name": "a\tb"}'],
)
def test_the_description_may_be_of_another_encoding(dataset, content):
    (dataset / "dataset_description.json").write_bytes(content)
    assert found(dataset) == {"sub-01": "", "sub-02": ""}


def test_links_round_and_round_end(dataset):
    for name in ("here", "there"):
        (dataset / "sub-01/anat" / name).symlink_to("../..")
    assert found(dataset) == {"sub-01": "", "sub-02": ""}


def test_plus_signs_belong_to_labels(dataset, notes):
    stem = "sub-a+b/ses-p+q/anat/sub-a+b_ses-p+q_acq-x+y_T2w"
    save(dataset, f"{stem}.nii.gz")
    assert found(dataset, ["a+b"]) == {"sub-a+b_ses-p+q_acq-x+y": ""}
    rows = find_images(
        dataset,
        None,
        "T2w",
        mask="",
        truth="",
        entities={"acquisition": ["x+y"], "session": ["p+q"]},
    )
    assert [row.session for row in rows if row.path] == ["p+q"] and notes() == []


def test_what_is_damaged_costs_that_image_alone(dataset):
    save(dataset, "sub-03/anat/sub-03_T2w.nii.gz", blobs((10, 10, 10), np.diag([1, 1, 3, 1])))
    save(dataset, "sub-04/anat/sub-04_T2w.nii.gz", blobs((10, 10, 10), np.diag([1, 1, 1.8, 1])))
    for label, content in [("05", b"junk"), ("06", b""), ("07", POINTER)]:
        (dataset / f"sub-{label}/anat").mkdir(parents=True)
        (dataset / f"sub-{label}/anat/sub-{label}_T2w.nii.gz").write_bytes(content)
    (dataset / "sub-08/anat").mkdir(parents=True)
    (dataset / "sub-08/anat/sub-08_T2w.nii.gz").symlink_to("nowhere")
    os.mkfifo(dataset / "sub-08/anat/sub-08_run-1_T2w.nii.gz")
    (dataset / "sub-09").mkdir()
    problems = found(dataset)
    assert [name for name, problem in problems.items() if not problem] == [
        *("sub-01", "sub-02", "sub-04")
    ]
    for name, why in {
        "sub-03": "too far from cubes",
        "sub-05": "not a readable NIfTI",
        "sub-06": "an empty file",
        "sub-07": "never fetched",
        "sub-08": "link to a file that does not exist",
        "sub-08_run-1": "is a pipe",
        "sub-09": "subject 09 has no T2w image",
    }.items():
        assert why in problems[name] and "\n" not in problems[name]


POINTER = b"/annex/objects/SHA256E-s9336112--0f3c.nii.gz\n"


def test_when_no_image_is_of_use_a_sentence_says_so(dataset):
    for label in ("01", "02"):
        (dataset / f"sub-{label}/anat/sub-{label}_T2w.nii.gz").write_bytes(b"junk")
    with pytest.raises(InputError, match=r"sub-01_T2w\.nii\.gz: is not a readable NIfTI"):
        found(dataset)


@pytest.mark.parametrize(
    ("path", "contrary"),
    [
        ("sub-1/anat/sub-1_T2w.nii.gz", False),
        ("sub-1/ses-a/anat/sub-1_ses-a_T2w.nii.gz", False),
        ("sub-1/anat/sub-1_ses-a_T2w.nii.gz", False),
        ("sub-1/anat/sub-10_T2w.nii.gz", True),
        ("sub-1/ses-a/anat/sub-1_ses-ab_T2w.nii.gz", True),
        ("sub-1/ses-a+b/anat/sub-1_ses-a_T2w.nii.gz", True),
    ],
)
def test_a_name_may_contradict_its_folder(path, contrary):
    assert name_contradicts_folder(path) == contrary


@pytest.mark.parametrize("content", [b"\xff\xfep", b"x" * 200_000 + b"\t" + b"y" * 200_000])
def test_a_table_of_no_use_gives_nobody_a_site(tmp_path, content, notes):
    (tmp_path / "participants.tsv").write_bytes(b"participant_id\tsite\n" + content)
    assert sites_of(tmp_path) == {}


def test_a_table_that_is_a_folder_is_noted(tmp_path, notes):
    (tmp_path / "participants.tsv").mkdir()
    assert sites_of(tmp_path) == {}
    assert notes() == [
        f"{tmp_path}/participants.tsv: is a folder; give a file. Going on without it."
    ]


def test_sites_are_read_from_latin_1(tmp_path):
    text = "participant_id\tsite\nsub-a\tZürich\n"
    (tmp_path / "participants.tsv").write_bytes(text.encode("latin-1"))
    assert sites_of(tmp_path) == {"a": "Zürich"}


@pytest.mark.parametrize(
    ("text", "sites"),
    [
        ("participant_id\tsite\nsub-a\tx\nsub-b\tn/a\nsub-c\n", {"a": "x"}),
        ("participant_id\tinstitution_id\tsite\nsub-a\tx\ty\n", {"a": "x"}),
        ("participant_id\tsite\nsub-a\ta\x00\x1b[1m b \n", {"a": "a[1m b"}),
        ("participant_id\tage\nsub-a\t3\n", {}),
        ("", {}),
    ],
)
def test_sites_of_participants(tmp_path, text, sites):
    assert sites_of(tmp_path) == {}
    (tmp_path / "participants.tsv").write_text(text)
    assert sites_of(tmp_path) == sites
