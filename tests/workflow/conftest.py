"""Copies of the project in empty folders, and a dataset for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.runs import Project, copy_project


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """Makes fresh copies of the project, without anything that was computed."""
    return lambda name: copy_project(tmp_path_factory.mktemp(name) / "project")


@pytest.fixture
def own_run(run) -> Iterator[Project]:
    """A copy of the finished run of the file, for a test that changes it."""
    with run.copied() as project:
        yield project


@pytest.fixture(scope="session")
def phantom_source(tmp_path_factory) -> Path:
    """A DataLad dataset of two coarse phantoms with their truth at 1 mm."""
    from cordinr.phantom.dataset import write_phantom_dataset

    folder = tmp_path_factory.mktemp("phantom") / "phantom"
    write_phantom_dataset(folder, subjects=2, voxel=2.0, truth=1.0, snr=40.0, seed=0)
    return folder
