"""From a measurement to a finding: read IHC and ISH by a guideline and keep the trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType

from her2path.domain.case import Controls
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import Guideline
from her2path.domain.guideline.findings import IhcFinding, IshFinding, RecountFinding
from her2path.domain.guideline.rules import POLICY, Rule, decide, holding
from her2path.domain.ihc import STAINED, IhcReading, IhcScore, IhcTally, StainingClass, StatedScore, TallyUnit
from her2path.domain.ish import IshReading, Probe
from her2path.domain.verdict import Indeterminate, NotEvaluable

Numbers = Mapping[str, int | float | str]

MIN_CELLS = 20
"""Fewest tumour cells for a score (policy P13): among 20, one cell more or less is half the 10 % cut."""
FEW_CELLS = 100
"""Below it the flag `few_cells` (policy P13): 10 of 100 cells has a 95 % interval of 5.5 to 17.4 %."""
MAX_BLANK = Fraction(1, 10)
"""A limit of blank that reaches the 10 % cut makes 0 and 1+ one and the same (policy P14)."""


@dataclass(frozen=True, slots=True)
class TrailStep:
    """One rule on the way to the call, with the numbers it looked at."""

    rule_id: str
    source: str
    conclusion: str
    numbers: Numbers = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", MappingProxyType(dict(self.numbers)))


@dataclass(frozen=True, slots=True)
class IhcRead:
    """What a guideline reads from an IHC measurement."""

    finding: IhcFinding
    trail: tuple[TrailStep, ...]
    flags: tuple[str, ...]
    indeterminate: Indeterminate | None = None

    @property
    def score(self) -> IhcScore | None:
        """The score; None where the test cannot be read."""
        return self.finding.score


@dataclass(frozen=True, slots=True)
class IshRead:
    """What a guideline reads from an ISH count."""

    finding: IshFinding
    trail: tuple[TrailStep, ...]
    flags: tuple[str, ...]
    indeterminate: Indeterminate | None = None


UNMEASURED: tuple[Rule[IhcReading, NotEvaluable], ...] = (
    Rule(
        "IHC-NO-CELLS",
        f"{POLICY} P13: fewest cells for a score",
        lambda r: r.tally.total == 0,
        NotEvaluable("no_tumour_cells", "no tumour cell was scored; check the tumour region and the stain"),
    ),
    Rule(
        "IHC-TOO-FEW-CELLS",
        f"{POLICY} P13: fewest cells for a score",
        lambda r: r.unit is TallyUnit.CELLS and 0 < r.tally.total < MIN_CELLS,
        NotEvaluable(
            "too_few_tumour_cells",
            f"fewer than {MIN_CELLS} tumour cells were scored, so a percentage means nothing; "
            "check the tumour region or use another specimen",
        ),
    ),
    Rule(
        "IHC-LIMIT-OF-BLANK",
        f"{POLICY} P14: a limit of blank below the 10 % cut",
        lambda r: r.limit_of_blank >= MAX_BLANK,
        NotEvaluable(
            "limit_of_blank",
            "the limit of blank of this calibration reaches the 10 % cut, so 0 and 1+ cannot be told apart; "
            "calibrate the assay again",
        ),
    ),
)
"""Reasons of her2path, not of a guideline, why there is nothing to read."""


def read_ihc(reading: IhcReading | StatedScore, guideline: Guideline) -> IhcRead | NotEvaluable:
    """Score IHC by a guideline.

    Returns
    -------
    read : IhcRead or NotEvaluable
        The finding is indeterminate where the guideline rejects the test; `NotEvaluable` where
        there is nothing to read (no or too few cells).
    """
    if isinstance(reading, StatedScore):
        return _read_stated(reading, guideline)
    for rule in holding(reading, UNMEASURED):
        return rule.then
    if rejected := _rejected_ihc(reading, guideline):
        return rejected
    decision = decide(reading, guideline.ihc)
    scoring = decision.conclusion
    step = TrailStep(decision.rule.id, decision.rule.source, f"IHC {scoring.score}", ihc_numbers(reading))
    conditions = {
        Flag.FEW_CELLS: reading.unit is TallyUnit.CELLS and reading.tally.total < FEW_CELLS,
        Flag.INTENSE_WITHIN_BLANK: _is_intense_within_blank(reading),
        Flag.IHC_CONTROLS_UNKNOWN: reading.controls is Controls.UNKNOWN,
    }
    flags = tuple(flag for flag, holds in conditions.items() if holds)
    return IhcRead(IhcFinding(scoring.score), (step,), (*scoring.flags, *flags))


def _is_intense_within_blank(reading: IhcReading) -> bool:
    intense = StainingClass.COMPLETE_INTENSE
    return reading.cells_of(intense) > 0 and not reading.over_blank(intense)


def _rejected_ihc(reading: IhcReading, guideline: Guideline) -> IhcRead | None:
    rejected = holding(reading, guideline.ihc_rejections)
    if not rejected:
        return None
    steps = tuple(TrailStep(r.id, r.source, f"indeterminate: {r.then}") for r in rejected)
    reasons = Indeterminate(tuple(r.id for r in rejected), "; ".join(r.then for r in rejected))
    flags = (*_controls_flag(reading.controls, Flag.IHC_CONTROLS_UNKNOWN), Flag.IHC_INDETERMINATE)
    return IhcRead(IhcFinding.INDETERMINATE, steps, flags, reasons)


def _read_stated(stated: StatedScore, guideline: Guideline) -> IhcRead:
    # What can reject a score without percentages are its controls; an empty tally carries them.
    if rejected := _rejected_ihc(IhcReading(IhcTally({}), controls=stated.controls), guideline):
        return rejected
    step = TrailStep("IHC-STATED", "score stated by a person, without percentages", f"IHC {stated.score}")
    flags = (Flag.SCORE_STATED, *_controls_flag(stated.controls, Flag.IHC_CONTROLS_UNKNOWN))
    return IhcRead(IhcFinding(stated.score), (step,), flags)


def ihc_numbers(reading: IhcReading) -> Numbers:
    """State the percentages of a tally for print, by name; needs a scored cell."""
    numbers: dict[str, int | float | str] = {}
    if reading.unit is TallyUnit.CELLS:
        numbers["scored_cells"] = reading.tally.total
    for name in StainingClass:
        numbers[f"pct_{name}"] = float(reading.pct_of(name))
    numbers["pct_stained"] = float(reading.pct_of(*STAINED))
    numbers["limit_of_blank_pct"] = float(100 * reading.limit_of_blank)
    return numbers


def read_ish(reading: IshReading, guideline: Guideline, *, recount: bool = False) -> IshRead:
    """Find the ISH group of one observer's count by a guideline.

    Parameters
    ----------
    reading : IshReading
        Totals over the counted nuclei and what is known of the count.
    guideline : Guideline
        Whose groups.
    recount : bool
        Read it as a second count: it looks at one area again, so it is not asked for several.
    """
    rejections = guideline.recount_rejections if recount else guideline.ish_rejections
    flags = _controls_flag(reading.controls, Flag.ISH_CONTROLS_UNKNOWN)
    if not recount and reading.areas is None:
        flags = (*flags, Flag.AREAS_NOT_STATED)
    if _is_near_ratio_cut(reading):
        flags = (*flags, Flag.NEAR_RATIO_CUT)
    prefix = "recount: " if recount else ""
    numbers = ish_numbers(reading)
    rejected = holding(reading, rejections)
    if rejected:
        steps = tuple(
            TrailStep(r.id, r.source, f"{prefix}indeterminate: {r.then}", numbers) for r in rejected
        )
        reasons = Indeterminate(tuple(r.id for r in rejected), "; ".join(r.then for r in rejected))
        return IshRead(IshFinding.INDETERMINATE, steps, flags, reasons)
    dual = reading.summary.probe is Probe.DUAL
    decision = decide(reading.summary, guideline.ish_dual if dual else guideline.ish_single)
    finding = decision.conclusion
    conclusion = f"{prefix}ISH group {finding}" if dual else f"{prefix}ISH {finding}"
    step = TrailStep(decision.rule.id, decision.rule.source, conclusion, numbers)
    return IshRead(finding, (step,), flags)


def _is_near_ratio_cut(reading: IshReading) -> bool:
    # 1.8 to 2.2: the band in which kit instructions ask for more nuclei; in integers, ends included.
    her2, cep17 = reading.summary.her2, reading.summary.cep17
    return cep17 is not None and cep17 > 0 and 18 * cep17 <= 10 * her2 <= 22 * cep17


def compare_recount(first: IshRead, second: IshRead | None) -> RecountFinding:
    """Say what a recount adds to a first count; a first count that cannot be read has no recount."""
    if second is None or not first.finding.is_result:
        return RecountFinding.NONE
    if not second.finding.is_result:
        return RecountFinding.INVALID
    return RecountFinding.SAME if second.finding is first.finding else RecountFinding.OTHER


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
        "cytoplasmic_signals": reading.cytoplasmic_signals,
    }
    return {name: value for name, value in numbers.items() if value is not None}


def _controls_flag(controls: Controls, flag: Flag) -> tuple[str, ...]:
    return (flag,) if controls is Controls.UNKNOWN else ()
