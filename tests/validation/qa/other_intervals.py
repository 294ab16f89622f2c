"""Intervals that her2path could have taken and did not, to be measured beside its own.

All of them are worked out for any coefficient of a table of two readers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Coefficient = Callable[[Floats], Floats]
"""From tables, shape (..., K, K), to values, shape (...)."""
Interval = tuple[float, float]

DRAWS = 500
_NORMAL = NormalDist()
_Z = _NORMAL.inv_cdf(0.975)
METHODS = ("Wald", "Wald on the logit-like scale", "percentile bootstrap", "BCa bootstrap")


def other_intervals(
    table: npt.NDArray[np.int64], coefficients: Mapping[str, Coefficient], rng: np.random.Generator
) -> dict[tuple[str, str], Interval]:
    """Work out the intervals of each coefficient by each of `METHODS`, from the same drawn tables."""
    total = int(table.sum())
    drawn = rng.multinomial(total, table.ravel() / total, DRAWS).reshape(DRAWS, *table.shape)
    cells = np.flatnonzero(table.ravel())
    fewer = np.repeat(table.ravel()[None, :], len(cells), axis=0)
    fewer[np.arange(len(cells)), cells] -= 1
    fewer = fewer.reshape(-1, *table.shape)
    found: dict[tuple[str, str], Interval] = {}
    for name, coefficient in coefficients.items():
        value = float(coefficient(table.astype(np.float64)))
        values = coefficient(drawn.astype(np.float64))
        # A drawn table that lies in one cell agrees.
        values = np.where(np.isfinite(values), values, 1.0)
        left_out = coefficient(fewer.astype(np.float64))
        left_out = np.where(np.isfinite(left_out), left_out, value)
        influence = np.average(left_out, weights=table.ravel()[cells]) - left_out
        weights = table.ravel()[cells]
        se = float(np.sqrt((total - 1) / total * (weights @ influence**2)))
        acceleration = _acceleration(influence, weights)
        intervals = (
            (value - _Z * se, value + _Z * se),
            _transformed(value, se),
            tuple(np.quantile(values, (0.025, 0.975))),
            _bca(value, values, acceleration),
        )
        found |= {(name, method): interval for method, interval in zip(METHODS, intervals, strict=True)}
    return found


def _transformed(value: float, se: float) -> Interval:
    """Wald on Fisher's z, the logarithm of (1 + v) / (1 - v)."""
    if abs(value) >= 1:
        return value, value
    centre, half = np.arctanh(value), _Z * se / (1 - value**2)
    return float(np.tanh(centre - half)), float(np.tanh(centre + half))


def _acceleration(influence: Floats, weights: npt.NDArray[np.int64]) -> float:
    spread = float(weights @ influence**2)
    return float(weights @ influence**3) / (6 * spread**1.5) if spread > 0 else 0.0


def _bca(value: float, values: Floats, acceleration: float) -> Interval:
    """Bias-corrected and accelerated (Efron, J Am Stat Assoc 82:171 (1987)); ties count by half."""
    below = float((values < value).mean() + (values == value).mean() / 2)
    if not 0 < below < 1:
        return float(values.min()), float(values.max())
    bias = _NORMAL.inv_cdf(below)
    bounds = []
    for z in (-_Z, _Z):
        moved = bias + (bias + z) / (1 - acceleration * (bias + z))
        bounds.append(float(np.quantile(values, _NORMAL.cdf(moved))))
    return bounds[0], bounds[1]
