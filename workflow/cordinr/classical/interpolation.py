"""How sharp scans are where their voxels lie between those of a grid, read from the scans.

A view whose voxels are not centred on those of the grid, because it is tilted or shifted in its
plane, can only be computed from an image by interpolation. The system matrix interpolates linearly,
which blurs: the more, the farther from the centres. A scanner does not blur there, and neither does
an image that was resampled by splines; an image that was resampled linearly does. An image that has
to explain sharp voxels by blurred rows is exaggerated at every edge.

So the part of the blur that a view has not is estimated, one number per view, and taken from its
voxels; they then are what the matrix would have given. The parts are those that explain the
residuals of a regularised reconstruction best, beyond the residuals that the reconstruction would
leave of views that have the blur; both the views and their blur are regressed after the image has
taken its share of them (Frisch and Waugh, Econometrica 1933). That takes slices of two directions.
What the parts do not explain, as where edges lie within voxels, is the error that the voxels are
taken to have.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy

from ..acquisition.forward import measured_rows, oblique_samples, parallel_axes
from ..acquisition.noise import contradiction, excess_noise
from ..acquisition.view import View, intensity_scale
from ..imaging.grid import Grid
from ..imaging.volume import Volume
from .differences import Differences
from .tikhonov import Tikhonov
from .weights import automatic_weight

CENTRED = 1e-2
"""Fraction of a voxel by which sample points may miss the centres of voxels."""

READINGS = 3
"""How often the parts are read, each time with the blur of an image of better views."""

TOLERANCE = 3e-4
"""Relative residual of the reconstructions here, which are compared with each other only."""

DETAIL = 1.5
"""Residuals that a real image leaves over those that its smooth reconstruction leaves."""

LEAST_UNSURE = 0.1
"""Least part of the blur that the voxels of a matched view are taken to be off by; both chosen on
several images and ways to make tilted views, see `benchmarks/NOTES.md`."""

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
    known = any(view.lost is not None for view in views)
    if known or all(is_centred(view, grid) for view in views):
        return views
    scale = intensity_scale(views)
    finite = all(np.isfinite(view.voxels).all() for view in views)
    if scale == 0 or not finite or contradiction(views, scale) > 0:
        return views
    return _System(views, grid, scale).matched()


def is_centred(view: View, grid: Grid) -> bool:
    """Whether no voxel of a view is interpolated between the voxel centres of a grid."""
    turn = np.linalg.solve(grid.affine[:3, :3], view.volume.grid.affine[:3, :3])
    along = np.abs(turn).argmax(axis=0)
    elsewhere = turn.copy()
    elsewhere[along, range(3)] = 0
    reach = np.abs(elsewhere) @ view.volume.grid.shape
    if view.shifts is not None or len(set(along)) < 3 or (reach > CENTRED).any():
        return False
    first = grid.index(view.volume.grid.world(np.zeros(3))[None])[0]
    for axis in _interpolated_axes(view):
        step = abs(turn[along[axis], axis])
        points = 1 if axis == view.axis else max(1, round(step))
        inside = first[along[axis]] + step * ((np.arange(points) + 0.5) / points - 0.5)
        drift = abs(step - max(1, round(step))) * view.volume.grid.shape[axis]
        if drift > CENTRED or (np.abs(inside - np.rint(inside)) > CENTRED).any():
            return False
    return True


def _interpolated_axes(view: View) -> tuple[int, ...]:
    """The array axes along which a view that is parallel to a grid is interpolated.

    Across its slices the matrix holds exact overlaps, but for a point profile.
    """
    return (0, 1, 2) if view.profile.shape == "point" else view.in_plane


def lost_by_interpolation(
    view: View, grid: Grid, image: np.ndarray, wanted: np.ndarray
) -> np.ndarray:
    """What linear interpolation takes from the voxels of a view: cubic splines less linear.

    Args:
        view: only its geometry and profile are read.
        grid: of the image.
        image: float (x, y, z).
        wanted: bool (view voxels,), of which voxels; the others get 0.

    Returns:
        float32 of the shape of the view, in the units of the image.
    """
    coefficients = scipy.ndimage.spline_filter(image, order=3, mode="mirror", output=np.float32)
    voxel = float(grid.voxel_sizes.max())
    sharp = view.offsets(max(1, math.ceil(view.profile.extent / voxel - 1e-6)), voxel)
    partner = parallel_axes(view, grid)
    # The matrix has sample points of its own where the grids are oblique.
    blurred = sharp if partner is not None else oblique_samples(view, voxel)
    exact = None
    if partner is not None and view.axis not in _interpolated_axes(view):
        exact = int(partner[view.axis])
    turn = np.linalg.inv(grid.affine)[:3, :3]
    lost = np.zeros(view.volume.grid.size, np.float32)
    terms = ((1, coefficients, 3, sharp), (-1, image.astype(np.float32), 1, blurred))
    for block, centres in view.blocks():
        here = wanted[block]
        start, total = grid.index(centres[here]), np.zeros(int(here.sum()), np.float32)
        for sign, array, order, points in terms:
            for offset, weight in zip(*points, strict=True):
                index = (start + turn @ offset).T
                if exact is not None:
                    index[exact] = np.rint(index[exact])
                total += np.float32(sign * weight) * scipy.ndimage.map_coordinates(
                    array, index, order=order, mode="mirror", prefilter=False, output=np.float32
                )
        lost[block][here] = total
    return lost.reshape(view.volume.grid.shape)


class _System:
    """The equations of all views together, of which those of each can be told apart.

    Lists of arrays are of the rows of each view: voxels that were measured and whose slices are
    trusted fully, in units of the intensity scale.

    Args:
        views: to be matched.
        grid: of the reconstruction.
        scale: intensity of the views that counts as 1.
    """

    def __init__(self, views: list[View], grid: Grid, scale: float) -> None:
        self.views, self.grid, self.scale = views, grid, scale
        rows, seen = zip(*(_trusted_rows(view, grid) for view in views), strict=True)
        self.seen: list[np.ndarray] = list(seen)
        self.centred = [is_centred(view, grid) for view in views]
        self.matrix = scipy.sparse.csr_array(scipy.sparse.vstack(rows), dtype=np.float32)
        weight = automatic_weight(views, "tikhonov")
        self.tikhonov = Tikhonov(self.matrix, Differences.on(grid), weight)

    def matched(self) -> list[View]:
        """The views without the part of the blur that they have not, where there is one."""
        values = [
            view.volume.array.ravel()[seen] / self.scale
            for view, seen in zip(self.views, self.seen, strict=True)
        ]
        image = self._image(values, np.zeros(self.grid.size))
        found, lost = self._residuals(values, image), self._lost(image)
        for _ in range(READINGS):
            parts, usual = self._parts_sharp(found, image, self._of_rows(lost))
            rows = [
                own - part * blur
                for own, part, blur in zip(values, parts, self._of_rows(lost), strict=True)
            ]
            image = self._image(rows, image)
            lost = self._lost(image)
        wrong = self._wrong(self._residuals(rows, image), usual)
        return [
            view if centred else self._without(view, *each)
            for view, centred, *each in zip(
                self.views, self.centred, parts, lost, wrong, self.seen, strict=True
            )
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
            interpolation_error=around(lost) * np.float32(unsure),
        )

    def _parts_sharp(
        self, found: list[np.ndarray], image: np.ndarray, lost: list[np.ndarray]
    ) -> tuple[list[float], list[float]]:
        """Of each view, the part of the blur that it has not, from 0 to 1, and usual residuals.

        Args:
            found: residuals of the views, of their own reconstruction.
            image: the best so far.
            lost: by its interpolation, of the rows.

        Returns:
            The parts; and the mean square of the residuals that are left where the matrix is right.
        """
        blurred = self._split(self.matrix @ image)
        left = self._residuals(blurred, self._image(blurred, np.zeros(self.grid.size)))
        parts = np.zeros(len(lost))
        between = [number for number, blur in enumerate(lost) if blur.any()]
        if all(view.is_parallel_to(self.views[0]) for view in self.views) or not between:
            return list(parts), [_mean_square(each) for each in left]
        told = np.zeros((len(between), len(between)))
        for column, number in enumerate(between):
            alone = [blur if k == number else 0 * blur for k, blur in enumerate(lost)]
            kept = self._residuals(alone, self._image(alone, np.zeros(self.grid.size)))
            told[:, column] = [lost[k] @ kept[k] for k in between]
        wanted = [lost[k] @ (found[k] - left[k]) for k in between]
        parts[between] = scipy.optimize.lsq_linear(told, wanted, bounds=(0, 1)).x
        return list(parts), [_mean_square(each) for each in left]

    def _wrong(self, residuals: list[np.ndarray], usual: list[float]) -> list[float]:
        """Variance of each view that neither the image, its blur nor noise explains."""
        rng = np.random.default_rng(0)
        noise = [rng.normal(size=len(own)) for own in residuals]
        passed = self._residuals(noise, self._image(noise, np.zeros(self.grid.size)))
        known = excess_noise(self.views, self.scale)
        squares = [
            (_mean_square(own), _mean_square(each))
            for own, each in zip(residuals, passed, strict=True)
        ]
        return [
            max(0.0, (own - DETAIL**2 * expected) / max(gain, TINY) - known)
            for (own, gain), expected in zip(squares, usual, strict=True)
        ]

    def _image(self, values: Sequence[np.ndarray], start: np.ndarray) -> np.ndarray:
        """(voxels,) the Tikhonov reconstruction."""
        stacked = np.concatenate(values).astype(np.float64)
        return self.tikhonov.least(stacked, start, TOLERANCE, logging.DEBUG)

    def _lost(self, image: np.ndarray) -> list[np.ndarray]:
        """What each view loses by interpolation, of its shape; zero on the grid and without row."""
        volume = image.reshape(self.grid.shape)
        return [
            np.zeros(view.volume.grid.shape, np.float32)
            if centred
            else lost_by_interpolation(view, self.grid, volume, seen)
            for view, centred, seen in zip(self.views, self.centred, self.seen, strict=True)
        ]

    def _residuals(self, values: list[np.ndarray], image: np.ndarray) -> list[np.ndarray]:
        predicted = self._split(self.matrix @ image)
        return [own - there for own, there in zip(values, predicted, strict=True)]

    def _of_rows(self, lost: list[np.ndarray]) -> list[np.ndarray]:
        return [one.ravel()[seen] for one, seen in zip(lost, self.seen, strict=True)]

    def _split(self, stacked: np.ndarray) -> list[np.ndarray]:
        return np.split(stacked, np.cumsum([int(seen.sum()) for seen in self.seen])[:-1])


def around(lost: np.ndarray) -> np.ndarray:
    """Root mean square of an array in the 27 voxels around each of its own."""
    # Running sums may end a little below zero where nothing follows something.
    return np.sqrt(np.maximum(scipy.ndimage.uniform_filter(lost**2, 3), 0))


def _trusted_rows(view: View, grid: Grid) -> tuple["scipy.sparse.csr_array", np.ndarray]:
    """`measured_rows` of slices that are trusted fully: one spoilt slice would tell of them all."""
    rows, seen = measured_rows(view, grid)
    full = view.voxel_trust.ravel() >= 1
    return rows[full[seen]], seen & full


def _mean_square(values: np.ndarray) -> float:
    return float(np.mean(values**2)) if values.size else 0.0
