"""The command `watch` beside a run, on a terminal and elsewhere."""

import os
import pty
import subprocess
import sys
import time

import pytest

from tests.helpers.logged_run import END, STEP, Run, four_fits


@pytest.fixture
def run(tmp_path):
    return four_fits(tmp_path)


def test_elsewhere_it_prints_lines_until_the_run_ends(run):
    watching = start(run, stdout=subprocess.PIPE, text=True)
    first = [watching.stdout.readline() for _ in range(3)]
    assert first[0].startswith("1 of 8 jobs done, 0 failed; 1 of 4 fits done, 2 running, about ")
    assert first[1] == "  sub-02  inrF8  step 50/200  loss 2.00e-03, 45 s left\n"
    assert first[2] == "  sub-03  inrF8  starting\n"
    run.says(END)
    rest = watching.communicate(timeout=60)[0]
    assert watching.returncode == 0
    assert "the run has ended after 1 min" in rest.splitlines()[-1]
    assert "\x1b" not in "".join(first) + rest


def test_on_a_terminal_it_draws_bars_that_move(run):
    main, side = pty.openpty()
    watching = start(run, stdout=side, env=os.environ | {"TERM": "xterm", "COLUMNS": "120"})
    os.close(side)
    seen = read_until(main, "starting")
    assert "━" in seen and "45 s left" in seen
    run.fit("02", STEP.format(120, "2.00e-03", 17))
    assert "\x1b[1A" in read_until(main, "17 s left")
    run.says(END)
    assert "ended" in read_until(main, "ended")
    assert watching.wait(timeout=60) == 0
    os.close(main)


def start(run: Run, **options) -> subprocess.Popen:
    command = [sys.executable, "-m", "cordinr", "watch", "--every", "0.2"]
    return subprocess.Popen(command, cwd=run.results.parent, **options)


def read_until(terminal: int, words: str) -> str:
    seen, end = b"", time.monotonic() + 60
    while words.encode() not in seen and time.monotonic() < end:
        seen += os.read(terminal, 1 << 16)
    return seen.decode(errors="replace")
