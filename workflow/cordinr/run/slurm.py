"""Slurm jobs that an earlier run of Snakemake left behind in this folder.

A Snakemake that was killed cannot cancel its jobs; they stay in the queue and go on. The next one
knows nothing of them, and would start others that write the same files.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from ..errors import InputError

JOB_NAME = re.compile(r"cordinr_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Pattern of the names of Slurm jobs of a run under `slurm-jobname-prefix: cordinr`."""

CLIENT_SECONDS = 60
"""Seconds to wait for an answer of Slurm, whose controller may be busy."""

END_SECONDS = 180
"""Seconds to wait for cancelled jobs: a fit writes a checkpoint first; KillWait ends the others."""


def cancel_left_jobs(folder: Path, is_alone: bool) -> list[str]:
    """Cancel what earlier runs left in the queue for a folder, and wait until it has ended.

    Fits write a checkpoint, from which the next ones go on. Where Slurm is not installed, nothing
    is done.

    Args:
        folder: the folder in which Snakemake runs.
        is_alone: whether no other run can be at work in that folder. If one can, as under
            `--nolock`, the jobs may be its own: they are named in a note, and left alone.

    Returns:
        The numbers of the jobs that were cancelled.

    Raises:
        InputError: Slurm does not answer, or a job does not end.
    """
    jobs = list_jobs(folder) if shutil.which("squeue") else []
    if not jobs:
        return []
    numbers = ", ".join(jobs)
    if not is_alone:
        print(
            f"note: Slurm jobs of another run of this folder go on ({numbers}): this run holds no "
            "lock, so it does not know whether that run was killed. If it was, scancel them.",
            file=sys.stderr,
        )
        return []
    print(f"note: cancelling Slurm jobs of a killed run ({numbers}).", file=sys.stderr)
    _call_slurm("scancel", *jobs)
    end = time.monotonic() + END_SECONDS
    while remaining := set(jobs) & set(list_jobs(folder)):
        if time.monotonic() > end:
            raise InputError(
                f"Slurm jobs {', '.join(sorted(remaining))} of a killed run do not end; wait until "
                "squeue does not show them any more."
            )
        time.sleep(1)
    return jobs


def list_jobs(folder: Path) -> list[str]:
    """Numbers of this user's jobs that wait or run for runs of Snakemake in a folder."""
    lines = _call_slurm("squeue", "--me", "--noheader", "--format=%A|%j|%Z").splitlines()
    own_job = os.environ.get("SLURM_JOB_ID")
    jobs = set()
    for line in lines:
        number, name, job_folder = line.strip().split("|", 2)
        if JOB_NAME.fullmatch(name) and os.path.realpath(job_folder) == os.path.realpath(folder):
            jobs.add(number)
    return sorted(jobs - {own_job}, key=int)


def _call_slurm(*words: str) -> str:
    try:
        answer = subprocess.run(words, capture_output=True, text=True, timeout=CLIENT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{words[0]} does not answer; try again later.") from error
    if answer.returncode:
        raise InputError(f"{words[0]} failed ({answer.stderr.strip()}).")
    return answer.stdout
