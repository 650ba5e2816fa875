"""The figure of who saw what."""

import numpy as np

from cordinr.figures.coverage import coverage_figure
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume


def test_places_are_tinted_by_how_many_directions_saw_them():
    shape = (20, 24, 30)
    rng = np.random.default_rng(0)
    image = Volume(rng.uniform(0, 100, shape).astype(np.float32), Grid(shape, np.eye(4)))
    directions = np.full(shape, 2, np.uint8)
    directions[:, :, 20:] = 1
    figure = coverage_figure(image, directions, "sub-01")
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["one", "two"]
    tints = next(each for each in figure.axes if each.get_label() == "Slice directions: Sagittal")
    numbers = tints.images[-1].get_array()
    assert (numbers[: len(numbers) // 4] == 1).all() and (numbers[len(numbers) // 2 :] == 2).all()
    axial = next(each for each in figure.axes if each.get_label() == "Slice directions: Axial")
    assert (axial.images[-1].get_array() == 2).all()  # through the middle of what most saw
