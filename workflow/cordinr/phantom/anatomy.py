"""The anatomy of an analytic spine: its parameters, its coordinates and distances in it.

Everything is described in the frame of the cord, in mm: `u` points to the right, `v` to the front,
and `s` runs along the arc of the cord.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .shapes import Texture, ellipse

TISSUE_SIGNAL = {
    "csf": 1000.0,
    "fat": 640.0,
    "nucleus": 520.0,
    "vein": 560.0,
    "gm": 445.0,
    "wm": 335.0,
    "marrow": 290.0,
    "root": 300.0,
    "mucosa": 480.0,
    "thyroid": 380.0,
    "skin": 200.0,
    "muscle": 125.0,
    "annulus": 85.0,
    "ligament": 35.0,
    "cortex": 30.0,
    "dura": 45.0,
}
"""Nominal noise-free signal of each tissue in arbitrary units; subjects deviate by up to 5 %."""

CORD_SIGNAL = 370.0
"""Mean signal of the cord (grey and white matter) over subjects, to which an SNR refers."""


@dataclass(frozen=True, eq=False)
class Phantom:
    """The anatomy of one subject, with lengths in mm and angles in rad; made by `Phantom.draw`.

    Points `at` of shape (3, N) are cord coordinates, as returned by `frame`; points `xyz` of shape
    (N, 3) are world coordinates in mm.

    Attributes:
        tissue: signal of each tissue.
        textures: random textures by name.
        levels: random numbers in [-1, 1] of shape (64, 4), one row per vertebra, for the signal of
            the nucleus, the bulge of the disc, the length of the spinous process and the signal of
            the marrow.
        lordosis: amplitude, wave number and phase of the sagittal curve.
        scoliosis: amplitude, wave number and phase of the coronal curve.
        cord_half: semi-axes of the cord along `u` and `v`.
        enlargement: relative amplitude and phase of the change of the cross-section along the cord.
        sac_half: semi-axes of the dural sac along `u` and `v`.
        sac_shift: position along `v` of the centre of the dural sac.
        spacing: distance between vertebrae along the arc of the cord.
        level_phase: offset of the vertebrae along the arc, as a fraction of `spacing`.
        disc_height: height of the discs.
        disc_tilt: slope of the discs, in mm along the arc per mm along `v`.
        body_half: half widths of the vertebral bodies along `u` and `v`.
        spinous: reach of the spinous processes behind the cord, and their downward slope.
        skin_depth: distance from the skin at the back of the neck to the centre of the cord.
        fat_depth: thickness of the subcutaneous fat.
        shading: gain of the coil towards the back, and phases of its slow ripples along x and z.
    """

    tissue: dict[str, float]
    textures: dict[str, Texture]
    levels: np.ndarray
    lordosis: tuple[float, float, float]
    scoliosis: tuple[float, float, float]
    cord_half: tuple[float, float]
    enlargement: tuple[float, float]
    sac_half: tuple[float, float]
    sac_shift: float
    spacing: float
    level_phase: float
    disc_height: float
    disc_tilt: float
    body_half: tuple[float, float]
    spinous: tuple[float, float]
    skin_depth: float
    fat_depth: float
    shading: tuple[float, float, float]

    @classmethod
    def draw(cls, subject: int, seed: int) -> Phantom:
        """Draw the anatomy of a subject; the same numbers always give the same anatomy.

        Args:
            subject: number of the subject, at least 0.
            seed: seed of the random numbers of all subjects, at least 0.
        """
        rng = np.random.default_rng([seed, subject])
        between = rng.uniform
        textures = {
            "muscle": Texture.draw(rng, (2.0, 9.0), 5.0, between(-0.2, 0.2, 2), 28),
            "streak": Texture.draw(rng, (2.5, 12.0), 6.0, between(-0.15, 0.15, 2), 20),
            "fat": Texture.draw(rng, (3.0, 12.0), 1.6, count=20),
            "bone": Texture.draw(rng, (2.0, 7.0), 1.3, count=24),
            "cord": Texture.draw(rng, (2.0, 8.0), 5.0, count=16),
            "csf": Texture.draw(rng, (6.0, 12.0), 3.0, count=10),
            "warp": Texture.draw(rng, (14.0, 40.0), 2.0, count=8),
        }
        skin_depth = between(29.5, 32.0)
        return cls(
            tissue={name: value * between(0.95, 1.05) for name, value in TISSUE_SIGNAL.items()},
            textures=textures,
            levels=between(-1, 1, (64, 4)).astype(np.float32),
            lordosis=(between(4.0, 7.0), 2 * np.pi / between(220, 270), between(-0.35, 0.35)),
            scoliosis=(between(0.4, 1.6), 2 * np.pi / between(120, 220), between(0, 2 * np.pi)),
            cord_half=(between(5.9, 6.9), between(3.6, 4.1)),
            enlargement=(between(0.02, 0.05), between(0, 2 * np.pi)),
            sac_half=(between(9.0, 10.2), between(6.1, 6.9)),
            sac_shift=between(-0.8, 0.3),
            spacing=between(15.5, 18.0),
            level_phase=between(0, 1),
            disc_height=between(4.6, 5.6),
            disc_tilt=between(0.05, 0.22),
            body_half=(between(10.5, 12.5), between(7.0, 8.2)),
            spinous=(skin_depth - between(6.5, 8.0), between(0.3, 0.55)),
            skin_depth=skin_depth,
            fat_depth=between(3.0, 4.8),
            shading=(between(0.15, 0.35), between(0, 2 * np.pi), between(0, 2 * np.pi)),
        )

    @property
    def canal_front(self) -> float:
        """Position along `v` in mm of the posterior wall of the vertebral bodies."""
        return self.sac_half[1] + self.sac_shift + 1.1

    @property
    def body_front(self) -> float:
        """Position along `v` in mm of the anterior wall of the vertebral bodies."""
        return self.canal_front + 2 * self.body_half[1]

    def frame(self, xyz: np.ndarray) -> np.ndarray:
        """Compute the cord coordinates of points.

        Args:
            xyz: world coordinates in mm, of shape (N, 3).

        Returns:
            float32 of shape (3, N): the coordinates u, v and s in mm.
        """
        x, y, z = np.asarray(xyz, dtype=np.float32).T
        (a, k, p), (b, m, r) = self.lordosis, self.scoliosis
        # From `math`, because a float64 scalar of NumPy would convert all points to float64.
        sin_r, cos_p = math.sin(r), math.cos(p)
        t = z
        for _ in range(2):  # Newton steps to the foot of the perpendicular on the centreline
            off_x = x - b * (np.sin(m * t + r) - sin_r)
            off_y = y - a * (np.cos(k * t + p) - cos_p)
            slope_x, slope_y = b * m * np.cos(m * t + r), -a * k * np.sin(k * t + p)
            bend = 1 + slope_x**2 + slope_y**2 + off_y * a * k * k * np.cos(k * t + p)
            t = t + (z - t + slope_x * off_x + slope_y * off_y) / np.maximum(bend, 0.4)
        off_x = x - b * (np.sin(m * t + r) - sin_r)
        off_y = y - a * (np.cos(k * t + p) - cos_p)
        slope_y = -a * k * np.sin(k * t + p)
        v = (off_y - slope_y * (z - t)) / np.sqrt(1 + slope_y**2)
        # Arc length to second order in the slopes: t + (1/2) int x'^2 + y'^2
        s = t + (b * m) ** 2 / 4 * (t + np.sin(2 * (m * t + r)) / (2 * m))
        s = s + (a * k) ** 2 / 4 * (t - np.sin(2 * (k * t + p)) / (2 * k))
        return np.stack([off_x, v, s])

    def depth(self, at: np.ndarray) -> np.ndarray:
        """Compute the depth of points under the skin of the neck.

        Args:
            at: cord coordinates in mm, of shape (3, N).

        Returns:
            Depths in mm of shape (N,), negative in air.
        """
        return -ellipse(at[0], at[1] - 50 + self.skin_depth, 58.0, 50.0)

    def cord_distance(self, at: np.ndarray) -> np.ndarray:
        """Compute the signed distance of points from the surface of the cord.

        Args:
            at: cord coordinates in mm, of shape (3, N).

        Returns:
            Distances in mm of shape (N,), negative inside the cord.
        """
        relative, phase = self.enlargement
        swell = 1 + relative * np.cos(at[2] / 29 + phase)
        return ellipse(at[0], at[1], self.cord_half[0] * swell, self.cord_half[1] * (2 - swell))

    def level(self, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the nearest vertebra of points, and their height above its middle.

        Args:
            along: arc lengths in mm, of shape (N,).

        Returns:
            Numbers of the vertebrae, int of shape (N,), and heights in mm of shape (N,).
        """
        place = along / self.spacing + self.level_phase
        number = np.rint(place)
        return number.astype(np.int64), (place - number) * self.spacing

    def cord(self, xyz: np.ndarray) -> np.ndarray:
        """Tell which points lie inside the cord.

        Args:
            xyz: world coordinates in mm, of shape (N, 3).

        Returns:
            bool of shape (N,).
        """
        return self.cord_distance(self.frame(xyz)) < 0
