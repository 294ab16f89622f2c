"""Counts by the program beside a first count: checks, which decide nothing.

Where a guideline asks for a recount it asks for a second *person* who does not know the first
result.  A program that counts other fields by the same rules repeats its own mistakes, so its
count is shown with its agreement and never enters the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from her2path.domain.guideline.definition import Guideline
from her2path.domain.guideline.findings import IshFinding, RecountFinding
from her2path.domain.ish import IshReading, SignalSummary
from her2path.domain.reading import Count, compare_recount, read_ish


@dataclass(frozen=True, slots=True)
class Check:
    """A count by the program, held against the first count of the case."""

    name: str
    """What was counted."""
    summary: SignalSummary
    group: IshFinding | None
    """None: the guideline reads no such count, see `why`."""
    why: str
    """Why it has no group; empty where it has one."""
    agrees: bool | None
    """Whether both are one result by the guideline; None where either has no group."""


def check_count(name: str, counted: IshReading, first: IshReading, guideline: Guideline) -> Check:
    """Find the group of a count by the program and hold it against that of the first count.

    Parameters
    ----------
    name : str
        What was counted.
    counted, first : IshReading
        Of the same probe.
    guideline : Guideline
        Whose groups.
    """
    read = read_ish(counted, guideline, count=Count.RECOUNT)
    compared = compare_recount(read_ish(first, guideline), read, guideline)
    return Check(
        name,
        counted.summary,
        read.finding if read.finding.is_result else None,
        "" if read.indeterminate is None else read.indeterminate.reason,
        {RecountFinding.SAME: True, RecountFinding.OTHER: False}.get(compared),
    )


def checks_of(
    counts: Mapping[str, IshReading], first: IshReading | None, guideline: Guideline
) -> tuple[Check, ...]:
    """Hold several counts against the first one; nothing without a first count."""
    if first is None:
        return ()
    return tuple(check_count(name, counted, first, guideline) for name, counted in counts.items())
