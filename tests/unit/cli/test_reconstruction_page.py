"""The page beside a reconstruction: written where the extra is installed, else a note."""

import json
import logging
import sys

import pytest

from cordinr.acquisition.overlap import common_grid
from cordinr.alignment.rigid import align_rigidly
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.cli.placing import PlacedScans
from cordinr.cli.reconstruction_page import page_path, save_page
from cordinr.imaging.volume import Volume, save_volume
from cordinr.trust.assess import assess
from tests.helpers.scans import body, displacement, scan


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A reconstruction of two scans that were displaced, with what is known of it."""
    folder, image = tmp_path_factory.mktemp("page"), body()
    truth = displacement(image.grid.centre, [2.0, 0.0, 0.0], [1.0, 2.0, 2.0])
    raw = [
        scan(image, "R", thickness=3, spacing=3.3, in_plane=1.0, name="sag.nii.gz"),
        scan(image, "S", thickness=4, spacing=4, in_plane=1.0, moved=truth, name="ax.nii.gz"),
    ]
    alignment = align_rigidly(raw)
    views = alignment.apply(raw)
    scans = PlacedScans(
        tuple(folder / view.name for view in views), views, alignment, first_slices=(0, 0)
    )
    grid = common_grid(views, 1.0)
    array = reconstruct_baseline(views, grid, "tikhonov", 0.003)
    path = folder / "out.nii.gz"
    save_volume(path, array, grid)
    sidecar = {"Method": "inr", "FourierDimension": 256, "Description": "An INR."}
    (folder / "out.json").write_text(json.dumps(sidecar))
    return path, scans, assess(views, Volume(array, grid), alignment=alignment)


def test_the_page_lies_beside_the_image(made):
    path, scans, found = made
    assert save_page(path, path.with_name("out_check.png"), scans, found)
    page = path.with_name("out.html")
    assert page_path(path) == page
    text = page.read_text()
    for said in ("INR, F = 256", found.sentence.partition(":")[2], "sag.nii.gz", "3.0 mm, 2.0°"):
        assert said in text
    assert path.with_name("out_check.png").read_bytes().startswith(b"\x89PNG")


def test_without_the_extra_a_note_says_so(made, monkeypatch, caplog, tmp_path):
    path, scans, found = made
    for module in [name for name in sys.modules if name.startswith("cordinr.pages")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with caplog.at_level(logging.WARNING):
        assert not save_page(path, tmp_path / "out_check.png", scans, found)
    assert "has no page, as jinja2 is not installed" in caplog.text
    assert not (tmp_path / "out_check.png").exists()
