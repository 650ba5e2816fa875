"""How often Snakemake's scheduler looks at the jobs that are ready."""

import threading
import time
from typing import Any


def limit_reevaluation_timers(scheduler: Any) -> None:
    """Let a scheduler wait with one timer at a time for its next look at all jobs.

    Snakemake (seen in 9.27) starts a timer of a second at the end of each look, and each timer ends
    in a look. As every job that ends adds one more, the looks per second grow with the jobs that
    have ended, for as long as any is ready: 23,000 looks for the first 470 jobs, on the way to a
    main process that does nothing else. With one timer they are one per second and one per job, and
    a limit of jobs per timespan is kept as before.

    Args:
        scheduler: A `JobScheduler`, which is changed in place.
    """
    due = 0.0

    def look_again_in(seconds: float) -> None:
        nonlocal due
        now = time.monotonic()
        if now < due:
            return
        due = now + seconds
        timer = threading.Timer(seconds, scheduler._open_jobs.release)
        timer.daemon = True  # the end of the run does not wait for it
        timer.start()

    scheduler._schedule_reevalutation = look_again_in
