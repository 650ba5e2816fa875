"""The log that the installed Snakemake writes: whether it still has the words that are read."""

import subprocess
import sys
from pathlib import Path

import pytest

from cordinr.run.snakemake_log import (
    Failure,
    find_newest_log,
    is_locked,
    parse_log,
    start_time,
)

WORKFLOW = """
rule all:
    input: "fit.txt", "late.txt", "never.txt", "after.txt"

rule cordinr_fit:
    output: "fit.txt"
    message: "Fit"
    priority: 1
    shell: "ls .snakemake/log/*.log .snakemake/locks/*.lock; cp .snakemake/log/*.log {output}"

rule late:
    output: "late.txt"
    log: "logs/late.log"
    retries: 1
    shell: "if test -e tried; then touch {output}; else touch tried; exit 1; fi 2> {log}"

rule never:
    output: "never.txt"
    log: "logs/a b.log", "logs/other.log"
    shell: "echo 'cordinr: error: no luck' > {log[0]:q}; exit 3"

rule after:
    input: "never.txt"
    output: "after.txt"
    shell: "touch {output}"
"""
"""Jobs that are done, done when tried again, failed, and waiting for one that failed."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "Snakefile").write_text(WORKFLOW)
    assert run(folder).returncode == 1
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run Snakemake with what profiles/default says of the log."""
    said = ["--keep-going", "--show-failed-logs", "--quiet", "host", "reason", "--cores", "1"]
    command = [sys.executable, "-m", "snakemake", *said, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_jobs_done_and_failed(folder):
    log = parse_log(find_newest_log(folder).read_text())
    assert sorted(log.finished) == ["cordinr_fit", "late"]
    assert log.count_finished("fit") == 1 and log.count_finished("after") == 0
    assert log.failures == [Failure("never", (Path("logs/a b.log"), Path("logs/other.log")))]


def test_jobs_planned(folder):
    log = parse_log(find_newest_log(folder).read_text())
    rules = {"cordinr_fit", "late", "never", "after", "all"}
    assert log.planned == dict.fromkeys(rules, 1) | {"total": 5}
    assert log.count_planned("fit") == 1 and log.steps == 5


def test_a_run_is_under_way_until_its_last_words(folder):
    """The first job has copied the log as it was then, and has seen that the folder is locked."""
    early = parse_log((folder / "fit.txt").read_text())
    assert not early.ended and early.planned["total"] == 5 and early.finished == []
    assert parse_log(find_newest_log(folder).read_text()).ended


def test_the_name_of_the_log_says_when_the_run_began(folder):
    log = find_newest_log(folder)
    assert start_time(log, default=0.0) == pytest.approx(log.stat().st_mtime, abs=120)
    assert start_time(folder / "another.log", default=7.0) == 7.0


def test_a_run_with_nothing_to_do_has_ended(folder):
    """It is not locked any more either."""
    answer = run(folder, "fit.txt")
    assert answer.returncode == 0
    log = find_newest_log(folder)
    assert parse_log(log.read_text()).ended and not is_locked(log)
    (log.parents[1] / "locks").mkdir(exist_ok=True)
    (log.parents[1] / "locks/0.input.lock").touch()
    assert is_locked(log)
