"""Exclude lists of datasets, in every form in which people write them."""

import random

import numpy as np
import pytest

from cordinr.datasets.exclusion import excluded_subjects
from cordinr.datasets.index import find_images
from cordinr.errors import InputError
from cordinr.imaging.volume import save_volume
from tests.helpers.support import blobs

pytestmark = pytest.mark.slow

IMAGES = [
    "sub-01/anat/sub-01_run-1_T2w.nii.gz",
    "sub-01/anat/sub-01_run-2_T2w.nii.gz",
    "sub-01/anat/sub-01_T1w.nii.gz",
    "sub-02/ses-01/anat/sub-02_ses-01_T2w.nii.gz",
    "sub-02/ses-02/anat/sub-02_ses-02_T2w.nii.gz",
    "sub-02/ses-02/anat/sub-02_ses-02_T1w.nii.gz",
    "sub-03/anat/sub-03_T2w.nii.gz",
    "sub-04/anat/sub-04_T2w.nii.gz",
]
SESSION = {"02_ses-02_T2w"}
RUN = {"01_run-2_T2w"}


@pytest.fixture
def dataset(tmp_path):
    """Four subjects, one of two runs, one of two sessions, two of the site paris."""
    (tmp_path / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.8.0"}')
    (tmp_path / "participants.tsv").write_text(
        "participant_id\tinstitution_id\nsub-01\tberlin\nsub-02\tSan Diego\n"
        "sub-03\tparis\nsub-04\tparis\nsub-99\tgone\n"
    )
    for path in IMAGES:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    return tmp_path


def excluded(dataset, text, key="csa_t2") -> dict[str, str]:
    (dataset / "exclude.yml").write_text(text)
    return excluded_subjects(dataset, key)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("csa_t2: [sub-01, sub-03]", {"01", "03"}),
        ("csa_t2:\n- 01\n- 04", {"01", "04"}),
        ("csa_t2:\n- paris", {"03", "04"}),
        ("csa_t2:\n- San Diego", {"02"}),
        ("csa_t2:\n- San Diego (another sequence)", {"02"}),
        ("csa_t2: paris", {"03", "04"}),
        ("csa_t2: sub-01", {"01"}),
        ("csa_t2: sub-01, sub-04", {"01", "04"}),
        ("csa_t2: 01 paris", {"01", "03", "04"}),
        ("csa_t2: sub-01 motion", {"01"}),
        ("csa_t2:", set()),
        ("csa_t2: ~\nmtr: [sub-01]", set()),
        ("csa_t2: []", set()),
        ("csa_t2: {}", set()),
        ("csa_t2: ''", set()),
        ("csa_t2:\n-\n- sub-01\n- ~", {"01"}),
        ("csa_t2:\n- sub-01: motion", {"01"}),
        ("csa_t2:\n- sub-01 : {reason: motion}", {"01"}),
        ("csa_t2: {sub-01: motion, sub-03: null}", {"01", "03"}),
        ("csa_t2: {sub-01: true, sub-03: false}", {"01"}),
        ("csa_t2: {paris: another scanner}", {"03", "04"}),
        ("csa_t2:\n- sub-01\n- sub-01\ncsa_t2:\n- sub-03", {"01", "03"}),
        ("csa_t2: &a\n- sub-01\nmtr: *a", {"01"}),
        ("csa_t2: &a [sub-01, *a]", {"01"}),
        ("csa_t2:\n- [sub-01, sub-03]\n- sub-04", {"01", "03", "04"}),
        ("csa_t2: sub-0*", {"01", "02", "03", "04"}),
        ("csa_t2:\n- sub-01/", {"01"}),
        ("csa_t2:\n- {subject: sub-01, reason: motion}", {"01"}),
        ("csa_t2:\n- {participant_id: '01', rater: me}", {"01"}),
        ("csa_t2: {subjects: [sub-01, 03], reason: motion}", {"01", "03"}),
        ("csa_t2:\n- {site: paris, why: another scanner}", {"03", "04"}),
        ("csa_t2:\n- sub-02_ses-02", SESSION),
        ("csa_t2:\n- sub-02/ses-02", SESSION),
        ("csa_t2:\n- 02_ses-02", SESSION),
        ("csa_t2:\n- sub-02/ses-02/anat/", SESSION),
        ("csa_t2:\n- sub-02_ses-02: motion", SESSION),
        ("csa_t2:\n- sub-02_ses-02_T2w.nii.gz", SESSION),
        ("csa_t2:\n- sub-02_ses-02_T2w", SESSION),
        ("csa_t2:\n- ./sub-02/ses-02/anat/sub-02_ses-02_T2w.nii", SESSION),
        ("csa_t2:\n- sub-02_ses-02_T2w.json", SESSION),
        ("csa_t2:\n- sub-02 : {session: 02, reason: motion}", SESSION),
        ("csa_t2:\n- sub-02 : {session: 2}", SESSION),
        ("csa_t2:\n- sub-02: ses-02", SESSION),
        ("csa_t2:\n- sub-02: [ses-02]", SESSION),
        ("csa_t2:\n- sub-02: {ses-02: motion}", SESSION),
        ("csa_t2:\n- {subject: sub-02, session: '02', reason: motion}", SESSION),
        ("csa_t2:\n- {subject: 02, sessions: [ses-02]}", SESSION),
        ("csa_t2: {sub-02: {session: [01, 02]}}", {"02_ses-01_T2w", *SESSION}),
        ("csa_t2: {sub-02: {session: {ses-02: motion}}}", SESSION),
        ("csa_t2: {sub-02: {ses-02_T2w: motion, T1w: noise}}", SESSION),
        ("csa_t2: {motion: [sub-01, sub-03], noise: 04}", {"01", "03", "04"}),
        ("csa_t2: {paris: [sub-03]}", {"03"}),
        ("csa_t2: {subjects: [sub-01], sites: [paris]}", {"01", "03", "04"}),
        ("csa_t2:\n- sub-02_T2w", {"02_ses-01_T2w", *SESSION}),
        ("csa_t2:\n- sub-01_run-2", RUN),
        ("csa_t2:\n- sub-01_run-02", RUN),
        ("csa_t2:\n- sub-01/anat/sub-01_run-2_T2w.nii.gz", RUN),
        ("csa_t2:\n- sub-01\\anat\\sub-01_run-2_T2w.nii.gz", RUN),
        ("csa_t2:\n- sub-01/anat/sub-01_run-2_T2w", RUN),
        ("csa_t2:\n- {file: sub-01_run-2_T2w.nii.gz, reason: motion}", RUN),
        ("csa_t2:\n- {subject: sub-01, run: 2, suffix: T2w}", RUN),
        ("csa_t2:\n- {subject: sub-01, suffix: T2w}", {"01_run-1_T2w", *RUN}),
        ("csa_t2:\n- sub-01/anat/sub-01_T1w.nii.gz", set()),
        ("csa_t2:\n- sub-02_ses-02_T1w: motion", set()),
        ("csa_t2:\n- sub-01: T1w", set()),
        ("csa_t2:\n- sub-01 T1w", set()),
        ("csa_t2:\n- sub-01 (T1w)", set()),
        ("csa_t2:\n- sub-01: T1w motion", set()),
        ("csa_t2:\n- 'sub-01 [T1w]'", set()),
        ("csa_t2:\n- sub-01: T1 motion", set()),
        ("csa_t2:\n- sub-01 T1w: motion", set()),
        ("csa_t2:\n- sub-01: [T1w motion]", set()),
        ("csa_t2:\n  T1w: [sub-01]\n", set()),
        ("csa_t2:\n  T1w: {sub-01: motion}\n", set()),
        ("csa_t2:\n  T1w: {subject: sub-01, reason: motion}\n", set()),
        ("csa_t2:\n  motion: {sub-01: T1w}\n", set()),
        ("csa_t2:\n  motion: [sub-01 T1w, sub-03]\n", {"03"}),
        ("csa_t2: {T1w: &a [sub-01], T2w: [sub-04], motion: *a}", {"01", "04_T2w"}),
        ("csa_t2:\n  ses-02: [sub-02]\n", SESSION),
        ("csa_t2:\n- sub-02_ses-02 (motion)", SESSION),
        ("csa_t2:\n- sub-02_ses-02 - motion", SESSION),
        ("csa_t2:\n- sub-02/ses-02, motion", SESSION),
        ("csa_t2:\n- 'sub-02_ses-02: motion'", SESSION),
        ("csa_t2:\n- sub-02_ses-02_T2w (motion)", SESSION),
        ("csa_t2:\n- sub-02 ses-02", SESSION),
        ("csa_t2:\n- sub-02, ses-02", SESSION),
        ("csa_t2:\n- sub-02 ses-02 T1w", set()),
        ("csa_t2:\n- sub-02: {ses-02: T1w}", set()),
        ("csa_t2:\n- sub-02: ses-02 (motion)", SESSION),
        ("csa_t2:\n- sub-02: [{ses-02: motion}]", SESSION),
        ("csa_t2:\n- sub-02: [{session: 2}, {session: 1}]", {"02_ses-01_T2w", *SESSION}),
        ("csa_t2:\n- sub-02: ses-01 and ses-02", {"02_ses-01_T2w", *SESSION}),
        ("csa_t2:\n- sub-01 run-2, sub-02 ses-02: motion", {*RUN, *SESSION}),
        ("csa_t2:\n- sub-01: T2 lesion", {"01_run-1_T2w", *RUN}),
        ("csa_t2:\n- sub-01: as sub-02 T1w", {"01"}),
        ("csa_t2:\n- sub-01: sub-02 has the same", {"01"}),
        ("csa_t2:\n- sub-01 and sub-03", {"01", "03"}),
        ("csa_t2:\n- sub-01 & sub-03", {"01", "03"}),
        ("csa_t2:\n- sub-01, sub-03 and sub-04 (motion)", {"01", "03", "04"}),
        ("csa_t2:\n- sub-01 and San Diego", {"01", "02"}),
        ("csa_t2:\n- sub-01 and a half", {"01"}),
        ("csa_t2:\n- sub-01 and sub-02 T1w", set()),
        ("exclude: {csa_t2: [sub-01], csa_t1: [sub-03]}", {"01"}),
    ],
)
def test_every_form_does_what_its_author_meant(dataset, text, names, notes):
    assert set(excluded(dataset, text)) == names
    assert notes() == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- sub-02: [{ses-02: motion}]", "sub-02 ses-02, motion"),
        ("- sub-02: ses-02 (motion)", "sub-02 ses-02, motion"),
        ("- sub-02 ses-02 motion", "sub-02 ses-02, motion"),
        ("- sub-02 (ses-02): motion  # twice", "sub-02 ses-02, motion, twice"),
        ("  ses-02: {sub-02: motion}", "sub-02 ses-02, motion"),
        ("  ses-02:  # moved\n  - sub-02  # twice", "sub-02 ses-02, moved, twice"),
        ("  ses-02 motion: [sub-02]", "sub-02 ses-02, motion"),
    ],
)
def test_the_reason_survives_what_narrows_a_subject_down(dataset, text, reason):
    assert excluded(dataset, f"csa_t2:\n{text}") == {
        "02_ses-02_T2w": f"exclude.yml, csa_t2: {reason}"
    }


def test_what_the_dataset_knows_is_a_name_whatever_it_looks_like(dataset, notes):
    table = dataset / "participants.tsv"
    table.write_text(table.read_text().replace("berlin", "T1w"))
    assert set(excluded(dataset, "csa_t2: T1w")) == {"01"}
    assert set(excluded(dataset, "csa_t2:\n- sub-03 T1w")) == {"01", "03"}
    assert set(excluded(dataset, "csa_t2: {T1w: [sub-01]}")) == {"01"}
    assert notes() == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("csa_t2:\n- sub-01  # motion, TR: 2", "csa_t2: sub-01, motion, TR: 2"),
        ("csa_t2: [sub-01] # motion", "csa_t2: sub-01, motion"),
        ("csa_t2:\n- sub-01: motion", "csa_t2: sub-01, motion"),
        ("csa_t2:\n- sub-01: motion  # twice", "csa_t2: sub-01, motion, twice"),
        ("csa_t2:\n- sub-01 : {reason: motion}", "csa_t2: sub-01, motion"),
        ("csa_t2: {motion: [sub-01]}", "csa_t2: sub-01, motion"),
        ("csa_t2: {sub-01: [motion, noise]}", "csa_t2: sub-01, motion, noise"),
        ("csa_t2:\n- sub-01 - motion", "csa_t2: sub-01, motion"),
        ("csa_t2:\n- sub-01 (motion)", "csa_t2: sub-01, motion"),
        ("csa_t2: sub-01:motion", "csa_t2: sub-01, motion"),
        ("csa_t2:\n- {subject: sub-01, reason: motion}", "csa_t2: sub-01, motion"),
        ("csa_t2:\n- subject: sub-01\n  reason: motion", "csa_t2: sub-01, motion"),
        ("csa_t2:\n- sub-01: |\n    motion\n    twice\n", "csa_t2: sub-01, motion twice"),
        ("csa_t2:\n- sub-01: \u001b[31mred", None),
        ("csa_t2:\n- berlin # motion\n- sub-01 # noise", "csa_t2: berlin, motion"),
        ("csa_t2:\n- sub-01", "csa_t2: sub-01"),
        ("csa_t2:\r\n- sub-01 # motion\r\n", "csa_t2: sub-01, motion"),
    ],
)
def test_the_reason_is_what_the_author_wrote(dataset, text, reason):
    if reason is None:
        with pytest.raises(InputError, match=r"exclude\.yml: is not readable YAML"):
            excluded(dataset, text)
    else:
        assert excluded(dataset, text) == {"01": f"exclude.yml, {reason}"}


def test_a_key_is_a_wish(dataset, notes):
    text = "csa_t1: [sub-01]\nmtr: [sub-02]\n"
    assert excluded(dataset, text) == excluded(dataset, text, "") == {}
    [note] = notes()
    assert "exclude.yml: has no key 'csa_t2' of dataset.exclude (it has csa_t1, mtr)" in note
    assert excluded(dataset, "") == {}
    (dataset / "exclude.yml").unlink()
    assert excluded_subjects(dataset, "csa_t2") == {} and len(notes()) == 1


@pytest.mark.parametrize(
    "text", ["- sub-01\n- paris", "[01, 03, 04]", "sub-01 sub-03 sub-04", "sub-01:\nparis: motion"]
)
def test_a_list_without_keys_is_taken_whatever_the_key(dataset, text, notes):
    assert set(excluded(dataset, text)) == {"01", "03", "04"}
    assert ["its one list is taken for 'csa_t2'" in note for note in notes()] == [True]


def test_a_list_of_keyed_lists_is_one_mapping(dataset):
    assert set(excluded(dataset, "- csa_t1: [sub-01]\n- csa_t2: [sub-03]")) == {"03"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("csa_t2: [sub-05, sub-01]", "sub-05"),
        ("csa_t2: [sub-1, sub-01]", "sub-1"),
        ("csa_t2: [London, sub-01, London]", "London"),
        ("csa_t2: [gone, sub-01]", "gone"),
        ("csa_t2: [sub-02_ses-09, sub-01]", "sub-02_ses-09"),
        ("csa_t2: [sub-03_run-2_T2w.nii.gz, sub-01]", "sub-03_run-2_T2w.nii.gz"),
        ("csa_t2: [{subject: sub-02, session: 9}, sub-01]", "sub-02 ses-9"),
        ("csa_t2: [sub-03/anat/sub-04_T2w.nii.gz, sub-01]", "sub-03/anat/sub-04_T2w.nii.gz"),
    ],
)
def test_a_name_of_nobody_is_noted_once(dataset, text, name, notes):
    assert set(excluded(dataset, text)) == {"01"}
    [note] = notes()
    assert f"exclude.yml: '{name}'" in note


@pytest.mark.parametrize(
    "text",
    [
        "key: [",
        "nonsense",
        "7",
        "csa_t2:\n\t- sub-01",
        "a: 1\n---\nb: 2",
        "[" * 3000,
        "*a",
        "@x",
        "- a\nb",
    ],
)
def test_a_file_of_no_usable_form_is_one_sentence(dataset, text):
    with pytest.raises(InputError, match=r"exclude\.yml: is (not readable|neither)") as caught:
        excluded(dataset, text)
    assert "\n" not in str(caught.value) and 'dataset.exclude to ""' in str(caught.value)


def test_a_folder_is_no_exclude_list(dataset):
    (dataset / "exclude.yml").mkdir()
    with pytest.raises(InputError, match=r"exclude\.yml: is a folder"):
        excluded_subjects(dataset, "csa_t2")


def test_nothing_in_the_file_is_an_uncaught_exception(dataset):
    rng = random.Random(0)
    start = "csa_t2:\n- sub-01  # motion\n- sub-02 : {session: 02, reason: x}\n- {a: [b, &c d]}\n"
    pieces = [
        *"-:#{}[]&*!|>'\"%@`,? \n\t\\~\u2028\x85\0",
        "sub-",
        "csa_t2",
        "ses-02",
        "<<",
        "*c",
        "---",
    ]
    for _ in range(300):
        text = list(start)
        for _ in range(rng.randint(1, 6)):
            text[rng.randrange(len(text))] = rng.choice(pieces)
        try:
            assert excluded(dataset, "".join(text)).keys() <= {
                *("01", "02", "03", "04", "02_ses-02_T2w"),
            }
        except InputError as error:
            assert "exclude.yml" in str(error)


def test_the_other_extension_and_the_other_encoding_will_do(dataset):
    (dataset / "exclude.yaml").write_bytes("csa_t2: {sub-01: gestört}".encode("latin-1"))
    assert excluded_subjects(dataset, "csa_t2") == {"01": "exclude.yaml, csa_t2: sub-01, gestört"}


def write_images(dataset) -> None:
    volume = blobs((6, 6, 6), np.eye(4))
    for path in IMAGES:
        save_volume(dataset / path, volume.array, volume.grid)


def test_only_the_images_named_are_lost(dataset, command):
    write_images(dataset)
    text = "csa_t2: [sub-02_ses-02, sub-01_run-1_T2w, sub-03_T2w: motion, sub-04_T1w]"
    (dataset / "exclude.yml").write_text(text)
    target = dataset.parent / "inputs.tsv"
    options = ["--dest", dataset.parent / "raw", "-o", target, "--exclude", "csa_t2"]
    code, _, said = command("index", dataset, *options)
    assert code == 0 and "warning" not in said
    rows = find_images(
        dataset,
        None,
        "T2w",
        mask="",
        truth="",
        entities={},
        leave_out=excluded_subjects(dataset, "csa_t2"),
    )
    assert {row.image for row in rows} == {"sub-01_run-2", "sub-02_ses-01", "sub-04"}
    assert (
        "left out: sub-03_T2w (exclude.yml, csa_t2: sub-03_T2w, motion); "
        'dataset.exclude: "" takes it\n'
    ) in said
    assert "note: " in said and "'sub-04_T1w', under 'csa_t2', is not an image" in said


def test_when_everybody_is_left_out_a_sentence_says_so(dataset):
    reasons = excluded(dataset, "csa_t2: sub-*")
    with pytest.raises(InputError, match="no subjects to take"):
        find_images(dataset, None, "T2w", mask="", truth="", entities={}, leave_out=reasons)
