"""The command with too little memory."""

import os
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np


def test_the_command_says_out_of_memory_and_not_that_the_file_is_damaged(tmp_path):
    """A real limit of the address space, of which the image needs more than all."""
    path = tmp_path / "image.nii"
    header = nib.Nifti1Header()
    header.set_data_shape((1000, 1000, 300))
    header.set_data_dtype("i2")
    header.set_sform(np.eye(4), code=1)
    header["vox_offset"] = 352
    path.write_bytes(header.binaryblock + bytes(4))
    os.truncate(path, 352 + 600_000_000)  # a hole: no disk is used
    program = (
        "import resource, sys; from cordinr.imaging.volume import load_volume; "
        "import scipy.sparse; "
        "from cordinr.cli import main; "
        "resource.setrlimit(resource.RLIMIT_AS, (1_200_000_000,) * 2); "
        "sys.argv[1:] = ['simulate', sys.argv[1], '--axis', 'S', '--thickness', '4', "
        "'-o', sys.argv[1] + '.view.nii']; main()"
    )
    answer = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True)
    assert answer.returncode == 1 and "Traceback" not in answer.stderr, answer.stderr
    assert answer.stderr.startswith("cordinr: error: out of memory ("), answer.stderr
    assert "damaged" not in answer.stderr and not Path(f"{path}.view.nii").exists()
