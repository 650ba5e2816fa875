"""The anatomy of an analytic spine: its parameters, its coordinates and distances in it.

Everything is described in the frame of the cord, in mm: `u` points to the right, `v` to the front,
and `s` runs along the arc of the cord.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .shapes import Texture, ellipse

SIGNAL = {
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
"""Nominal noise-free signal of each tissue, arbitrary units; a subject's is within 5 % of it."""

CORD_SIGNAL = 370.0
"""Mean cord signal of the cohort, grey and white matter, the default numerator of an SNR."""


@dataclass(frozen=True, eq=False)
class Phantom:
    """One anatomy; lengths in mm, angles in rad. Use `Phantom.draw`.

    Points `at` (3, N) are cord coordinates, as from `frame`; points `xyz` (N, 3) are world mm.
    """

    tissue: dict[str, float]
    textures: dict[str, Texture]
    levels: (
        np.ndarray
    )  # (64, 4) in [-1, 1]: nucleus signal, disc bulge, spinous length, marrow signal
    lordosis: tuple[float, float, float]  # amplitude, wave number, phase of the sagittal curve
    scoliosis: tuple[float, float, float]  # the same of the coronal curve
    cord_half: tuple[float, float]
    enlargement: tuple[float, float]  # relative, phase
    sac_half: tuple[float, float]
    sac_shift: float
    spacing: float  # of the vertebrae, along the arc
    level_phase: float
    disc_height: float
    disc_tilt: float
    body_half: tuple[float, float]
    spinous: tuple[float, float]  # reach behind the cord, downward slope
    skin_depth: float
    fat_depth: float
    shading: tuple[float, float, float]  # posterior gain, phases of the slow ripple along x and z

    @classmethod
    def draw(cls, subject: int, seed: int) -> Phantom:
        """Draw the anatomy of `subject` in the cohort `seed`, both integers >= 0; deterministic."""
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
            tissue={name: value * between(0.95, 1.05) for name, value in SIGNAL.items()},
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
        """Place `v` in mm of the back wall of the vertebral bodies."""
        return self.sac_half[1] + self.sac_shift + 1.1

    @property
    def body_front(self) -> float:
        """Place `v` in mm of the front wall of the vertebral bodies."""
        return self.canal_front + 2 * self.body_half[1]

    def frame(self, xyz: np.ndarray) -> np.ndarray:
        """Cord coordinates (u, v, s), float32 (3, N) in mm, of the world points `xyz` (N, 3)."""
        x, y, z = np.asarray(xyz, dtype=np.float32).T
        (a, k, p), (b, m, r) = self.lordosis, self.scoliosis
        # from `math`: a float64 scalar of NumPy would turn the float32 of all points to float64
        sin_r, cos_p = math.sin(r), math.cos(p)
        t = z
        for _ in range(2):  # Newton steps towards the foot of the perpendicular on the centreline
            off_x = x - b * (np.sin(m * t + r) - sin_r)
            off_y = y - a * (np.cos(k * t + p) - cos_p)
            slope_x, slope_y = b * m * np.cos(m * t + r), -a * k * np.sin(k * t + p)
            bend = 1 + slope_x**2 + slope_y**2 + off_y * a * k * k * np.cos(k * t + p)
            t = t + (z - t + slope_x * off_x + slope_y * off_y) / np.maximum(bend, 0.4)
        off_x = x - b * (np.sin(m * t + r) - sin_r)
        off_y = y - a * (np.cos(k * t + p) - cos_p)
        slope_y = -a * k * np.sin(k * t + p)
        v = (off_y - slope_y * (z - t)) / np.sqrt(1 + slope_y**2)
        # arc length to second order in the slopes: t + (1/2) int x'^2 + y'^2
        s = t + (b * m) ** 2 / 4 * (t + np.sin(2 * (m * t + r)) / (2 * m))
        s = s + (a * k) ** 2 / 4 * (t - np.sin(2 * (k * t + p)) / (2 * k))
        return np.stack([off_x, v, s])

    def depth(self, at: np.ndarray) -> np.ndarray:
        """Depth (N,) in mm of the points `at` under the skin of the neck, negative in air."""
        return -ellipse(at[0], at[1] - 50 + self.skin_depth, 58.0, 50.0)

    def cord_distance(self, at: np.ndarray) -> np.ndarray:
        """Distance (N,) in mm of the points `at` from the surface of the cord, negative inside."""
        relative, phase = self.enlargement
        swell = 1 + relative * np.cos(at[2] / 29 + phase)
        return ellipse(at[0], at[1], self.cord_half[0] * swell, self.cord_half[1] * (2 - swell))

    def level(self, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Vertebra (N,) int nearest to the arc length `along` and the mm (N,) above its middle."""
        place = along / self.spacing + self.level_phase
        number = np.rint(place)
        return number.astype(np.int64), (place - number) * self.spacing

    def cord(self, xyz: np.ndarray) -> np.ndarray:
        """Whether each of the world points `xyz` (N, 3), mm, lies inside the cord: (N,) bool."""
        return self.cord_distance(self.frame(xyz)) < 0
