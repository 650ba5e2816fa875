"""How a scanner turns a volume into thick slices: slice profiles, views, and the forward model.

The simulator, the INR loss and the classical baselines all use the definitions of this module, so
that they cannot disagree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import scipy

from ..errors import InputError
from ..imaging.volume import Grid, Volume

ProfileShape = Literal["box", "gaussian", "point"]

FWHM_IN_SIGMA = 2 * np.sqrt(2 * np.log(2))
GAUSSIAN_SUPPORT = 3.0
"""Half-width, in standard deviations, over which sample points of a gaussian are spread."""

INTENSITY_PERCENTILE = 99.0

INSIDE = 0.75
"""A slice counts where at least this part of its profile lies within the grid."""

OBLIQUE_BLOCK = 1 << 14
"""Slice voxels of an oblique view whose rows of the system matrix are made at a time."""


@dataclass(frozen=True)
class SliceProfile:
    """Sensitivity along the slice normal, of unit integral.

    Attributes:
        shape: "box" is uniform over the thickness; "gaussian" has a full width at half maximum
            equal to the thickness; "point" looks at the slice centre alone.
        thickness: millimetres.
    """

    shape: ProfileShape
    thickness: float

    def __post_init__(self) -> None:
        if self.shape not in get_args(ProfileShape):
            raise InputError(
                f"slice profile '{self.shape}' is not known; use box, gaussian or point."
            )
        if not (np.isfinite(self.thickness) and self.thickness > 0):
            raise InputError(f"slice thickness {self.thickness} mm is not a positive number.")

    @property
    def extent(self) -> float:
        """Millimetres along the normal outside which the profile is taken to be zero."""
        if self.shape == "gaussian":
            return 2 * GAUSSIAN_SUPPORT * self.thickness / FWHM_IN_SIGMA
        return self.thickness if self.shape == "box" else 0.0

    def samples(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Points along the normal that stand for the profile.

        Args:
            n: number of points; 5 mid-points of a box reproduce a 5:1 average of voxels exactly.

        Returns:
            Offsets from the slice centre in millimetres, (n,), and weights that sum to one, (n,).
            A "point" profile has one sample whatever `n`.
        """
        if self.shape == "point":
            return np.zeros(1), np.ones(1)
        midpoints = (np.arange(n) + 0.5) / n - 0.5
        if self.shape == "box":
            return midpoints * self.thickness, np.full(n, 1 / n)
        offsets = midpoints * self.extent
        weights = np.exp(-0.5 * (offsets * FWHM_IN_SIGMA / self.thickness) ** 2)
        return offsets, weights / weights.sum()

    def voxel_weights(self, distance: np.ndarray, voxel: float) -> np.ndarray:
        """Integral of the profile over voxels.

        Args:
            distance: voxel centre minus slice centre along the normal, millimetres, any shape.
            voxel: voxel size along the normal, millimetres.

        Returns:
            Weights of the same shape. A "point" is interpolated linearly between voxel centres,
            hence is plain decimation where slices are centred on voxels.
        """
        if self.shape == "point":
            return np.clip(1 - np.abs(distance) / voxel, 0, None)
        return self._integral(distance + voxel / 2) - self._integral(distance - voxel / 2)

    def _integral(self, offset: np.ndarray) -> np.ndarray:
        """The profile integrated from minus infinity to `offset` (mm)."""
        if self.shape == "box":
            return np.clip(offset / self.thickness + 0.5, 0, 1)
        return scipy.special.ndtr(offset * FWHM_IN_SIGMA / self.thickness)


@dataclass(frozen=True, eq=False)
class View:
    """A stack of thick slices.

    Attributes:
        volume: the slices as an image; spacing between slices is its voxel size along `axis`.
        axis: array axis along which slices follow each other.
        profile: of each slice.
        name: what messages call it, normally its path.
        measured: bool, shape of the volume: voxels to be fitted; None for all of them. The others
            hold a value for interpolation alone.
        cropped: whether padding was cut off; then nothing is reconstructed where no view is.
    """

    volume: Volume
    axis: int
    profile: SliceProfile
    name: str = "view"
    measured: np.ndarray | None = None
    cropped: bool = False

    @property
    def voxels(self) -> np.ndarray:
        """(n,) the measured voxels."""
        array = self.volume.array
        return array.ravel() if self.measured is None else array[self.measured]

    @property
    def normal(self) -> np.ndarray:
        """(3,) unit vector across the slices, in world space."""
        return self.volume.grid.directions[:, self.axis]

    def offsets(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """The profile's sample points as world offsets (n, 3) in mm, and their weights (n,)."""
        distance, weights = self.profile.samples(n)
        return distance[:, None] * self.normal, weights


def slice_grid(grid: Grid, axis: int, profile: SliceProfile, spacing: float) -> Grid:
    """The grid of a stack of slices cut from `grid`.

    The first slice begins at the edge of voxel 0; slices whose profile would reach beyond the last
    voxel are left out. Slices of a "point" profile are centred on a voxel where the spacing is a
    whole number of voxels.

    Args:
        grid: of the volume.
        axis: array axis to slice along.
        profile: its thickness must be at least the voxel size along `axis`.
        spacing: millimetres between slice centres.

    Raises:
        InputError: slices thinner than a voxel, or the volume is thinner than one slice.
    """
    voxel = grid.voxel_sizes[axis]
    if not np.isfinite(spacing):
        raise InputError(f"slice spacing {spacing} mm is not a positive number.")
    if min(profile.thickness, spacing) < voxel - 1e-3:
        raise InputError(
            f"slices of {profile.thickness:g} mm every {spacing:g} mm are thinner than the voxels "
            f"({voxel:.3g} mm); ask for at least the voxel size."
        )
    extent = grid.shape[axis] * voxel
    reach = max(profile.extent, spacing)
    if extent < reach - 1e-3:
        raise InputError(
            f"the image is {extent:.3g} mm across along the slice axis, thinner than one slice of "
            f"{reach:.3g} mm; choose thinner slices or another axis."
        )
    count = int((extent - reach) / spacing + 1e-3) + 1
    first = reach / 2 / voxel - 0.5
    if profile.shape == "point":
        first = np.floor(first + 0.5)
    affine = grid.affine.copy()
    affine[:3, axis] *= spacing / voxel
    affine[:3, 3] = grid.world(np.eye(3)[axis] * first)
    shape = tuple(count if k == axis else n for k, n in enumerate(grid.shape))
    return Grid(shape, affine, grid.space)


def acquire(volume: Volume, axis: int, profile: SliceProfile, spacing: float) -> View:
    """Simulate a stack of thick slices of a volume.

    Args:
        volume: of near isotropic voxels.
        axis: array axis to slice along.
        profile: of each slice.
        spacing: millimetres between slice centres.

    Raises:
        InputError: as `slice_grid`.
    """
    grid = slice_grid(volume.grid, axis, profile, spacing)
    empty = View(Volume(np.empty(grid.shape, np.float32), grid), axis, profile)
    slices = system_matrix(empty, volume.grid) @ volume.array.ravel()
    return View(Volume(slices.reshape(grid.shape), grid), axis, profile)


def system_matrix(view: View, grid: Grid) -> "scipy.sparse.csr_array":
    """The forward model as a matrix: voxels of `grid` (columns) to voxels of the view (rows).

    Rows sum to one; rows of slices that lie less than `INSIDE` within the grid are empty. Where the
    grids are parallel, a row holds the exact overlaps with the slice profile and, in the plane,
    with a box of the view's own voxel size; where they are oblique, samples of the profile,
    interpolated linearly.

    Args:
        view: only its geometry and profile are read, not its voxels.
        grid: of the volume to be sliced.

    Returns:
        float32 of shape (view voxels, grid voxels), both in C order.
    """
    turn = np.linalg.solve(grid.directions, view.volume.grid.directions).T
    partner = np.abs(turn).argmax(axis=1)
    parallel = np.allclose(np.abs(turn), np.eye(3)[partner], atol=1e-4)
    matrix = (
        _parallel_matrix(view, grid, partner) if parallel else _oblique_matrix(view, grid)
    ).tocsr()
    total = np.asarray(matrix.sum(axis=1)).ravel()
    keep = np.where(total >= INSIDE, 1 / np.maximum(total, INSIDE), 0)
    matrix.data = (matrix.data * np.repeat(keep, np.diff(matrix.indptr))).astype(np.float32)
    matrix.eliminate_zeros()
    return matrix


def intensity_scale(views: Sequence[View]) -> float:
    """The intensity that counts as 1: a high percentile of the absolute voxels of all views."""
    voxels = np.concatenate([np.abs(view.voxels) for view in views])
    return float(np.percentile(voxels, INTENSITY_PERCENTILE)) or float(voxels.max())


def _parallel_matrix(view: View, grid: Grid, partner: np.ndarray) -> "scipy.sparse.coo_array":
    """Kronecker product of three one-dimensional overlaps, columns put into the grid's order."""
    slices = view.volume.grid
    first, *steps = grid.index(slices.world(np.vstack([np.zeros(3), np.eye(3)])))
    factors = []
    for axis, along in enumerate(partner):
        voxel = grid.voxel_sizes[along]
        step = (steps[axis] - first)[along]
        position = first[along] + step * np.arange(slices.shape[axis])
        distance = (np.arange(grid.shape[along]) - position[:, None]) * voxel
        in_plane = SliceProfile("box", slices.voxel_sizes[axis])
        profile = view.profile if axis == view.axis else in_plane
        weights = profile.voxel_weights(distance, voxel)
        factors.append(scipy.sparse.coo_array(np.where(weights > 1e-7, weights, 0)))
    product = scipy.sparse.kron(scipy.sparse.kron(factors[0], factors[1]), factors[2]).tocoo()
    voxels = np.arange(grid.size, dtype=product.col.dtype)
    order = voxels.reshape(grid.shape).transpose(partner).ravel()
    return scipy.sparse.coo_array(
        (product.data, (product.row, order[product.col])), shape=product.shape
    )


def _oblique_matrix(view: View, grid: Grid) -> "scipy.sparse.csr_array":
    """Trilinear interpolation at samples of the profile, half a voxel apart or closer."""
    n = max(5, int(np.ceil(2 * view.profile.thickness / grid.voxel_sizes.min())))
    samples = list(zip(*view.offsets(n), strict=True))
    slices = view.volume.grid
    blocks = [
        _oblique_rows(slices.centres(start, start + OBLIQUE_BLOCK), samples, grid)
        for start in range(0, slices.size, OBLIQUE_BLOCK)
    ]
    return scipy.sparse.vstack(blocks, format="csr")


def _oblique_rows(
    centres: np.ndarray, samples: Sequence[tuple[np.ndarray, float]], grid: Grid
) -> "scipy.sparse.csr_array":
    """The rows of slice voxels at `centres` (n, 3); samples are world offsets with weights."""
    rows, columns, values = [], [], []
    for offset, weight in samples:
        index = grid.index(centres + offset)
        floor = np.floor(index).astype(int)
        for corner in np.ndindex(2, 2, 2):
            voxel = floor + corner
            share = np.prod(1 - np.abs(index - voxel), axis=1) * weight
            use = ((voxel >= 0) & (voxel < grid.shape)).all(axis=1) & (share > 1e-7)
            rows.append(np.flatnonzero(use))
            columns.append(np.ravel_multi_index(voxel[use].T, grid.shape))
            values.append(share[use].astype(np.float32))
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    return scipy.sparse.coo_array(entries, shape=(len(centres), grid.size)).tocsr()
