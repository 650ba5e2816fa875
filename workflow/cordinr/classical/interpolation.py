"""How sharp scans are where their voxels lie between those of a grid, read from the scans.

A view whose voxels are not centred on those of the grid, because it is tilted or shifted in its
plane, can only be computed from an image by interpolation. The system matrix interpolates linearly,
which blurs: the more, the farther from the centres. A scanner does not blur there, and neither does
an image that was resampled by splines; an image that was resampled linearly does. An image that has
to explain sharp voxels by blurred rows is exaggerated at every edge.

So the part of the blur that a view has not is estimated, one number per view, and taken from its
voxels; they then are what the matrix would have given. The estimate is an indirect inference
(Gourieroux, Monfort and Renault, Journal of Applied Econometrics 1993): the residuals of a
regularised reconstruction are compared with those of two views simulated from it, one that has
the blur and one that has not. What neither explains, as where edges lie within voxels, is the error
that the voxels are taken to have.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy

from ..acquisition.forward import measured_rows, oblique_samples, parallel_axes
from ..acquisition.noise import contradiction, excess_noise
from ..acquisition.view import View, intensity_scale
from ..imaging.grid import Grid
from ..imaging.volume import Volume
from .differences import Differences
from .tikhonov import least_tikhonov
from .weights import automatic_weight

CENTRED = 1e-2
"""Fraction of a voxel by which sample points may miss the centres of voxels."""

REFINEMENTS = 3
"""How often the blur is computed anew, each time from an image of better views."""

DETAIL = 1.5
"""Residuals that a real image leaves over those that its smooth reconstruction leaves."""

LEAST_UNSURE = 0.1
"""Least part of the blur that the voxels of a matched view are taken to be off by; both chosen on
several images and ways to make tilted views, see `benchmarks/NOTES.md`."""

MIN_TOLD = 0.1
"""Least difference of the slopes with and without blur that says anything; about 0.4 where another
view has its slices in another direction."""

TINY = float(np.finfo(np.float32).tiny)
"""What no denominator may be below."""

MIN_LOST = 1e-4
"""Root mean square of a blur, in units of the intensity scale, below which there is none."""


def matched(views: Sequence[View], grid: Grid) -> list[View]:
    """Views whose voxels are as sharp as the system matrix takes them to be, on a grid.

    Views that lie on the grid are what they were. So are views that contradict each other, as the
    blur is small beside that, and views that were matched before.

    Args:
        views: to reconstruct from.
        grid: of the reconstruction.

    Returns:
        Views; those between the voxels of the grid have `lost` and `interpolation_error`.
    """
    views = list(views)
    if any(view.lost is not None for view in views) or all(
        is_centred(view, grid) for view in views
    ):
        return views
    scale = intensity_scale(views)
    finite = all(np.isfinite(view.voxels).all() for view in views)
    if scale == 0 or not finite or contradiction(views, scale) > 0:
        return views
    system = _System.of(views, grid, scale)
    return system.matched() if all(seen.any() for seen in system.seen) else views


def is_centred(view: View, grid: Grid) -> bool:
    """Whether no sample point of a view lies between the voxel centres of a grid, in the plane."""
    turn = np.linalg.solve(grid.affine[:3, :3], view.volume.grid.affine[:3, :3])
    along = np.abs(turn).argmax(axis=0)
    elsewhere = turn.copy()
    elsewhere[along, range(3)] = 0
    reach = np.abs(elsewhere) @ view.volume.grid.shape
    if len(set(along)) < 3 or (reach > CENTRED).any():
        return False
    if view.shifts is not None:
        return False
    first = grid.index(view.volume.grid.world(np.zeros(3))[None])[0]
    for axis in view.in_plane:
        step, begin = abs(turn[along[axis], axis]), first[along[axis]]
        count = max(1, round(step))
        inside = begin + step * ((np.arange(count) + 0.5) / count - 0.5)
        drift = abs(step - count) * view.volume.grid.shape[axis]
        if drift > CENTRED or (np.abs(inside - np.rint(inside)) > CENTRED).any():
            return False
    return True


def lost_by_interpolation(view: View, grid: Grid, image: np.ndarray) -> np.ndarray:
    """What linear interpolation takes from the voxels of a view: cubic splines less linear.

    Args:
        view: only its geometry and profile are read.
        grid: of the image.
        image: float (x, y, z).

    Returns:
        float32 of the shape of the view, in the units of the image.
    """
    coefficients = scipy.ndimage.spline_filter(image, order=3, mode="mirror", output=np.float32)
    voxel = float(grid.voxel_sizes.max())
    sharp = _points(view, voxel)
    partner = parallel_axes(view, grid)
    # The matrix has sample points of its own where the grids are oblique.
    blurred = sharp if partner is not None else oblique_samples(view, voxel)
    # Along the grid it holds exact overlaps with the slice profile: nothing is lost there.
    exact = None if partner is None else int(partner[view.axis])
    turn = np.linalg.inv(grid.affine)[:3, :3]
    lost = np.zeros(view.volume.grid.size, np.float32)
    terms = ((1, coefficients, 3, sharp), (-1, image.astype(np.float32), 1, blurred))
    for block, centres in view.blocks():
        start = grid.index(centres)
        for sign, array, order, points in terms:
            for offset, weight in zip(*points, strict=True):
                index = (start + turn @ offset).T
                if exact is not None:
                    index[exact] = np.rint(index[exact])
                lost[block] += np.float32(sign * weight) * scipy.ndimage.map_coordinates(
                    array, index, order=order, mode="mirror", prefilter=False, output=np.float32
                )
    return lost.reshape(view.volume.grid.shape)


def _points(view: View, voxel: float) -> tuple[np.ndarray, np.ndarray]:
    """World offsets (n, 3) and weights (n,) of points about a voxel of the grid apart."""
    return view.offsets(max(1, math.ceil(view.profile.extent / voxel - 1e-6)), voxel)


@dataclass(frozen=True, eq=False)
class _System:
    """The equations of all views together, of which those of each can be told apart.

    Attributes:
        views: to be matched.
        grid: of the reconstruction.
        scale: intensity of the views that counts as 1.
        matrix: the rows of all views that were measured and are trusted fully.
        seen: of each view, which of its voxels have a row here; bool (voxels,).
        weight: of the penalty.
    """

    views: list[View]
    grid: Grid
    scale: float
    matrix: "scipy.sparse.csr_array"
    seen: list[np.ndarray]
    weight: float

    @classmethod
    def of(cls, views: list[View], grid: Grid, scale: float) -> "_System":
        rows, seen = zip(*(_trusted_rows(view, grid) for view in views), strict=True)
        matrix = scipy.sparse.csr_array(scipy.sparse.vstack(rows), dtype=np.float32)
        return cls(views, grid, scale, matrix, list(seen), automatic_weight(views, "tikhonov"))

    def matched(self) -> list[View]:
        """The views without the part of the blur that they have not, where there is one."""
        values = [
            view.volume.array.ravel()[seen] / self.scale
            for view, seen in zip(self.views, self.seen, strict=True)
        ]
        image = self._image(values, np.full(self.grid.size, np.mean(np.concatenate(values))))
        parts, explained = self._parts_sharp(values, image)
        rows = values
        for _ in range(REFINEMENTS):
            lost = self._lost(image)
            rows = [
                own - part * there
                for own, part, there in zip(values, parts, self._of_rows(lost), strict=True)
            ]
            image = self._image(rows, image)
        lost = self._lost(image)
        wrong = self._wrong(rows, image, explained)
        return [
            self._without(*each)
            for each in zip(self.views, parts, lost, wrong, self.seen, strict=True)
        ]

    def _without(
        self, view: View, part: float, lost: np.ndarray, wrong: float, seen: np.ndarray
    ) -> View:
        """A view less a part of the blur; `wrong` is the variance that no blur explains."""
        square = _mean_square(lost.ravel()[seen])
        if square < MIN_LOST**2:
            return view
        array = view.volume.array - np.float32(part * self.scale) * lost
        unsure = max(LEAST_UNSURE, math.sqrt(wrong / square)) * self.scale
        return replace(
            view,
            volume=Volume(array, view.volume.grid),
            lost=lost * np.float32(self.scale),
            interpolation_error=np.sqrt(scipy.ndimage.uniform_filter(lost**2, 3)) * unsure,
        )

    def _image(self, values: Sequence[np.ndarray], start: np.ndarray) -> np.ndarray:
        """(voxels,) the Tikhonov reconstruction."""
        stacked = np.concatenate(values).astype(np.float64)
        return least_tikhonov(self.matrix, stacked, Differences.on(self.grid), self.weight, start)

    def _lost(self, image: np.ndarray) -> list[np.ndarray]:
        """What each view loses by interpolation; zero on the grid, and where it has no row."""
        volume = image.reshape(self.grid.shape)
        return [
            np.zeros(view.volume.grid.shape, np.float32)
            if is_centred(view, self.grid)
            else lost_by_interpolation(view, self.grid, volume)
            * seen.reshape(view.volume.grid.shape)
            for view, seen in zip(self.views, self.seen, strict=True)
        ]

    def _of_rows(self, lost: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [one.ravel()[seen] for one, seen in zip(lost, self.seen, strict=True)]

    def _parts_sharp(
        self, values: list[np.ndarray], image: np.ndarray
    ) -> tuple[list[float], list[float]]:
        """Of each view, the part of the blur that it has not, from 0 to 1, and what is explained.

        What is explained is the mean square of the residuals that the image would leave of views
        for which the matrix is right.
        """
        lost = self._of_rows(self._lost(image))
        blurred = self._split(self.matrix @ image)
        sharp = [own + blur for own, blur in zip(blurred, lost, strict=True)]
        blurred_image = self._image(blurred, image)
        least = self._slopes(blurred, blurred_image)
        most = self._slopes(sharp, self._image(sharp, image))
        found = self._slopes(values, image)
        parts = [
            min(1.0, max(0.0, (own - low) / (high - low))) if high - low > MIN_TOLD else 0.0
            for own, low, high in zip(found, least, most, strict=True)
        ]
        return parts, [_mean_square(each) for each in self._residuals(blurred, blurred_image)]

    def _slopes(self, values: list[np.ndarray], image: np.ndarray) -> list[float]:
        """Slope of the residuals of each view against what the image loses by interpolation."""
        lost = self._of_rows(self._lost(image))
        return [
            float(blur @ residual / max(float(blur @ blur), TINY))
            for blur, residual in zip(lost, self._residuals(values, image), strict=True)
        ]

    def _residuals(self, values: list[np.ndarray], image: np.ndarray) -> list[np.ndarray]:
        predicted = self._split(self.matrix @ image)
        return [own - there for own, there in zip(values, predicted, strict=True)]

    def _wrong(
        self, values: list[np.ndarray], image: np.ndarray, explained: Sequence[float]
    ) -> list[float]:
        """Variance of each view that neither the image, its blur nor noise explains."""
        rng = np.random.default_rng(0)
        noise = [rng.normal(size=len(own)) for own in values]
        of_noise = self._residuals(noise, self._image(noise, np.zeros(self.grid.size)))
        known = excess_noise(self.views, self.scale)
        return [
            max(
                0.0,
                (_mean_square(left) - DETAIL**2 * usual) / max(_mean_square(passed), TINY) - known,
            )
            for left, usual, passed in zip(
                self._residuals(values, image), explained, of_noise, strict=True
            )
        ]

    def _split(self, stacked: np.ndarray) -> list[np.ndarray]:
        return np.split(stacked, np.cumsum([int(seen.sum()) for seen in self.seen])[:-1])


def _trusted_rows(view: View, grid: Grid) -> tuple["scipy.sparse.csr_array", np.ndarray]:
    """`measured_rows` of slices that are trusted fully: one spoilt slice would tell of them all."""
    rows, seen = measured_rows(view, grid)
    full = view.voxel_trust.ravel() >= 1
    return rows[full[seen]], seen & full


def _mean_square(values: np.ndarray) -> float:
    return float(np.mean(values**2)) if values.size else 0.0
