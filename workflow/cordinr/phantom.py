"""An analytic T2-weighted spine: signal as a function of position, one anatomy per (subject, seed).

Everything is drawn in the frame of the cord, in mm: `u` to the right, `v` anterior, `s` along the
arc. Tissues are painted from the skin inwards, each over the last with an edge of `EDGE` mm, so a
voxel average converges with few points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

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

EDGE = 0.5
"""Full width in mm of a tissue edge."""

CHUNK = 1 << 15
"""Points evaluated at a time, so that the temporaries stay in cache."""


@dataclass(frozen=True)
class Texture:
    """Sum of plane waves, unit variance: `waves` (M, 3) in rad/mm on (u, v, s), `phases` (M,)."""

    waves: np.ndarray
    phases: np.ndarray

    @classmethod
    def draw(cls, rng, periods=(2.0, 10.0), stretch=1.0, tilt=(0.0, 0.0), count=20) -> Texture:
        """Draw `count` waves with log-uniform `periods` in mm.

        The pattern is drawn out `stretch` times along the fibre, whose direction is (*tilt, 1).
        """
        direction = rng.normal(size=(count, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        period = np.exp(rng.uniform(*np.log(periods), size=(count, 1)))
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


def ellipse(u, v, half_u, half_v) -> np.ndarray:
    """Signed distance in mm to an axis-aligned ellipse, exact to first order at its edge."""
    p, q = u / half_u, v / half_v
    radius = np.sqrt(p * p + q * q)
    slope = np.sqrt(np.square(p / half_u) + np.square(q / half_v)) + 1e-6
    return radius * (radius - 1) / slope


def segment(u, v, start, end) -> np.ndarray:
    """Distance in mm from the segment `start`-`end`, both (u, v)."""
    du, dv = end[0] - start[0], end[1] - start[1]
    along = np.clip(((u - start[0]) * du + (v - start[1]) * dv) / (du * du + dv * dv), 0, 1)
    return np.hypot(u - start[0] - along * du, v - start[1] - along * dv)


def meet(first, second, radius: float) -> np.ndarray:
    """Signed distance to the intersection of two shapes, its rim rounded with `radius` mm."""
    p, q = first + radius, second + radius
    return np.hypot(np.maximum(p, 0), np.maximum(q, 0)) + np.minimum(np.maximum(p, q), 0) - radius


def box(u, v, half_u, half_v, radius: float) -> np.ndarray:
    """Signed distance to a rectangle with corners rounded with `radius` mm."""
    return meet(np.abs(u) - half_u, np.abs(v) - half_v, radius)


def paint(image: np.ndarray, cover: np.ndarray, signal) -> None:
    """Lay `signal` over `image` in place, as opaque as `cover` in [0, 1]."""
    image += cover * (signal - image)


@dataclass(frozen=True, eq=False)
class Phantom:
    """One anatomy; lengths in mm, angles in rad. Use `Phantom.draw`."""

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
        t = z
        for _ in range(2):  # Newton steps towards the foot of the perpendicular on the centreline
            off_x, off_y = (
                x - b * (np.sin(m * t + r) - np.sin(r)),
                y - a * (np.cos(k * t + p) - np.cos(p)),
            )
            slope_x, slope_y = b * m * np.cos(m * t + r), -a * k * np.sin(k * t + p)
            bend = 1 + slope_x**2 + slope_y**2 + off_y * a * k * k * np.cos(k * t + p)
            t = t + (z - t + slope_x * off_x + slope_y * off_y) / np.maximum(bend, 0.4)
        off_x, off_y = (
            x - b * (np.sin(m * t + r) - np.sin(r)),
            y - a * (np.cos(k * t + p) - np.cos(p)),
        )
        slope_y = -a * k * np.sin(k * t + p)
        v = (off_y - slope_y * (z - t)) / np.sqrt(1 + slope_y**2)
        # arc length to second order in the slopes: t + (1/2) int x'^2 + y'^2
        s = t + (b * m) ** 2 / 4 * (t + np.sin(2 * (m * t + r)) / (2 * m))
        s = s + (a * k) ** 2 / 4 * (t - np.sin(2 * (k * t + p)) / (2 * k))
        return np.stack([off_x, v, s]).astype(np.float32)

    def cord(self, xyz: np.ndarray) -> np.ndarray:
        """Whether each of the world points `xyz` (N, 3), mm, lies inside the cord: (N,) bool."""
        return self._cord_distance(self.frame(xyz)) < 0

    def intensity(self, xyz: np.ndarray) -> np.ndarray:
        """Noise-free T2w signal, float32 (N,), at the world points `xyz` (N, 3) in mm, R-A-S+.

        Air is 0 and cerebrospinal fluid about 1000; coil shading is included. Raises ValueError
        when `xyz` is not (N, 3).
        """
        xyz = np.asarray(xyz)
        if xyz.ndim != 2 or xyz.shape[1] != 3:
            raise ValueError(f"Points must be an (N, 3) array in mm, got shape {xyz.shape}.")
        image = np.empty(len(xyz), np.float32)
        for start in range(0, len(xyz), CHUNK):
            part = slice(start, start + CHUNK)
            image[part] = self._signal(self.frame(xyz[part])) * self._coil(xyz[part])
        return image

    def _coil(self, xyz) -> np.ndarray:
        """Receive sensitivity (N,): smooth, 1 at the origin, higher towards the coil behind."""
        gain, phase_x, phase_z = self.shading
        x, y, z = xyz.astype(np.float32).T
        ripple = (1 + 0.05 * np.sin(x / 28 + phase_x)) * (1 + 0.06 * np.sin(z / 35 + phase_z))
        at_origin = (1 + 0.05 * np.sin(phase_x)) * (1 + 0.06 * np.sin(phase_z))
        return ripple / at_origin * (1 - gain * np.tanh(y / 45))

    def _cord_distance(self, at) -> np.ndarray:
        relative, phase = self.enlargement
        swell = 1 + relative * np.cos(at[2] / 29 + phase)
        return ellipse(at[0], at[1], self.cord_half[0] * swell, self.cord_half[1] * (2 - swell))

    def _depth(self, at) -> np.ndarray:
        """Depth (N,) in mm under the skin of the neck, negative in air."""
        return -ellipse(at[0], at[1] - 50 + self.skin_depth, 58.0, 50.0)

    def _signal(self, at) -> np.ndarray:
        """Signal (N,) without shading at cord coordinates `at` (3, N).

        Each painter runs only on the points where it can show.
        """
        image = np.zeros(at.shape[1], np.float32)
        u, v, depth = np.abs(at[0]), at[1], self._depth(at)
        column = (u < 25) & (v > -self.spinous[0] - 4) & (v < self.body_front + 3)
        canal = (
            (u < self.sac_half[0] + 4) & (v > -self.sac_half[1] - 6) & (v < self.canal_front + 1)
        )
        for painter, where in (
            (self._paint_soft, depth > -EDGE),
            (self._paint_viscera, (depth > 3) & (v > self.body_front)),
            (self._paint_arches, column & (v < self.canal_front + 3)),
            (self._paint_column, column & (v > self.canal_front - 4)),
            (self._paint_foramina, column & (u > 5)),
            (self._paint_canal, canal),
        ):
            index = np.flatnonzero(where)
            if len(index):
                inside = image[index]
                painter(inside, at[:, index])
                image[index] = inside
        return image

    def _muscle(self, at, streak) -> np.ndarray:
        """Muscle signal with striations, and fat along the fibres where `streak` is high."""
        base = self.tissue["muscle"] * (1 + 0.22 * self.textures["muscle"](at))
        return base + 0.8 * (self.tissue["fat"] - base) * edge(1.7 - streak, 1.6)

    def _paint_soft(self, image, at) -> None:
        """Skin, subcutaneous fat and the layers of neck muscle with their fat septa."""
        u, v, depth = at[0], at[1], self._depth(at)
        warp, lobule = self.textures["warp"](at), self.textures["fat"](at)
        fat = self.tissue["fat"] * (1 + 0.06 * lobule) * (1 - 0.35 * bump(lobule, 0.12))
        streak = self.textures["streak"](at)
        image[:] = self._muscle(at, streak)
        around = np.hypot(u, 0.85 * (v + 11)) + 1.6 * warp + 0.5 * lobule
        behind = edge(v + 4, 4.0)
        for radius, opacity in ((8.5, 0.75), (13.0, 0.85), (17.0, 0.8), (24.0, 0.9), (33.0, 0.9)):
            patchy = np.clip(opacity + 0.35 * streak, 0, 1) * behind
            paint(image, bump(around - radius, 0.6) * patchy, 0.85 * fat)
        paint(
            image,
            bump(np.sin(u / 5.5 + 0.4 * warp) * 5.5, 0.45)
            * 0.7
            * (1 - behind)
            * edge(9 - np.abs(u)),
            fat,
        )
        midline = edge(v + 10, 3.0)
        between = (0.42 + 0.2 * np.clip(streak, -1, 1.5)) * fat
        paint(image, bump(u - 0.4 * warp, 1.7) * 0.9 * midline, between)
        nuchal = midline * edge(v + self.spinous[0] - 2.5, 3.0)
        paint(image, bump(u - 0.4 * warp, 0.45) * nuchal, self.tissue["ligament"])
        paint(image, edge(depth - self.fat_depth - 1.4 - 0.7 * warp, 0.8), fat)
        paint(image, edge(depth - 1.3), self.tissue["skin"] * (1 + 0.1 * lobule))
        image *= edge(-depth)

    def _paint_viscera(self, image, at) -> None:
        """What lies before the column: loose fat, oesophagus, trachea, thyroid, great vessels."""
        tissue, warp, lobule = self.tissue, self.textures["warp"](at), self.textures["fat"](at)
        side, v = np.abs(at[0]), at[1] - self.body_front
        loose = tissue["fat"] * (0.72 + 0.1 * lobule)
        depth = self._depth(at)
        straps = bump(depth - 10 + warp, 2.2)
        deep = edge(self.fat_depth + 2 + warp - depth, 1.2) * (1 - straps)
        paint(image, edge(5.0 + 0.6 * warp - v, 1.0) * deep, loose)
        paint(image, bump(v - 4.4 - 0.3 * warp, 0.5) * edge(side - 14, 4.0), 0.9 * tissue["fat"])
        gullet = ellipse(at[0] + 2.5, v - 7.2, 6.8, 2.5)
        windpipe = ellipse(at[0], v - 20 - 0.5 * warp, 9.0, 9.5)
        rings = 0.6 + 0.4 * np.cos(at[2] * (2 * np.pi / 4.5))
        for distance, signal in (
            (ellipse(side - 15, v - 16, 5.5, 9.0), tissue["thyroid"] * (1 + 0.08 * lobule)),
            (ellipse(side - 24, v - 12, 3.4, 3.4), tissue["ligament"]),
            (ellipse(side - 32, v - 9, 5.5, 4.0), tissue["vein"]),
            (gullet, tissue["muscle"] * 1.5),
            (np.abs(gullet + 1.3) - 0.4, tissue["mucosa"]),
            (windpipe, tissue["fat"] * 0.3 * (1.2 - 0.7 * rings)),
            (windpipe + 1.5, tissue["mucosa"]),
            (windpipe + 2.1, 0.0),
        ):
            paint(image, edge(distance), signal)

    def _level(self, along) -> tuple[np.ndarray, np.ndarray]:
        """Vertebra (N,) int nearest to the arc length `along` and the mm (N,) above its middle."""
        place = along / self.spacing + self.level_phase
        number = np.rint(place)
        return number.astype(np.int64), (place - number) * self.spacing

    def _paint_column(self, image, at) -> None:
        """Vertebral bodies with cortex, trabeculae and vein; discs; the two long ligaments."""
        tissue, (u, v, s) = self.tissue, at
        half_u, half_v = self.body_half[0] * (1 - 0.08 * np.tanh(s / 60)), self.body_half[1]
        v = v - self.canal_front - half_v
        along = s + self.disc_tilt * v - 0.012 * u * u
        number, above = self._level(along)
        half = (self.spacing - self.disc_height) / 2 - 0.5 * (
            1 - np.clip(np.abs(v) / half_v, 0, 1) ** 2
        )
        waist = 0.9 * (1 - np.minimum(np.square(above / half), 1))
        wide, deep = half_u - waist, half_v - waist
        oval = ellipse(u, v, 1.07 * wide, 1.04 * deep)
        around = 0.5 * (box(u * (1 + 0.12 * v / half_v), v, wide, deep, 5.0) + oval)
        paint(image, edge(around - 1.4 - waist), tissue["fat"] * 0.38)
        paint(image, edge(around - 0.45 - 0.5 * bump(u, 6.0)), tissue["ligament"])

        disc = self.levels[
            np.floor(along / self.spacing + self.level_phase).astype(np.int64) % 64, 0
        ]
        within = self.spacing / 2 - np.abs(above)
        paint(image, edge(around), tissue["annulus"] * (1 + 0.3 * bump(around + 2.0, 1.2)))
        nucleus = ellipse(
            np.hypot(u * half_v / half_u, v + 0.8), within, half_v * 0.68, self.disc_height * 0.42
        )
        bright = tissue["nucleus"] * (0.75 + 0.3 * disc) * (1 - 0.25 * bump(within, 0.5))
        paint(image, edge(nucleus, 1.4), bright)

        body = meet(around, np.abs(above) - half, 1.6)
        bone = self.textures["bone"](at)
        marrow = tissue["marrow"] * (1 + 0.08 * self.levels[number % 64, 3] + 0.15 * bone)
        paint(image, edge(body), tissue["cortex"])
        paint(image, edge(body + 0.5), marrow)
        vein = ellipse(np.hypot(u * 0.6, above * 1.6), v + half_v, 1.6, 4.5)
        paint(image, edge(vein, 1.0) * edge(body + 0.2), tissue["vein"] * 0.9)

    def _paint_arches(self, image, at) -> None:
        """Pillars with facet joints, pedicles, laminae, ligamenta flava and spinous processes."""
        tissue, v, s = self.tissue, at[1], at[2]
        u = np.abs(at[0])
        back = -self.sac_half[1] + self.sac_shift - 4.6
        reach, fall = self.spinous
        ridge = segment(u, v, (0.0, back), (14.0, -3.5))
        paint(image, edge(ridge - 1.1), tissue["ligament"] + 0.1 * tissue["fat"])

        number, above = self._level(s + 2.5 - fall * np.minimum(v - back, 3.0))
        length = reach - 1.6 * (1 + self.levels[number % 64, 2])
        middle, tip = (back - length) / 2, np.clip((v + length) / 6.0, 0, 1)
        flare = 1 - tip
        process = box(u - 1.2 * flare, v - middle, 1.5 + 0.5 * flare, (length + back) / 2, 1.4)
        process = meet(process, np.abs(above) - 3.3 - 0.9 * np.abs(2 * tip - 1), 1.6)
        lamina = meet(ridge - 2.1, np.abs(above) - 5.0, 1.5)
        pedicle = meet(
            segment(u, v, (9.5, 6.0), (13.5, 0.0)) - 2.4, np.abs(self._level(s)[1] - 1.5) - 3.2, 1.5
        )
        joint = np.abs(self._level(s + self.spacing / 2 + 0.8 * (v + 1.5))[1])
        pillar = np.maximum(ellipse(u - 14.0, v + 1.5, 4.6, 5.2), 0.7 - joint)
        bone = np.minimum(np.minimum(process, lamina), np.minimum(pedicle, pillar))
        spongy = tissue["marrow"] * (1.05 + 0.14 * self.textures["bone"](at))
        paint(image, edge(ellipse(u - 14.0, v + 1.5, 5.0, 5.6)), tissue["ligament"])
        paint(
            image,
            bump(joint, 0.35) * edge(ellipse(u - 14.0, v + 1.5, 3.8, 4.4)),
            0.6 * tissue["csf"],
        )
        paint(image, edge(bone), tissue["cortex"])
        paint(image, edge(bone + 0.7), spongy)

    def _paint_foramina(self, image, at) -> None:
        """Foraminal fat, roots with their ganglia, transverse foramina and vertebral arteries."""
        tissue, v, s = self.tissue, at[1], at[2]
        u = np.abs(at[0])
        above = self._level(s)[1]
        tunnel = self._level(s + self.spacing / 2 + 0.25 * (u - 8))[1]
        artery = np.hypot(u - 16.0, v - 7.5)
        ring = meet(np.abs(artery - 3.3) - 0.8, np.abs(above) - 3.4, 0.8)
        paint(image, edge(artery - 3.2), 0.7 * tissue["fat"])
        paint(image, edge(ring), tissue["cortex"])
        paint(image, edge(ring + 0.6), tissue["marrow"])
        root = np.hypot(segment(u, v, (7.5, -0.5), (21.0, 6.5)), tunnel)
        thick = 1.4 + 0.9 * bump(u - 14.0, 2.8)
        paint(image, edge(root - thick - 1.5, 0.8), 0.85 * tissue["fat"])
        paint(image, edge(root - thick - 0.6) * edge(u - 12.0, 2.0), 0.8 * tissue["csf"])
        paint(image, edge(root - thick), tissue["root"])
        paint(image, edge(artery - 2.3), tissue["muscle"])
        paint(image, edge(artery - 1.8), 0.5 * tissue["ligament"])

    def _paint_canal(self, image, at) -> None:
        """Epidural fat, dura, cerebrospinal fluid with rootlets, and the cord."""
        tissue, (u, v, s) = self.tissue, at
        place = s + self.disc_tilt * (v - self.canal_front - self.body_half[1])
        number = np.floor(place / self.spacing + self.level_phase).astype(np.int64)
        from_disc = self.spacing / 2 - np.abs(self._level(place)[1])
        bulge = 0.5 * (1 + self.levels[number % 64, 1]) * bump(from_disc, 2.6) * edge(-v, 4.0)
        half_u, half_v = self.sac_half
        sac = ellipse(u, v - self.sac_shift + bulge, half_u, half_v)
        canal = ellipse(u, v - self.sac_shift + 0.6 + bulge, half_u + 1.2, half_v + 1.3)
        pad = (
            segment(u, v, (0.0, self.sac_shift - half_v), (0.0, self.sac_shift - half_v - 2.2))
            - 1.6
        )
        pad = pad + 2.0 * (1 - bump(from_disc, 5.0))
        paint(
            image,
            edge(np.minimum(canal, pad)),
            tissue["fat"] * (0.85 + 0.08 * self.textures["fat"](at)),
        )
        paint(image, edge(sac - 0.55), tissue["dura"])
        paint(image, edge(sac), tissue["csf"] * (1 + 0.05 * self.textures["csf"](at)))
        self._paint_rootlets(image, at)
        self._paint_cord(image, at)

    def _paint_rootlets(self, image, at) -> None:
        """Fans of ventral and dorsal rootlets from the cord to the root sleeves."""
        u, v, s = np.abs(at[0]), at[1], at[2]
        wide, deep = self.cord_half
        filament = self.spacing / 5
        slanted = (s + 0.9 * u + 1.5 * self.textures["csf"](at)) / filament
        number = np.rint(slanted)
        along = (slanted - number) * filament
        faint = 0.45 + 0.4 * self.levels[number.astype(np.int64) % 64, 1]
        end = (self.sac_half[0] - 0.6, self.sac_shift - 0.3)
        for start in ((0.5 * wide, 0.85 * deep), (0.55 * wide, -0.8 * deep)):
            strand = np.hypot(segment(u, v, start, end), 0.6 * along)
            paint(image, edge(strand - 0.4) * faint, self.tissue["root"])

    def _paint_cord(self, image, at) -> None:
        """White matter, the grey-matter butterfly and the anterior fissure."""
        tissue, (u, v, _) = self.tissue, at
        p, q = np.abs(u) * (6.5 / self.cord_half[0]), v * (3.9 / self.cord_half[1])
        horns = np.minimum(
            ellipse(p - 1.9, q - 0.8, 1.15, 1.0), segment(p, q, (1.5, 0.0), (3.0, -2.3)) - 0.5
        )
        grey = np.minimum(horns, segment(p, q, (0.0, -0.1), (1.6, 0.1)) - 0.45)
        cord = self._cord_distance(at)
        matter = tissue["wm"] + edge(grey, 0.4) * (tissue["gm"] - tissue["wm"])
        matter = (
            matter
            * (1 + 0.03 * self.textures["cord"](at))
            * (1 - 0.08 * bump(u, 0.25) * edge(q + 0.6))
        )
        paint(image, edge(cord), matter)
        paint(image, bump(u, 0.22) * edge(1.5 - q) * edge(cord - 0.2) * 0.6, tissue["csf"])


def default_grid(
    voxel_mm: float, extent_mm=(40.0, 70.0, 60.0)
) -> tuple[tuple[int, int, int], np.ndarray]:
    """Shape and R-A-S+ affine (4, 4) of isotropic voxels in a field of view about the origin.

    The shape is `extent_mm` / `voxel_mm` to the nearest voxel: (40, 70, 60) at 1 mm and
    (80, 140, 120) at 0.5 mm, over the same field. Raises ValueError when a length is not positive.
    """
    extent = np.asarray(extent_mm, dtype=float)
    if voxel_mm <= 0 or extent.shape != (3,) or np.any(extent <= 0):
        raise ValueError(
            f"Voxel and three extents must be positive mm, got {voxel_mm} and {extent_mm}."
        )
    shape = np.maximum(np.rint(extent / voxel_mm), 1).astype(int)
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = -voxel_mm * (shape - 1) / 2
    return tuple(int(n) for n in shape), affine


def _points(shape, affine, offsets) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield blocks of the flat voxel index with their world points (voxels * offsets, 3) in mm.

    A block has at most 4 `CHUNK` points, whatever the shape; `offsets` (M, 3) are in voxels.
    """
    affine = np.asarray(affine, dtype=float)
    if len(shape) != 3 or affine.shape != (4, 4):
        raise ValueError(
            f"A grid needs three axes and a 4 x 4 affine, got {tuple(shape)} and {affine.shape}."
        )
    count, block = int(np.prod(shape)), max(4 * CHUNK // len(offsets), 1)
    for start in range(0, count, block):
        part = slice(start, min(start + block, count))
        index = np.stack(np.unravel_index(np.arange(part.start, part.stop), shape), axis=1)
        index = (index[:, None, :] + offsets).reshape(-1, 3)
        yield part, index @ affine[:3, :3].T + affine[:3, 3]


def sample(phantom: Phantom, shape, affine, supersample: int = 3) -> np.ndarray:
    """Voxel averages, float32 `shape`, of the noise-free signal on the grid (`shape`, `affine`).

    `affine` maps voxels to world mm. Each value is the mean over `supersample`^3 points, the
    centres of as many equal cells of the voxel. Memory stays under 100 MB above the result.
    Raises ValueError for a malformed grid or `supersample` < 1.
    """
    if supersample < 1:
        raise ValueError(f"supersample must be at least 1, got {supersample}.")
    ticks = (np.arange(supersample) + 0.5) / supersample - 0.5
    offsets = np.stack(np.meshgrid(ticks, ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 3)
    image = np.empty(int(np.prod(shape)), np.float32)
    for part, points in _points(shape, affine, offsets):
        image[part] = phantom.intensity(points).reshape(-1, len(offsets)).mean(axis=1)
    return image.reshape(shape)


def cord_mask(phantom: Phantom, shape, affine) -> np.ndarray:
    """Cord (1) or not (0), uint8, at the voxel centres of the grid (`shape`, `affine`).

    Raises ValueError for a malformed grid.
    """
    mask = np.empty(int(np.prod(shape)), np.uint8)
    for part, points in _points(shape, affine, np.zeros((1, 3))):
        mask[part] = phantom.cord(points)
    return mask.reshape(shape)


def add_rician_noise(image: np.ndarray, snr: float, rng, signal: float = CORD_SIGNAL) -> np.ndarray:
    """Magnitude |image + n1 + i n2|, float32 of the same shape, n1 and n2 Gaussian.

    Each channel has standard deviation sigma = `signal` / `snr`: SNR is the mean of a tissue over
    sigma. By default `signal` is the nominal mean cord, `CORD_SIGNAL`; pass `image[mask].mean()`
    for the SNR of this very cord. Where the image is 0 the result is Rayleigh with mean
    sigma sqrt(pi/2) (Gudbjartsson and Patz 1995, MRM 34:910). Raises ValueError unless `snr` and
    `signal` are positive.
    """
    if snr <= 0 or signal <= 0:
        raise ValueError(f"SNR and signal must be positive, got {snr} and {signal}.")
    real, imaginary = rng.normal(scale=signal / snr, size=(2, *np.shape(image)))
    return np.hypot(image + real, imaginary).astype(np.float32)
