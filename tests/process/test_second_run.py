"""The process of the second run: what it finds."""

import os
import sys
from pathlib import Path

from cordinr.run.failures import VARIABLE
from cordinr.run.remainder import run_second


def test_a_second_run_finds_the_library_and_the_list(tmp_path, monkeypatch):
    """Also from a bare checkout, where the library is not installed."""
    monkeypatch.chdir(tmp_path)
    program = "import os, sys; open('said', 'w').write(os.environ[sys.argv[1]]); import cordinr"
    command = [sys.executable, "-c", program]
    assert run_second([*command, VARIABLE], str(tmp_path), Path("failed.tsv")) == 0
    assert Path("said").read_text() == str(tmp_path / "failed.tsv")
    assert run_second([*command, "PYTHONPATH"], str(tmp_path), Path("failed.tsv")) == 0
    first = Path("said").read_text().split(os.pathsep)[0]
    assert (Path(first) / "cordinr/run/remainder.py").exists()
