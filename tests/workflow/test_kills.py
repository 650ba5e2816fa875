"""What is under results/ is whole whatever happened.

`python -m tests.helpers.kills 50` tries it for longer.
"""

import random
import shutil
import subprocess

import pytest

from tests.helpers.kills import Kills, check_whole, digests
from tests.helpers.runs import environment, phantom_config
from tests.helpers.seeds import SEED


@pytest.fixture(scope="module")
def finished(checkout, phantom_source):
    project = checkout("killed")
    project.configure(
        **phantom_config(phantom_source, fourier_dims=[8], dataset={"subjects": ["01"]})
    )
    return Kills(project, random.Random(SEED))


def test_killed_runs_leave_whole_files_and_are_finished_by_the_next(finished):
    for _ in range(3):
        finished.once()


def test_two_runs_in_two_folders_give_the_same_bytes(finished, checkout, phantom_source):
    other = checkout("again")
    shutil.copy(finished.project.folder / "test.yaml", other.folder)
    assert other.snakemake().returncode == 0
    assert digests(other) == finished.expected and len(finished.expected) > 30


FULL_DISK = """
mount -t tmpfs -o size=400k tmpfs results
{run} > full.log 2>&1 && exit 3
cp -r results seen
mount -o remount,size=200m results
{run} > enough.log 2>&1 || exit 4
cp -r results finished
"""


def test_a_full_disk_is_said_and_the_next_run_goes_on(checkout, phantom_source, tmp_path):
    namespace = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*namespace, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small file system of their own")
    source = tmp_path / "plain"
    skip = shutil.ignore_patterns(".git*", ".datalad")
    shutil.copytree(phantom_source, source, ignore=skip)
    project = checkout("full")
    dataset = {"subjects": ["01"], "version": "", "truth": "", "mask": ""}
    project.configure(**phantom_config(source, fourier_dims=[8], dataset=dataset))
    script = FULL_DISK.format(run=" ".join(project.command()))
    answer = subprocess.run(
        [*namespace, "sh", "-c", script], cwd=project.folder, env=environment(), text=True
    )
    full, enough = ((project.folder / f"{name}.log") for name in ("full", "enough"))
    assert answer.returncode == 0, (full.read_text(), enough.exists() and enough.read_text())
    assert "No space left on device" in full.read_text()
    assert "the disk of results/ is full" in full.read_text()
    (project.folder / "results").rmdir()
    for name in ("seen", "finished"):
        (project.folder / name).rename(project.folder / "results")
        check_whole(project)
        images = len(list(project.results.glob("cordinr/sub-01/anat/*.nii.gz")))
        assert images == 9 if name == "finished" else images < 9
        (project.folder / "results").rename(project.folder / name)
