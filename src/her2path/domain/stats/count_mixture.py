"""Whether counts per nucleus come from one population or from two that lie apart.

One population is taken for what a section of one clone shows: one signal that is there in every
nucleus that is counted, and further ones that scatter less (binomial: a few copies, some of them cut
off), as (Poisson) or more (negative binomial: amplification) than by chance alone.  Two populations
are two normal distributions on the scale on which a Poisson count has the same spread everywhere.
How much better two fit than one is held against the same gain on counts drawn from the single
population that fits best (parametric bootstrap, McLachlan, Appl Stat 36:318 (1987)): the likelihood
ratio of a mixture has no distribution of its own that could be looked up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

DRAWS = 399
"""Sets of counts drawn from one population: the smallest p-value is 1 / 400."""
_SEED = 20_261_122
_LEAST_SIGMA = 0.25
"""Half the spread of a Poisson count on this scale: narrower peaks are steps of the whole numbers."""
_STARTS = (0.12, 0.2, 0.3, 0.45, 0.6, 0.8)
"""Shares of the upper population that the fit starts from."""
_ROUNDS = 40
_FURTHEST = 3
"""Drawn counts end at so many times the largest one: further ones only make histograms long."""
_BATCH = 57
"""Sets of counts worked on at a time; seven batches are `DRAWS`."""
_TINY, _FAR = 1e-300, 700.0


@dataclass(frozen=True, slots=True)
class Mixture:
    """Two populations of counts."""

    threshold: int
    """Fewest signals of a nucleus of the upper population."""
    separation: float
    """Distance of the two over their mean spread (Ashman's D); they lie apart above 2."""
    gain: float
    """Twice the gain of log-likelihood over one population."""


def fit_mixture(counts: Sequence[int]) -> Mixture | None:
    """Fit two populations to counts of 1 or more; None where all counts are alike.

    References
    ----------
    .. [1] Ashman, Bird & Zepf, Astron J 108:2348 (1994): two populations can be told apart where their
       distance is more than twice their spread.

    Examples
    --------
    >>> fit_mixture([2, 2, 1, 3, 2, 2, 1, 2, 3, 2, 11, 12, 10, 12]).threshold
    6
    """
    if min(counts) < 1:
        raise ValueError("nuclei without a signal are not counted")
    if len(set(counts)) == 1:
        return None
    values, weights = _histogram(np.array(counts, np.int64)[None, :])
    fit = _fit_two(values, weights)
    gain = float((2 * (fit.likelihood - _fit_one(values, weights)))[0])
    low, high, spread_low, spread_high = (
        float(part[0]) for part in (fit.low, fit.high, fit.spread_low, fit.spread_high)
    )
    separation = (high - low) / math.sqrt((spread_low**2 + spread_high**2) / 2)
    threshold = _crossing(low, high, spread_low, spread_high, float(fit.share[0]))
    return Mixture(threshold, separation, gain)


def p_value(counts: Sequence[int], gain: float, *, draws: int = DRAWS, stop_above: float = 1.0) -> float:
    """Share of draws from one population that gain as much or more from being taken for two.

    Parameters
    ----------
    counts : sequence of int
        Signals per nucleus, 1 or more each.
    gain : float
        Of `fit_mixture`.
    draws : int
        Sets of counts drawn.
    stop_above : float
        Drawing ends early where the share cannot but exceed this one [1]_; what is returned is above it.

    Returns
    -------
    p : float
        ``(1 + as much or more) / (1 + drawn)`` under that kind of single population that explains the counts
        better; the same for the same counts: the seed is fixed.

    References
    ----------
    .. [1] Besag & Clifford, Biometrika 78:301 (1991).
    """
    worst = 0.0
    for kind in (draw_scattered, draw_skewed):
        worst = max(worst, _p_under(kind, counts, gain, draws, stop_above))
        if worst > stop_above:
            break
    return worst


def _p_under(
    draw: Callable[[np.random.Generator, Sequence[int], int], Counts],
    counts: Sequence[int],
    gain: float,
    draws: int,
    stop_above: float,
) -> float:
    rng = np.random.default_rng(_SEED)
    drawn = exceeding = 0
    while drawn < draws and 1 + exceeding <= stop_above * (1 + draws):
        part = min(_BATCH, draws - drawn)
        values, weights = _histogram(draw(rng, counts, part))
        gains = 2 * (_fit_two(values, weights).likelihood - _fit_one(values, weights))
        exceeding += int((gains >= gain - 1e-9).sum())
        drawn += part
    return (1 + exceeding) / (1 + drawn)


def draw_scattered(rng: np.random.Generator, counts: Sequence[int], draws: int) -> Counts:
    """Draw binomial, Poisson or negative binomial counts of the mean and variance of those given.

    Returns
    -------
    drawn : ndarray of int64, shape (draws, number of counts)
        1 or more.
    """
    shape = (draws, len(counts))
    further = np.array(counts, np.float64) - 1
    mean, variance = float(further.mean()), float(further.var())
    if mean == 0:
        return np.ones(shape, np.int64)
    if variance < mean:
        # At least the largest count must be possible.
        trials = max(round(mean**2 / (mean - variance)), int(further.max()))
        return 1 + rng.binomial(trials, mean / trials, shape)
    if variance <= mean * (1 + 1e-9):
        return 1 + rng.poisson(mean, shape)
    size = mean**2 / (variance - mean)
    return np.minimum(1 + rng.negative_binomial(size, size / (size + mean), shape), _FURTHEST * max(counts))


def draw_skewed(rng: np.random.Generator, counts: Sequence[int], draws: int) -> Counts:
    """Draw log-normal counts: copies that are passed on unevenly at every division.

    Returns
    -------
    drawn : ndarray of int64, shape (draws, number of counts)
        1 or more.
    """
    logs = np.log(np.array(counts, np.float64))
    drawn = np.exp(rng.normal(logs.mean(), logs.std(), (draws, len(counts))))
    return np.clip(np.rint(drawn), 1, _FURTHEST * max(counts)).astype(np.int64)


def _histogram(counts: Counts) -> tuple[Floats, Floats]:
    """Turn sets of counts, shape (B, N), into values, shape (K,), and how often each is met, (B, K).

    The values are on the scale of Anscombe (1948) of the signals beyond the first.
    """
    top = int(counts.max())
    row = np.arange(len(counts))[:, None] * (top + 1)
    met = np.bincount((row + counts).ravel(), minlength=len(counts) * (top + 1))
    met = met.reshape(len(counts), top + 1)[:, 1:]
    return np.sqrt(np.arange(top) + 3 / 8), met.astype(np.float64)


@dataclass(frozen=True, slots=True)
class _Two:
    """Fitted mixtures, an array of shape (B,) each."""

    low: Floats
    high: Floats
    spread_low: Floats
    spread_high: Floats
    share: Floats
    likelihood: Floats


def _fit_one(values: Floats, weights: Floats) -> Floats:
    """Log-likelihood of one normal distribution, shape (B,)."""
    total = weights.sum(axis=1)
    mean = weights @ values / total
    spread = np.maximum(np.sqrt(np.maximum(weights @ values**2 / total - mean**2, 0)), _LEAST_SIGMA)
    log_density = _log_normal(values, mean[:, None], spread[:, None])
    likelihood: Floats = (weights * log_density).sum(axis=1)
    return likelihood


def _fit_two(values: Floats, weights: Floats) -> _Two:
    """Fit by expectation and maximisation from several starts; the best of them."""
    starts = len(_STARTS)
    total = weights.sum(axis=1)
    # Each start takes the uppermost part of the counts for the second population.
    from_top = np.cumsum(weights[:, ::-1], axis=1)[:, ::-1] / total[:, None]
    upper = np.stack(
        [
            np.clip((share - from_top + weights / total[:, None]) * total[:, None], 0, weights)
            / np.maximum(weights, 1)
            for share in _STARTS
        ]
    )
    upper = upper.reshape(starts * len(weights), -1)
    many = np.tile(weights, (starts, 1))
    for _ in range(_ROUNDS):
        share, high, spread_high = _weighted(values, many * upper, many)
        _, low, spread_low = _weighted(values, many * (1 - upper), many)
        above = np.log(share + _TINY)[:, None] + _log_normal(values, high[:, None], spread_high[:, None])
        below = np.log(1 - share + _TINY)[:, None] + _log_normal(values, low[:, None], spread_low[:, None])
        # The share of the upper population at each value; clipped, an exponential cannot overflow.
        upper = 1 / (1 + np.exp(np.clip(below - above, -_FAR, _FAR)))
    both = np.logaddexp(above, below)
    likelihood = (many * both).sum(axis=1).reshape(starts, -1)
    # A fit whose populations changed places or became one is none.
    apart = (high > low).reshape(starts, -1)
    best = np.where(apart, likelihood, -np.inf).argmax(axis=0)
    place = best * len(weights) + np.arange(len(weights))
    return _Two(
        low[place],
        high[place],
        spread_low[place],
        spread_high[place],
        share[place],
        likelihood.ravel()[place],
    )


def _weighted(values: Floats, part: Floats, whole: Floats) -> tuple[Floats, Floats, Floats]:
    """Share, mean and spread of a part of the counts."""
    size = np.maximum(part.sum(axis=1), _TINY)
    mean = part @ values / size
    spread = np.sqrt(np.maximum(part @ values**2 / size - mean**2, 0))
    return size / whole.sum(axis=1), mean, np.maximum(spread, _LEAST_SIGMA)


def _log_normal(values: Floats, mean: Floats, spread: Floats) -> Floats:
    found: Floats = -((values - mean) ** 2) / (2 * spread**2) - np.log(spread)
    return found


def _crossing(low: float, high: float, spread_low: float, spread_high: float, share: float) -> int:
    """Fewest signals, between both means, that rather belong to the upper population."""
    first = max(1, math.ceil(low**2 + 5 / 8))
    last = max(first + 1, math.ceil(high**2 + 5 / 8))
    numbers = np.arange(first, last + 1)
    values = np.sqrt(numbers - 5 / 8)
    above = math.log(max(share, _TINY)) + _log_normal(values, np.array(high), np.array(spread_high))
    below = math.log(max(1 - share, _TINY)) + _log_normal(values, np.array(low), np.array(spread_low))
    return int(numbers[int(np.argmax(above > below))]) if bool((above > below).any()) else int(last)
