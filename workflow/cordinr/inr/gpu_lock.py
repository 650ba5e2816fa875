"""Which of several GPUs a process takes, so that jobs side by side spread over all of them.

A claim is a locked file, and the lock ends with its process, however that ends. The files lie in
the temporary folder: every process of this user on this machine sees them, and a scheduler that
gives its jobs a temporary folder of their own also gives them GPUs of their own.
"""

import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

log = logging.getLogger(__name__)

LOCK_TIMEOUT_S = 30.0
"""Seconds to wait while another process chooses its GPU, which takes milliseconds."""

_claims: dict[str, FileLock] = {}
"""The locks that this process holds, by device."""


def acquire_gpu(devices: Sequence[str], folder: Path | None = None) -> int:
    """Take the device that the fewest processes have, and keep it until this process ends.

    Where no device is free, one is shared: a job that waits would hold its CPU cores for nothing,
    and small fits run well side by side. `snakemake --resources gpu=N` keeps more than N jobs from
    running at all.

    Args:
        devices: what identifies each device on this machine, whatever number it has here.
        folder: of the claims; one of this user in the temporary folder by default.

    Returns:
        The place of the device in `devices`. A process that asks again gets the same one. It is
        0 where claims cannot be kept, which is logged.
    """
    for number, device in enumerate(devices):
        if device in _claims:
            return number
    folder = folder or Path(tempfile.gettempdir()) / f"cordinr-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise PermissionError(None, "belongs to another user")
        with FileLock(folder / "choice.lock", timeout=LOCK_TIMEOUT_S):
            taken = [_count(folder, device) for device in devices]
            number = taken.index(min(taken))
            lock = FileLock(folder / f"{devices[number]}.{uuid4().hex}.claim")
            lock.acquire(timeout=0)
    except (OSError, Timeout) as error:
        reason = getattr(error, "strerror", None) or error
        log.warning("%s: %s; taking the first GPU.", folder, reason)
        return 0
    _claims[devices[number]] = lock
    if taken[number]:
        log.warning(
            "all of %d GPUs are in use by %d other processes; sharing number %d.",
            len(devices),
            sum(taken),
            number,
        )
    return number


def _count(folder: Path, device: str) -> int:
    """Processes that have a device; what dead ones left behind is removed."""
    count = 0
    for path in folder.glob(f"{device}.*.claim"):
        try:
            with FileLock(path, timeout=0):
                pass
        except Timeout:
            count += 1
        else:
            path.unlink(missing_ok=True)
    return count
