"""Seeded Bayesian bootstrap over cases: the agreement that other cases of the same kind would have shown.

Instead of drawing cases with replacement, every case gets a random weight (Rubin, Ann Stat 9:130
(1981)).  Cases that were read alike share one weight, so that the work grows with the cells of a table
and not with its cases.

Drawing again what was seen never shows a disagreement that was not seen, so that readers who agree on
all of 40 cases would have an interval without width.  One imaginary case is therefore added to the real
ones: on a third of it all readers agree, on two thirds one of them differs, in the categories in which
they would by chance, and the less often the more categories lie between.  This is to a table what
Jeffreys' prior (half a success, half a failure) is to a share; Brown, Cai & DasGupta, Stat Sci 16:101
(2001), found that to cover as it promises.  Thirds were chosen over halves, and the fall with the
distance over chance alone, on simulated readers (development seeds); how often the intervals cover the
truth on others was then measured: docs/validation/qa.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.confusion import Table
from her2path.domain.stats.estimate import CONFIDENCE, Estimate
from her2path.domain.stats.read_tallies import ReadTallies, cell_patterns

Floats = npt.NDArray[np.float64]

METHOD = "Bayesian bootstrap over cases"
SEED = 20_261_122
ONE_CATEGORY = "all reads are in one category, so nothing is known of how the others are told apart"
_AGREES, _DIFFERS = 1 / 3, 2 / 3
"""How much of the imaginary case readers agree on, and on how much one of them differs."""
_FEWEST_DEFINED = 0.5
"""Where more than half of the drawings have no value, there is no interval."""
_CHUNK = 2**21
"""Weights worked on at a time (16 MB)."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How many drawings are made, from which seed, for which confidence."""

    draws: int = 2000
    seed: int = SEED
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        if self.draws < 100 or self.seed < 0 or not 0 < self.confidence < 1:
            raise ValueError(f"need 100 drawings, a seed >= 0 and a confidence between 0 and 1, got {self}")


USUAL = Drawing()


def imaginary_case(shares: Floats) -> Floats | None:
    """Spread the imaginary case over the categories.

    Parameters
    ----------
    shares : ndarray of float64, shape (K,)
        Share of the reads in each category; sums to 1.

    Returns
    -------
    masses : ndarray of float64, shape (K * K,), or None
        Row by row: the category of the others (row) and of the one that may differ (column); a third of
        it lies on the diagonal.  None where only one category was chosen: nothing tells how a
        disagreement would look.

    Examples
    --------
    >>> imaginary_case(np.array([0.5, 0.5])).round(3).tolist()
    [0.167, 0.333, 0.333, 0.167]
    """
    if np.count_nonzero(shares) < 2:
        return None
    chance = np.outer(shares, shares)
    alike = np.diag(np.diag(chance))
    place = np.arange(len(shares))
    other = (chance - alike) / np.maximum(1, np.abs(place[:, None] - place))
    masses: Floats = _AGREES * alike / alike.sum() + _DIFFERS * other / other.sum()
    return masses.ravel()


def fewer_cases(total: int) -> float:
    """Give the weight of a real case that makes drawn means scatter as unbiased variances say they do.

    Weights of n cases scatter a mean with 1 / (n + 1) of the variance of the cases as they are; the
    unbiased estimate is 1 / (n - 1), which n - 2 cases give.  Never less than half of the cases.
    """
    return max(total - 2, total / 2) / total


def draw_tables(table: Table, drawing: Drawing) -> Floats | None:
    """Weigh the cells of a table of two readers at random.

    Returns
    -------
    tables : ndarray of float64, shape (draws, K, K), or None
        Each sums to the number of cases.  None without cases, or where all reads are in one category.
    """
    total = int(table.sum())
    if total == 0:
        return None
    masses = imaginary_case((table.sum(axis=0) + table.sum(axis=1)) / (2 * total))
    if masses is None:
        return None
    rng = np.random.default_rng(drawing.seed)
    shapes = table.ravel() * fewer_cases(total) + masses
    weights = rng.standard_gamma(shapes, (drawing.draws, table.size))
    weights *= total / weights.sum(axis=1, keepdims=True)
    return weights.reshape(drawing.draws, *table.shape)


def draw_sums(
    tallies: ReadTallies, features: Floats, of_imaginary: Floats, drawing: Drawing
) -> Floats | None:
    """Sum what cases contribute to a statistic, with random weights.

    Parameters
    ----------
    tallies : ReadTallies
        The cases.
    features : ndarray of float64, shape (U, F)
        What a case of each pattern contributes.
    of_imaginary : ndarray of float64, shape (K * K, F)
        The same for the patterns of `imaginary_tallies`.
    drawing : Drawing
        How many, and from which seed.

    Returns
    -------
    sums : ndarray of float64, shape (draws, F), or None
        None without cases, or where all reads are in one category.
    """
    masses = imaginary_case(tallies.shares)
    if masses is None:
        return None
    rng = np.random.default_rng(drawing.seed)
    met = masses > 0
    total = int(tallies.cases.sum())
    shapes = np.concatenate([tallies.cases * fewer_cases(total), masses[met]])
    contributions = np.concatenate([features, of_imaginary[met]])
    sums = np.empty((drawing.draws, features.shape[1]))
    step = max(1, _CHUNK // len(shapes))
    for start in range(0, drawing.draws, step):
        many = min(step, drawing.draws - start)
        weights = rng.standard_gamma(shapes, (many, len(shapes)))
        weights *= total / weights.sum(axis=1, keepdims=True)
        sums[start : start + many] = weights @ contributions
    return sums


def drawn_estimate(value: float, drawn: Floats | None, *, cases: int, drawing: Drawing) -> Estimate:
    """Put a value and what was drawn of it together.

    Parameters
    ----------
    value : float
        Of the cases as they are.
    drawn : ndarray of float64, shape (draws,), or None
        The statistic of each drawing, NaN where it has none; None where nothing could be drawn.
    cases : int
        Number of cases.
    drawing : Drawing
        For the confidence.
    """
    if drawn is None:
        return Estimate.point(value, ONE_CATEGORY, METHOD, n=cases, confidence=drawing.confidence)
    defined = drawn[np.isfinite(drawn)]
    if len(defined) < _FEWEST_DEFINED * len(drawn):
        why = "most drawings of other cases have no value"
        return Estimate.point(value, why, METHOD, n=cases, confidence=drawing.confidence)
    tail = (1 - drawing.confidence) / 2
    low, high = np.quantile(defined, (tail, 1 - tail))
    # With perfect agreement every drawing lies below the value; the interval holds it all the same.
    return Estimate(value, min(value, float(low)), max(value, float(high)), METHOD, drawing.confidence, cases)


def cells_of(categories: int) -> ReadTallies:
    """Tallies of the cells of a table of two readers, one case each, in the order of the cells."""
    patterns = cell_patterns(categories)
    return ReadTallies(patterns, np.ones(len(patterns), np.int64))


def imaginary_tallies(tallies: ReadTallies) -> ReadTallies:
    """Tallies of cases, of as many reads as usual, on which all but one reader agree, or all.

    Returns
    -------
    ReadTallies
        K * K cases in the order of `imaginary_case`; of two reads each they are the cells of a table.
    """
    usual = round(float(np.median(np.repeat(tallies.reads, tallies.cases))))
    one = np.eye(tallies.categories, dtype=np.int64)
    patterns = (max(1, usual - 1) * one[:, None, :] + one[None, :, :]).reshape(-1, tallies.categories)
    return ReadTallies(patterns, np.ones(len(patterns), np.int64))
