"""How the signals of the counted nuclei scatter: spread over nuclei and intervals of means and ratio.

The intervals ask what another count of as many nuclei of the same kind would have found.  Those of
the bootstrap are exact (`other_counts`): no random numbers, so the same count always has the same
interval.  Fieller's interval of the ratio stands beside it; it takes the means for normally distributed
and allows for their variances being estimated, which the bootstrap does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import stdev
from typing import Literal

import numpy as np
import numpy.typing as npt

from her2path.domain.ish import NucleusSignals, ratio_is_at_least_2, share_with_ratio
from her2path.domain.other_counts import Bootstrap, points_of
from her2path.domain.stability import MOST_POINTS
from her2path.domain.stats.ratio_interval import fieller_interval
from her2path.domain.verdict import NotEvaluable

FEWEST_NUCLEI = 10
"""Drawing fewer values again gives intervals that are far too narrow."""
CONFIDENCE = 0.95
DIGITS = 6
"""Decimals of a bound: what lies behind depends on the machine."""
_STEPS = 200_000
"""Steps between the smallest and the largest ratio that another count could have."""
Interval = tuple[float, float]

POLYSOMY_MEAN = 3
"""Mean CEP17 signals per nucleus from which polysomy 17 is noted [Orsaria, J Clin Pathol 66:1070 (2013);
Sun, Eur J Breast Health 17:128 (2021)]."""
MONOSOMY_SHARE = Fraction(60, 100)
"""Monosomy 17 is noted where more than this share of the nuclei has a single CEP17 signal: so it was in the
tumours that array CGH showed to be monosomic [Brunelli, Am J Cancer Res 5:2212 (2015)]."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Signals of one colour over the counted nuclei."""

    signals: int
    nuclei: int
    least: int
    most: int
    sd: float | None
    """Standard deviation over nuclei; None with a single nucleus."""
    interval: Interval | NotEvaluable
    """Of the mean, by exact bootstrap over nuclei, 95 %."""

    @property
    def mean(self) -> float:
        """Signals per nucleus, for printing."""
        return self.signals / self.nuclei

    @property
    def cv(self) -> float | None:
        """Standard deviation over mean; None with a single nucleus or no signal."""
        return None if self.sd is None or not self.signals else self.sd / self.mean


@dataclass(frozen=True, slots=True)
class RatioSpread:
    """The ratio of the sums with both of its intervals, 95 %."""

    ratio: float
    bootstrap: Interval | NotEvaluable
    fieller: Interval | NotEvaluable


def spread_of(counts: Sequence[int]) -> Spread:
    """Measure how the signals of one colour scatter over nuclei, of which there is at least one.

    Examples
    --------
    >>> spread = spread_of([2] * 10 + [4] * 10)
    >>> spread.mean, round(spread.sd, 3), spread.interval
    (3.0, 1.026, (2.6, 3.4))
    """
    if not counts:
        raise ValueError("no nucleus was counted")
    sd = stdev(counts) if len(counts) > 1 else None
    return Spread(sum(counts), len(counts), min(counts), max(counts), sd, _mean_interval(counts))


def ratio_spread(nuclei: Sequence[NucleusSignals]) -> RatioSpread | None:
    """Work out the ratio of the sums and its intervals; None with a single probe or without CEP17 signal."""
    pairs = [(nucleus.her2, nucleus.cep17) for nucleus in nuclei if nucleus.cep17 is not None]
    her2, cep17 = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if not sum(cep17):
        return None
    why_not = _no_interval(pairs)
    if why_not is not None:
        return RatioSpread(sum(her2) / sum(cep17), why_not, why_not)
    fieller = fieller_interval(her2, cep17, confidence=CONFIDENCE)
    if not isinstance(fieller, NotEvaluable):
        # Its lower bound can be negative where few nuclei hold most signals; no ratio of counts is.
        fieller = _rounded(max(0.0, fieller[0]), fieller[1])
    return RatioSpread(sum(her2) / sum(cep17), _ratio_interval(nuclei), fieller)


def share_amplified(nuclei: Sequence[NucleusSignals]) -> Fraction | None:
    """Share of the nuclei whose own ratio is 2.0 or more; None where no nucleus has a ratio."""
    return share_with_ratio(nuclei, ratio_is_at_least_2)


def chromosome_17(cep17: Sequence[int]) -> Literal["polysomy", "monosomy"] | None:
    """Note ``polysomy`` or ``monosomy`` of chromosome 17; None where neither is seen.

    A note, never a call: a section that cuts nuclei lowers the number of signals and can imitate
    monosomy, and a gain of the centromere alone imitates polysomy.

    Examples
    --------
    >>> chromosome_17([3, 3, 3]), chromosome_17([1, 1, 1, 2]), chromosome_17([2, 2, 1])
    ('polysomy', 'monosomy', None)
    """
    if cep17 and sum(cep17) >= POLYSOMY_MEAN * len(cep17):
        return "polysomy"
    if cep17 and Fraction(sum(count == 1 for count in cep17), len(cep17)) > MONOSOMY_SHARE:
        return "monosomy"
    return None


def _no_interval(values: Sequence[object]) -> NotEvaluable | None:
    if len(values) < FEWEST_NUCLEI:
        return NotEvaluable(
            "too_few_nuclei",
            f"an interval over fewer than {FEWEST_NUCLEI} nuclei would be far too narrow; count more",
        )
    if len(set(values)) == 1:
        return NotEvaluable(
            "nuclei_alike", "all counted nuclei are alike, so how nuclei scatter cannot be told"
        )
    return None


def _mean_interval(counts: Sequence[int]) -> Interval | NotEvaluable:
    why_not = _no_interval(counts)
    if why_not is not None:
        return why_not
    totals = Bootstrap.of([NucleusSignals(count, None) for count in counts])
    probability = np.zeros(totals.her2.high + 1)
    for block in totals.blocks():
        inside = block.her2[:, 0] <= totals.her2.high
        np.add.at(probability, block.her2[inside, 0], block.probability[inside, 0])
    low, high = _central(probability)
    return _rounded(low / len(counts), high / len(counts))


def _ratio_interval(nuclei: Sequence[NucleusSignals]) -> Interval | NotEvaluable:
    totals = Bootstrap.of(nuclei)
    window = totals.cep17
    if window is None or window.low < 1:
        return NotEvaluable("ratio_unbounded", "another count could meet no CEP17 signal at all")
    if points_of(totals) > MOST_POINTS:
        return NotEvaluable("count_too_large", "the signals scatter over too many totals to work it out")
    least, most = totals.her2.low / window.high, totals.her2.high / window.low
    step = (most - least) / _STEPS
    found = np.zeros(_STEPS + 1)
    for block in totals.blocks():
        cep17 = np.ones(1) if block.cep17 is None else block.cep17
        # Beside the window, where next to no probability lies, a ratio can be anything.
        ratio = np.clip(block.her2 / np.maximum(1, cep17), least, most)
        place = np.rint((ratio - least) / step).astype(np.int64)
        found += np.bincount(place.ravel(), block.probability.ravel(), minlength=_STEPS + 1)
    low, high = _central(found)
    return _rounded(least + low * step, least + high * step)


def _central(probability: npt.NDArray[np.float64]) -> tuple[int, int]:
    """Places that cut off half of what the confidence leaves at either end."""
    below = np.cumsum(probability)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.searchsorted(below / below[-1], (tail, 1 - tail))
    return int(low), int(high)


def _rounded(low: float, high: float) -> Interval:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"the bounds of an interval are numbers, got {low} and {high}")
    return round(low, DIGITS), round(high, DIGITS)
