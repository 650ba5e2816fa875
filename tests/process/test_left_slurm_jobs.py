"""Slurm jobs of an earlier run: whose are cancelled. A real Slurm is asked in tests/workflow."""

import pytest

from cordinr.errors import InputError
from cordinr.run import slurm

RUN = "cordinr_01234567-89ab-cdef-0123-456789abcdef"

SQUEUE = """#!/bin/sh
if test -e {folder}/cancelled; then exit 0; fi
cat {folder}/queue
"""
SCANCEL = """#!/bin/sh
echo "$@" > {folder}/cancelled
"""


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """A queue of jobs: of a run in this folder, of one elsewhere, and one of another program."""
    study = tmp_path / "study"
    study.mkdir()
    jobs = [(12, RUN, study), (9, RUN, study), (10, RUN, tmp_path), (11, "cordinr_mine", study)]
    (tmp_path / "queue").write_text("".join(f"{n}|{name}|{path}\n" for n, name, path in jobs))
    for name, text in {"squeue": SQUEUE, "scancel": SCANCEL}.items():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(text.format(folder=tmp_path))
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    return study


def test_jobs_of_a_killed_run_are_cancelled(queue, capfd):
    assert slurm.cancel_left_jobs(queue, is_alone=True) == ["9", "12"]
    assert (queue.parent / "cancelled").read_text() == "9 12\n"
    assert "cancelling Slurm jobs of a killed run (9, 12)" in capfd.readouterr().err


def test_where_another_run_may_be_at_work_none_is_cancelled(queue, capfd):
    assert slurm.cancel_left_jobs(queue, is_alone=False) == []
    assert not (queue.parent / "cancelled").exists()
    note = capfd.readouterr().err
    assert note.startswith("note: Slurm jobs of another run") and "(9, 12)" in note


def test_a_job_does_not_cancel_itself(queue, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    assert slurm.list_jobs(queue) == ["9"]


def test_a_job_that_does_not_end_is_an_error(queue, monkeypatch):
    (queue.parent / "bin/scancel").write_text("#!/bin/sh\n")
    monkeypatch.setattr(slurm, "END_SECONDS", 0)
    with pytest.raises(InputError, match="Slurm jobs 12, 9 of a killed run do not end"):
        slurm.cancel_left_jobs(queue, is_alone=True)


def test_without_slurm_nothing_is_done(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert slurm.cancel_left_jobs(tmp_path, is_alone=True) == []
