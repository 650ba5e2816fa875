"""Volumes small enough for a page: cropped around the cord, eight bits, gzip and base64."""

import base64
import gzip
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..evaluation.metrics import foreground, intensity_range
from ..imaging.grid import Grid
from ..imaging.nifti import make_image
from ..imaging.volume import Volume

KINDS = ("reference", "view", "recon", "spread")

MAX_LEVEL = 255
"""Steps between the lowest and the highest grey of a byte."""

MAX_STD_LEVEL = 63
"""The same for a spread, which is mostly noise and would need more room than an image."""

WHITE = 1.25
"""White of the bytes, in units of R: what is brighter is clipped."""

MARGIN_MM = 3.0
"""Kept around the body."""

MIN_WIDTH_MM = 60.0
"""Right-left and anterior-posterior extent before what is too large is shortened too."""

MIN_VOXELS = 16
"""Voxels along an axis that are always kept."""


@dataclass(frozen=True, eq=False)
class ViewerLayer:
    """A volume of the viewer.

    Attributes:
        key: names it in the page; letters and digits.
        name, caption: the two lines of its heading.
        kind: one of `KINDS`; a spread is drawn over the reconstruction before it.
        volume: on any grid; views keep their own thick voxels.
    """

    key: str
    name: str
    caption: str
    kind: str
    volume: Volume


def embed(
    layers: Sequence[ViewerLayer], focus: np.ndarray, most: int
) -> tuple[dict[str, str], Grid]:
    """The layers as base64 of gzipped NIfTI, cropped until all together are small enough.

    First the air around the body goes. Then right and left, front and back come closer to the
    focus, and only then head and feet.

    Args:
        layers: the first is the reference, whose grid the crop follows.
        focus: (3,) world mm of what is never cropped away.
        most: characters that may be used; a block of `MIN_VOXELS` voxels is kept even beyond it.

    Returns:
        Key of the layer to base64, and the grid of the cropped reference.
    """
    reference = layers[0].volume
    peak = intensity_range(reference.array)
    low = min(0.0, *(float(np.percentile(layer.volume.array, 0.1)) for layer in layers))
    box = body_box(reference)
    while True:
        inside = _corners(reference.grid, box)
        shown = {}
        for layer in layers:
            volume = crop(layer.volume, inside)
            if layer.kind == "spread":
                white = float(volume.array.max())
                shown[layer.key] = nifti_base64(volume, 0.0, white, MAX_STD_LEVEL)
            else:
                shown[layer.key] = nifti_base64(volume, low, WHITE * peak)
        size = sum(map(len, shown.values()))
        smaller = narrow(reference.grid, box, focus, most / size) if size > most else box
        if (smaller == box).all():
            return shown, crop(reference, inside).grid
        box = smaller


def body_box(reference: Volume) -> np.ndarray:
    """(2, 3) first and last index, exclusive, of the body with a margin; all of it if no air."""
    body = foreground(reference.array, reference.grid.voxel_sizes)
    margin = np.ceil(MARGIN_MM / reference.grid.voxel_sizes).astype(int)
    found = np.argwhere(body)
    if not len(found):
        return np.array([(0, 0, 0), reference.grid.shape])
    low, high = found.min(axis=0) - margin, found.max(axis=0) + 1 + margin
    return np.stack([np.maximum(low, 0), np.minimum(high, reference.grid.shape)])


def narrow(grid: Grid, box: np.ndarray, focus: np.ndarray, ratio: float) -> np.ndarray:
    """A box with about `ratio` of the voxels, around the focus; see `embed` for what goes first."""
    size = box[1] - box[0]
    across = [grid.axis_along(letter) for letter in "RA"]
    wide = [axis for axis in across if size[axis] * grid.voxel_sizes[axis] > MIN_WIDTH_MM]
    axes = wide or [int(size.argmax())]
    wanted = size.copy()
    for axis in axes:
        wanted[axis] = max(MIN_VOXELS, int(size[axis] * (0.97 * ratio) ** (1 / len(axes))))
        if axis in wide:
            least = int(np.ceil(MIN_WIDTH_MM / grid.voxel_sizes[axis]))
            wanted[axis] = max(wanted[axis], min(least, size[axis] - 1))
    wanted = np.minimum(wanted, size)
    middle = np.rint(grid.index(focus)).astype(int)
    low = np.clip(middle - wanted // 2, box[0], box[1] - wanted)
    return np.stack([low, low + wanted])


def crop(volume: Volume, corners: np.ndarray) -> Volume:
    """The voxels of a volume that a box touches; at least one along each axis.

    Args:
        volume: on any grid.
        corners: (8, 3) world mm of the box.
    """
    index = volume.grid.index(corners)
    shape = np.array(volume.grid.shape)
    # A hair inwards: a box that ends at the edge of a voxel does not touch the next.
    low = np.clip(np.floor(index.min(axis=0) + 0.5 + 1e-3), 0, shape - 1).astype(int)
    high = np.clip(np.ceil(index.max(axis=0) + 0.5 - 1e-3), low + 1, shape).astype(int)
    affine = volume.grid.affine.copy()
    affine[:3, 3] = volume.grid.world(low)
    part = tuple(slice(*ends) for ends in zip(low, high, strict=True))
    shape = tuple(int(n) for n in high - low)
    return Volume(volume.array[part], Grid(shape, affine, volume.grid.space))


def nifti_base64(volume: Volume, low: float, high: float, levels: int = MAX_LEVEL) -> str:
    """A gzipped NIfTI-1 file of bytes, as text.

    Args:
        volume: float32.
        low, high: intensities of the bytes 0 and `levels`; in the header as `scl_inter` and
            `scl_slope`.
        levels: steps between them.
    """
    slope = (high - low) / levels or 1.0
    voxels = np.clip(np.rint((volume.array - low) / slope), 0, levels).astype(np.uint8)
    header = make_image(voxels, volume.grid.affine, volume.grid.space).header
    header.set_slope_inter(slope, low)
    header["vox_offset"] = 352
    header["cal_min"], header["cal_max"] = low, high
    content = header.binaryblock + bytes(4) + voxels.tobytes(order="F")
    return base64.b64encode(gzip.compress(content, mtime=0)).decode("ascii")


def _corners(grid: Grid, box: np.ndarray) -> np.ndarray:
    """(8, 3) world mm of the outer corners of a box of voxels."""
    shape = tuple(int(n) for n in box[1] - box[0])
    affine = grid.affine.copy()
    affine[:3, 3] = grid.world(box[0])
    return Grid(shape, affine, grid.space).corners
