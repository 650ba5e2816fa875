"""The timer of Snakemake's scheduler."""

import threading
from types import SimpleNamespace

from cordinr.run.scheduler_patch import limit_reevaluation_timers


def test_one_timer_at_a_time():
    scheduler = SimpleNamespace(_open_jobs=threading.Semaphore(0))
    limit_reevaluation_timers(scheduler)
    for _ in range(3):
        scheduler._schedule_reevalutation(0.2)
    assert scheduler._open_jobs.acquire(timeout=10)
    assert not scheduler._open_jobs.acquire(timeout=0.4)
    scheduler._schedule_reevalutation(0.2)
    assert scheduler._open_jobs.acquire(timeout=10)
