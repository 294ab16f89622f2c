"""From a measurement to a finding: read IHC and ISH by a guideline and keep the trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from her2path.domain.case import Controls
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import Guideline, RecountUse, blanks_of, condition_of
from her2path.domain.guideline.findings import IhcFinding, IshFinding, RecountFinding, Scoring
from her2path.domain.guideline.policies import FEW_CELLS, SPECIMEN_NOT_COVERED
from her2path.domain.guideline.quantities import (
    INTENSE_OVER_BLANK,
    PCT_STAINED,
    STAINED_WITHIN_BLANK,
    STRONG_OVER_BLANK,
)
from her2path.domain.guideline.rules import Rule, decide, holding
from her2path.domain.ihc import STAINED, IhcReading, IhcScore, IhcTally, StainingClass, StatedScore, TallyUnit
from her2path.domain.ish import IshReading
from her2path.domain.verdict import Indeterminate, NotEvaluable

E = TypeVar("E")
C = TypeVar("C")
Numbers = Mapping[str, int | float | str]


@dataclass(frozen=True, slots=True)
class TrailStep:
    """One rule on the way to the call, with the numbers it looked at."""

    rule_id: str
    source: str
    conclusion: str
    condition: str = ""
    """What had to hold, in words; empty where a person stated the result."""
    numbers: Numbers = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", MappingProxyType(dict(self.numbers)))


@dataclass(frozen=True, slots=True)
class IhcRead:
    """What a guideline reads from an IHC measurement."""

    finding: IhcFinding
    trail: tuple[TrailStep, ...]
    flags: tuple[str, ...]
    score: IhcScore | None = None
    """None where the test cannot be read."""
    indeterminate: Indeterminate | None = None


@dataclass(frozen=True, slots=True)
class IshRead:
    """What a guideline reads from an ISH count."""

    finding: IshFinding
    trail: tuple[TrailStep, ...]
    flags: tuple[str, ...]
    indeterminate: Indeterminate | None = None


def read_ihc(reading: IhcReading | StatedScore, guideline: Guideline) -> IhcRead | NotEvaluable:
    """Score IHC by a guideline.

    Returns
    -------
    read : IhcRead or NotEvaluable
        The finding is indeterminate where the guideline rejects the test; `NotEvaluable` where
        there is nothing to read (no or too few cells), or too little to tell what the guideline
        asks for (kind of specimen, clusters, percentages).
    """
    if isinstance(reading, StatedScore):
        return _read_stated(reading, guideline)
    # A failed stain comes first: nobody should count clusters on it.
    if rejected := _rejected_ihc(reading, guideline):
        return rejected
    for rule in holding(reading, guideline.unreadable):
        return rule.then
    decision = decide(reading, guideline.ihc)
    scoring = decision.conclusion
    step = _step(decision.rule, _ihc_words(scoring), ihc_numbers(reading, guideline))
    conditions = {
        Flag.FEW_CELLS: reading.unit is TallyUnit.CELLS and reading.tally.total < FEW_CELLS,
        Flag.INTENSE_WITHIN_BLANK: _is_intense_within_blank(reading, guideline),
        Flag.STAINED_WITHIN_BLANK: STAINED_WITHIN_BLANK(reading)
        and PCT_STAINED in blanks_of((decision.rule,)),
        Flag.IHC_CONTROLS_UNKNOWN: reading.controls is Controls.UNKNOWN,
    }
    flags = tuple(flag for flag, holds in conditions.items() if holds)
    return IhcRead(scoring.finding, (step,), (*scoring.flags, *flags), scoring.score)


def _step(rule: Rule[E, C], conclusion: str, numbers: Numbers | None = None) -> TrailStep:
    return TrailStep(rule.id, rule.source, conclusion, str(condition_of(rule)), numbers or {})


def _ihc_words(scoring: Scoring) -> str:
    extent = "" if scoring.reads_as is None else f", {scoring.reads_as} by its extent"
    return f"IHC {scoring.score}{extent}"


def _is_intense_within_blank(reading: IhcReading, guideline: Guideline) -> bool:
    asked = (over for over in (INTENSE_OVER_BLANK, STRONG_OVER_BLANK) if over.quantity in guideline.blanks)
    return any(over.quantity.numerator(reading) > 0 and not over(reading) for over in asked)


def _rejected_ihc(reading: IhcReading, guideline: Guideline) -> IhcRead | None:
    rejected = holding(reading, guideline.ihc_rejections)
    if not rejected:
        return None
    steps = tuple(_step(r, f"indeterminate: {r.then}") for r in rejected)
    reasons = Indeterminate(tuple(r.id for r in rejected), "; ".join(r.then for r in rejected))
    flags = (*_controls_flag(reading.controls, Flag.IHC_CONTROLS_UNKNOWN), Flag.IHC_INDETERMINATE)
    return IhcRead(IhcFinding.INDETERMINATE, steps, flags, indeterminate=reasons)


def _read_stated(stated: StatedScore, guideline: Guideline) -> IhcRead | NotEvaluable:
    # What can reject a score without percentages are its controls; an empty tally carries them.
    seen = IhcReading(IhcTally({}), controls=stated.controls, specimen=stated.specimen)
    if rejected := _rejected_ihc(seen, guideline):
        return rejected
    if SPECIMEN_NOT_COVERED in guideline.unreadable and SPECIMEN_NOT_COVERED.when(seen):
        return SPECIMEN_NOT_COVERED.then
    if IhcFinding(stated.score) not in guideline.ihc_findings:
        return NotEvaluable(
            "extent_not_stated",
            f"by {guideline.id} a score of {stated.score} says nothing without its extent; "
            "give the percentages",
        )
    step = TrailStep("IHC-STATED", "score stated by a person, without percentages", f"IHC {stated.score}")
    flags = (Flag.SCORE_STATED, *_controls_flag(stated.controls, Flag.IHC_CONTROLS_UNKNOWN))
    return IhcRead(IhcFinding(stated.score), (step,), flags, stated.score)


def ihc_numbers(reading: IhcReading, guideline: Guideline | None = None) -> Numbers:
    """State the percentages of a tally for print, by name; needs a scored cell.

    Parameters
    ----------
    reading : IhcReading
        The tally and what is known of it.
    guideline : Guideline, optional
        Adds the numbers that this guideline compares.
    """
    numbers: dict[str, int | float | str] = {}
    if reading.unit is TallyUnit.CELLS:
        numbers["scored_cells"] = reading.tally.total
    total = reading.tally.total
    for name in StainingClass:
        numbers[f"pct_{name}"] = 100 * reading.cells_of(name) / total
    numbers["pct_stained"] = 100 * reading.cells_of(*STAINED) / total
    for cut in guideline.ihc_cuts if guideline is not None else ():
        quantity = cut.quantity
        if (
            quantity.name not in numbers
            and cut.concerns(reading)
            and quantity.is_known(reading)
            and (below := quantity.denominator(reading))
        ):
            above = quantity.numerator(reading)
            numbers[quantity.name] = above / below if above % below else above // below
    blank = reading.limit_of_blank
    numbers["limit_of_blank_pct"] = 100 * blank.numerator / blank.denominator
    return numbers


class Count(StrEnum):
    """Which count of a case is read, as its conclusions begin."""

    FIRST = ""
    RECOUNT = "recount: "
    BOTH = "both counts: "
    """The sum of two counts, where further nuclei were counted."""


def read_ish(reading: IshReading, guideline: Guideline, *, count: Count = Count.FIRST) -> IshRead:
    """Find the ISH group of a count by a guideline.

    Parameters
    ----------
    reading : IshReading
        Totals over the counted nuclei and what is known of the count.
    guideline : Guideline
        Whose groups.
    count : Count
        A second count looks at one area again, so it is not asked for several.
    """
    is_first = count is Count.FIRST
    rejections = guideline.ish_rejections if is_first else guideline.recount_rejections
    flags = _controls_flag(reading.controls, Flag.ISH_CONTROLS_UNKNOWN)
    if is_first and reading.areas is None:
        flags = (*flags, Flag.AREAS_NOT_STATED)
    asked = (*guideline.ish_flags, *(guideline.recount_flags if count is Count.RECOUNT else ()))
    numbers = ish_numbers(reading)
    rejected = holding(reading, rejections)
    if rejected:
        steps = tuple(_step(r, f"{count}indeterminate: {r.then}", numbers) for r in rejected)
        reasons = Indeterminate(tuple(r.id for r in rejected), "; ".join(r.then for r in rejected))
        return IshRead(IshFinding.INDETERMINATE, steps, flags, reasons)
    decision = decide(reading, guideline.ish_rules(reading.summary.probe))
    finding = decision.conclusion
    step = _step(decision.rule, f"{count}ISH {'group ' if finding.is_group else ''}{finding}", numbers)
    return IshRead(finding, (step,), (*flags, *(r.then for r in holding(reading, asked))))


def counts_as_one(first: IshRead, second: IshRead | None, guideline: Guideline) -> bool:
    """Whether the guideline reads both counts as one: further nuclei, added to an equivocal count."""
    adds = guideline.recount_use is RecountUse.ADD and first.finding is IshFinding.EQUIVOCAL
    return adds and second is not None and second.finding.is_result


def both_counts(first: IshReading, second: IshReading) -> IshReading:
    """Add the nuclei of a second count; what is known of the quality is that of the first."""
    return replace(first, summary=first.summary + second.summary)


def compare_recount(first: IshRead, second: IshRead | None, guideline: Guideline) -> RecountFinding:
    """Say what a recount adds to a first count; a first count that cannot be read has no recount."""
    if second is None or not first.finding.is_result:
        return RecountFinding.NONE
    if not second.finding.is_result:
        return RecountFinding.INVALID
    alike = guideline.is_one_result(first.finding, second.finding)
    return RecountFinding.SAME if alike else RecountFinding.OTHER


def ish_numbers(reading: IshReading) -> Numbers:
    """State the totals, means and ratio of a count for print; what is not known is left out."""
    summary = reading.summary
    numbers: dict[str, int | float | str | None] = {
        "nuclei": summary.nuclei,
        "her2_signals": summary.her2,
        "cep17_signals": summary.cep17,
        "her2_mean": summary.her2_mean,
        "cep17_mean": summary.cep17_mean,
        "her2_cep17_ratio": summary.her2_cep17_ratio,
        "areas": reading.areas,
        "weak_signals": reading.weak_signals,
        "weak_among": reading.weak_among,
        "cytoplasmic_signals": reading.cytoplasmic_signals,
        "cytoplasmic_among": reading.cytoplasmic_among,
        "pct_nuclei_ratio_at_least_2": None
        if reading.share_ratio_at_least_2 is None
        else float(100 * reading.share_ratio_at_least_2),
    }
    return {name: value for name, value in numbers.items() if value is not None}


def _controls_flag(controls: Controls, flag: Flag) -> tuple[str, ...]:
    return (flag,) if controls is Controls.UNKNOWN else ()
