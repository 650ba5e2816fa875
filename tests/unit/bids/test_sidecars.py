"""Sidecars of derived images, and what they say of other files."""

import pytest

from cordinr.bids.names import companion_path, sidecar_path
from cordinr.bids.sidecars import uncertainty_map
from cordinr.files import write_json


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"Members": 4, "PriorLearners": {}}, "stderr"),
        ({"Members": 1, "PriorLearners": {"made-up": ["sub-01"]}}, "stderr"),
        ({"Members": 4, "Prior": "tv"}, "spread"),
        ({"Members": 1, "Prior": "tv"}, None),
        ({}, None),
    ],
)
def test_the_uncertainty_map_is_the_one_that_the_sidecar_tells_of(tmp_path, fields, kind):
    """Maps of older settings may still lie beside an image."""
    image = tmp_path / "sub-1_desc-inrF8_T2w.nii.gz"
    assert uncertainty_map(image) is None
    write_json(sidecar_path(image), fields)
    assert uncertainty_map(image) is None
    for each in ("stderr", "spread"):
        companion_path(image, each).write_text("")
    assert uncertainty_map(image) == (companion_path(image, kind) if kind else None)
