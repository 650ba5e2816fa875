"""How often the scheduler looks at the ready jobs, under the workflow's own `onstart`."""

import shutil
import subprocess
import sys
import time

from tests.helpers.support import ROOT

JOBS = 40
WORKFLOW = f"""
include: "{ROOT}/Snakefile"

rule many:
    input: expand("out/{{n}}", n=range({JOBS}))

rule one_of_many:
    output: "out/{{n}}"
    shell: "sleep 0.3; touch {{output}}"
"""


def test_looks_do_not_add_up(tmp_path):
    shutil.copy(ROOT / "config.yaml", tmp_path)
    (tmp_path / "Snakefile").write_text(WORKFLOW)
    started = time.monotonic()
    command = [sys.executable, "-m", "snakemake", "many", "--cores", "2", "--verbose"]
    log = subprocess.run(command, cwd=tmp_path, check=True, text=True, stderr=subprocess.PIPE)
    seconds = time.monotonic() - started
    assert len(list((tmp_path / "out").iterdir())) == JOBS
    # One for each job and each second; it had been one a second for every job that had ended.
    assert JOBS / 2 <= log.stderr.count("Ready jobs") <= JOBS + seconds + 2
