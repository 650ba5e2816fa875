"""Cases of a benchmark side by side: a process per core, each of one thread, results in order."""

import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

Result = TypeVar("Result")

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""What numerical libraries read the number of their threads from as they are loaded."""


def each(
    function: Callable[..., Result], cases: Sequence[Sequence[object]]
) -> Iterator[Result | Exception]:
    """Call a function for every case, and give what it returned in the order of the cases.

    Args:
        function: of a module, so that another process finds it.
        cases: its arguments.

    Yields:
        What it returned, or what it raised, whose traceback then is on stderr.
    """
    count = min(core_count(), len(cases))
    with (
        _single_threaded(),
        ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool,
    ):
        futures = [pool.submit(function, *case) for case in cases]
        try:
            for future in futures:
                error = future.exception()
                if isinstance(error, Exception):
                    traceback.print_exception(error)
                    yield error
                else:
                    yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def failure(error: Exception) -> str:
    """What a cell of a table says of a case that failed."""
    return f"failed: {type(error).__name__}: {' '.join(str(error).split())}"


def core_count() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Let processes that start meanwhile have one thread each."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
