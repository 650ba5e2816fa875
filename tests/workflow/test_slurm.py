"""The workflow on a real Slurm: to its end, through trouble, and after a killed run."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil
import pytest

from cordinr.evaluation.table import load_table
from cordinr.files import read_json
from tests.helpers.requirements import skip_without
from tests.helpers.runs import Project, phantom_config
from tests.helpers.slurm import ACTIVE, Cluster, missing

pytestmark = pytest.mark.slurm

PROFILE = ["--workflow-profile", "profiles/slurm"]
HERE = ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "8"]
"""A cluster without accounting, and tests that are in a hurry."""

MODEL = "results/models/sub-01/anat/sub-01_desc-inrF8_model.safetensors"
PASSES = 100
"""Long enough for a fit to be caught at work; a quarter of a minute of one core."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    reason = missing()
    if reason:
        skip_without("slurm", reason)
    private = Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        private.start()
        yield private
    finally:
        private.stop()


@dataclass
class Run:
    """A run of Snakemake on the cluster, watched while it goes on."""

    cluster: Cluster
    project: Project
    together: Counter = field(default_factory=Counter)

    def start(self, name: str, *targets: str) -> None:
        self.log = self.project.folder / f"{name}.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                self.command(*targets),
                cwd=self.project.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def command(self, *arguments: str) -> list[str]:
        """As a person calls it, who has edited the two lines."""
        tool = [sys.executable, "-m", "snakemake", *arguments, *PROFILE, *HERE]
        return [*tool, "--configfile", "test.yaml"]

    @property
    def environment(self) -> dict[str, str]:
        return self.cluster.environment

    def call(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run to the end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.project.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def jobs(self, mark: str) -> list[dict[str, str]]:
        """The project's jobs on the cluster so far, whose comment has the mark."""
        where = str(self.project.folder)
        return [job for job in self.cluster.jobs(mark) if job["folder"] == where]

    def until(self, condition, what: str, seconds: float = 300) -> None:
        """Wait while the run goes on, and note which jobs are at work together."""

        def so() -> bool:
            at_work = [job for job in self.jobs("rule_") if job["state"] in ACTIVE]
            for comment, count in Counter(job["comment"] for job in at_work).items():
                self.together[comment] = max(self.together[comment], count)
            return bool(condition())

        try:
            self.cluster.wait(so, what, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log.read_text()}") from error

    def finish(self) -> None:
        self.until(lambda: self.process.poll() is not None, "the end of the run", 600)
        assert self.process.returncode == 0, self.log.read_text()

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        # This Slurm has no control groups: a job's Snakemake that hangs when it is told to end
        # (a lock within its own signal handler) would stay.
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def first_step(self, dim: int) -> int:
        """The step of the first report of the fit that wrote the log last; 0 without a report."""
        log = self.project.results / f"logs/fit/sub-01/anat/sub-01_desc-inrF{dim}.log"
        found = re.search(r"step (\d+)/", log.read_text()) if log.exists() else None
        return int(found[1]) if found else 0

    def resumed(self, dim: int) -> int:
        """The step from which the fit that wrote the log last went on; 0 if from the beginning."""
        log = self.project.results / f"logs/fit/sub-01/anat/sub-01_desc-inrF{dim}.log"
        found = re.search(r"going on from step (\d+) of", log.read_text())
        return int(found[1]) if found else 0

    def processes(self, words: str = "") -> list[psutil.Process]:
        """Python processes at work in the project whose command has the words."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            command = process.info["cmdline"] or [""]
            with contextlib.suppress(psutil.Error):
                if "python" in command[0] and words in " ".join(command):
                    found += [process] if process.cwd() == str(self.project.folder) else []
        return found

    def hang(self, dim: int) -> int:
        """Make a fit that is at work do nothing more; the step of its first report."""
        self.until(lambda: self.first_step(dim), f"fit {dim} at work")
        for process in self.processes(f"--fourier-dim {dim} "):
            process.send_signal(signal.SIGSTOP)
        return self.first_step(dim)


def configured(checkout, phantom_source, name: str, dims: list[int]) -> Project:
    project = checkout(name)
    config = phantom_config(phantom_source, fourier_dims=dims, dataset={"subjects": ["01"]})
    config["fit"] = config["fit"] | {"passes": PASSES, "max_steps": 1_000_000}
    project.configure(**config)
    return project


@pytest.fixture(scope="module")
def eventful(cluster, checkout, phantom_source) -> Iterator[Run]:
    """A finished run, whose node was drained and resumed, and whose fits were ended by Slurm.

    That of dimension 8 was cancelled; that of dimension 16 hung until its time was over.
    """
    run = Run(cluster, configured(checkout, phantom_source, "eventful", [8, 16]))
    node = f"NodeName={cluster.host}"
    cluster.command("scontrol", "update", node, "State=DRAIN", "Reason=maintenance")
    run.start("run")
    try:
        run.until(lambda: run.jobs("rule_simulate"), "the first job")
        time.sleep(3)
        run.drained = run.jobs("rule_")
        cluster.command("scontrol", "update", node, "State=RESUME")
        run.until(lambda: run.jobs("_16"), "the fits")
        hung = run.jobs("_16")[0]
        cluster.command("scontrol", "update", f"JobId={hung['number']}", "TimeLimit=1")
        run.stopped = {16: run.hang(16)}
        run.until(lambda: run.first_step(8), "fit 8 at work")
        run.stopped[8] = run.first_step(8)
        cluster.command("scancel", run.jobs("_8")[0]["number"])
        run.finish()
        yield run
    finally:
        run.stop()


def test_a_run_comes_to_its_end(eventful):
    table = load_table(eventful.project.results / "metrics.tsv")
    assert len(table) == 3 + 2 + 2 and set(table.fourier_dim.dropna()) == {8, 16}
    assert (eventful.project.results / "figures/sub-01/anat/sub-01_comparison.png").exists()
    again = eventful.call()
    assert again.returncode == 0 and "Nothing to be done" in again.stdout


def test_jobs_ask_for_what_the_profile_and_the_rules_say(eventful):
    assert {job["partition"] for job in eventful.jobs("rule_")} == {"main"}
    for fit in eventful.jobs("rule_fit"):
        assert "gres:gpu:1" in eventful.cluster.details(fit)["TresPerJob"]
    [simulation], [rest] = eventful.jobs("rule_simulate"), eventful.jobs("rule_image")
    for job in (simulation, rest):
        assert "TresPerJob" not in eventful.cluster.details(job)
    # All else of an image is one job, and what needs the network or is nothing runs here.
    assert len(eventful.jobs("rule_")) == 2 + len(eventful.jobs("rule_fit"))


def test_a_drained_node_holds_jobs_up_and_loses_none(eventful):
    assert [job["state"] for job in eventful.drained] == ["PENDING"]
    assert "DRAIN" in eventful.drained[0]["reason"].upper()
    [simulation] = eventful.jobs("rule_simulate")
    assert simulation["state"] == "COMPLETED"


@pytest.mark.parametrize(("dim", "state"), [(8, "CANCELLED"), (16, "TIMEOUT")])
def test_a_fit_that_slurm_ended_goes_on_from_its_checkpoint(eventful, dim, state):
    first, second = eventful.jobs(f"sub-01_{dim}")
    assert (first["state"], second["state"]) == (state, "COMPLETED")
    assert eventful.resumed(dim) >= eventful.stopped[dim] > 0
    record = read_json(
        eventful.project.results / f"records/sub-01/anat/sub-01_desc-inrF{dim}_fit.json"
    )
    assert record["seconds"] > 0


def test_a_second_attempt_asks_for_more_memory_and_time(eventful):
    first, second = (eventful.cluster.details(job) for job in eventful.jobs("sub-01_8"))
    ask = [int(job["MinMemoryNode"].removesuffix("M")) for job in (first, second)]
    assert ask[0] > 1000 and ask[1] == 2 * ask[0]
    assert first["TimeLimit"] == "00:21:00" and second["TimeLimit"] == "00:42:00"


def test_no_job_ran_beside_itself(eventful):
    assert len(eventful.together) == 4 and set(eventful.together.values()) == {1}


def test_a_killed_snakemake_leaves_jobs_that_the_next_cancels(cluster, checkout, phantom_source):
    """Never two jobs at the same files, and little is computed twice."""
    run = Run(cluster, configured(checkout, phantom_source, "abandoned", [8]))
    run.start("killed", MODEL)
    try:
        stopped = run.hang(8)
        os.kill(run.process.pid, signal.SIGKILL)
        run.process.wait()
        [left] = run.jobs("rule_fit")
        assert left["state"] == "RUNNING"
        locked = run.call()
        assert locked.returncode != 0 and "--unlock" in locked.stdout
        [left] = run.jobs("rule_fit")
        assert left["state"] == "RUNNING"
        assert run.call("--unlock").returncode == 0
        run.start("next", MODEL)
        run.finish()
    finally:
        run.stop()
    assert f"cancelling Slurm jobs of a killed run ({left['number']})" in run.log.read_text()
    first, second = run.jobs("rule_fit")
    assert (first["state"], second["state"]) == ("CANCELLED", "COMPLETED")
    assert second["started"] >= first["ended"]
    assert set(run.together.values()) == {1}
    assert run.resumed(8) >= stopped > 0
    assert (run.project.folder / MODEL).exists()
    assert not list(run.project.results.rglob("*.checkpoint"))
