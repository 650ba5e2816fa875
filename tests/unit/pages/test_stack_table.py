"""The rows of the table of scans."""

from dataclasses import replace

import numpy as np
import pytest

from cordinr.acquisition.domain import FitDomain
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.imaging.volume import Volume
from cordinr.pages.stack_table import list_stacks
from cordinr.trust.assess import assess
from tests.helpers.scans import body, scan


@pytest.fixture(scope="module")
def row():
    """The row of an axial scan, the fourth slice of which is dark, and the seventh left out."""
    image = body()
    sagittal = scan(image, "R", thickness=3, spacing=3.3, in_plane=1.0, name="sag.nii.gz")
    axial = scan(image, "S", thickness=4, spacing=4, in_plane=1.0, name="ax.nii.gz")
    array = axial.volume.array.copy()
    array[:, :, 3] *= 0.6
    measured = np.ones(array.shape, bool)
    measured[:, :, 6] = False
    axial = replace(axial, volume=Volume(array, axial.volume.grid), measured=measured)
    views = [sagittal, axial]
    domain = FitDomain.of(views)
    volume = Volume(reconstruct_baseline(views, domain.grid, "tikhonov", 0.003), domain.grid)
    found = assess(views, volume, covered=domain.contains)
    return list_stacks(views, [{}, {}], found.fields())[1]


def test_slices_that_do_not_fit_and_those_that_were_left_out_are_listed(row):
    assert row.unfit == "3 dark, 6 left out"
    assert row.check["slices_left_out"] == [6]


def test_a_scan_is_described_as_the_command_describes_it(row):
    assert row.slices == "axial, 13 slices of 4 mm, 1 x 1 mm in the plane"
