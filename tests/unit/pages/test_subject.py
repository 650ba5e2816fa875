"""The page of a subject."""

from dataclasses import replace

import numpy as np

from cordinr.bids.cord_mask import CORD_PROBLEM_KEY
from cordinr.bids.names import sidecar_path
from cordinr.datasets.index import IndexRow, save_index
from cordinr.datasets.layout import ResultPaths
from cordinr.files import write_json
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import save_volume
from cordinr.pages.subject import list_notes


def test_why_there_are_no_metrics_of_the_cord_is_said_only_where_there_are_none(tmp_path):
    row = IndexRow("1", "", "sub-1/anat", "sub-1", path="x", mask="seg.nii.gz")
    paths = ResultPaths(tmp_path)
    mask = paths.reference(row, "cord")
    volume = np.zeros((4, 4, 4))
    for stated in ({}, {"Problem": "motion"}, {CORD_PROBLEM_KEY: "of a copy of a copy"}):
        write_json(sidecar_path(mask), stated)
        save_volume(mask, volume + 1, Grid(volume.shape, np.eye(4)), "uint8")
        assert list_notes(row, paths) == []
    save_volume(mask, volume, Grid(volume.shape, np.eye(4)), "uint8")
    said = "There are no metrics of the spinal cord."
    assert list_notes(row, paths) == [f"{said} of a copy of a copy"]
    [note] = list_notes(replace(row, mask=""), paths)
    assert note.startswith(f"{said} The index has no mask of it: dataset.mask is empty, or fits")


def test_a_page_needs_a_subject_of_the_index(tmp_path, command):
    save_index(tmp_path / "inputs.tsv", [IndexRow("1", "", "sub-1/anat", "sub-1", problem="none")])
    options = ["--index", tmp_path / "inputs.tsv", "--metrics", tmp_path / "m.tsv"]
    options += ["--view", "a", "--figure", "comparison"]
    code, _, said = command("page", "sub-1", *options, "-o", tmp_path / "p.html")
    assert code == 1 and "has no image of subject 1" in said
    assert not (tmp_path / "p.html").exists()
