"""Real DataLad datasets: clone, pin, index, get, and everything that can go wrong."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from cordinr.annex_pointer import is_annex_pointer
from cordinr.datasets.annex import drop_content, get_content
from cordinr.datasets.index import IndexRow, find_images, load_index, save_index
from cordinr.datasets.source import clone_or_link, create, describe_source
from cordinr.errors import InputError
from cordinr.files import write_json
from cordinr.imaging.volume import load_volume, save_volume
from tests.helpers.support import blobs

pytestmark = pytest.mark.slow

MASK = "derivatives/labels/{folder}/{image}_{suffix}_label-SC_seg.nii.gz"
TRUTH = "derivatives/truth/{folder}/{image}_res-*_desc-truth_{suffix}.nii.gz"


def write_bids(root: Path) -> None:
    """Two subjects: one plain with mask and truth, one with sessions and runs; one without T2w."""
    write_json(root / "dataset_description.json", {"Name": "twin", "BIDSVersion": "1.10.0"})
    volume = blobs((10, 10, 10), np.eye(4))

    def save(path):
        save_volume(root / path, volume.array, volume.grid)

    save("sub-a/anat/sub-a_T2w.nii.gz")
    save("derivatives/labels/sub-a/anat/sub-a_T2w_label-SC_seg.nii.gz")
    save("derivatives/truth/sub-a/anat/sub-a_res-iso05_desc-truth_T2w.nii.gz")
    save("sub-b/ses-1/anat/sub-b_ses-1_run-1_T2w.nii.gz")
    save("sub-b/ses-1/anat/sub-b_ses-1_run-2_T2w.nii.gz")
    save("sub-c/anat/sub-c_T1w.nii.gz")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("source") / "twin"
    write_bids(root)
    create(root, "a twin of spine-generic")
    return root


@pytest.fixture
def cloned(source, tmp_path) -> Path:
    clone_or_link(str(source), "v1", tmp_path / "clone")
    return tmp_path / "clone"


def test_a_clone_holds_pointers_until_content_is_got(cloned):
    path = "sub-a/anat/sub-a_T2w.nii.gz"
    assert (cloned / path).stat().st_size < 200 and is_annex_pointer(cloned / path)
    with pytest.raises(InputError, match=r"never fetched.*datalad get"):
        load_volume(cloned / path)
    assert load_volume(get_content(cloned, [path])[0]).grid.shape == (10, 10, 10)
    assert get_content(cloned, [path])[0] == cloned / path


def test_locked_annex_links_are_got_as_well(tmp_path):
    root = tmp_path / "locked"
    write_bids(root)
    create(root, "images")
    annex = ["git", "-C", str(root), "-c", "annex.addunlocked=false", "annex", "lock", "."]
    path = os.pathsep.join([str(Path(os.sys.executable).parent), os.environ["PATH"]])
    identity = {f"GIT_{r}_{k}": "t@t" for r in ("AUTHOR", "COMMITTER") for k in ("NAME", "EMAIL")}
    environment = os.environ | {"PATH": path} | identity
    subprocess.run(annex, check=True, env=environment, capture_output=True)
    commit = ["git", "-C", str(root), "commit", "-qam", "lock"]
    subprocess.run(commit, check=True, env=environment)
    subprocess.run(["git", "-C", str(root), "tag", "v2"], check=True)
    clone = tmp_path / "clone"
    clone_or_link(str(root), "v2", clone)
    image = clone / "sub-a/anat/sub-a_T2w.nii.gz"
    assert image.is_symlink() and not image.exists() and is_annex_pointer(image)
    assert len(find_images(clone, None, "T2w", mask=MASK, truth=TRUTH)) == 4
    get_content(clone, ["sub-a/anat/sub-a_T2w.nii.gz"])[0]
    assert load_volume(image).grid.shape == (10, 10, 10)


def test_the_index_has_every_image_with_mask_and_truth(cloned, tmp_path):
    rows = find_images(cloned, None, "T2w", mask=MASK, truth=TRUTH)
    first, second, third, missing = rows
    assert first == IndexRow(
        subject="a",
        session="",
        folder="sub-a/anat",
        image="sub-a",
        path="sub-a/anat/sub-a_T2w.nii.gz",
        mask="derivatives/labels/sub-a/anat/sub-a_T2w_label-SC_seg.nii.gz",
        truth="derivatives/truth/sub-a/anat/sub-a_res-iso05_desc-truth_T2w.nii.gz",
        truth_res="iso05",
    )
    assert (second.session, second.image) == ("1", "sub-b_ses-1_run-1")
    assert (third.folder, third.mask) == ("sub-b/ses-1/anat", "")
    assert "subject c has no T2w" in missing.problem
    save_index(tmp_path / "inputs.tsv", rows)
    assert load_index(tmp_path / "inputs.tsv") == rows


def test_a_folder_that_is_no_utf8_is_named_in_the_index_all_the_same(tmp_path):
    problem = os.fsdecode(b"r\xe9sultats/raw: subject a has no T2w image.")
    save_index(tmp_path / "inputs.tsv", [IndexRow("a", "", "sub-a/anat", "sub-a", problem=problem)])
    [row] = load_index(tmp_path / "inputs.tsv")
    assert row.problem == "r\\udce9sultats/raw: subject a has no T2w image."


def test_of_several_mask_patterns_the_first_that_exists_counts(tmp_path, command):
    write_bids(tmp_path / "data")
    labels = "derivatives/labels/{folder}/{image}_{suffix}"
    masks = [f"{labels}_label-SC_seg.nii.gz", f"{labels}_seg-manual.nii.gz"]
    first = tmp_path / "data" / masks[0].format(folder="sub-a/anat", image="sub-a", suffix="T2w")
    other = tmp_path / "data" / masks[1].format(folder="sub-a/anat", image="sub-a", suffix="T2w")
    folder = "sub-b/ses-1/anat"
    old = masks[1].format(folder=folder, image="sub-b_ses-1_run-1", suffix="T2w")
    (tmp_path / "data" / old).parent.mkdir(parents=True)
    other.write_bytes(first.read_bytes())
    (tmp_path / "data" / old).write_bytes(first.read_bytes())

    def found(*patterns):
        options = [word for pattern in patterns for word in ("--mask", pattern)]
        places = ["--dest", tmp_path / "raw", "-o", tmp_path / "inputs.tsv"]
        assert command("index", tmp_path / "data", *places, *options)[0] == 0
        return [row.mask for row in load_index(tmp_path / "inputs.tsv")][:3]

    a, b = first.relative_to(tmp_path / "data"), other.relative_to(tmp_path / "data")
    assert found(*masks) == [str(a), old, ""]
    assert found(*reversed(masks)) == [str(b), old, ""]
    assert found(masks[0]) == [str(a), "", ""]
    assert found() == found("") == ["", "", ""]


def test_subjects_are_chosen_and_missing_ones_named(cloned):
    rows = find_images(cloned, ["sub-b", "zzz"], "T2w", mask=MASK, truth=TRUTH)
    assert [row.subject for row in rows] == ["b", "b", "zzz"]
    assert "zzz is not in the dataset (it has a, b, c)" in rows[-1].problem
    with pytest.raises(InputError, match="zzz is not in the dataset"):
        find_images(cloned, ["zzz"], "T2w", mask=MASK, truth=TRUTH)


def test_a_clone_moves_to_another_version(source, cloned):
    first = subprocess.check_output(["git", "-C", str(cloned), "rev-list", "HEAD"], text=True)
    older = first.split()[-1]
    assert clone_or_link(str(source), older, cloned) == older
    assert not (cloned / "sub-a").exists()
    clone_or_link(str(source), "v1", cloned)
    assert (cloned / "sub-a").exists()


def test_a_source_that_is_none_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be cloned") as caught:
        clone_or_link(str(tmp_path / "nowhere"), "v1", tmp_path / "clone")
    assert "\n" not in str(caught.value)
    assert not [p for p in tmp_path.iterdir() if p.is_dir()]


def test_a_version_that_is_none_names_the_tags(source, tmp_path):
    with pytest.raises(InputError, match=r"no version 'r2099'.*v1"):
        clone_or_link(str(source), "r2099", tmp_path / "clone")


def test_a_folder_of_something_else_is_not_touched(source, tmp_path):
    other = tmp_path / "clone"
    other.mkdir()
    (other / "precious.txt").write_text("mine")
    with pytest.raises(InputError, match="clone of something else"):
        clone_or_link(str(source), "v1", other)
    assert (other / "precious.txt").read_text() == "mine"


def test_one_image_stored_twice_costs_that_image(tmp_path):
    write_bids(tmp_path)
    volume = blobs((10, 10, 10), np.eye(4))
    save_volume(tmp_path / "sub-a/anat/sub-a_T2w.nii", volume.array, volume.grid)
    first, *others = find_images(tmp_path, None, "T2w", mask=MASK, truth=TRUTH)
    assert (first.folder, first.image, first.path, first.mask) == ("sub-a/anat", "sub-a", "", "")
    assert "sub-a_T2w.nii and sub-a/anat/sub-a_T2w.nii.gz" in first.problem
    assert [row.subject for row in others if row.path] == ["b", "b"]


def test_a_pattern_with_a_foreign_name_is_refused(cloned):
    with pytest.raises(InputError, match=r"cannot be filled"):
        find_images(cloned, None, "T2w", mask="labels/{subject}.nii.gz", truth="")


def test_a_url_that_git_rewrites_is_still_the_same_source(source, tmp_path, monkeypatch):
    (tmp_path / "gitconfig").write_text(
        f'[url "{source.parent}/"]\n\tinsteadOf = https://short.invalid/\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    first = clone_or_link(f"https://short.invalid/{source.name}", "v1", tmp_path / "clone")
    assert clone_or_link(f"https://short.invalid/{source.name}", "v1", tmp_path / "clone") == first


def test_a_folder_that_is_no_bids_dataset_is_refused(tmp_path):
    with pytest.raises(InputError, match="dataset_description"):
        find_images(tmp_path, None, "T2w", mask="", truth="")


def test_cloning_works_without_a_git_identity(source, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for name in [name for name in os.environ if name.startswith(("GIT_AUTHOR", "GIT_COMMITTER"))]:
        monkeypatch.delenv(name)
    clone_or_link(str(source), "v1", tmp_path / "clone")
    assert "GIT_AUTHOR_NAME" not in os.environ


def test_a_plain_folder_is_used_in_place(tmp_path):
    write_bids(tmp_path / "plain")
    dest = tmp_path / "results" / "plain"
    for _ in range(2):
        assert clone_or_link(str(tmp_path / "plain"), "", dest) == ""
    assert dest.is_symlink() and len(find_images(dest, None, "T2w", mask=MASK, truth=TRUTH)) == 4
    image = get_content(dest, ["sub-a/anat/sub-a_T2w.nii.gz"])[0]
    assert load_volume(image).grid.shape == (10, 10, 10)
    assert drop_content(dest, ["sub-a/anat/sub-a_T2w.nii.gz"]) is None and image.exists()
    with pytest.raises(InputError, match=r'without versions.*set dataset.version to ""'):
        clone_or_link(str(tmp_path / "plain"), "v1", dest)
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match="already exists and is not"):
        clone_or_link(str(tmp_path / "other"), "", dest)


def test_a_clone_made_by_hand_will_do(source, tmp_path):
    subprocess.run(["git", "clone", "--quiet", source, tmp_path / "mine"], check=True)
    commit = clone_or_link(str(source), "v1", tmp_path / "mine")
    assert commit == clone_or_link(str(source), "", tmp_path / "mine")
    get_content(tmp_path / "mine", ["sub-a/anat/sub-a_T2w.nii.gz"])


def test_a_clone_of_a_clone_whose_source_is_gone(source, cloned, tmp_path):
    get_content(cloned, ["sub-a/anat/sub-a_T2w.nii.gz"])
    away = source.rename(source.with_name("away"))
    try:
        clone_or_link(str(cloned), "v1", tmp_path / "second")
        image = get_content(tmp_path / "second", ["sub-a/anat/sub-a_T2w.nii.gz"])[0]
    finally:
        away.rename(source)
    assert load_volume(image).grid.shape == (10, 10, 10)


def test_the_source_is_described_without_credentials(tmp_path):
    with pytest.raises(InputError, match="has no dataset_description"):
        describe_source(tmp_path, "x", "", "")
    stated = {"Name": "n", "BIDSVersion": "1.8.0", "Authors": ["A", "B"], "DatasetDOI": "10.1/2"}
    write_json(tmp_path / "dataset_description.json", stated)
    about = describe_source(tmp_path, "https://me:secret@host.org/x", "v1", "abc")
    assert about == {
        "Name": "n",
        "Authors": ["A", "B"],
        "DOI": "10.1/2",
        "URL": "https://host.org/x",
        "Version": "v1",
        "Commit": "abc",
    }


def test_the_index_has_the_site_of_each_subject(tmp_path):
    write_bids(tmp_path)
    (tmp_path / "participants.tsv").write_text(
        "participant_id\tinstitution_id\nsub-a\tberlin\nsub-b\tparis\nsub-c\tparis\n"
    )
    rows = find_images(tmp_path, None, "T2w", mask="", truth="")
    assert {(row.subject, row.site) for row in rows} == {
        ("a", "berlin"),
        ("b", "paris"),
        ("c", "paris"),
    }


@pytest.mark.parametrize(
    ("entities", "images"),
    [
        ({"session": ["1"]}, {"sub-b_ses-1_run-1", "sub-b_ses-1_run-2"}),
        ({"session": [""]}, {"sub-a"}),
        ({"run": ["02"]}, {"sub-b_ses-1_run-2"}),
        ({"run": ["1", "2"], "session": ["1"]}, {"sub-b_ses-1_run-1", "sub-b_ses-1_run-2"}),
    ],
)
def test_images_are_chosen_by_their_entities(tmp_path, entities, images):
    write_bids(tmp_path)
    rows = find_images(tmp_path, None, "T2w", mask="", truth="", entities=entities)
    assert {row.image for row in rows if row.path} == images


def test_unknown_entities_are_refused_and_odd_names_passed_over(tmp_path):
    write_bids(tmp_path)
    with pytest.raises(InputError, match=r"the dataset has no 'sesion'; use .*session"):
        find_images(tmp_path, None, "T2w", mask="", truth="", entities={"sesion": ["1"]})
    with pytest.raises(InputError, match="has no T2w image, session 9"):
        find_images(tmp_path, ["a"], "T2w", mask="", truth="", entities={"session": ["9"]})
    good = tmp_path / "sub-a/anat/sub-a_T2w.nii.gz"
    (good.parent / "sub-a_copy of mine_T2w.nii.gz").write_bytes(good.read_bytes())
    (good.parent / "sub-a_desc-old_T2w.nii.gz").write_bytes(good.read_bytes())
    assert [row.image for row in find_images(tmp_path, ["a"], "T2w", mask="", truth="")] == [
        "sub-a"
    ]


def test_a_thick_slice_scan_is_no_reference(tmp_path, command):
    write_bids(tmp_path / "data")
    volume = blobs((10, 10, 10), np.diag([0.8, 0.8, 3.3, 1]))
    save_volume(tmp_path / "data/sub-a/anat/sub-a_T2w.nii.gz", volume.array, volume.grid)
    options = ["--dest", tmp_path / "raw", "--file", "sub-a/anat/sub-a_T2w.nii.gz"]
    target = tmp_path / "copy.nii.gz"
    code, _, said = command("fetch", tmp_path / "data", *options, "-o", target)
    assert code == 1 and "voxels of 0.8 x 0.8 x 3.3 mm are too far from cubes" in said
    assert "`cordinr reconstruct`" in said and not target.exists()


READ_ONLY = """
mount --bind {source} {source} && mount -o remount,ro,bind {source} && ! touch {source}/x &&
cordinr index {source} --version '{version}' --dest {dest} -o {dest}.tsv &&
cordinr fetch {source} --version '{version}' --dest {dest} --file {image} -o {dest}.nii.gz --drop
"""


@pytest.mark.parametrize("version", ["v1", ""])
def test_read_only_media_will_do(tmp_path, version):
    namespace = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*namespace, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a file system of their own")
    write_bids(tmp_path / "media")
    if version:
        create(tmp_path / "media", "a DataLad dataset")
    names = {"source": tmp_path / "media", "dest": tmp_path / "raw", "version": version}
    script = READ_ONLY.format(**names, image="sub-a/anat/sub-a_T2w.nii.gz")
    path = os.pathsep.join([str(Path(os.sys.executable).parent), os.environ["PATH"]])
    shell = [*namespace, "sh", "-c", script]
    answer = subprocess.run(shell, env=os.environ | {"PATH": path}, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert load_volume(tmp_path / "raw.nii.gz").grid.shape == (10, 10, 10)
