"""Analytic shapes and textures that the phantom is composed of; all lengths are in mm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

EDGE_WIDTH_MM = 0.5
"""Full width of the edge of a tissue in mm."""


@dataclass(frozen=True)
class Texture:
    """A random texture of unit variance: a sum of plane waves.

    Attributes:
        waves: wave vectors in rad/mm along u, v and s, of shape (M, 3).
        phases: phases of the waves in rad, of shape (M,).
    """

    waves: np.ndarray
    phases: np.ndarray

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        periods: tuple[float, float] = (2.0, 10.0),
        stretch: float = 1.0,
        tilt: Sequence[float] | np.ndarray = (0.0, 0.0),
        count: int = 20,
    ) -> Texture:
        """Draw a texture with waves of random direction, period and phase.

        Args:
            rng: random number generator.
            periods: shortest and longest period in mm; periods are log-uniform between the two.
            stretch: factor by which the texture is elongated along the fibres.
            tilt: components along u and v of the direction of the fibres, whose component along s
                is 1.
            count: number of waves.
        """
        direction = rng.normal(size=(count, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        shortest, longest = np.log(periods)
        period = np.exp(rng.uniform(shortest, longest, size=(count, 1)))
        waves = 2 * np.pi * direction / period
        waves[:, 2] = waves[:, 2] / stretch - waves[:, 0] * tilt[0] - waves[:, 1] * tilt[1]
        phases = rng.uniform(0, 2 * np.pi, count)
        return cls(waves.astype(np.float32), phases.astype(np.float32))

    def __call__(self, at: np.ndarray) -> np.ndarray:
        """Compute the texture at points.

        Args:
            at: cord coordinates in mm, of shape (3, N).

        Returns:
            float32 of shape (N,).
        """
        angle = self.waves @ at
        angle += self.phases[:, None]
        return np.cos(angle, out=angle).sum(axis=0) * np.float32(np.sqrt(2 / len(self.phases)))


def edge(distance: np.ndarray, width: float = EDGE_WIDTH_MM) -> np.ndarray:
    """Compute the opacity of a shape near its edge: a smoothstep from 1 inside to 0 outside.

    Args:
        distance: signed distance from the edge in mm, negative inside.
        width: full width of the edge in mm.

    Returns:
        Opacity in [0, 1], of the shape of `distance`.
    """
    cover = np.clip(0.5 - distance / width, 0, 1)
    return cover * cover * (3 - 2 * cover)


def bump(distance: np.ndarray, width: float) -> np.ndarray:
    """Compute the opacity of a thin sheet: exp(-(distance / width)^2).

    Args:
        distance: distance from the middle of the sheet in mm.
        width: distance in mm at which the opacity has fallen to 1/e.

    Returns:
        Opacity in [0, 1], of the shape of `distance`.
    """
    return np.exp(-np.square(distance / width))


def ellipse(
    u: np.ndarray, v: np.ndarray, half_u: float | np.ndarray, half_v: float | np.ndarray
) -> np.ndarray:
    """Compute the signed distance from an axis-aligned ellipse, exact to first order at its edge.

    Args:
        u: coordinates in mm along the first axis, relative to the centre.
        v: coordinates in mm along the second axis, relative to the centre.
        half_u: semi-axis in mm along the first axis.
        half_v: semi-axis in mm along the second axis.

    Returns:
        Distances in mm, negative inside.
    """
    p, q = u / half_u, v / half_v
    radius = np.sqrt(p * p + q * q)
    slope = np.sqrt(np.square(p / half_u) + np.square(q / half_v)) + 1e-6
    return radius * (radius - 1) / slope


def segment(
    u: np.ndarray, v: np.ndarray, start: tuple[float, float], end: tuple[float, float]
) -> np.ndarray:
    """Compute the distance from a line segment.

    Args:
        u: coordinates in mm along the first axis.
        v: coordinates in mm along the second axis.
        start: coordinates (u, v) in mm of one end of the segment.
        end: coordinates (u, v) in mm of the other end.

    Returns:
        Distances in mm.
    """
    du, dv = end[0] - start[0], end[1] - start[1]
    along = np.clip(((u - start[0]) * du + (v - start[1]) * dv) / (du * du + dv * dv), 0, 1)
    return np.hypot(u - start[0] - along * du, v - start[1] - along * dv)


def meet(first: np.ndarray, second: float | np.ndarray, radius: float) -> np.ndarray:
    """Compute the signed distance from the intersection of two shapes.

    Args:
        first: signed distances in mm from the first shape, negative inside.
        second: signed distances in mm from the second shape, negative inside.
        radius: radius in mm with which the rim of the intersection is rounded.

    Returns:
        Distances in mm, negative inside.
    """
    p, q = first + radius, second + radius
    return np.hypot(np.maximum(p, 0), np.maximum(q, 0)) + np.minimum(np.maximum(p, q), 0) - radius


def box(
    u: np.ndarray,
    v: np.ndarray,
    half_u: float | np.ndarray,
    half_v: float | np.ndarray,
    radius: float,
) -> np.ndarray:
    """Compute the signed distance from an axis-aligned rectangle with rounded corners.

    Args:
        u: coordinates in mm along the first axis, relative to the centre.
        v: coordinates in mm along the second axis, relative to the centre.
        half_u: half width in mm along the first axis.
        half_v: half width in mm along the second axis.
        radius: radius of the corners in mm.

    Returns:
        Distances in mm, negative inside.
    """
    return meet(np.abs(u) - half_u, np.abs(v) - half_v, radius)


def paint(image: np.ndarray, cover: np.ndarray, signal: float | np.ndarray) -> None:
    """Paint a signal over an image in place.

    Args:
        image: signal of shape (N,), changed in place.
        cover: opacity of the new signal in [0, 1], of shape (N,).
        signal: new signal, one value or of shape (N,).
    """
    image += cover * (signal - image)
