"""The regions over which reconstructions are scored."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Region:
    """A set of voxels over which metrics are taken.

    Attributes:
        name: a few words for people, as figures show it.
        description: which voxels belong to it, for the dictionary of the table's columns.
    """

    name: str
    description: str


REGIONS = {
    "fov": Region("common field of view", "every voxel that all views cover"),
    "fg": Region("foreground", "the foreground of it: body, not air"),
    "cord": Region("spinal cord", "the dataset's spinal cord segmentation within it"),
}
"""The regions by the label that ends the names of their metrics, such as `psnr_fov`."""
