"""Two methods on the same images: which one is better, by how much, and whether it is not worse.

Cells of one image share its stain and tissue, so what is drawn again is the image (or the patient),
with all its cells.  McNemar's test takes cells for independent; it stands beside the bootstrap and
decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.estimate import Estimate

Counts = npt.NDArray[np.float64]
Statistic = Callable[[Counts], npt.NDArray[np.float64]]
"""From sums over units, shape (..., K), to a figure, shape (...); NaN where it is not defined."""

DRAWS = 2000
SEED = 20_261_122
FEWEST_UNITS = 5
"""With fewer, drawings hardly differ, and an interval would promise more than they can tell."""
_FEWEST_DEFINED = 0.95
"""Share of drawings in which a figure must be defined: else its interval is that of a selection."""
ONE_SIDED = 0.90
"""Confidence of the two-sided interval whose lower bound is the one-sided 95 % bound."""


def drawn_sums(counts: Counts, *, seed: int = SEED) -> Counts:
    """Draw units with replacement and sum their counts.

    Parameters
    ----------
    counts : ndarray of float64, shape (U, K)
    seed : int

    Returns
    -------
    sums : ndarray of float64, shape (DRAWS, K)
        The same drawings for every array of U units.

    Examples
    --------
    >>> drawn_sums(np.ones((3, 2))).tolist()[0]
    [3.0, 3.0]
    """
    units = len(counts)
    times = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=DRAWS)
    return np.asarray(times @ counts, np.float64)


def bootstrap(counts: Counts, statistic: Statistic, *, units: str) -> Estimate:
    """Estimate a figure with the percentile interval of a bootstrap over units.

    Parameters
    ----------
    counts : ndarray of float64, shape (U, K)
        Counts of each unit.
    statistic : callable
        Of their sums.
    units : str
        What is drawn, such as ``images``.

    Returns
    -------
    Estimate
        95 %; a point where there are fewer than `FEWEST_UNITS`.

    References
    ----------
    .. [1] Efron & Tibshirani, An introduction to the bootstrap, 1993, chapters 13 and 17.

    Examples
    --------
    >>> counts = np.array([[1.0, 2.0], [2.0, 2.0], [2.0, 2.0], [1.0, 2.0], [2.0, 2.0]])
    >>> found = bootstrap(counts, lambda sums: sums[..., 0] / sums[..., 1], units="images")
    >>> found.value, found.low, found.high
    (0.8, 0.6, 1.0)
    """
    return _estimate(statistic, counts, None, units=units, confidence=0.95)


def paired_difference(
    new: Counts, old: Counts, statistic: Statistic, *, units: str, confidence: float = 0.95
) -> Estimate:
    """Estimate new minus old on the same units, which are drawn together.

    Parameters
    ----------
    new, old : ndarray of float64, shape (U, K)
        Counts of the same units by two methods.
    statistic : callable
    units : str
    confidence : float
        Of the two-sided interval.

    Examples
    --------
    >>> same = np.array([[1.0, 2.0], [2.0, 2.0]] * 3)
    >>> found = paired_difference(same, same, lambda sums: sums[..., 0] / sums[..., 1], units="images")
    >>> found.value, found.low, found.high
    (0.0, 0.0, 0.0)
    """
    if new.shape != old.shape:
        raise ValueError("paired counts are of the same units")
    return _estimate(statistic, new, old, units=units, confidence=confidence)


def _estimate(
    statistic: Statistic, new: Counts, old: Counts | None, *, units: str, confidence: float
) -> Estimate:
    count = len(new)
    method = f"percentile bootstrap over {units}, {DRAWS} drawings, seed {SEED}"

    def figure(sums: Callable[[Counts], Counts]) -> npt.NDArray[np.float64]:
        found = statistic(sums(new))
        return found if old is None else found - statistic(sums(old))

    value = float(figure(lambda counts: counts.sum(axis=0))) if count else float("nan")
    if not np.isfinite(value):
        return Estimate.none("nothing to count", method, n=count, confidence=confidence)
    if count < FEWEST_UNITS:
        why = f"fewer than {FEWEST_UNITS} {units}"
        return Estimate.point(value, why, method, n=count, confidence=confidence)
    drawn = figure(drawn_sums)
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < _FEWEST_DEFINED * DRAWS:
        why = f"too few of the {units} hold what is counted"
        return Estimate.point(value, why, method, n=count, confidence=confidence)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    return Estimate(value, float(low), float(high), method, confidence, count)


@dataclass(frozen=True, slots=True)
class NonInferiority:
    """Whether a new method is not worse than an old one by more than a margin."""

    difference: Estimate
    """New minus old, signed so that more is better; 90 % two-sided, so that `low` is the one-sided 95 %
    bound."""
    margin: float
    """Largest loss that is taken, above 0."""

    @property
    def is_shown(self) -> bool:
        """Whether the lower bound lies above minus the margin; without an interval nothing is shown."""
        low = self.difference.low
        return low is not None and low > -self.margin


def non_inferiority(
    new: Counts, old: Counts, statistic: Statistic, *, margin: float, more_is_better: bool, units: str
) -> NonInferiority:
    """Test whether a new method is not worse than an old one.

    Parameters
    ----------
    new, old : ndarray of float64, shape (U, K)
        Counts of the same units.
    statistic : callable
    margin : float
        In the unit of the figure, above 0.
    more_is_better : bool
        False for a figure such as a share of errors.
    units : str

    References
    ----------
    .. [1] Piaggio et al., JAMA 308:2594 (2012) (CONSORT for non-inferiority).

    Examples
    --------
    >>> old = np.array([[9.0, 10.0], [8.0, 10.0], [9.0, 10.0]] * 2)
    >>> share = lambda sums: sums[..., 0] / sums[..., 1]
    >>> worse = old - [[3.0, 0.0]]
    >>> test = non_inferiority(worse, old, share, margin=0.05, more_is_better=True, units="images")
    >>> round(test.difference.value, 2), test.is_shown
    (-0.3, False)
    """
    if margin <= 0:
        raise ValueError(f"a margin of non-inferiority lies above 0, got {margin}")
    sign = 1 if more_is_better else -1

    def signed(sums: Counts) -> npt.NDArray[np.float64]:
        return sign * statistic(sums)

    found = paired_difference(new, old, signed, units=units, confidence=ONE_SIDED)
    return NonInferiority(found, margin)


@dataclass(frozen=True, slots=True)
class McNemar:
    """Calls that only one of two methods has right, and how likely such a split is by chance."""

    only_new: int
    only_old: int
    p_value: float
    """Two-sided, exact; 1 where the methods agree on every call."""


def mcnemar_exact(only_new: int, only_old: int) -> McNemar:
    """Compare two methods by the calls on which only one of them is right.

    References
    ----------
    .. [1] McNemar, Psychometrika 12:153 (1947).

    Examples
    --------
    >>> round(mcnemar_exact(3, 9).p_value, 4)
    0.146
    """
    if min(only_new, only_old) < 0:
        raise ValueError("counts are >= 0")
    if only_new == only_old:
        # The same by definition; the library's sum of both tails counts the middle twice.
        return McNemar(only_new, only_old, 1.0)
    # statsmodels brings pandas, which takes a second to load, and most callers need no test.
    from statsmodels.stats.contingency_tables import mcnemar  # noqa: PLC0415

    found = mcnemar([[0, only_new], [only_old, 0]], exact=True)
    return McNemar(only_new, only_old, min(1.0, float(found.pvalue)))


def quantile_estimate(values: npt.NDArray[np.float64], share: float, *, units: str) -> Estimate:
    """Estimate a quantile with the percentile interval of a bootstrap over its values.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
    share : float
        Such as 0.95.
    units : str
        What each value was measured on.

    Examples
    --------
    >>> quantile_estimate(np.array([2.0, 2.0, 2.0]), 0.95, units="images").value
    2.0
    """
    method = f"percentile bootstrap over {units}, {DRAWS} drawings, seed {SEED}"
    if not len(values):
        return Estimate.none(f"no {units}", method)
    value = float(np.quantile(values, share))
    if len(values) < FEWEST_UNITS:
        return Estimate.point(value, f"fewer than {FEWEST_UNITS} {units}", method, n=len(values))
    places = np.random.default_rng(SEED).integers(len(values), size=(DRAWS, len(values)))
    low, high = np.quantile(np.quantile(values[places], share, axis=1), (0.025, 0.975))
    return Estimate(value, float(low), float(high), method, n=len(values))
