"""Datasets in which git-annex has everything, clones of other users, and other ways to content."""

import os
import subprocess

import numpy as np
import pytest

import cordinr.datasets.annex
from cordinr.annex_pointer import is_annex_pointer
from cordinr.bids.metadata import metadata_of
from cordinr.datasets.annex import get_content
from cordinr.datasets.exclusion import excluded_subjects
from cordinr.datasets.git import environment, git, owner_of
from cordinr.datasets.index import find_images, load_index
from cordinr.datasets.remotes import disabled_remotes, unverified_remotes
from cordinr.datasets.source import clone_or_link, create
from cordinr.datasets.subjects import sites_of
from cordinr.errors import InputError
from cordinr.files import write_json
from cordinr.imaging.volume import load_volume, save_volume
from tests.helpers.support import ROOT, blobs

pytestmark = pytest.mark.slow

STEM = "sub-01/anat/sub-01_T2w"
SMALL = ["dataset_description.json", "participants.tsv", "exclude.yml"]
REMOTES = ROOT.parent / "shared/data/spine-generic/multi/git-annex-remote.log"


def write_bids(root) -> None:
    """Two subjects, one of them on the exclude list; everything small there is."""
    write_json(root / SMALL[0], {"Name": "annexed", "BIDSVersion": "1.8.0"})
    (root / SMALL[1]).write_text("participant_id\tsite\nsub-01\tparis\nsub-02\tberlin\n")
    (root / SMALL[2]).write_text("csa_t2:\n- berlin  # another scanner\n")
    write_json(root / "T2w.json", {"MagneticFieldStrength": 3})
    volume = blobs((10, 10, 10), np.eye(4))
    for stem in (STEM, STEM.replace("01", "02")):
        save_volume(root / f"{stem}.nii.gz", volume.array, volume.grid)
        write_json(root / f"{stem}.json", {"EchoTime": 0.1})


def commit_annexed(root, unlocked: bool) -> None:
    """Make a repository of a folder, all of whose files git-annex has."""
    with environment():
        git(root, "init", "--quiet")
        git(root, "annex", "init", "source")
        git(root, "config", "annex.addunlocked", str(unlocked).lower())
        git(root, "annex", "add", "--force-large", ".")
        git(root, "commit", "--quiet", "-m", "everything")
        git(root, "tag", "v1")


@pytest.fixture(scope="module", params=[False, True], ids=["locked", "unlocked"])
def annexed(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("annexed") / "source"
    write_bids(root)
    commit_annexed(root, request.param)
    return root


@pytest.fixture
def index(command, tmp_path):
    """Index a source into a clone, and give what was said."""

    def run(source, *options) -> tuple[int, str]:
        options = ["--dest", tmp_path / "raw", "-o", tmp_path / "inputs.tsv", *options]
        code, _, said = command("index", source, "--exclude", "csa_t2", *options)
        return code, said

    return run


def test_small_files_are_got_before_they_are_read(annexed, index, command, tmp_path):
    about = tmp_path / "source.json"
    code, said = index(annexed, "--version", "v1", "--describe", about)
    assert code == 0 and "note" not in said and '"Name": "annexed"' in about.read_text()
    assert "left out: sub-02 (exclude.yml, csa_t2: berlin, another scanner)" in said
    [row] = load_index(tmp_path / "inputs.tsv")
    assert (row.path, row.site) == (f"{STEM}.nii.gz", "paris")
    raw, copy = tmp_path / "raw", tmp_path / "copy.nii.gz"
    assert is_annex_pointer(raw / row.path) and is_annex_pointer(raw / "T2w.json")
    options = ["--version", "v1", "--dest", raw, "--file", row.path, "-o", copy]
    assert command("fetch", annexed, *options)[0] == 0
    assert load_volume(copy).grid.shape == (10, 10, 10)
    assert metadata_of(copy) == {"MagneticFieldStrength": 3, "EchoTime": 0.1}


def test_whole_subjects_are_fetched_of_such_a_dataset(annexed, command, tmp_path):
    options = ["--version", "v1", "--dest", tmp_path / "raw", "--subject", "01"]
    code, out, said = command("fetch", annexed, *options)
    assert code == 0 and f"{STEM}.nii.gz (10, 10, 10)" in out and "note" not in said


@pytest.mark.parametrize("name", SMALL)
def test_a_small_file_that_nobody_has(annexed, index, tmp_path, monkeypatch, name):
    """The description is needed; the others cost a note."""
    monkeypatch.setattr(cordinr.datasets.annex, "RETRY_DELAYS_S", ())
    clone_or_link(str(annexed), "v1", tmp_path / "raw")
    with environment():
        key = git(annexed, "annex", "lookupkey", name)
        [content] = [path for path in (annexed / ".git/annex/objects").rglob(key) if path.is_file()]
    content.parent.chmod(0o755)
    content.rename(content.with_name("away"))
    try:
        code, said = index(annexed, "--version", "v1")
    finally:
        content.with_name("away").rename(content)
    kind = "error" if name == SMALL[0] else "note"
    assert f"{kind}: {tmp_path}/raw/{name}: its content cannot be got" in said
    assert code == (name == SMALL[0])
    if name != SMALL[0]:
        assert "Going on without it." in said
        assert len(load_index(tmp_path / "inputs.tsv")) == 2


def test_a_copy_without_the_repository_is_explained(annexed, index, tmp_path):
    clone, plain = tmp_path / "clone", tmp_path / "plain"
    clone_or_link(str(annexed), "v1", clone)
    subprocess.run(["cp", "-r", "--no-dereference", clone, plain], check=True)
    subprocess.run(["rm", "-rf", plain / ".git"], check=True)
    code, said = index(plain)
    assert code == 1 and "dataset_description.json: its content was never fetched" in said
    assert "has no dataset_description" not in said
    (plain / SMALL[0]).unlink()
    write_json(plain / SMALL[0], {"Name": "x", "BIDSVersion": "1.8.0"})
    code, said = index(plain, "--subject", "01")
    assert code == 1 and f"{STEM}.nii.gz: its content was never fetched" in said
    for name in SMALL[1:]:
        assert f"{name}: its content was never fetched" in said
    (plain / f"{STEM}.nii.gz").unlink()
    volume = blobs((10, 10, 10), np.eye(4))
    save_volume(plain / f"{STEM}.nii.gz", volume.array, volume.grid)
    with pytest.raises(InputError, match=r"T2w\.json: its content was never fetched"):
        metadata_of(plain / f"{STEM}.nii.gz")
    assert sites_of(plain) == excluded_subjects(plain, "csa_t2") == {}


@pytest.fixture
def of_another_user():
    """Give a folder to a user who is nobody here; back again in the end."""
    if os.getuid():
        pytest.skip("only root can give files away")
    given = []

    def give(folder) -> None:
        given.append(folder)
        subprocess.run(["chown", "-R", "1234:1234", folder], check=True)

    yield give
    for folder in given:
        subprocess.run(["chown", "-R", "0:0", folder], check=True)


@pytest.fixture
def source(tmp_path):
    root = tmp_path / "a source"
    write_bids(root)
    create(root, "images")
    return root


def test_a_clone_of_another_user_names_the_owner_and_the_line(source, tmp_path, of_another_user):
    clone = tmp_path / "clone"
    clone_or_link(str(source), "v1", clone)
    of_another_user(clone)
    line = f"git config --global --add safe.directory {clone}`"
    for call in (
        lambda: clone_or_link(str(source), "v1", clone),
        lambda: get_content(clone, [f"{STEM}.nii.gz"]),
        lambda: git(clone, "rev-parse", "HEAD"),
    ):
        with pytest.raises(InputError) as caught:
            call()
        said = str(caught.value)
        assert "another user (user id 1234)" in said and line in said and "\n" not in said
        assert "move it away" not in said


def test_the_line_helps(source, tmp_path, of_another_user, monkeypatch):
    clone = tmp_path / "clone"
    clone_or_link(str(source), "v1", clone)
    of_another_user(clone)
    of_another_user(source)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    for _ in range(3):
        try:
            clone_or_link(str(source), "v1", clone)
            get_content(clone, [f"{STEM}.nii.gz"])
            break
        except InputError as error:
            line = str(error).split("`")[1]
            assert line.startswith("git config --global --add safe.directory ")
            subprocess.run(line, shell=True, check=True)
    assert load_volume(clone / f"{STEM}.nii.gz")


def test_a_source_of_another_user_names_the_owner_and_the_line(source, tmp_path, of_another_user):
    of_another_user(source)
    with pytest.raises(InputError) as caught:
        clone_or_link(str(source), "v1", tmp_path / "clone")
    said = str(caught.value)
    assert "another user (user id 1234)" in said and "--add safe.directory '" in said
    assert owner_of(tmp_path) == "root"


def published(source, tmp_path):
    """A bare repository without content, and two stores that have it."""
    bare = tmp_path / "bare.git"
    with environment():
        for name in ("store", "other store"):
            (tmp_path / name).mkdir()
            where = [f"directory={tmp_path / name}", "type=directory", "encryption=none"]
            git(source, "annex", "initremote", name.replace(" ", "-"), *where)
            git(source, "annex", "copy", "--quiet", "--to", name.replace(" ", "-"), ".")
        subprocess.run(["git", "clone", "--quiet", "--bare", source, bare], check=True)
        git(bare, "remote", "remove", "origin")
    return bare


def test_what_the_keys_and_the_content_that_is_there_say_is_known(tmp_path):
    """An empty image by its key, a damaged one by its header; others are not opened."""
    source, clone = tmp_path / "source", tmp_path / "clone"
    write_bids(source)
    bad = {"03": b"", "04": b"junk", "05": b"more junk"}
    for label, content in bad.items():
        (source / f"sub-{label}/anat").mkdir(parents=True)
        (source / f"sub-{label}/anat/sub-{label}_T2w.nii.gz").write_bytes(content)
    create(source, "images")
    clone_or_link(str(source), "v1", clone)
    get_content(clone, [STEM.replace("01", "04") + ".nii.gz"])
    rows = {row.subject: row for row in find_images(clone, None, "T2w", mask="", truth="")}
    assert [label for label, row in rows.items() if row.path] == ["01", "02", "05"]
    assert "its git-annex key is of 0 bytes" in rows["03"].problem
    assert "is not a readable NIfTI image" in rows["04"].problem
    assert (rows["03"].folder, rows["03"].image) == ("sub-03/anat", "sub-03")


def test_remotes_that_are_not_enabled_are_named_with_the_line(source, tmp_path, monkeypatch):
    monkeypatch.setattr(cordinr.datasets.annex, "RETRY_DELAYS_S", ())
    bare, clone = published(source, tmp_path), tmp_path / "clone"
    clone_or_link(str(bare), "v1", clone)
    source.rename(tmp_path / "gone")
    with pytest.raises(InputError) as caught:
        get_content(clone, [f"{STEM}.nii.gz"])
    said = str(caught.value)
    assert "known but not enabled in this clone: other-store, store; " in said
    line = f"git -C {clone} annex enableremote other-store"
    assert f"`{line}`" in said and "\n" not in said
    with environment():
        subprocess.run(f"{line} directory='{tmp_path}/other store'", shell=True, check=True)
        assert [remote.name for remote in disabled_remotes(clone)] == ["store"]
        if unverified_remotes(clone):
            with pytest.raises(
                InputError, match=rf"`git -C {clone} annex verifyremote other-store`"
            ):
                get_content(clone, [f"{STEM}.nii.gz"])
            shown = git(clone, "annex", "verifyremote", "other-store")
            command = shown.split("If so, run:")[1].splitlines()[0]
            subprocess.run(command, shell=True, check=True, cwd=clone)
        git(clone, "annex", "dead", "store")
        assert disabled_remotes(clone) == []
    assert load_volume(get_content(clone, [f"{STEM}.nii.gz"])[0])


def test_a_mirror_without_the_branch_of_git_annex_is_explained(
    source, tmp_path, monkeypatch, command
):
    monkeypatch.setattr(cordinr.datasets.annex, "RETRY_DELAYS_S", ())
    mirror, clone = tmp_path / "mirror.git", tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--bare", source, mirror], check=True)
    git(mirror, "branch", "-D", "git-annex")
    clone_or_link(str(mirror), "v1", clone)
    with pytest.raises(InputError) as caught:
        get_content(clone, [f"{STEM}.nii.gz"])
    said = str(caught.value)
    assert f"its source {mirror} has no git-annex branch" in said and "\n" not in said
    assert "key " in said and "dataset.source" in said
    options = ["--version", "v1", "--dest", clone, "-o", tmp_path / "inputs.tsv"]
    code, _, noted = command("index", mirror, *options)
    assert code == 0 and f"note: {clone}: its source {mirror} has no git-annex branch" in noted


def test_an_old_clone_as_source_is_to_be_updated(source, tmp_path, monkeypatch):
    """Its content has moved to a remote that only the newest branch of git-annex knows."""
    monkeypatch.setattr(cordinr.datasets.annex, "RETRY_DELAYS_S", ())
    bare, old, clone = tmp_path / "bare.git", tmp_path / "old", tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--bare", source, bare], check=True)
    with environment():
        subprocess.run(["git", "clone", "--quiet", bare, old], check=True)
        git(old, "annex", "init", "old")
        git(source, "remote", "add", "hub", str(bare))
        where = [f"directory={tmp_path}/store", "type=directory", "encryption=none"]
        (tmp_path / "store").mkdir()
        git(source, "annex", "initremote", "moved", *where)
        git(source, "annex", "copy", "--quiet", "--to", "moved", ".")
        git(source, "push", "--quiet", "hub", "git-annex")
        source.rename(tmp_path / "gone")
        clone_or_link(str(old), "v1", clone)
    with pytest.raises(InputError) as caught:
        get_content(clone, [f"{STEM}.nii.gz"])
    said = str(caught.value)
    assert f"its source {old} is a clone as well" in said and f"`git -C {old} fetch --all`" in said
    with environment():
        for line in said.split("update it by ")[1].split("`")[1::2]:
            subprocess.run(line, shell=True, check=True, capture_output=True)
    assert [remote.name for remote in disabled_remotes(clone)] == ["moved"]


@pytest.mark.skipif(not REMOTES.exists(), reason="the lists of spine-generic are not there")
def test_the_remotes_of_spine_generic_are_known_by_name(tmp_path):
    """The public ones first; those that are nothing but a name are none."""
    clone = tmp_path / "clone"
    clone.mkdir()
    with environment():
        git(clone, "init", "--quiet")
        git(clone, "checkout", "--quiet", "--orphan", "git-annex")
        (clone / "remote.log").write_bytes(REMOTES.read_bytes())
        git(clone, "add", "remote.log")
        git(clone, "commit", "--quiet", "-m", "remotes")
    names = [remote.name for remote in disabled_remotes(clone)]
    assert names == [
        "computecanada-public",
        "amazon-public",
        "amazon-private",
        "computecanada-private",
    ]
    git(clone, "config", "remote.x.annex-uuid", "afd7e696-7b3a-4c7e-9dd1-4dfa87cdbd31")
    git(clone, "config", "remote.x.annex-config-uuid", "8633c5a1-4415-4437-8f91-5fef69695c8a")
    assert "computecanada-public" not in {remote.name for remote in disabled_remotes(clone)}
    assert "computecanada-private" in {remote.name for remote in disabled_remotes(clone)}
