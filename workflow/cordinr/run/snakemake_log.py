"""What Snakemake's own log says of a run: the only place that knows how Snakemake words it.

A process test runs Snakemake and reads the log that it wrote, so that a release which words its
messages differently is noticed.
"""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError

ERROR_PREFIX = "cordinr: error: "
"""Start of the line in a job's log that says what went wrong; written by the command itself."""

_EVENT = re.compile(
    r"^Error in rule (?P<rule>\w+):$"
    r"|^    jobid: (?P<failed>\d+)$"
    r"|^    log: (?P<log>.+?) \(check log file"
    r"|^Finished jobid: (?P<finished>\d+) \(Rule: (?P<finished_rule>\w+)\)"
)
_STEPS = re.compile(r"^\d+ of (\d+) steps \(", re.MULTILINE)
_TABLE_START = "Job stats:"
_TABLE_ROW = re.compile(r"^(\w+) +(\d+)$", re.MULTILINE)
_END = re.compile(r"^Complete log\(s\): |^Nothing to be done", re.MULTILINE)

_LOGS = Path(".snakemake", "log")
_LOG_NAMES = "*.snakemake.log"
_LOG_TIME = "%Y-%m-%dT%H%M%S"
_LOCK_NAMES = "locks/*.lock"


@dataclass
class Failure:
    """A job that failed.

    Attributes:
        rule: name of its rule.
        logs: its log files; a scheduler's own comes after that of the rule.
    """

    rule: str
    logs: tuple[Path, ...] = ()

    def lines(self) -> list[str]:
        """The lines of the first log that has any: a job that never began has written none."""
        return next(filter(None, map(read_lines, self.logs)), [])


@dataclass(frozen=True)
class RunLog:
    """What the log of a run says.

    Attributes:
        finished: the name of the rule of each job that finished, in their order.
        failures: jobs that failed for good, the first one first; one that succeeded when it was
            tried again has not failed.
        planned: number of jobs of each rule that the run announces, and their `total`; empty where
            it announces none.
        steps: number of jobs as last reported, which grows while a run is under way; 0 before.
        ended: whether the log has the line that ends a run.
    """

    finished: Sequence[str]
    failures: Sequence[Failure]
    planned: Mapping[str, int]
    steps: int
    ended: bool

    def count_finished(self, rule: str) -> int:
        """How many jobs of a rule finished; a module may put a prefix before the rule's name."""
        return sum(_is_rule(name, rule) for name in self.finished)

    def count_planned(self, rule: str) -> int:
        """How many jobs of a rule the run announces, likewise."""
        return sum(count for name, count in self.planned.items() if _is_rule(name, rule))


def _is_rule(name: str, rule: str) -> bool:
    return name == rule or name.endswith(f"_{rule}")


def parse_log(text: str) -> RunLog:
    """Read Snakemake's own log.

    Args:
        text: its content, which may end anywhere.
    """
    finished: list[str] = []
    failed: dict[str, Failure] = {}
    current = Failure("")
    for event in filter(None, map(_EVENT.match, text.splitlines())):
        if event["rule"]:
            current = Failure(event["rule"])
        elif event["failed"] and current.rule:
            failed[event["failed"]] = current
        elif event["log"] and current.rule:
            current.logs = tuple(map(Path, event["log"].split(", ")))
            current = Failure("")
        elif event["finished"]:
            finished.append(event["finished_rule"])
            failed.pop(event["finished"], None)
    steps = _STEPS.findall(text)
    table = text.partition(_TABLE_START)[2].partition("\n\n")[0]
    return RunLog(
        finished=finished,
        failures=list(failed.values()),
        planned={rule: int(count) for rule, count in _TABLE_ROW.findall(table)},
        steps=int(steps[-1]) if steps else 0,
        ended=bool(_END.search(text)),
    )


def find_newest_log(folder: Path) -> Path:
    """Find Snakemake's own log of the newest run in a folder; dry-runs leave none.

    Raises:
        InputError: there is none.
    """
    logs = sorted((folder / _LOGS).glob(_LOG_NAMES))
    if not logs:
        raise InputError(
            f"{folder}: no run of Snakemake was started here; go to its folder, or name --log."
        )
    return logs[-1]


def start_time(log: Path, default: float) -> float:
    """When a run began, in seconds since the epoch: Snakemake names its log by it.

    Args:
        log: path of the log.
        default: time to return for a log of another name.
    """
    try:
        return time.mktime(time.strptime(log.name.split(".")[0], _LOG_TIME))
    except ValueError:
        return default


def is_locked(log: Path) -> bool:
    """Whether the folder in which a run keeps its log is locked: somebody may be at work there."""
    return any(log.parents[1].glob(_LOCK_NAMES))


def error_sentence(lines: Sequence[str]) -> str:
    """What a job's log says went wrong; empty where it says nothing of the kind."""
    sentences = [line.removeprefix(ERROR_PREFIX) for line in lines if line.startswith(ERROR_PREFIX)]
    return sentences[-1] if sentences else ""


def read_lines(path: Path) -> list[str]:
    """Read the lines of a log, which may not exist or may hold anything."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
