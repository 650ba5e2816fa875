"""Copies of the project in empty folders, and a dataset for them."""

import shutil
from pathlib import Path

import pytest

from runs import Project
from support import ROOT

PROJECT = ["Snakefile", "config.yaml", "profiles", "workflow", "envs"]


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """Makes fresh copies of the project, without anything that was computed."""

    def make(name: str) -> Project:
        folder = tmp_path_factory.mktemp(name)
        for part in PROJECT:
            source = ROOT / part
            if source.is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, folder / part, ignore=ignore)
            else:
                shutil.copy(source, folder / part)
        (folder / "results").mkdir()
        return Project(folder)

    return make


@pytest.fixture(scope="session")
def phantom_source(tmp_path_factory) -> Path:
    """A DataLad dataset of two coarse phantoms with their truth at 1 mm."""
    from cordinr.phantom_dataset import write_phantom_dataset

    folder = tmp_path_factory.mktemp("phantom") / "phantom"
    write_phantom_dataset(folder, subjects=2, voxel=2.0, truth=1.0, snr=40.0, seed=0)
    return folder
