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
"""What the Slurm plugin calls the jobs of a run under `slurm-jobname-prefix: cordinr`."""

CLIENT_SECONDS = 60
"""A busy controller answers late."""

END_SECONDS = 180
"""After SIGTERM a fit ends its step and writes a checkpoint; Slurm kills it after KillWait."""


def cancel_jobs_of(folder: Path) -> list[str]:
    """Cancel what earlier runs left in the queue for a folder, and wait until it has ended.

    Fits write a checkpoint, from which the next go on. Where Slurm is not installed, nothing is
    done.

    Returns:
        The numbers of the jobs.

    Raises:
        InputError: Slurm does not answer, or a job does not end.
    """
    if not shutil.which("squeue"):
        return []
    left = jobs_of(folder)
    if left:
        numbers = ", ".join(left)
        print(f"note: cancelling Slurm jobs of a killed run ({numbers}).", file=sys.stderr)
        _slurm("scancel", *left)
    end = time.monotonic() + END_SECONDS
    while remaining := set(left) & set(jobs_of(folder)) if left else set():
        if time.monotonic() > end:
            raise InputError(
                f"Slurm jobs {', '.join(sorted(remaining))} of a killed run do not end; wait until "
                "squeue does not show them any more."
            )
        time.sleep(1)
    return left


def jobs_of(folder: Path) -> list[str]:
    """Numbers of this user's jobs that wait or run for runs of Snakemake in a folder."""
    lines = _slurm("squeue", "--me", "--noheader", "--format=%A|%j|%Z").splitlines()
    own = os.environ.get("SLURM_JOB_ID")
    found = []
    for line in lines:
        number, name, where = line.strip().split("|", 2)
        if JOB_NAME.fullmatch(name) and os.path.realpath(where) == os.path.realpath(folder):
            found.append(number)
    return sorted(set(found) - {own}, key=int)


def _slurm(*words: str) -> str:
    try:
        answer = subprocess.run(words, capture_output=True, text=True, timeout=CLIENT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{words[0]} does not answer; try again later.") from error
    if answer.returncode:
        raise InputError(f"{words[0]} failed ({answer.stderr.strip()}).")
    return answer.stdout
