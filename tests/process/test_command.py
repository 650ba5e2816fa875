"""The command as a process of its own."""

import os
import subprocess
import sys

from tests.helpers.support import ROOT


def test_help_and_version_answer_without_numerics():
    """No heavy module may be imported for `--help`; time itself is for the benchmarks."""
    probe = (
        "import sys; sys.argv = ['cordinr', '--help']\n"
        "from cordinr.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'nibabel', 'scipy', 'pandas', 'bids', 'datalad'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    answer = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert "reconstruct" in answer.stdout


def test_the_command_runs_from_a_bare_checkout(tmp_path):
    wrapper = ROOT / "workflow" / "bin" / "cordinr"
    search = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    environment = {"PATH": search, "HOME": str(tmp_path)}
    answer = subprocess.run(
        [wrapper, "--version"], capture_output=True, text=True, env=environment, cwd=tmp_path
    )
    assert answer.stdout.strip() == read_version(), answer.stderr


def read_version():
    text = (ROOT / "workflow" / "cordinr" / "__init__.py").read_text()
    return text.split('__version__ = "')[1].split('"')[0]
