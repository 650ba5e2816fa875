"""Volumes that are small enough for a page: cropped around the cord, 8 bits, gzip, base64."""

import base64
import gzip
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..imaging.body import foreground, intensity_range
from ..imaging.grid import Grid
from ..imaging.nifti_output import make_image
from ..imaging.volume import Volume

KINDS = ("reference", "view", "recon", "image", "spread")
"""Kinds of layers, as the viewer calls them: a "recon" has an error against the reference, an
"image" has none, and "spread" is an uncertainty map of the layer before it."""

MAX_LEVEL = 255
"""Number of steps between the lowest and the highest intensity of a volume in bytes."""

MAX_STD_LEVEL = 63
"""Number of steps for an uncertainty map, which is mostly noise and compresses badly."""

MAX_INTENSITY = 1.25
"""Intensity stored as 255, as a multiple of R; brighter voxels are clipped."""

MARGIN_MM = 3.0
"""Width of the margin that is kept around the body, in mm."""

MIN_WIDTH_MM = 60.0
"""Minimum right-left and anterior-posterior extent in mm; volumes that are still too large lose
head and feet next."""

MIN_VOXELS = 16
"""Minimum number of voxels along an axis."""


@dataclass(frozen=True, eq=False)
class ViewerLayer:
    """A volume of the viewer.

    Attributes:
        key: its name in the page; letters and digits.
        name, caption: the two lines of its heading.
        kind: one of `KINDS`; an uncertainty map is drawn over the layer before it.
        volume: on any grid; views keep their own thick voxels.
    """

    key: str
    name: str
    caption: str
    kind: str
    volume: Volume


def embed(
    layers: Sequence[ViewerLayer], focus: np.ndarray, max_characters: int
) -> tuple[dict[str, str], Grid]:
    """Encode layers as base64 of gzipped NIfTI, cropped until all together are small enough.

    The air around the body is cropped first; then the volumes become narrower around the focus from
    right to left and from front to back, and only then from head to feet.

    Args:
        layers: the first is the reference, whose grid the crop follows.
        focus: (3,) world mm of the point that is always kept.
        max_characters: of all layers together; blocks of `MIN_VOXELS` voxels are kept in any case.

    Returns:
        Key of the layer to base64, and the grid of the cropped reference.
    """
    reference = layers[0].volume
    peak = intensity_range(reference.array)
    low = min(0.0, *(float(np.percentile(layer.volume.array, 0.1)) for layer in layers))
    box = find_body_box(reference)
    while True:
        corners = reference.grid.cropped(box[0], box[1] - box[0]).corners
        encoded = {}
        for layer in layers:
            volume = crop(layer.volume, corners)
            if layer.kind == "spread":
                highest = float(volume.array.max())
                encoded[layer.key] = encode_nifti(volume, 0.0, highest, MAX_STD_LEVEL)
            else:
                encoded[layer.key] = encode_nifti(volume, low, MAX_INTENSITY * peak)
        size = sum(map(len, encoded.values()))
        smaller = box
        if size > max_characters:
            smaller = narrow(reference.grid, box, focus, max_characters / size)
        if (smaller == box).all():
            return encoded, crop(reference, corners).grid
        box = smaller


def find_body_box(reference: Volume) -> np.ndarray:
    """Find the box of the body with a margin; (2, 3) first and last index, the last one exclusive.

    An image without a body is kept as a whole.
    """
    body = foreground(reference.array, reference.grid.voxel_sizes)
    margin = np.ceil(MARGIN_MM / reference.grid.voxel_sizes).astype(int)
    index = np.argwhere(body)
    if not len(index):
        return np.array([(0, 0, 0), reference.grid.shape])
    low, high = index.min(axis=0) - margin, index.max(axis=0) + 1 + margin
    return np.stack([np.maximum(low, 0), np.minimum(high, reference.grid.shape)])


def narrow(grid: Grid, box: np.ndarray, focus: np.ndarray, ratio: float) -> np.ndarray:
    """Make a box smaller, around the focus; `embed` says along which axes first.

    Args:
        grid: of the reference.
        box: (2, 3) first and last index, exclusive.
        focus: (3,) world mm.
        ratio: about how much of the voxels to keep, 0 to 1.

    Returns:
        A box like `box`.
    """
    size = box[1] - box[0]
    across = [grid.axis_along(letter) for letter in "RA"]
    wide = [axis for axis in across if size[axis] * grid.voxel_sizes[axis] > MIN_WIDTH_MM]
    axes = wide or [int(size.argmax())]
    target = size.copy()
    for axis in axes:
        target[axis] = max(MIN_VOXELS, int(size[axis] * (0.97 * ratio) ** (1 / len(axes))))
        if axis in wide:
            minimum = int(np.ceil(MIN_WIDTH_MM / grid.voxel_sizes[axis]))
            target[axis] = max(target[axis], min(minimum, size[axis] - 1))
    target = np.minimum(target, size)
    middle = np.rint(grid.index(focus)).astype(int)
    low = np.clip(middle - target // 2, box[0], box[1] - target)
    return np.stack([low, low + target])


def crop(volume: Volume, corners: np.ndarray) -> Volume:
    """Crop a volume to the voxels that a box touches, at least one along each axis.

    Args:
        volume: on any grid.
        corners: (8, 3) world mm of the box.
    """
    index = volume.grid.index(corners)
    shape = np.array(volume.grid.shape)
    # Slightly inwards: a box that ends at the edge of a voxel does not touch the next one.
    low = np.clip(np.floor(index.min(axis=0) + 0.5 + 1e-3), 0, shape - 1).astype(int)
    high = np.clip(np.ceil(index.max(axis=0) + 0.5 - 1e-3), low + 1, shape).astype(int)
    part = tuple(slice(*ends) for ends in zip(low, high, strict=True))
    return Volume(volume.array[part], volume.grid.cropped(low, high - low))


def encode_nifti(volume: Volume, low: float, high: float, levels: int = MAX_LEVEL) -> str:
    """Encode a volume as a gzipped NIfTI-1 file of bytes, in base64.

    Args:
        volume: float32.
        low: intensity of the byte 0; `scl_inter` of the header.
        high: intensity of the byte `levels`, from which `scl_slope` of the header follows.
        levels: number of steps between them.
    """
    slope = (high - low) / levels or 1.0
    voxels = np.clip(np.rint((volume.array - low) / slope), 0, levels).astype(np.uint8)
    header = make_image(voxels, volume.grid.affine, volume.grid.space).header
    header.set_slope_inter(slope, low)
    header["vox_offset"] = 352
    header["cal_min"], header["cal_max"] = low, high
    content = header.binaryblock + bytes(4) + voxels.tobytes(order="F")
    return base64.b64encode(gzip.compress(content, mtime=0)).decode("ascii")
