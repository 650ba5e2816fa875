"""Cases side by side: the order of the results, and cases that fail."""

import operator
import os

import pytest

from benchmarks.parallel import THREADS, each, failure


def test_results_come_in_order_and_a_failure_is_one_of_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(THREADS[0], "3")
    monkeypatch.delenv(THREADS[1], raising=False)
    first, second, third = each(operator.truediv, [(6, 3), (1, 0), (9, 3)])
    assert (first, third) == (2.0, 3.0)
    assert isinstance(second, ZeroDivisionError)
    assert failure(second) == "failed: ZeroDivisionError: division by zero"
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert os.environ[THREADS[0]] == "3"
    assert THREADS[1] not in os.environ


def test_a_case_has_one_thread() -> None:
    assert list(each(os.getenv, [(name,) for name in THREADS])) == ["1"] * len(THREADS)
