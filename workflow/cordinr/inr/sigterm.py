"""SIGTERM, which clusters and machines that shut down send some time before SIGKILL."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def deferred_sigterm() -> Iterator[Callable[[], bool]]:
    """Defer SIGTERM to the end of the block.

    Processes that ignore SIGTERM keep ignoring it. Outside of the main thread, where Python
    handles no signals, nothing changes.

    Yields:
        A function that tells whether the signal has arrived.
    """
    before = signal.getsignal(signal.SIGTERM)
    main = threading.current_thread() is threading.main_thread()
    if not main or before in (signal.SIG_IGN, None):
        yield lambda: False
        return
    arrived = []
    signal.signal(signal.SIGTERM, lambda number, frame: arrived.append(number))
    try:
        yield lambda: bool(arrived)
    finally:
        signal.signal(signal.SIGTERM, before)
    if arrived:
        signal.raise_signal(signal.SIGTERM)
        sys.exit(128 + signal.SIGTERM)  # for a handler that returned
