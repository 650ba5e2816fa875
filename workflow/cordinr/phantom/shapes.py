"""Shapes and textures that the phantom is painted with, all analytic and in mm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

EDGE = 0.5
"""Full width of the edge of a tissue, in mm."""


@dataclass(frozen=True)
class Texture:
    """Sum of plane waves, unit variance: `waves` (M, 3) in rad/mm on (u, v, s), `phases` (M,)."""

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
        """Draw `count` waves with log-uniform `periods` in mm.

        The pattern is drawn out `stretch` times along the fibre, whose direction is (*tilt, 1).
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
        """Value (N,) at points `at` (3, N) in mm."""
        angle = self.waves @ at
        angle += self.phases[:, None]
        return np.cos(angle, out=angle).sum(axis=0) * np.float32(np.sqrt(2 / len(self.phases)))


def edge(distance: np.ndarray, width: float = EDGE) -> np.ndarray:
    """Cover in [0, 1] at signed `distance` mm (negative inside): a smoothstep `width` mm wide."""
    cover = np.clip(0.5 - distance / width, 0, 1)
    return cover * cover * (3 - 2 * cover)


def bump(distance: np.ndarray, width: float) -> np.ndarray:
    """Gaussian cover exp(-(distance/width)^2) of a thin sheet."""
    return np.exp(-np.square(distance / width))


def ellipse(
    u: np.ndarray, v: np.ndarray, half_u: float | np.ndarray, half_v: float | np.ndarray
) -> np.ndarray:
    """Signed distance in mm to an axis-aligned ellipse, exact to first order at its edge."""
    p, q = u / half_u, v / half_v
    radius = np.sqrt(p * p + q * q)
    slope = np.sqrt(np.square(p / half_u) + np.square(q / half_v)) + 1e-6
    return radius * (radius - 1) / slope


def segment(
    u: np.ndarray, v: np.ndarray, start: tuple[float, float], end: tuple[float, float]
) -> np.ndarray:
    """Distance in mm from the segment `start`-`end`, both (u, v)."""
    du, dv = end[0] - start[0], end[1] - start[1]
    along = np.clip(((u - start[0]) * du + (v - start[1]) * dv) / (du * du + dv * dv), 0, 1)
    return np.hypot(u - start[0] - along * du, v - start[1] - along * dv)


def meet(first: np.ndarray, second: float | np.ndarray, radius: float) -> np.ndarray:
    """Signed distance to the intersection of two shapes, its rim rounded with `radius` mm."""
    p, q = first + radius, second + radius
    return np.hypot(np.maximum(p, 0), np.maximum(q, 0)) + np.minimum(np.maximum(p, q), 0) - radius


def box(
    u: np.ndarray,
    v: np.ndarray,
    half_u: float | np.ndarray,
    half_v: float | np.ndarray,
    radius: float,
) -> np.ndarray:
    """Signed distance to a rectangle with corners rounded with `radius` mm."""
    return meet(np.abs(u) - half_u, np.abs(v) - half_v, radius)


def paint(image: np.ndarray, cover: np.ndarray, signal: float | np.ndarray) -> None:
    """Lay `signal` over `image` in place, as opaque as `cover` in [0, 1]."""
    image += cover * (signal - image)
