"""Charts of shares (p-charts) whose limits hold for small and varying groups, down to one case.

The usual limits, share +- 3 standard errors, alarm far too often in a batch of eight cases: a share of
5 % has its lower limit below 0 and its upper one at less than three cases.  Here the limits are
quantiles of a beta-binomial distribution: of what a group of that size shows when the baseline's
share is known as well as its cases allow, and when groups differ among each other as those of the
baseline did.  Laney's p' chart [1]_ widens normal limits for the same reason; its measure of how far
groups differ is stated beside (``laney_sigma``).

References
----------
.. [1] Laney, Qual Eng 14:531 (2002).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import stats

from her2path.domain.stats.control_chart_drift import DriftAlarm, cusum, cusum_alarms
from her2path.domain.stats.control_chart_rates import HORIZON, SEED
from her2path.domain.stats.intervals import share_interval
from her2path.domain.verdict import NotEvaluable

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FEWEST_GROUPS = 12
"""Groups of a baseline: from fewer, how far groups differ among each other cannot be told."""
FEWEST_CASES = 100
"""Cases of a baseline: with fewer a share of 16 % has an interval of 15 points."""
LEVEL = 0.0027
"""A group in control lies outside in at most so many cases, as with limits at 3 SD."""
SLACK = 0.5
"""k of the CUSUM of shares: tuned to a shift by one SD of a group."""
_SERIES = 5_000


@dataclass(frozen=True, slots=True)
class ShareBaseline:
    """A share in the groups of the baseline."""

    groups: int
    cases: int
    positive: int
    correlation: float
    """Between cases of one group: 0 where groups differ by chance alone, at most 1."""
    laney_sigma: float | None
    """How many times wider than by chance alone groups scatter; None where no group has two cases."""
    known_as: float
    """Independent cases that the share is known as well as by."""

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.positive / self.cases

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the share, by the independent cases it amounts to."""
        return share_interval(self.share, self.known_as)

    def shape(self) -> tuple[float, float]:
        """Parameters of the beta distribution that a group's true share is drawn from."""
        mean = (self.share * self.known_as + 0.5) / (self.known_as + 1)
        spread = self.correlation + (1 - self.correlation) / (self.known_as + 2)
        weight = 1 / spread - 1
        return mean * weight, (1 - mean) * weight


def estimate_share(
    positive: Counts, cases: Counts, *, fewest_groups: int = FEWEST_GROUPS, fewest_cases: int = FEWEST_CASES
) -> ShareBaseline | NotEvaluable:
    """Estimate a share, and how far groups differ in it, from the groups of the baseline.

    Parameters
    ----------
    positive, cases : ndarray of int64, shape (G,)
        ``0 <= positive <= cases``; groups without cases are left out.

    Returns
    -------
    ShareBaseline or NotEvaluable
        ``too_few_groups`` or ``too_few_cases``.

    References
    ----------
    .. [1] Williams, Appl Stat 31:144 (1982): the correlation, from Pearson's chi-square.
    """
    positive, cases = positive[cases > 0], cases[cases > 0]
    groups, total = len(cases), int(cases.sum())
    if groups < fewest_groups:
        return NotEvaluable(
            "too_few_groups",
            f"the baseline has {groups} of the {fewest_groups} groups that a chart of shares needs; go on "
            "collecting, or group by shorter periods",
        )
    if total < fewest_cases:
        return NotEvaluable(
            "too_few_cases",
            f"the baseline has {total} of the {fewest_cases} cases that a chart of shares needs; go on "
            "collecting",
        )
    share = positive.sum() / total
    correlation, sigma = 0.0, None
    room = float(((cases - 1) * (1 - cases / total)).sum())
    if room > 0 and 0 < share < 1:
        pearson = ((positive - cases * share) ** 2 / (cases * share * (1 - share))).sum()
        correlation = float(np.clip((pearson - (groups - 1)) / room, 0, 1))
        sigma = _laney_sigma(positive, cases)
    typical = float((cases**2).sum() / total)
    return ShareBaseline(
        groups=groups,
        cases=total,
        positive=int(positive.sum()),
        correlation=correlation,
        laney_sigma=sigma,
        known_as=total / (1 + correlation * (typical - 1)),
    )


def _laney_sigma(positive: Counts, cases: Counts) -> float:
    """Mean moving range of the standardised shares, over its value for normal ones."""
    share = positive.sum() / cases.sum()
    z = (positive / cases - share) / np.sqrt(share * (1 - share) / cases)
    return float(np.abs(np.diff(z)).mean() / (2 / math.sqrt(math.pi)))


@dataclass(frozen=True, slots=True)
class ShareLimits:
    """How many positive cases a group of a size may have."""

    low: int
    """So many or fewer alarm; -1 = none can be too few."""
    high: int
    """So many or more alarm; size + 1 = none can be too many."""
    false_alarm: float
    """How often a group of this size alarms in control; at most `LEVEL`, because counts are whole."""


@lru_cache(maxsize=4096)
def share_limits(baseline: ShareBaseline, size: int, *, level: float = LEVEL) -> ShareLimits:
    """Work out the limits for groups of a size.

    Examples
    --------
    >>> usual = ShareBaseline(50, 1000, 160, 0.0, 1.0, 1000.0)
    >>> share_limits(usual, 8).high, share_limits(usual, 1).false_alarm
    (6, 0.0)
    """
    count = np.arange(size + 1)
    chance = stats.betabinom.pmf(count, size, *baseline.shape())
    fewer, more = np.cumsum(chance), np.cumsum(chance[::-1])[::-1]
    low = int((fewer <= level / 2).sum()) - 1
    high = size + 1 - int((more <= level / 2).sum())
    return ShareLimits(low, high, float(chance[: low + 1].sum() + chance[high:].sum()))


def share_scores(baseline: ShareBaseline, positive: Counts, cases: Counts) -> Floats:
    """Put each group on a normal scale: the normal quantile of its mid-P.

    Parameters
    ----------
    positive, cases : ndarray of int64, shape (G,)
        Groups in order; one without cases scores 0.

    Returns
    -------
    z : ndarray of float64, shape (G,)
        Mean 0 in control; its variance is below 1 where groups are small, never above.
    """
    scores = np.zeros(len(cases))
    for size in np.unique(cases[cases > 0]).tolist():
        here = cases == size
        scores[here] = _score_table(baseline, size)[positive[here]]
    return scores


@lru_cache(maxsize=4096)
def _score_table(baseline: ShareBaseline, size: int) -> Floats:
    count = np.arange(size + 1)
    chance = stats.betabinom.pmf(count, size, *baseline.shape())
    middle = np.cumsum(chance) - chance / 2
    scores = stats.norm.ppf(np.clip(middle, 1e-12, 1 - 1e-12))
    # Counts of a small group are skewed: their quantiles have a mean of their own.
    return np.asarray(scores - chance @ scores)


def design_share_drift(
    baseline: ShareBaseline, sizes: Counts, *, false_alarm_runs: float = 370.0, series: int = _SERIES
) -> float:
    """Work out the decision interval (h) of a CUSUM over the scores of groups.

    Parameters
    ----------
    sizes : ndarray of int64, shape (G,)
        Sizes that groups have; simulated groups draw theirs from them.
    false_alarm_runs : float
        As in `control_chart_rates.design_drift`, in groups.

    Returns
    -------
    float
        Exceeded within 100 groups in ``1 - exp(-100 / false_alarm_runs)`` of simulated series.  The
        true share of the baseline and of each group are drawn as far off as they may be.
    """
    rng = np.random.default_rng(SEED + 2)
    drawn = rng.choice(np.sort(sizes[sizes > 0]), (series, HORIZON))
    known, rho = baseline.known_as, baseline.correlation
    truth = rng.beta(baseline.share * known + 0.5, (1 - baseline.share) * known + 0.5, (series, 1))
    if rho > 0:
        weight = 1 / min(rho, 1 - 1e-9) - 1
        truth = rng.beta(
            np.maximum(truth * weight, 1e-9), np.maximum((1 - truth) * weight, 1e-9), drawn.shape
        )
    positive = rng.binomial(drawn, truth)
    z = share_scores(baseline, positive.ravel(), drawn.ravel()).reshape(drawn.shape)
    up, down = cusum(z, SLACK)
    return float(np.quantile(np.maximum(up, down).max(axis=1), math.exp(-HORIZON / false_alarm_runs)))


@dataclass(frozen=True, slots=True)
class WatchedShare:
    """What the chart of one share shows."""

    baseline: ShareBaseline
    limits: tuple[ShareLimits, ...]
    """Of each group."""
    in_baseline: Bools
    """Shape (G,): groups of phase I."""
    judged: Bools
    """Shape (G,): groups of phase II."""
    outside: tuple[int, ...]
    """Judged groups outside their limits."""
    up: Floats
    """CUSUM above and below, shape (G,); 0 in groups that are not judged."""
    down: Floats
    decision: float
    drifts: tuple[DriftAlarm, ...]
    false_alarm: float
    """How often a judged group (one of the baseline where none is judged) alarms in control, on average."""


def watch_share(
    positive: Counts,
    cases: Counts,
    baseline: Bools,
    *,
    fewest_groups: int = FEWEST_GROUPS,
    false_alarm_runs: float = 370.0,
) -> WatchedShare | NotEvaluable:
    """Chart a share over groups of cases.

    Parameters
    ----------
    positive, cases : ndarray of int64, shape (G,)
        Groups in order of time, each with a case or more; ``0 <= positive <= cases``.
    baseline : ndarray of bool, shape (G,)
        Groups of phase I.  Those behind the last of them are judged.
    fewest_groups : int
        Fewest groups of a baseline.
    false_alarm_runs : float
        Mean groups between false alarms that the CUSUM is built for.
    """
    found = estimate_share(positive[baseline], cases[baseline], fewest_groups=fewest_groups)
    if isinstance(found, NotEvaluable):
        return found
    limits = tuple(share_limits(found, size) for size in cases.tolist())
    judged = np.arange(len(cases)) > int(np.flatnonzero(baseline)[-1])
    later = np.flatnonzero(judged)
    decision = round(design_share_drift(found, cases, false_alarm_runs=false_alarm_runs), 4)
    up, down = np.zeros(len(cases)), np.zeros(len(cases))
    up[later], down[later] = cusum(share_scores(found, positive[later], cases[later]), SLACK)
    outside = [row for row in later.tolist() if not limits[row].low < positive[row] < limits[row].high]
    alarms = cusum_alarms(up[later], down[later], decision)
    of = later if len(later) else np.flatnonzero(baseline)
    return WatchedShare(
        baseline=found,
        limits=limits,
        in_baseline=baseline,
        judged=judged,
        outside=tuple(outside),
        up=up,
        down=down,
        decision=decision,
        drifts=tuple(alarm.placed(later) for alarm in alarms),
        false_alarm=float(np.mean([limits[row].false_alarm for row in of.tolist()])),
    )
