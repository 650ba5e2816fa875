"""Makes docs/phantom.png: `python docs/pictures.py` from the project's folder."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from cordinr.figures import save_figure
from cordinr.phantom import Phantom
from cordinr.planes import ANTERIOR, RIGHT, SUPERIOR, plane
from cordinr.scan import sample
from cordinr.volume import Grid, Volume

EXTENT = np.array([40.0, 70.0, 60.0])
PLANES = {
    "Sagittal": (-ANTERIOR, SUPERIOR, (70, 60)),
    "Axial": (-RIGHT, ANTERIOR, (40, 70)),
    "Coronal": (-RIGHT, SUPERIOR, (40, 60)),
}


def main() -> None:
    """Two subjects, three planes each, at 0.5 mm without noise."""
    affine = np.diag([0.5, 0.5, 0.5, 1])
    affine[:3, 3] = -EXTENT / 2 + 0.25
    grid = Grid(tuple((EXTENT * 2).astype(int)), affine)
    figure = Figure(figsize=(9, 7), facecolor="k")
    for row, subject in enumerate((1, 2)):
        array = sample(Phantom.draw(subject, 0), grid.shape, grid.affine, 2)
        volume = Volume(array, grid)
        for column, (name, (u, v, extent)) in enumerate(PLANES.items()):
            axes = figure.add_subplot(2, 3, 3 * row + column + 1)
            picture = plane(volume, np.zeros(3), u, v, extent, 0.25, order=1)
            axes.imshow(picture, cmap="gray", vmin=0, vmax=950)
            axes.set_axis_off()
            if row == 0:
                axes.set_title(name, color="w")
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.95, 0.03, 0.03)
    save_figure(Path(__file__).with_name("phantom.png"), figure)


if __name__ == "__main__":
    main()
