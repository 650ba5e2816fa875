"""The tissues of the phantom, painted from the skin inwards, each over the previous ones.

The cord coordinates u, v and s are explained in `anatomy`.
"""

from __future__ import annotations

import numpy as np

from .anatomy import Phantom
from .shapes import box, bump, edge, ellipse, meet, paint, segment


def paint_soft(phantom: Phantom, image: np.ndarray, at: np.ndarray) -> None:
    """Paint skin, subcutaneous fat, and the layers of neck muscle with their fat septa.

    Args:
        phantom: anatomy of the subject.
        image: signal of shape (N,), painted in place.
        at: cord coordinates u, v and s of the points in mm, of shape (3, N).
    """
    u, v, depth = at[0], at[1], phantom.depth(at)
    warp, lobule = phantom.textures["warp"](at), phantom.textures["fat"](at)
    fat = phantom.tissue["fat"] * (1 + 0.06 * lobule) * (1 - 0.35 * bump(lobule, 0.12))
    streak = phantom.textures["streak"](at)
    image[:] = _muscle(phantom, at, streak)
    around = np.hypot(u, 0.85 * (v + 11)) + 1.6 * warp + 0.5 * lobule
    behind = edge(v + 4, 4.0)
    for radius, opacity in ((8.5, 0.75), (13.0, 0.85), (17.0, 0.8), (24.0, 0.9), (33.0, 0.9)):
        patchy = np.clip(opacity + 0.35 * streak, 0, 1) * behind
        paint(image, bump(around - radius, 0.6) * patchy, 0.85 * fat)
    paint(
        image,
        bump(np.sin(u / 5.5 + 0.4 * warp) * 5.5, 0.45) * 0.7 * (1 - behind) * edge(9 - np.abs(u)),
        fat,
    )
    midline = edge(v + 10, 3.0)
    between = (0.42 + 0.2 * np.clip(streak, -1, 1.5)) * fat
    paint(image, bump(u - 0.4 * warp, 1.7) * 0.9 * midline, between)
    nuchal = midline * edge(v + phantom.spinous[0] - 2.5, 3.0)
    paint(image, bump(u - 0.4 * warp, 0.45) * nuchal, phantom.tissue["ligament"])
    paint(image, edge(depth - phantom.fat_depth - 1.4 - 0.7 * warp, 0.8), fat)
    paint(image, edge(depth - 1.3), phantom.tissue["skin"] * (1 + 0.1 * lobule))
    image *= edge(-depth)


def _muscle(phantom: Phantom, at: np.ndarray, streak: np.ndarray) -> np.ndarray:
    """Compute the signal of muscle: striated, with fat along the fibres where `streak` is high."""
    base = phantom.tissue["muscle"] * (1 + 0.22 * phantom.textures["muscle"](at))
    return base + 0.8 * (phantom.tissue["fat"] - base) * edge(1.7 - streak, 1.6)


def paint_viscera(phantom: Phantom, image: np.ndarray, at: np.ndarray) -> None:
    """Paint what lies in front of the spine: fat, oesophagus, trachea, thyroid, great vessels.

    Args:
        phantom: anatomy of the subject.
        image: signal of shape (N,), painted in place.
        at: cord coordinates u, v and s of the points in mm, of shape (3, N).
    """
    tissue, warp, lobule = phantom.tissue, phantom.textures["warp"](at), phantom.textures["fat"](at)
    side, v = np.abs(at[0]), at[1] - phantom.body_front
    loose = tissue["fat"] * (0.72 + 0.1 * lobule)
    depth = phantom.depth(at)
    straps = bump(depth - 10 + warp, 2.2)
    deep = edge(phantom.fat_depth + 2 + warp - depth, 1.2) * (1 - straps)
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


def paint_column(phantom: Phantom, image: np.ndarray, at: np.ndarray) -> None:
    """Paint the vertebral bodies (cortex, marrow, vein), discs and longitudinal ligaments.

    Args:
        phantom: anatomy of the subject.
        image: signal of shape (N,), painted in place.
        at: cord coordinates u, v and s of the points in mm, of shape (3, N).
    """
    tissue, (u, v, s) = phantom.tissue, at
    half_u, half_v = phantom.body_half[0] * (1 - 0.08 * np.tanh(s / 60)), phantom.body_half[1]
    v = v - phantom.canal_front - half_v
    along = s + phantom.disc_tilt * v - 0.012 * u * u
    number, above = phantom.level(along)
    half = (phantom.spacing - phantom.disc_height) / 2 - 0.5 * (
        1 - np.clip(np.abs(v) / half_v, 0, 1) ** 2
    )
    waist = 0.9 * (1 - np.minimum(np.square(above / half), 1))
    wide, deep = half_u - waist, half_v - waist
    oval = ellipse(u, v, 1.07 * wide, 1.04 * deep)
    around = 0.5 * (box(u * (1 + 0.12 * v / half_v), v, wide, deep, 5.0) + oval)
    paint(image, edge(around - 1.4 - waist), tissue["fat"] * 0.38)
    paint(image, edge(around - 0.45 - 0.5 * bump(u, 6.0)), tissue["ligament"])

    disc = phantom.levels[
        np.floor(along / phantom.spacing + phantom.level_phase).astype(np.int64) % 64, 0
    ]
    within = phantom.spacing / 2 - np.abs(above)
    paint(image, edge(around), tissue["annulus"] * (1 + 0.3 * bump(around + 2.0, 1.2)))
    nucleus = ellipse(
        np.hypot(u * half_v / half_u, v + 0.8), within, half_v * 0.68, phantom.disc_height * 0.42
    )
    bright = tissue["nucleus"] * (0.75 + 0.3 * disc) * (1 - 0.25 * bump(within, 0.5))
    paint(image, edge(nucleus, 1.4), bright)

    body = meet(around, np.abs(above) - half, 1.6)
    bone = phantom.textures["bone"](at)
    marrow = tissue["marrow"] * (1 + 0.08 * phantom.levels[number % 64, 3] + 0.15 * bone)
    paint(image, edge(body), tissue["cortex"])
    paint(image, edge(body + 0.5), marrow)
    vein = ellipse(np.hypot(u * 0.6, above * 1.6), v + half_v, 1.6, 4.5)
    paint(image, edge(vein, 1.0) * edge(body + 0.2), tissue["vein"] * 0.9)


def paint_arches(phantom: Phantom, image: np.ndarray, at: np.ndarray) -> None:
    """Paint the articular pillars, pedicles, laminae, ligamenta flava and spinous processes.

    Args:
        phantom: anatomy of the subject.
        image: signal of shape (N,), painted in place.
        at: cord coordinates u, v and s of the points in mm, of shape (3, N).
    """
    tissue, v, s = phantom.tissue, at[1], at[2]
    u = np.abs(at[0])
    back = -phantom.sac_half[1] + phantom.sac_shift - 4.6
    reach, fall = phantom.spinous
    ridge = segment(u, v, (0.0, back), (14.0, -3.5))
    paint(image, edge(ridge - 1.1), tissue["ligament"] + 0.1 * tissue["fat"])

    number, above = phantom.level(s + 2.5 - fall * np.minimum(v - back, 3.0))
    length = reach - 1.6 * (1 + phantom.levels[number % 64, 2])
    middle, tip = (back - length) / 2, np.clip((v + length) / 6.0, 0, 1)
    flare = 1 - tip
    process = box(u - 1.2 * flare, v - middle, 1.5 + 0.5 * flare, (length + back) / 2, 1.4)
    process = meet(process, np.abs(above) - 3.3 - 0.9 * np.abs(2 * tip - 1), 1.6)
    lamina = meet(ridge - 2.1, np.abs(above) - 5.0, 1.5)
    pedicle = meet(
        segment(u, v, (9.5, 6.0), (13.5, 0.0)) - 2.4, np.abs(phantom.level(s)[1] - 1.5) - 3.2, 1.5
    )
    joint = np.abs(phantom.level(s + phantom.spacing / 2 + 0.8 * (v + 1.5))[1])
    pillar = np.maximum(ellipse(u - 14.0, v + 1.5, 4.6, 5.2), 0.7 - joint)
    bone = np.minimum(np.minimum(process, lamina), np.minimum(pedicle, pillar))
    spongy = tissue["marrow"] * (1.05 + 0.14 * phantom.textures["bone"](at))
    paint(image, edge(ellipse(u - 14.0, v + 1.5, 5.0, 5.6)), tissue["ligament"])
    paint(
        image,
        bump(joint, 0.35) * edge(ellipse(u - 14.0, v + 1.5, 3.8, 4.4)),
        0.6 * tissue["csf"],
    )
    paint(image, edge(bone), tissue["cortex"])
    paint(image, edge(bone + 0.7), spongy)


def paint_foramina(phantom: Phantom, image: np.ndarray, at: np.ndarray) -> None:
    """Paint foraminal fat, nerve roots, ganglia, transverse foramina and vertebral arteries.

    Args:
        phantom: anatomy of the subject.
        image: signal of shape (N,), painted in place.
        at: cord coordinates u, v and s of the points in mm, of shape (3, N).
    """
    tissue, v, s = phantom.tissue, at[1], at[2]
    u = np.abs(at[0])
    above = phantom.level(s)[1]
    tunnel = phantom.level(s + phantom.spacing / 2 + 0.25 * (u - 8))[1]
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


def paint_canal(phantom: Phantom, image: np.ndarray, at: np.ndarray) -> None:
    """Paint epidural fat, dura, cerebrospinal fluid with rootlets, and the cord.

    Args:
        phantom: anatomy of the subject.
        image: signal of shape (N,), painted in place.
        at: cord coordinates u, v and s of the points in mm, of shape (3, N).
    """
    tissue, (u, v, s) = phantom.tissue, at
    place = s + phantom.disc_tilt * (v - phantom.canal_front - phantom.body_half[1])
    number = np.floor(place / phantom.spacing + phantom.level_phase).astype(np.int64)
    from_disc = phantom.spacing / 2 - np.abs(phantom.level(place)[1])
    bulge = 0.5 * (1 + phantom.levels[number % 64, 1]) * bump(from_disc, 2.6) * edge(-v, 4.0)
    half_u, half_v = phantom.sac_half
    sac = ellipse(u, v - phantom.sac_shift + bulge, half_u, half_v)
    canal = ellipse(u, v - phantom.sac_shift + 0.6 + bulge, half_u + 1.2, half_v + 1.3)
    pad = (
        segment(u, v, (0.0, phantom.sac_shift - half_v), (0.0, phantom.sac_shift - half_v - 2.2))
        - 1.6
    )
    pad = pad + 2.0 * (1 - bump(from_disc, 5.0))
    paint(
        image,
        edge(np.minimum(canal, pad)),
        tissue["fat"] * (0.85 + 0.08 * phantom.textures["fat"](at)),
    )
    paint(image, edge(sac - 0.55), tissue["dura"])
    paint(image, edge(sac), tissue["csf"] * (1 + 0.05 * phantom.textures["csf"](at)))
    _paint_rootlets(phantom, image, at)
    _paint_cord(phantom, image, at)


def _paint_rootlets(phantom: Phantom, image: np.ndarray, at: np.ndarray) -> None:
    """Paint fans of ventral and dorsal rootlets from the cord to the root sleeves."""
    u, v, s = np.abs(at[0]), at[1], at[2]
    wide, deep = phantom.cord_half
    filament = phantom.spacing / 5
    slanted = (s + 0.9 * u + 1.5 * phantom.textures["csf"](at)) / filament
    number = np.rint(slanted)
    along = (slanted - number) * filament
    faint = 0.45 + 0.4 * phantom.levels[number.astype(np.int64) % 64, 1]
    end = (phantom.sac_half[0] - 0.6, phantom.sac_shift - 0.3)
    for start in ((0.5 * wide, 0.85 * deep), (0.55 * wide, -0.8 * deep)):
        strand = np.hypot(segment(u, v, start, end), 0.6 * along)
        paint(image, edge(strand - 0.4) * faint, phantom.tissue["root"])


def _paint_cord(phantom: Phantom, image: np.ndarray, at: np.ndarray) -> None:
    """Paint the white matter, the grey-matter butterfly and the anterior fissure."""
    tissue, (u, v, _) = phantom.tissue, at
    p, q = np.abs(u) * (6.5 / phantom.cord_half[0]), v * (3.9 / phantom.cord_half[1])
    horns = np.minimum(
        ellipse(p - 1.9, q - 0.8, 1.15, 1.0), segment(p, q, (1.5, 0.0), (3.0, -2.3)) - 0.5
    )
    grey = np.minimum(horns, segment(p, q, (0.0, -0.1), (1.6, 0.1)) - 0.45)
    cord = phantom.cord_distance(at)
    matter = tissue["wm"] + edge(grey, 0.4) * (tissue["gm"] - tissue["wm"])
    matter = (
        matter
        * (1 + 0.03 * phantom.textures["cord"](at))
        * (1 - 0.08 * bump(u, 0.25) * edge(q + 0.6))
    )
    paint(image, edge(cord), matter)
    paint(image, bump(u, 0.22) * edge(1.5 - q) * edge(cord - 0.2) * 0.6, tissue["csf"])
