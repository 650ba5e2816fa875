"""What people are told about their scans."""

from dataclasses import replace

import numpy as np

from cordinr.acquisition.overlap import common_grid
from cordinr.acquisition.scan_words import describe_field, describe_scan
from tests.helpers.scans import body, scan
from tests.helpers.support import blobs, two_views


def test_a_scan_is_described_by_direction_slices_gap_voxels_and_extent():
    view = scan(body(), "R", thickness=3.0, spacing=3.3, in_plane=0.7)
    count = view.volume.grid.shape[2]
    assert describe_scan(view) == (
        f"sagittal, {count} slices of 3 mm every 3.3 mm (gaps of 0.3 mm), 0.7 x 0.7 mm in the "
        f"plane, 50 x 56 x {count * 3.3:.0f} mm"
    )


def test_tilt_and_overlap_are_said():
    view = scan(body(), "S", thickness=4.0, spacing=3.0, in_plane=1.0, tilt=12)
    said = describe_scan(view)
    assert said.startswith("axial tilted by 12 degrees, ") and "(overlaps of 1 mm)" in said


def test_what_is_covered_and_what_is_left_out_is_said():
    views = two_views(blobs((24, 20, 40), np.eye(4)))
    half = views[0].volume.grid.cropped(np.array([0, 0, 2]), np.array([24, 20, 5]))
    lower = replace(views[0], volume=replace(views[0].volume, grid=half), name="axial")
    said = describe_field(
        [lower, replace(views[1], name="sagittal")], common_grid([lower, views[1]])
    )
    assert said[0] == "reconstructing 24 x 20 x 20 mm; 100 % of it seen by 2 slice directions."
    assert said[1].startswith(
        "sagittal: 8 mm at its inferior end, 12 mm at its superior end are not"
    )
    assert len(said) == 2
