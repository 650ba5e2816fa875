"""Smooth differences in brightness between stacks, as coils far from a slice leave them."""

from collections.abc import Sequence

import numpy as np

from .lines import (
    MIN_BRIGHTNESS,
    MIN_POINTS,
    ROUNDS,
    Lines,
    Shading,
    huber_weights,
    intensity_of,
    polynomial,
)

MIN_SHADING = 0.03
"""Standard deviation of the logarithm of the shading below which it is not corrected."""


def estimate_shading(lines: Sequence[Lines], fixed: int, stacks: int) -> list[Shading | None]:
    """The shading of each stack against the fixed one and each other; None where it is negligible.

    Least squares on the logarithms of the ratios, weighted by intensity and made robust.
    """
    world = np.concatenate([each.world for each in lines])
    if len(world) < MIN_POINTS * 9:
        return [None] * stacks
    centre, radius = world.mean(axis=0), float(np.abs(world - world.mean(axis=0)).max())
    free = [k for k in range(stacks) if k != fixed]
    rows, ratios, weights = [], [], []
    scale = intensity_of(lines)
    for each in lines:
        one, other = each.values
        bright = np.minimum(one, other) > MIN_BRIGHTNESS * scale
        terms = np.column_stack(
            [np.ones(bright.sum()), polynomial((each.world[bright] - centre) / radius)]
        )
        row = np.zeros((len(terms), len(free), 10))
        for number, sign in zip(each.numbers, (1, -1), strict=True):
            if number in free:
                row[:, free.index(number)] = sign * terms
        # Stacks whose slices cross nowhere bright have no rows.
        rows.append(row.reshape(len(terms), 10 * len(free)))
        ratios.append(np.log(one[bright] / other[bright]))
        weights.append(np.minimum(one, other)[bright] / scale)
    matrix, ratio, weight = np.concatenate(rows), np.concatenate(ratios), np.concatenate(weights)
    if len(ratio) < MIN_POINTS * 9:
        return [None] * stacks
    robust = np.ones(len(ratio))
    # A weak ridge: terms that no point tells apart stay at zero.
    ridge = 1e-4 * len(ratio) * np.eye(matrix.shape[1])
    coefficients = np.zeros(matrix.shape[1])
    for _ in range(ROUNDS):
        weighted = matrix * (robust * weight)[:, None]
        coefficients = np.linalg.solve(weighted.T @ matrix + ridge, weighted.T @ ratio)
        robust = huber_weights((ratio - matrix @ coefficients) * np.sqrt(weight))
    fields: list[Shading | None] = [None] * stacks
    for number, terms in zip(free, coefficients.reshape(len(free), 10), strict=True):
        shading = Shading(centre, radius, terms[1:])
        near = [each.world for each in lines if number in each.numbers and len(each.world)]
        if near and np.log(shading.factor(np.concatenate(near))).std() > MIN_SHADING:
            fields[number] = shading
    return fields
