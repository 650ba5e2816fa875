"""SIGTERM to a process that puts it off."""

import signal
import subprocess
import sys


def test_a_process_dies_of_it_as_ever():
    code = (
        "import os, signal\n"
        "from cordinr.inr.sigterm import deferred_sigterm\n"
        "with deferred_sigterm():\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print('deferred', flush=True)\n"
        "print('never')\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout == "deferred\n" and answer.returncode == -signal.SIGTERM
