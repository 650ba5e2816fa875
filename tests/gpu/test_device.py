"""Which GPU a process takes, on the real card, and the command on it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

import cordinr
from cordinr.imaging.volume import load_volume

QUICK = {"fit": {"width": 32, "channels": 2, "passes": 16, "batch": 1024}}

TAKE = """
import logging, sys
logging.basicConfig(stream=sys.stderr, format="%(message)s")
from cordinr.inr.device import choose_device
print(choose_device(sys.argv[1]), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def environment(tmp_path):
    """That of a process with a temporary folder of its own, where it keeps its claims."""
    library = str(Path(cordinr.__file__).parents[1])
    (tmp_path / "tmp").mkdir()
    paths = os.pathsep.join(filter(None, [library, os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": paths, "TMPDIR": str(tmp_path / "tmp")}


def take(name: str, environment) -> subprocess.Popen:
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([sys.executable, "-c", TAKE, name], env=environment, text=True, **pipes)


def test_auto_takes_the_card_and_a_second_process_shares_it(environment, tmp_path):
    """The second is told so; the first is not."""
    one = environment | {"CUDA_VISIBLE_DEVICES": "0"}
    first = take("auto", one)
    assert first.stdout.readline().strip() == "cuda:0"
    folder = tmp_path / "tmp" / f"cordinr-{os.getuid()}"
    assert len(list(folder.glob("*.claim"))) == 1
    second = take("cuda", one)
    assert second.stdout.readline().strip() == "cuda:0"
    (_, words), (_, others) = (each.communicate("\n", timeout=60) for each in (first, second))
    assert "sharing" not in words
    assert "all of 1 GPUs are in use by 1 other processes" in others
    third = take("auto", one)
    assert "sharing" not in third.communicate("\n", timeout=60)[1]


def test_a_hidden_card_is_not_taken(environment):
    hidden = take("auto", environment | {"CUDA_VISIBLE_DEVICES": ""})
    assert hidden.communicate("\n", timeout=60)[0].strip() == "cpu"


def test_the_command_makes_the_same_image_on_every_device(view_files, tmp_path, command):
    image, config = tmp_path / "image.nii.gz", tmp_path / "quick.yaml"
    config.write_text(yaml.safe_dump(QUICK))
    arrays = []
    for device in ("auto", "cuda", "cpu"):
        model, made = tmp_path / f"{device}.safetensors", tmp_path / f"{device}.nii.gz"
        options = ["--fourier-dim", 16, "--config", config, "--device", device]
        assert command("fit", *view_files, *options, "-o", model)[0] == 0
        rendering = ["--like", image, "--device", device, "-o", made]
        assert command("render", model, *rendering)[0] == 0
        arrays.append(load_volume(made).array)
    reference = load_volume(image).array
    errors = [np.sqrt(np.mean((array - reference) ** 2)) for array in arrays]
    assert errors == pytest.approx([errors[-1]] * 3, rel=0.05)
