"""Intraclass correlation of measurements that several readers made of the same cases."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from her2path.domain.stats.estimate import CONFIDENCE, Estimate

_METHOD = "F distribution"


@dataclass(frozen=True, slots=True)
class Intraclass:
    """The six forms of Shrout and Fleiss; ``1``, ``2``, ``3`` name the model, ``k`` the mean of all readers.

    Which of them answers a question: model 1 where each case has readers of its own; model 2 where the same
    readers read all cases and stand for others like them (absolute agreement); model 3 where these readers
    alone are meant, and a constant difference between them does not count (consistency).
    """

    icc_1_1: Estimate
    icc_2_1: Estimate
    icc_3_1: Estimate
    icc_1_k: Estimate
    icc_2_k: Estimate
    icc_3_k: Estimate
    cases: int
    """Cases that every reader read."""
    readers: int
    left_out: int
    """Cases left out because some reader has no value for them."""

    @property
    def forms(self) -> tuple[tuple[str, Estimate], ...]:
        """Each form with its usual name."""
        return (
            ("ICC(1,1)", self.icc_1_1),
            ("ICC(2,1)", self.icc_2_1),
            ("ICC(3,1)", self.icc_3_1),
            ("ICC(1,k)", self.icc_1_k),
            ("ICC(2,k)", self.icc_2_k),
            ("ICC(3,k)", self.icc_3_k),
        )


@dataclass(frozen=True, slots=True)
class _Squares:
    """Mean squares of the two-way table of ``n`` cases and ``k`` readers."""

    n: int
    k: int
    between: float
    within: float
    readers: float
    error: float


def intraclass(
    values: npt.NDArray[np.float64], measured: npt.NDArray[np.bool_], *, confidence: float = CONFIDENCE
) -> Intraclass:
    """Compute the six intraclass correlations with their intervals.

    Parameters
    ----------
    values : ndarray of float64, shape (cases, readers)
        Measurements; what stands where `measured` is False is not looked at.
    measured : ndarray of bool, shape (cases, readers)
        Whether there is a value.  A case that some reader did not measure is left out: the forms are defined
        on a full table alone.
    confidence : float
        Between 0 and 1, both excluded.

    Returns
    -------
    Intraclass
        Estimates without value where there are fewer than two readers or two full cases, or where all values
        are equal; exactly 1 with bounds of 1 where the readers agree without any error.

    Raises
    ------
    ValueError
        The arrays differ in shape, or a measured value is not finite.

    Notes
    -----
    The interval of model 2 has degrees of freedom that hang on the correlation itself [2]_.  McGraw and Wong
    put the estimate there as it is, and so do the usual programs; where it is negative, 0 stands there
    instead.  A share of variance is not negative, and with a negative one the approximation of Satterthwaite
    mixes weights of both signs: its degrees may fall to a small part of one, at which an F quantile means
    nothing.  Correlations of 0 and above have exactly the published interval.

    References
    ----------
    .. [1] Shrout & Fleiss, Psychol Bull 86:420 (1979).
    .. [2] McGraw & Wong, Psychol Methods 1:30 (1996).

    Examples
    --------
    >>> values = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> result = intraclass(values, np.ones((3, 2), dtype=np.bool_))
    >>> round(result.icc_2_1.value, 3), result.icc_3_1.value
    (0.889, 1.0)
    """
    if values.ndim != 2 or values.shape != measured.shape:
        raise ValueError(f"need two tables of the same shape, got {values.shape} and {measured.shape}")
    if not np.isfinite(values[measured]).all():
        raise ValueError("a measured value must be finite; say by `measured` where there is none")
    full = measured.all(axis=1)
    table = values[full]
    cases, readers = table.shape
    left_out = int((~full).sum())
    why = _obstacle(table, left_out)
    if why:
        none = Estimate.none(why, _METHOD, n=cases, confidence=confidence)
        return Intraclass(none, none, none, none, none, none, cases, readers, left_out)
    squares = _mean_squares(table)
    one = _one_way(squares, confidence)
    absolute = _absolute(squares, confidence)
    consistency = _consistency(squares, confidence)
    return Intraclass(
        icc_1_1=one,
        icc_2_1=absolute,
        icc_3_1=consistency,
        icc_1_k=_of_means(one, readers),
        icc_2_k=_of_means(absolute, readers),
        icc_3_k=_of_means(consistency, readers),
        cases=cases,
        readers=readers,
        left_out=left_out,
    )


def _obstacle(table: npt.NDArray[np.float64], left_out: int) -> str:
    cases, readers = table.shape
    if readers < 2:
        return "one reader alone cannot be compared"
    if cases < 2:
        lost = f"; {left_out} were left out because a reader has no value for them" if left_out else ""
        return f"needs 2 cases that every reader measured, there are {cases}{lost}"
    return "all values are equal, so there is nothing to tell cases apart by" if np.ptp(table) == 0 else ""


def _mean_squares(table: npt.NDArray[np.float64]) -> _Squares:
    n, k = table.shape
    centred = table - table.mean()
    cases, readers = centred.mean(axis=1, keepdims=True), centred.mean(axis=0, keepdims=True)
    error = float(((centred - cases - readers) ** 2).sum())
    # What rounding leaves of readers who differ by a constant is no error.
    error = 0.0 if error <= 1e-24 * float((centred**2).sum()) else error
    of_readers = n * float((readers**2).sum())
    return _Squares(
        n=n,
        k=k,
        between=k * float((cases**2).sum()) / (n - 1),
        within=(of_readers + error) / (n * (k - 1)),
        readers=of_readers / (k - 1),
        error=error / ((n - 1) * (k - 1)),
    )


def _from_f(value: float, k: int) -> float:
    """Turn an F ratio (cases over error) into the correlation of single measurements."""
    return 1.0 if math.isinf(value) else (value - 1) / (value + k - 1)


def _by_f(between: float, error: float, k: int, degrees: tuple[float, float], confidence: float) -> Estimate:
    n = round(degrees[0]) + 1
    upper_tail = (1 + confidence) / 2
    ratio = between / error if error else math.inf
    low = ratio / float(stats.f.ppf(upper_tail, *degrees))
    high = ratio * float(stats.f.ppf(upper_tail, *reversed(degrees)))
    return Estimate(_from_f(ratio, k), _from_f(low, k), _from_f(high, k), _METHOD, confidence, n)


def _one_way(s: _Squares, confidence: float) -> Estimate:
    return _by_f(s.between, s.within, s.k, (s.n - 1, s.n * (s.k - 1)), confidence)


def _consistency(s: _Squares, confidence: float) -> Estimate:
    if s.between == 0 and s.error == 0:
        return Estimate.none("the cases do not differ", _METHOD, n=s.n, confidence=confidence)
    return _by_f(s.between, s.error, s.k, (s.n - 1, (s.n - 1) * (s.k - 1)), confidence)


def _absolute(s: _Squares, confidence: float) -> Estimate:
    """Two-way random model: its error has degrees of freedom by Satterthwaite's approximation."""
    n, k = s.n, s.k
    whole = s.between + (k - 1) * s.error + k * (s.readers - s.error) / n
    if whole <= 0:
        why = "the readers disagree more than chance, and so few cases cannot say how much"
        return Estimate.none(why, _METHOD, n=n, confidence=confidence)
    value = (s.between - s.error) / whole
    if s.readers == 0 and s.error == 0:
        return Estimate(1.0, 1.0, 1.0, _METHOD, confidence, n)
    if s.error == 0:
        why = "the readers differ by constants alone, which leaves no error to compare the cases with"
        return Estimate.point(value, why, _METHOD, n=n, confidence=confidence)
    # A share of variance below 0 is 0 to the approximation, which knows no negative variances.
    share = max(0.0, value)
    of_readers = k * share * s.readers / s.error
    of_error = n * (1 + (k - 1) * share) - k * share
    degrees = (k - 1) * (n - 1) * (of_readers + of_error) ** 2 / ((n - 1) * of_readers**2 + of_error**2)
    upper_tail = (1 + confidence) / 2
    above = float(stats.f.ppf(upper_tail, n - 1, degrees))
    below = float(stats.f.ppf(upper_tail, degrees, n - 1))
    rest = k * s.readers + (k * n - k - n) * s.error
    low = n * (s.between - above * s.error) / (above * rest + n * s.between)
    high = n * (below * s.between - s.error) / (rest + n * below * s.between)
    return Estimate(value, min(low, value), max(high, value), _METHOD, confidence, n)


def _of_means(single: Estimate, k: int) -> Estimate:
    """Step a correlation of single measurements up to that of means of `k` (Spearman-Brown)."""
    if single.value is None:
        return single

    def stepped(value: float) -> float | None:
        below = 1 + (k - 1) * value
        return k * value / below if below > 0 else None

    value = stepped(single.value)
    if value is None:
        why = "the readers disagree more than chance, which leaves nothing for their mean to measure"
        return Estimate.none(why, _METHOD, n=single.n, confidence=single.confidence)
    bounds = [None if bound is None else stepped(bound) for bound in (single.low, single.high)]
    low, high = bounds
    if low is None or high is None:
        why = single.why or "the lower bound lies where the correlation of a mean is not defined"
        return Estimate.point(value, why, _METHOD, n=single.n, confidence=single.confidence)
    return Estimate(value, low, high, _METHOD, single.confidence, single.n)
