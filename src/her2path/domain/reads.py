"""A pathologist's read of a case, and what a guideline makes of it.

A read is what one reader wrote down in one session: a score, percentages, counts, a call, or some of
these.  Whatever the reader stated stands; what was left open follows from the rest by the guideline, or
stays open.  No cut-point is repeated here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from her2path.domain.case import Specimen
from her2path.domain.decision import CaseEvidence, call_case
from her2path.domain.guideline.definition import Guideline
from her2path.domain.ihc import (
    IhcReading,
    IhcScore,
    Intensity,
    StainingClass,
    StatedScore,
    TallyUnit,
    tally_of_percentages,
)
from her2path.domain.ish import IshReading, SignalSummary
from her2path.domain.low_expression import Her2Category, low_expression
from her2path.domain.reading import read_ihc
from her2path.domain.verdict import NotEvaluable, State

SOFTWARE = "her2path"
"""Name under which the software stands among the readers; no person may use it."""
NOT_EVALUABLE = "not_evaluable"
"""Call of a case that nothing could be said of."""


class Endpoint(StrEnum):
    """What readers are compared on."""

    SCORE = "ihc_score"
    CATEGORY = "category"
    CALL = "call"


class ClinicalCategory(StrEnum):
    """Categories that decide on treatment, in ascending order."""

    ZERO = "0"
    ULTRALOW = "ultralow"
    LOW = "low"
    POSITIVE = "positive"


class CallClass(StrEnum):
    """What a call amounts to where calls are compared."""

    NEGATIVE = "negative"
    EQUIVOCAL = "equivocal"
    """Pending, equivocal or indeterminate: neither positive nor negative yet."""
    POSITIVE = "positive"


_CATEGORY = {
    Her2Category.NULL: ClinicalCategory.ZERO,
    Her2Category.ULTRALOW: ClinicalCategory.ULTRALOW,
    Her2Category.LOW: ClinicalCategory.LOW,
    Her2Category.POSITIVE: ClinicalCategory.POSITIVE,
}
LEVELS: Mapping[Endpoint, tuple[str, ...]] = MappingProxyType(
    {
        Endpoint.SCORE: tuple(map(str, IhcScore)),
        Endpoint.CATEGORY: tuple(map(str, ClinicalCategory)),
        Endpoint.CALL: tuple(map(str, CallClass)),
    }
)
"""Levels of each endpoint in ascending order; a code is the place in it."""
_FINAL = (State.POSITIVE, State.NEGATIVE)


def clinical_category(category: Her2Category | None) -> ClinicalCategory | None:
    """Name the clinical category of the overlay; None where there is none."""
    return None if category is None else _CATEGORY[category]


def call_class(call: str | None) -> CallClass | None:
    """Class a call; None where there is none, or the case could not be evaluated.

    Examples
    --------
    >>> call_class("needs_ish").value
    'equivocal'
    >>> call_class("not_evaluable") is None
    True
    """
    if call is None or call == NOT_EVALUABLE:
        return None
    state = State(call)
    if state is State.POSITIVE:
        return CallClass.POSITIVE
    return CallClass.NEGATIVE if state is State.NEGATIVE else CallClass.EQUIVOCAL


class Contradiction(StrEnum):
    """How a read contradicts itself by the guideline."""

    SCORE_OTHER_THAN_PERCENTAGES = "score_other_than_percentages"
    CALL_OTHER_THAN_NUMBERS = "call_other_than_numbers"


@dataclass(frozen=True, slots=True)
class Findings:
    """What a reader stated of a case; None = not read."""

    score: IhcScore | None = None
    percentages: Mapping[StainingClass, Decimal] = field(default_factory=dict)
    """Per cent of the invasive tumour cells, 0 to 100; a class that was not read is left out."""
    her2: int | None = None
    """HER2 signals in all counted nuclei together."""
    cep17: int | None = None
    """CEP17 signals likewise; None beside HER2 signals = a single-probe assay."""
    nuclei: int | None = None
    call: str | None = None
    """A `State`, or `NOT_EVALUABLE`."""
    specimen: Specimen | None = None
    """Some guidelines read a biopsy otherwise than a resection."""

    def __post_init__(self) -> None:
        if self.call is not None and self.call != NOT_EVALUABLE:
            State(self.call)
        if any(not 0 <= value <= 100 for value in self.percentages.values()):
            raise ValueError(f"percentages range from 0 to 100, got {dict(self.percentages)}")
        if sum(self.percentages.values()) > 100 and not self.is_whole:
            raise ValueError("percentages sum to more than 100")
        if (self.her2 is None) != (self.nuclei is None) or (self.cep17 is not None and self.her2 is None):
            raise ValueError("signals are counted in nuclei: give HER2 signals and nuclei together")

    @property
    def is_whole(self) -> bool:
        """Whether the percentages account for all cells, but for the rounding of the five of them."""
        missing = abs(100 - sum(self.percentages.values(), Decimal(0)))
        if len(self.percentages) == len(StainingClass):
            return missing <= rounding_of(self.percentages.values())
        return bool(self.percentages) and missing == 0

    @property
    def key(self) -> tuple[object, ...]:
        """The same for reads that state the same."""
        shares = tuple(self.percentages.get(name) for name in StainingClass)
        return (self.score, shares, self.her2, self.cep17, self.nuclei, self.call, self.specimen)


def rounding_of(percentages: Iterable[Decimal]) -> Decimal:
    """How far rounding each to the last decimal that is written can move their sum, in per cent.

    Whole numbers are typed by persons, whose slips the sum shows: they are taken as they are.

    Examples
    --------
    >>> str(rounding_of([Decimal("33.3")] * 3 + [Decimal(0)] * 2))
    '0.25'
    """
    written = list(percentages)
    # A spreadsheet drops the zeros at the end, so the longest of them tells the places of all.
    places = max(max(0, -int(value.as_tuple().exponent)) for value in written)
    return len(written) * Decimal(5).scaleb(-places - 1) if places else Decimal(0)


@dataclass(frozen=True, slots=True)
class ReadResult:
    """A read with what follows from it."""

    score: IhcScore | None = None
    category: ClinicalCategory | None = None
    ish_group: str | None = None
    call: str | None = None
    """A `State`, or `NOT_EVALUABLE`."""
    contradiction: Contradiction | None = None


def interpret(findings: Findings, guideline: Guideline) -> ReadResult:
    """Complete a read by a guideline.

    A score or call that the reader stated is never replaced.  Where it contradicts the reader's own
    numbers, that is said; a call that contradicts them gives no category, since either may be the slip.
    A score of 0 without percentages gives none either: 0 and ultralow cannot be told apart.

    Parameters
    ----------
    findings : Findings
        What the reader stated.
    guideline : Guideline
        By which the case is called.
    """
    ihc, differs = _ihc(findings, guideline)
    ish = _ish(findings)
    made = call_case(CaseEvidence(ihc, ish), guideline, distances=False) if ihc or ish else None
    # What the guideline cannot evaluate (a biopsy of unknown kind) stays open like what was never read.
    by_numbers = None if isinstance(made, NotEvaluable) else made
    score = findings.score or (None if by_numbers is None else by_numbers.ihc_score)
    group = None if by_numbers is None or by_numbers.ish_group is None else str(by_numbers.ish_group)
    contradiction = Contradiction.SCORE_OTHER_THAN_PERCENTAGES if differs else None
    if findings.call is None:
        state = None if by_numbers is None else by_numbers.state
        category = None if by_numbers is None else by_numbers.category
        call = None if state is None else str(state)
        return ReadResult(score, clinical_category(category), group, call, contradiction)
    if findings.call == NOT_EVALUABLE:
        return ReadResult(score, None, group, NOT_EVALUABLE, contradiction)
    stated = State(findings.call)
    if by_numbers is not None and _excludes(by_numbers.state, stated):
        return ReadResult(score, None, group, str(stated), Contradiction.CALL_OTHER_THAN_NUMBERS)
    overlay = low_expression(stated, score, ihc, guideline)
    category = None if overlay is None else overlay.category
    return ReadResult(score, clinical_category(category), group, str(stated), contradiction)


def _excludes(by_numbers: State, stated: State) -> bool:
    """Whether two final calls are opposite; a pending one leaves room for what the reader knew besides."""
    return by_numbers in _FINAL and stated in _FINAL and by_numbers is not stated


def _ish(findings: Findings) -> IshReading | None:
    if findings.her2 is None or findings.nuclei is None:
        return None
    return IshReading(SignalSummary(findings.nuclei, findings.her2, findings.cep17))


def _ihc(findings: Findings, guideline: Guideline) -> tuple[IhcReading | StatedScore | None, bool]:
    """Take what the guideline reads, and whether the stated score is not that of the percentages."""
    stated = None if findings.score is None else StatedScore(findings.score, specimen=findings.specimen)
    if not findings.is_whole:
        return stated, False
    lateral = findings.percentages.get(StainingClass.INCOMPLETE_MODERATE_INTENSE, 0) > 0
    # Readers do not part moderate from strong incomplete staining.  Where the guideline does, and the
    # two lead to different scores, the percentages leave the score open.  So does what rounding left over.
    readings = [
        IhcReading(
            tally_of_percentages(shares, incomplete=level),
            unit=TallyUnit.SHARES,
            specimen=findings.specimen,
        )
        for shares in _unrounded(findings.percentages)
        for level in ((Intensity.MODERATE, Intensity.STRONG) if lateral else (Intensity.MODERATE,))
    ]
    scores = {_score(reading, guideline) for reading in readings}
    if len(scores) > 1:
        return stated, False
    by_percentages = scores.pop()
    if stated is None or by_percentages is stated.score:
        return readings[0], False
    # What the guideline cannot score, for want of the kind of specimen, contradicts no score.
    return stated, by_percentages is not None


def _unrounded(percentages: Mapping[StainingClass, Decimal]) -> list[Mapping[StainingClass, Decimal]]:
    """Give what rounding took to each class in turn, since nobody knows which it was taken from.

    Classes that were not seen stay at 0.
    """
    missing = 100 - sum(percentages.values())
    if missing == 0:
        return [percentages]
    return [
        {**percentages, name: value + missing}
        for name, value in percentages.items()
        if value > max(0, -missing)
    ]


def _score(reading: IhcReading, guideline: Guideline) -> IhcScore | None:
    found = read_ihc(reading, guideline)
    return None if isinstance(found, NotEvaluable) else found.score
