"""Baselines of control charts (phase I): what control tissue measures while nothing is wrong.

A Levey-Jennings chart [1]_ draws each run's control at its distance from the baseline's mean, in
standard deviations of the baseline.  Everything that is later called an alarm rests on these two
numbers, so they are never taken from a handful of runs, and a run that stands out among those of the
baseline is named and kept: whether something was wrong with it, only a person can tell.

References
----------
.. [1] Levey & Jennings, Am J Clin Pathol 20:1059 (1950).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy import stats

from her2path.domain.verdict import NotEvaluable

Floats = npt.NDArray[np.float64]

FEWEST_RUNS = 20
"""Runs of a baseline [CLSI C24: 20 at least]; below them neither mean nor SD is known well enough."""
OUTLIER_LEVEL = 0.05
"""A baseline without any outlier is said to have one in at most so many cases."""
DOUBT_LEVEL = 0.01
"""A normal, independent baseline is doubted in at most so many cases (each of the two doubts)."""
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Baseline:
    """What one control measured in the runs of the baseline."""

    runs: int
    mean: float
    sd: float
    """Standard deviation between runs, n - 1 in the denominator; above 0."""
    outliers: tuple[int, ...] = ()
    """Places (from 0, among the values given) that stand out; they are part of mean and SD."""
    mean_without: float | None = None
    """Mean and SD as they would be without them; None without outliers."""
    sd_without: float | None = None
    doubts: tuple[str, ...] = ()
    """``not_normal``, ``not_independent``: the stated rates of false alarms do not hold."""


def estimate_baseline(values: Floats, *, fewest: int = FEWEST_RUNS) -> Baseline | NotEvaluable:
    """Estimate mean and SD of a control from the runs of its baseline.

    Parameters
    ----------
    values : ndarray of float64, shape (N,)
        One value a run, in the order of the runs; only what was measured.
    fewest : int
        Fewest runs, at least 3.

    Returns
    -------
    Baseline or NotEvaluable
        ``too_few_runs`` or ``constant_control`` where there can be no chart.

    Examples
    --------
    >>> estimate_baseline(np.array([0.4, 0.6, 0.5]), fewest=3).mean
    0.5
    >>> estimate_baseline(np.full(20, 0.5)).code
    'constant_control'
    """
    if len(values) < fewest:
        return NotEvaluable(
            "too_few_runs",
            f"the baseline has {len(values)} of the {fewest} runs that a control chart needs; go on "
            "collecting, or choose a longer baseline",
        )
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    # Values that differ by rounding alone are one value.
    if sd <= 1e-9 * max(1.0, abs(mean)):
        return NotEvaluable(
            "constant_control",
            f"the control has the same value ({mean:.4g}) in all {len(values)} runs of the baseline, so no "
            "distance from it can be told; chart a measure that varies",
        )
    outliers = find_outliers(values)
    rest = np.delete(values, list(outliers))
    return Baseline(
        runs=len(values),
        mean=mean,
        sd=sd,
        outliers=outliers,
        mean_without=float(rest.mean()) if outliers else None,
        sd_without=float(rest.std(ddof=1)) if outliers else None,
        doubts=_doubts(rest),
    )


def find_outliers(values: Floats, *, level: float = OUTLIER_LEVEL) -> tuple[int, ...]:
    """Find values that stand out from the others, by the generalized extreme Studentized deviate.

    Parameters
    ----------
    values : ndarray of float64, shape (N,)
        At least one in five of them is never an outlier's company: at most N / 5 are found.
    level : float
        How often normal values are said to have any outlier.

    Returns
    -------
    places : tuple of int
        In ascending order.

    Notes
    -----
    Holds from about 20 values on; fewer than 15 are never tested.

    References
    ----------
    .. [1] Rosner, Technometrics 25:165 (1983).

    Examples
    --------
    >>> find_outliers(np.array([*range(20), 90.0]))
    (20,)
    """
    n = len(values)
    left, places, found = np.arange(n), [], 0
    for i in range(1, (n // 5 if n >= 15 else 0) + 1):
        rest = values[left]
        sd = float(rest.std(ddof=1))
        if sd <= 1e-12 * max(1.0, abs(float(rest.mean()))):
            break
        deviations = np.abs(rest - rest.mean()) / sd
        worst = int(np.argmax(deviations))
        places.append(int(left[worst]))
        free = n - i - 1
        t = float(stats.t.ppf(1 - level / (2 * (n - i + 1)), free))
        if deviations[worst] > (n - i) * t / math.sqrt((free + t * t) * (n - i + 1)):
            found = i
        left = np.delete(left, worst)
    return tuple(sorted(places[:found]))


def _doubts(values: Floats) -> tuple[str, ...]:
    """Say what the rates of false alarms suppose and these values hardly look like."""
    if len(values) < 8 or np.ptp(values) == 0:
        return ()
    found = []
    if float(stats.shapiro(values).pvalue) < DOUBT_LEVEL:
        found.append("not_normal")
    # Bartlett's standard error of the first autocorrelation of independent values, with its bias.
    centred, n = values - values.mean(), len(values)
    first = float(centred[1:] @ centred[:-1] / (centred @ centred))
    if abs(first + 1 / n) > _NORMAL.inv_cdf(1 - DOUBT_LEVEL / 2) / math.sqrt(n):
        found.append("not_independent")
    return tuple(found)


def variance_stabilised(percent: Floats) -> Floats:
    """Put percentages on a scale on which their scatter is alike near 0, 50 and 100.

    Parameters
    ----------
    percent : ndarray of float64
        0 to 100.

    Returns
    -------
    angles : ndarray of float64
        Arcsine of the square root of the share, 0 to pi / 2 [1]_: limits on this scale never lie
        below 0 or above 100 per cent.

    References
    ----------
    .. [1] Freeman & Tukey, Ann Math Stat 21:607 (1950).

    Examples
    --------
    >>> variance_stabilised(np.array([0.0, 50.0, 100.0])).round(3).tolist()
    [0.0, 0.785, 1.571]
    """
    return np.asarray(np.arcsin(np.sqrt(np.clip(percent, 0, 100) / 100)))


def as_percent(angle: float) -> float:
    """Turn a place on the scale of `variance_stabilised` into per cent; 0 or 100 beyond its ends.

    Examples
    --------
    >>> round(as_percent(math.pi / 4), 6), as_percent(-0.2), as_percent(2.0)
    (50.0, 0.0, 100.0)
    """
    return 100 * math.sin(min(max(angle, 0.0), math.pi / 2)) ** 2
