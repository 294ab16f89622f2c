"""How likely another count of the same kind would land in another ISH group.

Twenty nuclei near a ratio of 2.0 are a coin toss.  What is stated here is exact for its model: the
bootstrap over single nuclei where they are known, Poisson totals where they are not, both without
random numbers; and the smallest change of a total that leads to another group, in integers.

Only chance in the choice of cells is looked at.  Another area, another observer or another section
can differ by more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import product
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from her2path.domain.case import Controls
from her2path.domain.guideline.definition import Guideline, condition_of
from her2path.domain.guideline.findings import IshFinding
from her2path.domain.guideline.quantities import SHARE_RATIO_2
from her2path.domain.guideline.rules import decide
from her2path.domain.ish import IshReading, NucleusSignals, Probe, SignalSummary
from her2path.domain.margins import (
    Axis,
    Margin,
    Rules,
    comparisons_of,
    margins,
    share_axes,
    signal_axes,
)
from her2path.domain.other_counts import Bootstrap, OtherCounts, PoissonTotals, binomial, points_of
from her2path.domain.reading import Count, read_ish
from her2path.domain.verdict import NotEvaluable

MOST_POINTS = 2**24
"""Largest grid of totals: 130 MB and about a second; 200 nuclei with 0 to 60 signals each need it."""
DIGITS = 10
"""Decimals of a probability: what lies behind depends on the machine."""


class Basis(StrEnum):
    """What the probabilities rest on."""

    NUCLEI = "nuclei"
    """The counted nuclei, drawn again with replacement (bootstrap)."""
    POISSON = "poisson"
    """The totals alone, taken for independent Poisson counts: a model."""


@dataclass(frozen=True, slots=True)
class Stability:
    """How likely another count of as many nuclei would be read otherwise."""

    basis: Basis
    finding: IshFinding
    """The group of the count itself."""
    nuclei: int
    probabilities: Mapping[IshFinding, float]
    """In the order of the guideline; they sum to 1.  Indeterminate only where it can happen."""
    another_result: float
    """Probability of a group that is another result by the guideline."""
    margins: tuple[Margin, ...]
    """At most one for each number and direction; none where no change leads to another group."""
    nuclei_alike: bool = False
    """Whether the nuclei do not differ in what was drawn again: then the probabilities tell nothing."""

    def __post_init__(self) -> None:
        if abs(sum(self.probabilities.values()) - 1) > 1e-9:
            raise ValueError(f"the probabilities do not sum to 1: {dict(self.probabilities)}")
        object.__setattr__(self, "probabilities", MappingProxyType(dict(self.probabilities)))

    @property
    def another_finding(self) -> float:
        """Probability of any other group."""
        return round(sum(p for name, p in self.probabilities.items() if name is not self.finding), DIGITS)


def stability(
    reading: IshReading,
    guideline: Guideline,
    nuclei: Sequence[NucleusSignals] = (),
    *,
    count: Count = Count.FIRST,
) -> Stability | NotEvaluable:
    """Ask what another count of as many nuclei would be read as.

    Parameters
    ----------
    reading : IshReading
        The count.  Its quality (areas, controls, weak signals) is taken as it is.
    guideline : Guideline
        Whose groups.
    nuclei : sequence of NucleusSignals
        The counted nuclei one by one; empty where only totals are known.
    count : Count
        Which count it is: a recount is not asked for several areas, for example.

    Returns
    -------
    stability : Stability or NotEvaluable
        `NotEvaluable` where the guideline cannot read the count, and where the totals scatter over
        more than `MOST_POINTS` combinations (no count made by people does).

    Raises
    ------
    ValueError
        The nuclei do not sum to the totals of the count.

    Examples
    --------
    >>> from her2path.domain.guideline.registry import GUIDELINES
    >>> count = IshReading(SignalSummary(20, 120, 60))
    >>> stability(count, GUIDELINES["breast_2023"]).margins[0]
    Margin(counted=<Counted.HER2: 'her2_signals'>, change=-1, finding=<IshFinding.GROUP_4: '4'>)
    """
    if nuclei and SignalSummary.of(nuclei, probe=reading.summary.probe) != reading.summary:
        raise ValueError("the nuclei do not sum to the totals of the count")
    read = read_ish(reading, guideline, count=count)
    if read.indeterminate is not None:
        return NotEvaluable("count_not_readable", f"the count cannot be read: {read.indeterminate.reason}")
    rules = guideline.ish_rules(reading.summary.probe)
    by_share = all(one.quantity is SHARE_RATIO_2 for one in comparisons_of(rules))
    found = (_from_share if by_share else _from_totals)(reading, nuclei, guideline, rules)
    if isinstance(found, NotEvaluable):
        return found
    probabilities = {name: round(p, DIGITS) for name, p in found.probabilities.items()}
    others = (p for name, p in probabilities.items() if not guideline.is_one_result(read.finding, name))
    return Stability(
        basis=found.basis,
        finding=read.finding,
        nuclei=reading.summary.nuclei,
        probabilities=probabilities,
        another_result=round(sum(others), DIGITS),
        margins=margins(found.axes, rules),
        nuclei_alike=found.nuclei_alike,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    basis: Basis
    probabilities: Mapping[IshFinding, float]
    axes: tuple[Axis, ...]
    nuclei_alike: bool
    """Whether every drawing of nuclei is the count itself."""


def _from_share(
    reading: IshReading, nuclei: Sequence[NucleusSignals], guideline: Guideline, rules: Rules
) -> _Found:
    """Draw as many nuclei again: how many of them are amplified is binomial."""
    share = reading.share_ratio_at_least_2 or Fraction(0)
    # Without CEP17 a nucleus has no ratio, and the share leaves it out.
    trials = sum(1 for nucleus in nuclei if nucleus.cep17) if nuclei else reading.summary.nuclei
    found = _probabilities([_shares(reading.summary, share, trials)], guideline, rules)
    return _Found(Basis.NUCLEI, found, share_axes(reading, share, trials), share in (0, 1))


def _from_totals(
    reading: IshReading, nuclei: Sequence[NucleusSignals], guideline: Guideline, rules: Rules
) -> _Found | NotEvaluable:
    counts: OtherCounts = Bootstrap.of(nuclei) if nuclei else PoissonTotals.of(reading.summary)
    if points_of(counts) <= MOST_POINTS:
        found = _probabilities(_totals(reading.summary, counts), guideline, rules)
    elif _is_settled(counts, reading, rules):
        here = decide(reading, rules).conclusion
        found = {rule.then: float(rule.then is here) for rule in rules}
    else:
        return NotEvaluable(
            "count_too_large",
            "the signals scatter over too many totals to work out how likely another group is",
        )
    basis = Basis.NUCLEI if nuclei else Basis.POISSON
    return _Found(basis, found, signal_axes(reading, rules), nuclei_alike=len(set(nuclei)) == 1)


# --- probabilities: the guideline's own rules on a grid of counts ------------------------------


@dataclass(frozen=True, slots=True)
class _Shares:
    """Shares as arrays where a rule expects a fraction."""

    numerator: npt.NDArray[np.int64]
    denominator: int


@dataclass(frozen=True, slots=True)
class _Summaries:
    """Totals as arrays where a rule expects a `SignalSummary`."""

    nuclei: int
    her2: npt.NDArray[np.int64] | int
    cep17: npt.NDArray[np.int64] | int | None
    probe: Probe


@dataclass(frozen=True, slots=True)
class _Counts:
    """Counts of a sound quality where a rule expects an `IshReading`."""

    summary: _Summaries
    share_ratio_at_least_2: _Shares | None = None
    areas: None = None
    weak_share: None = None
    cytoplasmic_share: None = None
    controls: Controls = Controls.UNKNOWN
    poor_nuclei: None = None
    autofluorescence: None = None
    other_observer: None = None
    blinded: None = None


_Weighted = tuple[_Counts, npt.NDArray[np.float64]]


def _totals(summary: SignalSummary, counts: OtherCounts) -> Iterator[_Weighted]:
    for block in counts.blocks():
        yield (
            _Counts(_Summaries(summary.nuclei, block.her2, block.cep17, summary.probe)),
            block.probability,
        )


def _shares(summary: SignalSummary, share: Fraction, trials: int) -> _Weighted:
    same = _Summaries(summary.nuclei, summary.her2, summary.cep17, summary.probe)
    shares = _Shares(np.arange(trials + 1, dtype=np.int64), trials)
    return _Counts(same, shares), binomial(trials, float(share))


def _probabilities(grids: Iterable[_Weighted], guideline: Guideline, rules: Rules) -> dict[IshFinding, float]:
    """Sum the probability of each finding; a count that cannot be read is indeterminate (policy P8)."""
    found = dict.fromkeys((*(rule.then for rule in rules), IshFinding.INDETERMINATE), 0.0)
    for grid, weights in grids:
        # Asked as a recount asks: how many areas another count has is not what varies here.
        rejected = np.zeros(weights.shape, dtype=np.bool_)
        for reason in guideline.recount_rejections:
            rejected |= condition_of(reason).on_grid(grid)
        found[IshFinding.INDETERMINATE] += float(weights.sum(where=rejected))
        for rule in rules:
            holds = np.broadcast_to(condition_of(rule).on_grid(grid), weights.shape)
            found[rule.then] += float(weights.sum(where=holds & ~rejected))
    if not round(found[IshFinding.INDETERMINATE], DIGITS):
        del found[IshFinding.INDETERMINATE]
    return found


def _is_settled(counts: OtherCounts, reading: IshReading, rules: Rules) -> bool:
    """Tell whether no cut-point runs through the window of totals, by looking at its corners."""
    nuclei = reading.summary.nuclei
    below = (None,) if counts.cep17 is None else (max(1, counts.cep17.low), counts.cep17.high)
    corners = [
        IshReading(SignalSummary(nuclei, her2, cep17))
        for her2, cep17 in product((max(1, counts.her2.low), counts.her2.high), below)
    ]
    return all(len({atom(corner) for corner in corners}) == 1 for atom in comparisons_of(rules))
