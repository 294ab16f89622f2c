"""The smallest change of a count that leads to another ISH group, in whole signals or nuclei."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from her2path.domain.guideline.conditions import Comparison
from her2path.domain.guideline.definition import condition_of
from her2path.domain.guideline.findings import IshFinding
from her2path.domain.guideline.rules import Rule, decide
from her2path.domain.ish import IshReading, SignalSummary

Rules = Sequence[Rule[IshReading, IshFinding]]


class Counted(StrEnum):
    """The number that would have to be another one."""

    HER2 = "her2_signals"
    CEP17 = "cep17_signals"
    NUCLEI = "nuclei_ratio_at_least_2"


@dataclass(frozen=True, slots=True)
class Margin:
    """The smallest change of one number, all others staying, that leads to another group."""

    counted: Counted
    change: int
    """Signals or nuclei more (> 0) or fewer (< 0)."""
    finding: IshFinding
    """The group that it leads to."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One number of a count that can be imagined otherwise."""

    counted: Counted
    now: int
    low: int
    high: int
    """Beyond it, and below `low`, no cut-point is left to be crossed."""
    with_number: Callable[[int], IshReading]


def comparisons_of(rules: Rules) -> tuple[Comparison[IshReading], ...]:
    """List the numbers beside cut-points that the rules are made of."""
    atoms = dict.fromkeys(atom for rule in rules for atom in condition_of(rule).atoms)
    return tuple(atom for atom in atoms if isinstance(atom, Comparison))


def signal_axes(reading: IshReading, rules: Rules) -> tuple[Axis, ...]:
    """List the totals of a count; a total of zero would be no count, so it is not looked at."""
    summary = reading.summary
    # Every compared number is a ratio of two of these three, or a multiple of it.
    largest = max(summary.nuclei, summary.her2, summary.cep17 or 0)
    end = max(int(largest * max(c.cut, 1 / c.cut)) + 1 for c in comparisons_of(rules))

    def with_her2(total: int) -> IshReading:
        return replace(reading, summary=SignalSummary(summary.nuclei, total, summary.cep17))

    def with_cep17(total: int) -> IshReading:
        return replace(reading, summary=SignalSummary(summary.nuclei, summary.her2, total))

    above = Axis(Counted.HER2, summary.her2, 1, end, with_her2)
    return (
        (above,) if summary.cep17 is None else (above, Axis(Counted.CEP17, summary.cep17, 1, end, with_cep17))
    )


def share_axes(reading: IshReading, share: Fraction, trials: int) -> tuple[Axis, ...]:
    """List the number of amplified nuclei; none where the stated share is no whole number of them."""
    amplified = share * trials

    def with_amplified(nuclei: int) -> IshReading:
        return replace(reading, share_ratio_at_least_2=Fraction(nuclei, trials))

    if amplified.denominator != 1:
        return ()
    return (Axis(Counted.NUCLEI, int(amplified), 0, trials, with_amplified),)


def margins(axes: Sequence[Axis], rules: Rules) -> tuple[Margin, ...]:
    """Find the nearest other group along each axis, downwards and upwards."""
    return tuple(margin for axis in axes for margin in _along(axis, rules))


def _along(axis: Axis, rules: Rules) -> Iterator[Margin]:
    here = decide(axis.with_number(axis.now), rules).conclusion
    for sign, reach in ((-1, axis.now - axis.low), (1, axis.high - axis.now)):

        def moved(by: int, sign: int = sign) -> IshReading:
            return axis.with_number(axis.now + sign * by)

        turns = {_first_turn(atom, moved, reach) for atom in comparisons_of(rules)}
        # The group can only change where one of its comparisons turns over.
        for by in sorted(turns - {reach + 1}):
            there = decide(moved(by), rules).conclusion
            if there is not here:
                yield Margin(axis.counted, sign * by, there)
                break


def _first_turn(atom: Comparison[IshReading], moved: Callable[[int], IshReading], reach: int) -> int:
    """Find how far to go until a comparison turns over; `reach` + 1 if it never does.

    Along an axis a compared number only rises or only falls, so halving the interval finds it.
    """
    now = atom(moved(0))
    return 1 + bisect_left(range(1, reach + 1), True, key=lambda by: atom(moved(by)) is not now)
