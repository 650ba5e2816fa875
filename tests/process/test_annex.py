"""Content of annexed files: from a remote that may be away, damaged or slow to come back."""

import subprocess

import pytest

import cordinr.datasets.annex
from cordinr.annex_pointer import is_annex_pointer
from cordinr.datasets import source
from cordinr.datasets.annex import drop_content, get_content, missing_bytes
from cordinr.datasets.git import environment, git
from cordinr.errors import InputError
from cordinr.imaging.volume import load_volume
from tests.helpers.twin import Host, write_twin

pytestmark = pytest.mark.slow

IMAGE = "sub-amu01/anat/sub-amu01_T2w.nii.gz"
MASK = "derivatives/labels/sub-amu01/anat/sub-amu01_T2w_label-SC_seg.nii.gz"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A published dataset of two subjects; the repository it was made in is gone."""
    folder = tmp_path_factory.mktemp("host")
    write_twin(folder / "twin")
    host = Host(folder / "twin", folder / "hosting")
    (folder / "twin").rename(folder / "gone")
    yield host
    host.switch_off()


@pytest.fixture
def clone(host, tmp_path, monkeypatch):
    """A clone of it."""
    (tmp_path / "gitconfig").write_text(Host.GIT_CONFIG)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    source.clone_or_link(str(host.bare), "v1", tmp_path / "clone")
    return tmp_path / "clone"


def test_all_files_of_an_image_are_got_and_dropped(clone):
    assert (clone / IMAGE).stat().st_mode & 0o111 and is_annex_pointer(clone / IMAGE)
    sizes = [path.stat().st_size for path in get_content(clone, [IMAGE, MASK])]
    assert load_volume(clone / IMAGE).grid.shape == (20, 18, 20)
    assert missing_bytes(clone, [IMAGE, MASK]) == 0
    assert drop_content(clone, [IMAGE, MASK]) is None
    assert missing_bytes(clone, [IMAGE, MASK]) == sum(sizes)
    assert is_annex_pointer(clone / IMAGE)


def test_a_remote_that_comes_back_is_waited_for(clone, host, monkeypatch):
    host.switch_off()
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            host.switch_on()

    monkeypatch.setattr(cordinr.datasets.annex.time, "sleep", sleep)
    get_content(clone, [IMAGE])
    assert slept == [0.0, *cordinr.datasets.annex.RETRY_DELAYS_S]
    assert load_volume(clone / IMAGE).grid.shape == (20, 18, 20)


def test_what_helps_is_said_when_no_remote_has_it(clone, host, monkeypatch):
    monkeypatch.setattr(cordinr.datasets.annex, "RETRY_DELAYS_S", ())
    host.switch_off()
    with pytest.raises(InputError) as caught:
        get_content(clone, [IMAGE])
    said = str(caught.value)
    assert "\n" not in said and "its content cannot be got" in said
    assert "key SHA256E-s" in said and "store" in said
    assert f"git -C {clone} annex get {IMAGE}" in said
    host.switch_on()
    assert load_volume(get_content(clone, [IMAGE])[0])


def test_what_the_host_answers_is_said(clone, host, monkeypatch):
    """A host that is there and has it no longer; DataLad passes on what git-annex says."""
    monkeypatch.setattr(cordinr.datasets.annex, "RETRY_DELAYS_S", ())
    moved = host.store.rename(host.store.with_name("moved"))
    host.store.mkdir()
    with pytest.raises(InputError) as caught:
        get_content(clone, [IMAGE])
    host.store.rmdir()
    moved.rename(host.store)
    said = str(caught.value)
    assert "unknown reason" not in said and "\n" not in said
    assert said.count("download failed: File not found") == 1


def test_content_that_was_damaged_is_got_again(clone):
    """Content that git-annex believes to have, as after a bad disk or a careless program."""
    image = get_content(clone, [IMAGE])[0]
    good = image.read_bytes()
    drop_content(clone, [IMAGE])
    with environment():
        key = git(clone, "annex", "lookupkey", IMAGE)
        damaged = clone / ".git" / "damaged"
        damaged.write_bytes(good[:-1] + b"x")
        git(clone, "-c", "annex.verify=false", "annex", "setkey", key, str(damaged))
    assert image.read_bytes() == good[:-1] + b"x"
    drop_content(clone, [MASK])
    assert get_content(clone, [IMAGE, MASK])[0].read_bytes() == good
    image.write_bytes(b"written over by a careless program")
    assert get_content(clone, [IMAGE])[0].read_bytes() == good


def test_paths_out_of_the_dataset_and_unknown_ones_are_refused(clone):
    for path in ("../twin/README", "/etc/passwd"):
        with pytest.raises(InputError, match="leads out of the dataset"):
            get_content(clone, [path])
    with pytest.raises(InputError, match="no such file"):
        get_content(clone, ["sub-nope/anat/sub-nope_T2w.nii.gz"])


def test_a_pointer_without_its_repository_is_refused(clone, tmp_path):
    plain = tmp_path / "plain"
    subprocess.run(["cp", "-r", clone, plain], check=True)
    subprocess.run(["rm", "-rf", plain / ".git"], check=True)
    with pytest.raises(InputError, match="no repository; give the DataLad dataset itself"):
        get_content(plain, [IMAGE])
