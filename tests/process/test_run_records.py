"""Saving derivatives: which command made what, what cannot be saved, what was stopped."""

import subprocess

import pytest

from cordinr.bids.names import sidecar_path
from cordinr.datasets import run_records
from cordinr.datasets.run_records import changed_files, save_results, steps_behind
from cordinr.datasets.source import clone_or_link, create
from cordinr.errors import InputError
from cordinr.files import write_json

pytestmark = pytest.mark.slow

VIEW, TV, MEAN, SPREAD = (
    f"sub-01/anat/sub-01_{label}_T2w.nii.gz"
    for label in ("res-axial_desc-simulated", "desc-tv", "desc-inrF8", "desc-inrF8spread")
)
LIKE = "bids:raw:sub-01/anat/sub-01_T2w.nii.gz"
RAW_JSON = "sourcedata/raw/T2w.json"  # applies to all images by inheritance
RAW = "sourcedata/raw/sub-01/anat/sub-01_T2w.nii.gz"
LEARNED_AND_ERROR = ("learned", "learnedstderr")
COMMANDS = {
    VIEW: f"cordinr simulate {LIKE} --axis S --thickness 4 -o {VIEW}",
    TV: f"cordinr baseline {VIEW} --method tv --like {LIKE} -o {TV}",
    MEAN: f"cordinr reconstruct {VIEW} --config code/fit.yaml --like {LIKE} -o {MEAN}",
    SPREAD: f"cordinr reconstruct {VIEW} --config code/fit.yaml --like {LIKE} -o {MEAN}",
}


def git(folder, *arguments):
    return subprocess.check_output(["git", "-C", folder, *arguments], text=True).strip()


def sidecar(image):
    return str(sidecar_path(image))


def subjects(root):
    return git(root, "log", "--reverse", "--format=%s").splitlines()


@pytest.fixture
def root(tmp_path):
    """Derivatives as the workflow leaves them; images are whatever bytes."""
    root = tmp_path / "my results" / "cordinr"
    links = {"DatasetLinks": {"raw": "sourcedata/raw"}}
    write_json(root / "dataset_description.json", links)
    (root / "code").mkdir()
    (root / "code/fit.yaml").write_text("fit: {}\n")
    for image, command in COMMANDS.items():
        write_json(root / sidecar(image), {"Command": command, "Members": 2})
        (root / image).write_bytes(image.encode())
    return root


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """A clone of a raw dataset."""
    folder = tmp_path_factory.mktemp("raw")
    write_json(folder / "source" / "dataset_description.json", {"Name": "raw"})
    write_json(folder / "source" / "T2w.json", {"FlipAngle": 180})
    create(folder / "source", "raw")
    clone_or_link(str(folder / "source"), "v1", folder / "clone")
    return folder / "clone"


def test_sidecars_tell_which_command_made_what(root, raw):
    everything = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}
    simulate, baseline, reconstruct = steps_behind(root, raw, everything)
    assert simulate.inputs == (RAW, RAW_JSON)
    assert simulate.outputs == (VIEW, sidecar(VIEW))
    assert baseline.inputs == (VIEW, sidecar(VIEW), RAW, RAW_JSON)
    assert "code/fit.yaml" in reconstruct.inputs and SPREAD in reconstruct.outputs
    assert baseline.title == "baseline sub-01: tv" and simulate.title == "simulate sub-01: axial"
    assert steps_behind(root, raw, {TV}) == steps_behind(root, raw, {sidecar(TV)})


def test_scans_that_were_aligned_together_are_one_step_with_their_transforms(root, raw):
    stems = [f"sub-01/anat/sub-01_{name}_desc-aligned_T2w" for name in ("acq-sag", "acq-ax_run-1")]
    images = [f"{stem}.nii.gz" for stem in stems]
    command = f"cordinr align {LIKE} {LIKE} -o {images[0]} -o {images[1]}"
    for stem in stems:
        write_json(root / f"{stem}.json", {"Command": command})
        (root / f"{stem}.nii.gz").write_bytes(stem.encode())
        (root / f"{stem}_xfm.txt").write_text(stem)
    (step,) = steps_behind(root, raw, {images[1]})
    extensions = (".nii.gz", ".json", "_xfm.txt")
    assert step.outputs == tuple(stem + extension for stem in stems for extension in extensions)
    assert step.title == "align sub-01: aligned"


def test_an_uncertainty_map_of_older_settings_belongs_to_no_command(root, raw):
    write_json(root / sidecar(MEAN), {"Command": COMMANDS[MEAN], "Members": 1})
    (step,) = steps_behind(root, raw, {MEAN, SPREAD})
    assert step.outputs == (MEAN, sidecar(MEAN))


def test_the_standard_error_of_a_learned_image_belongs_to_its_command(root, raw):
    image, error = (f"sub-01/anat/sub-01_desc-{label}_T2w.nii.gz" for label in LEARNED_AND_ERROR)
    prior = root.parent / "prior.safetensors"
    prior.write_bytes(b"elsewhere")
    command = f"cordinr baseline {VIEW} --method learned --prior '{prior}' -o {image}"
    for path in (image, error):
        write_json(root / sidecar(path), {"Command": command, "PriorLearners": {}})
        (root / path).write_bytes(path.encode())
    (step,) = steps_behind(root, raw, {image, error})
    assert step.outputs == (image, sidecar(image), error, sidecar(error))
    assert VIEW in step.inputs and str(prior) not in step.inputs


@pytest.mark.parametrize(
    "command",
    [
        "",
        "it's",
        "cordinr baseline a.nii.gz -o /elsewhere/tv.nii.gz",
        f"cordinr baseline -o {VIEW}",
    ],
)
def test_a_command_that_does_not_make_the_image_is_no_step(root, raw, command):
    write_json(root / sidecar(TV), {"Command": command})
    assert steps_behind(root, raw, {TV}) == []


def test_an_image_of_unknown_origin_is_saved_without_record(root, raw):
    (root / sidecar(TV)).unlink()
    save_results(root, raw)
    assert changed_files(root) == set()
    assert "baseline" not in " ".join(subjects(root))


def test_a_save_that_was_stopped_is_completed(root, raw, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run_records, "_save_step", stop)
        with pytest.raises(KeyboardInterrupt):
            save_results(root, raw)
    git(root, "add", VIEW, TV)
    save_results(root, raw)
    ends = [line.removeprefix("[DATALAD RUNCMD] ") for line in subjects(root)[-3:]]
    assert ends == [
        "simulate sub-01: axial",
        "baseline sub-01: tv",
        "reconstruct sub-01: inrF8, inrF8spread",
    ]
    files = git(root, "show", "--format=", "--name-only", "HEAD~2").splitlines()
    assert set(files) == {VIEW, sidecar(VIEW)}
    assert changed_files(root) == set()


def test_a_dataset_that_was_not_quite_made_is_completed(root, raw):
    git(root, "init", "--quiet")
    git(root, "annex", "init")
    save_results(root, raw)
    assert changed_files(root) == set() and len(subjects(root)) == 6


def test_what_is_gone_is_saved_as_gone(root, raw):
    first = save_results(root, raw)
    assert save_results(root, raw) == first
    (root / TV).unlink()
    save_results(root, raw)
    assert TV not in git(root, "ls-files").splitlines() and changed_files(root) == set()


def test_some_other_repository_is_left_alone(root, raw):
    git(root, "init", "--quiet")
    git(root, "-c", "user.name=me", "-c", "user.email=me", "commit", "--allow-empty", "-m", "mine")
    with pytest.raises(InputError, match="a git repository but no DataLad dataset"):
        save_results(root, raw)
    assert subjects(root) == ["mine"]


def test_raw_data_without_versions_and_links_that_lead_elsewhere(root, raw, tmp_path):
    with pytest.raises(InputError, match="is not a DataLad clone"):
        save_results(root, tmp_path)
    write_json(root / "dataset_description.json", {"DatasetLinks": {"raw": "../raw"}})
    with pytest.raises(InputError, match="does not say that the raw dataset is at sourcedata/raw"):
        save_results(root, raw)
    with pytest.raises(InputError, match="no such file"):
        save_results(tmp_path / "nothing", raw)
    assert not (root / ".git").exists()


def test_a_password_in_the_source_is_not_published(root, raw, tmp_path):
    clone_or_link(str(raw.parent / "source"), "v1", tmp_path / "clone")
    git(tmp_path / "clone", "config", "cordinr.source", "https://me:secret@example.org/data.git")
    save_results(root, tmp_path / "clone")
    assert "url = https://example.org/data.git" in (root / ".gitmodules").read_text()
