"""A private Slurm of one node on loopback, as a person's cluster in small.

Nothing outside of its folder is written: own key, own sockets, own free ports, no accounting
database, no control groups. Its two GPUs are character devices that no job opens.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.helpers.runs import environment

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel")
SEARCH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin"])

CONFIG = """
ClusterName=cordinr
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
# Two machines' worth of cores, whatever there is: what is tested waits more than it computes.
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# Without it a job that names no memory takes all of it.
DefMemPerCPU=200
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
# Finished jobs stay visible, as squeue is the only witness here.
MinJobAge=3600
KillWait=10
ReturnToService=2
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=6 RealMemory=64000 Gres=gpu:2 State=UNKNOWN
PartitionName=short Nodes={host} MaxTime=INFINITE State=UP Default=YES
PartitionName=main Nodes={host} MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Why there can be no Slurm here; empty if there can."""
    absent = [name for name in PROGRAMS if not shutil.which(name, path=SEARCH)]
    if absent:
        return f"Slurm is not installed ({', '.join(absent)}): apt-get install slurm-wlm munge"
    return "" if os.geteuid() == 0 else "a private Slurm needs root"


@dataclass
class Cluster:
    """The daemons, and the commands of a person who uses them."""

    folder: Path
    daemons: list[subprocess.Popen] = field(default_factory=list)

    def start(self) -> None:
        """Start the daemons and wait until the node takes jobs."""
        host = self.host
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir()
        self._write("slurm.conf", CONFIG.format(folder=self.folder, host=host, ports=free_ports(2)))
        # Names of devices are what counts; Slurm looks whether they are there.
        devices = "".join(f"NodeName={host} Name=gpu File=/dev/{d}\n" for d in ("null", "zero"))
        self._write("gres.conf", devices)
        self._write("cgroup.conf", "CgroupPlugin=cgroup/v1\n")
        # The plugin's step takes SLURM_CONF from srun.
        real = shutil.which("srun", path=SEARCH)
        conf = f"SLURM_CONF={self.folder}/slurm.conf"
        self._write("bin/srun", f'#!/bin/sh\n{conf} exec {real} "$@"\n').chmod(0o755)
        key = self.folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(os.urandom(1024))
        munge = [f"--{name}={self.folder}/munge.{name.split('-')[0]}" for name in MUNGE_FILES]
        self._daemon("munged", "--foreground", "--force", "--num-threads=2", *munge)
        self.wait(lambda: (self.folder / "munge.socket").exists(), "munged")
        self._daemon("slurmctld", "-D", "-f", f"{self.folder}/slurm.conf")
        self._daemon("slurmd", "-D", "-f", f"{self.folder}/slurm.conf", "-N", host)
        self.wait(
            lambda: self.try_command("sinfo", "-h", "-p", "main", "-o", "%T") == "idle", "node"
        )

    def stop(self) -> None:
        """End what was started, the node first."""
        if self.daemons:
            self.try_command("scancel", "--me")
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    @property
    def host(self) -> str:
        """The node's name."""
        return socket.gethostname().split(".")[0]

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables for the commands of a person who uses the cluster."""
        base = environment()
        search = os.pathsep.join([str(self.folder / "bin"), base["PATH"], SEARCH])
        return base | {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": search}

    def command(self, *words: str) -> str:
        """What a command of Slurm says."""
        answer = subprocess.run(
            words, env=self.environment, capture_output=True, text=True, timeout=30
        )
        assert answer.returncode == 0, (words, answer.stderr, self._logs())
        return answer.stdout.strip()

    def try_command(self, *words: str) -> str:
        """The same while nobody may answer; a client without a controller waits 9 seconds."""
        try:
            return self.command(*words)
        except (AssertionError, subprocess.TimeoutExpired):
            return ""

    def jobs(self, mark: str = "") -> list[dict[str, str]]:
        """All jobs so far whose comment has the mark, oldest first."""
        form = "|".join(f"%{letter}" for letter in JOB_FIELDS.values())
        lines = self.command("squeue", "--states=all", "--noheader", "-o", form).splitlines()
        found = [dict(zip(JOB_FIELDS, line.split("|"), strict=True)) for line in lines]
        found.sort(key=lambda job: int(job["number"]))
        return [job for job in found if mark in job["comment"]]

    def details(self, job: dict[str, str]) -> dict[str, str]:
        """Everything that scontrol knows of a job."""
        said = self.command("scontrol", "--oneliner", "show", "job", job["number"])
        return dict(word.split("=", 1) for word in said.split() if "=" in word)

    def wait(self, condition: Callable[[], object], what: str, seconds: float = 60) -> None:
        """Until something is so; fails with the daemons' last words."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"waited {seconds} s for {what}\n{self._logs()}"
            time.sleep(0.2)

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def _daemon(self, name: str, *words: str) -> None:
        with open(self.folder / f"{name}.log", "w") as log:
            program = shutil.which(name, path=SEARCH)
            started = subprocess.Popen(
                [program, *words], env=self.environment, stdout=log, stderr=log
            )
        self.daemons.append(started)

    def _logs(self) -> str:
        return "\n".join(
            f"{path.name}: {path.read_text()[-1500:]}" for path in self.folder.glob("*.log")
        )


MUNGE_FILES = ("key-file", "socket", "pid-file", "log-file", "seed-file")
JOB_FIELDS = {
    "number": "A",
    "name": "j",
    "comment": "k",
    "state": "T",
    "reason": "r",
    "started": "S",
    "ended": "e",
    "partition": "P",
    "folder": "Z",
}
"""What a line of squeue tells, and the letters that ask for it."""

ACTIVE = ("RUNNING", "COMPLETING")


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
