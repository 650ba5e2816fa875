"""SIGTERM, which clusters and machines that shut down send before SIGKILL."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def deferred_sigterm() -> Iterator[Callable[[], bool]]:
    """Put SIGTERM off until the end of the block, which is told by a call whether it came.

    Whoever ignores the signal goes on to; outside of the main thread, where Python handles no
    signals, nothing changes.
    """
    before = signal.getsignal(signal.SIGTERM)
    main = threading.current_thread() is threading.main_thread()
    if not main or before in (signal.SIG_IGN, None):
        yield lambda: False
        return
    came = []
    signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGTERM, before)
    if came:
        signal.raise_signal(signal.SIGTERM)
        sys.exit(128 + signal.SIGTERM)  # after a handler that came back
