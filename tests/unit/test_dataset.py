"""Real DataLad datasets: clone, pin, index, get, and everything that can go wrong."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from cordinr import dataset
from cordinr.errors import InputError
from cordinr.files import write_json
from cordinr.index import Input, find_images, load_index, save_index
from cordinr.volume import is_annex_pointer, load_volume, save_volume
from support import blobs

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
    dataset.create(root, "a twin of spine-generic")
    return root


@pytest.fixture
def cloned(source, tmp_path) -> Path:
    dataset.clone(str(source), "v1", tmp_path / "clone")
    return tmp_path / "clone"


def test_a_clone_holds_pointers_until_content_is_got(cloned):
    path = "sub-a/anat/sub-a_T2w.nii.gz"
    assert (cloned / path).stat().st_size < 200 and is_annex_pointer(cloned / path)
    with pytest.raises(InputError, match=r"never fetched.*datalad get"):
        load_volume(cloned / path)
    assert load_volume(dataset.get_content(cloned, path)).grid.shape == (10, 10, 10)
    assert dataset.get_content(cloned, path) == cloned / path


def test_locked_annex_links_are_got_as_well(tmp_path):
    root = tmp_path / "locked"
    write_bids(root)
    dataset.create(root, "images")
    annex = ["git", "-C", str(root), "-c", "annex.addunlocked=false", "annex", "lock", "."]
    path = os.pathsep.join([str(Path(os.sys.executable).parent), os.environ["PATH"]])
    identity = {f"GIT_{r}_{k}": "t@t" for r in ("AUTHOR", "COMMITTER") for k in ("NAME", "EMAIL")}
    environment = os.environ | {"PATH": path} | identity
    subprocess.run(annex, check=True, env=environment, capture_output=True)
    commit = ["git", "-C", str(root), "commit", "-qam", "lock"]
    subprocess.run(commit, check=True, env=environment)
    subprocess.run(["git", "-C", str(root), "tag", "v2"], check=True)
    clone = tmp_path / "clone"
    dataset.clone(str(root), "v2", clone)
    image = clone / "sub-a/anat/sub-a_T2w.nii.gz"
    assert image.is_symlink() and not image.exists() and is_annex_pointer(image)
    assert len(find_images(clone, None, "T2w", MASK, TRUTH)) == 4
    dataset.get_content(clone, "sub-a/anat/sub-a_T2w.nii.gz")
    assert load_volume(image).grid.shape == (10, 10, 10)


def test_the_index_has_every_image_with_mask_and_truth(cloned, tmp_path):
    rows = find_images(cloned, None, "T2w", MASK, TRUTH)
    first, second, third, missing = rows
    assert first == Input(
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


def test_subjects_are_chosen_and_missing_ones_named(cloned):
    rows = find_images(cloned, ["sub-b", "zzz"], "T2w", MASK, TRUTH)
    assert [row.subject for row in rows] == ["b", "b", "zzz"]
    assert "zzz is not in the dataset (it has a, b, c)" in rows[-1].problem
    with pytest.raises(InputError, match="zzz is not in the dataset"):
        find_images(cloned, ["zzz"], "T2w", MASK, TRUTH)


def test_a_clone_moves_to_another_version(source, cloned):
    first = subprocess.check_output(["git", "-C", str(cloned), "rev-list", "HEAD"], text=True)
    older = first.split()[-1]
    assert dataset.clone(str(source), older, cloned) == older
    assert not (cloned / "sub-a").exists()
    dataset.clone(str(source), "v1", cloned)
    assert (cloned / "sub-a").exists()


def test_a_source_that_is_none_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be cloned") as caught:
        dataset.clone(str(tmp_path / "nowhere"), "v1", tmp_path / "clone")
    assert "\n" not in str(caught.value)
    assert not [p for p in tmp_path.iterdir() if p.is_dir()]


def test_a_version_that_is_none_names_the_tags(source, tmp_path):
    with pytest.raises(InputError, match=r"no version 'r2099'.*v1"):
        dataset.clone(str(source), "r2099", tmp_path / "clone")


def test_a_folder_of_something_else_is_not_touched(source, tmp_path):
    other = tmp_path / "clone"
    other.mkdir()
    (other / "precious.txt").write_text("mine")
    with pytest.raises(InputError, match="cloned from something else"):
        dataset.clone(str(source), "v1", other)
    assert (other / "precious.txt").read_text() == "mine"


def test_content_that_no_remote_has_is_one_sentence(source, cloned, tmp_path):
    hidden = source.with_name("unplugged")
    source.rename(hidden)
    try:
        with pytest.raises(InputError, match=r"content cannot be got.*whereis") as caught:
            dataset.get_content(cloned, "sub-a/anat/sub-a_T2w.nii.gz")
    finally:
        hidden.rename(source)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="no such file"):
        dataset.get_content(cloned, "sub-nope/anat/sub-nope_T2w.nii.gz")


def test_one_image_stored_twice_is_refused(tmp_path):
    write_bids(tmp_path)
    volume = blobs((10, 10, 10), np.eye(4))
    save_volume(tmp_path / "sub-a/anat/sub-a_T2w.nii", volume.array, volume.grid)
    with pytest.raises(InputError, match=r"sub-a is there as \.nii and \.nii\.gz"):
        find_images(tmp_path, None, "T2w", MASK, TRUTH)


def test_a_pattern_with_a_foreign_name_is_refused(cloned):
    with pytest.raises(InputError, match=r"cannot be filled"):
        find_images(cloned, None, "T2w", "labels/{subject}.nii.gz", "")


def test_a_url_that_git_rewrites_is_still_the_same_source(source, tmp_path, monkeypatch):
    (tmp_path / "gitconfig").write_text(
        f'[url "{source.parent}/"]\n\tinsteadOf = https://short.invalid/\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    first = dataset.clone(f"https://short.invalid/{source.name}", "v1", tmp_path / "clone")
    assert dataset.clone(f"https://short.invalid/{source.name}", "v1", tmp_path / "clone") == first


def test_a_folder_that_is_no_bids_dataset_is_refused(tmp_path):
    with pytest.raises(InputError, match="dataset_description"):
        find_images(tmp_path, None, "T2w", "", "")


def test_cloning_works_without_a_git_identity(source, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for name in [name for name in os.environ if name.startswith(("GIT_AUTHOR", "GIT_COMMITTER"))]:
        monkeypatch.delenv(name)
    dataset.clone(str(source), "v1", tmp_path / "clone")
    assert "GIT_AUTHOR_NAME" not in os.environ
