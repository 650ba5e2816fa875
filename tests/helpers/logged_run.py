"""A run that exists only in its logs."""

import os
import time
from pathlib import Path

STEP = "F=8  step {}/200  loss {}  0.20 M points/s  {} s left\n"
STATS = """Job stats:
job           count
----------  -------
{}
total             {}

Select jobs to execute...
"""
FINISHED = """[Wed Nov 25 02:47:28 2026]
Finished jobid: {} (Rule: {})
{} of {} steps (38%) done
"""
FAILED = """Error in rule fit:
    jobid: 7
    log: results/logs/fit/sub-03/anat/sub-03_desc-inrF8.log (check log file(s) for error details)
"""
END = "Complete log(s): /here/.snakemake/log/x.snakemake.log\nElapsed time: 0:03:33\n"


class Run:
    """A run in a folder, that began a given number of seconds ago."""

    def __init__(self, folder: Path, ago: float) -> None:
        self.results, self.start = folder / "results", time.time() - ago
        name = time.strftime("%Y-%m-%dT%H%M%S.000001", time.localtime(self.start))
        self.log = folder / f".snakemake/log/{name}.snakemake.log"
        self.log.parent.mkdir(parents=True)
        self.lock = folder / ".snakemake/locks/0.input.lock"
        self.lock.parent.mkdir()
        self.lock.touch()
        self.log.touch()

    def says(self, *texts: str) -> None:
        with self.log.open("a") as file:
            file.writelines(texts)

    def fit(self, subject: str, text: str, ago: float = 0.0, label: str = "inrF8") -> Path:
        path = self.results / f"logs/fit/sub-{subject}/anat/sub-{subject}_desc-{label}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (time.time() - ago,) * 2)
        return path


def four_fits(folder: Path) -> Run:
    """Four fits: one done, one at a quarter, one that begins, one to come."""
    run = Run(folder, ago=100)
    run.says(STATS.format("fit 4\nrender 4", 8), FINISHED.format(3, "fit", 1, 8))
    run.fit("01", STEP.format(200, "1e-05", 0))
    run.fit("02", "note: something\n" + STEP.format(50, "2.00e-03", 45))
    run.fit("03", "")
    run.fit("02", STEP.format(10, "1e-1", 99), ago=1000, label="inrF16")
    return run
