"""Rules of the College of American Pathologists for validation studies, as named checks.

A check holds one countable demand of a rule against what a study has, in whole numbers.  It says what it does
not check, because a study that meets all of them may still be a bad one: nothing here knows how the cases
were chosen, or on what the readers looked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from her2path.domain.number_words import counted

_BREAST = "ASCO/CAP, HER2 in breast cancer 2018, initial validation of a test"
_IHC = "CAP, analytic validation of IHC assays, 2024 update (Arch Pathol Lab Med 148:e111)"
_WSI = "CAP, validating whole-slide imaging, 2021 update (Arch Pathol Lab Med 146:440)"
_CONCORDANCE_CASES = 20
"""Positive and negative cases each of a predictive marker, by the same rule as the 90 %: of fewer, a share
of 90 % or more comes about too easily to be called met (2 of 2 is 100 %)."""
_WSI_CASES, _WSI_MORE = 60, 20
_WASHOUT_DAYS = 14


class CheckStatus(StrEnum):
    """What a check found."""

    MET = "met"
    NOT_MET = "not_met"
    CANNOT_BE_TOLD = "cannot_be_told"
    """The study does not state what the check needs."""


@dataclass(frozen=True, slots=True)
class StudyCheck:
    """One demand of a rule, held against a study."""

    name: str
    """Stays the same between versions."""
    title: str
    source: str
    status: CheckStatus
    found: str
    """What the study has, in words."""
    needed: str
    does_not_check: str


@dataclass(frozen=True, slots=True)
class RepeatedReads:
    """What one reader read twice, the first two sessions of each case."""

    reader: str
    cases: int
    agreeing: int
    """Of them, cases with the same result in both sessions."""
    fewest_days: int | None
    """Between the two reads of a case, the least of all cases; None = not all dates are stated."""

    def __post_init__(self) -> None:
        if not self.reader or not 0 <= self.agreeing <= self.cases:
            raise ValueError(f"need a reader and no more agreeing than all cases, got {self}")


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What the checks need to know of a study; None = it is not stated."""

    positive: int | None
    """Cases that are positive by what the software is held against."""
    negative: int | None
    compared: int
    """Cases with a call of the software and of what it is held against, equivocal ones included."""
    agreeing: int
    """Of them, cases with the same call."""
    held_against: str = "another reader"
    """Whose calls the software's were compared with, in words; theirs are the positive and negative cases."""
    repeated: tuple[RepeatedReads, ...] = ()
    """Of the readers who read cases twice."""
    further_applications: int = 0
    """Kinds of specimens or stains beyond the first that the study is to stand for."""

    def __post_init__(self) -> None:
        numbers = (self.positive, self.negative, self.further_applications)
        if any(number is not None and number < 0 for number in numbers):
            raise ValueError(f"numbers of cases are 0 or more, got {self}")
        if not 0 <= self.agreeing <= self.compared:
            raise ValueError(f"no more cases can agree than were compared, got {self}")


def study_checks(facts: StudyFacts) -> tuple[StudyCheck, ...]:
    """Hold all checks against a study, in a fixed order.

    Parameters
    ----------
    facts : StudyFacts
        What the study has.

    Examples
    --------
    >>> facts = StudyFacts(positive=22, negative=30, compared=52, agreeing=50)
    >>> [(check.name, check.status.value) for check in study_checks(facts)][:3]
    [('cap-cases-20-20', 'met'), ('cap-cases-40-40', 'not_met'), ('cap-concordance-90', 'met')]
    """
    return (
        _cases_of_each(facts, 20, "of an assay that the FDA has cleared or approved"),
        _cases_of_each(facts, 40, "of an assay that the laboratory has developed or changed"),
        _concordance(facts),
        _whole_slide_cases(facts),
        _washout(facts.repeated),
        _intra_observer(facts.repeated),
    )


def _cases_of_each(facts: StudyFacts, fewest: int, of_what: str) -> StudyCheck:
    positive, negative = facts.positive, facts.negative
    if positive is None or negative is None:
        status, found = CheckStatus.CANNOT_BE_TOLD, "the study has nothing that says which cases are positive"
    else:
        status = _met(positive >= fewest and negative >= fewest)
        found = f"{_of_each(positive, negative)} by {facts.held_against}"
    return StudyCheck(
        name=f"cap-cases-{fewest}-{fewest}",
        title=f"{fewest} positive and {fewest} negative cases, for the validation {of_what}",
        source=_BREAST,
        status=status,
        found=found,
        needed=f"{fewest} positive and {fewest} negative cases or more",
        does_not_check=(
            "whether the assay is of this kind; whether the cases span scores 0 to 3+ and lie near the cuts; "
            "whether antibody clone and scoring rules were the same for all; whether what the software is "
            "held against is right"
        ),
    )


def _concordance(facts: StudyFacts) -> StudyCheck:
    if facts.compared == 0:
        status, found = (
            CheckStatus.CANNOT_BE_TOLD,
            "no case has a call of the software and one to hold it against",
        )
    else:
        found = f"the call of {facts.held_against} in {_share(facts.agreeing, facts.compared)}"
        positive, negative = facts.positive or 0, facts.negative or 0
        if min(positive, negative) < _CONCORDANCE_CASES:
            status = CheckStatus.CANNOT_BE_TOLD
            found = f"{found}; {_of_each(positive, negative)} are too few to tell"
        else:
            status = _met(10 * facts.agreeing >= 9 * facts.compared)
    return StudyCheck(
        name="cap-concordance-90",
        title="Overall concordance of 90 %",
        source=_IHC,
        status=status,
        found=found,
        needed=(
            f"the same call in 90 % of the cases or more, of {_CONCORDANCE_CASES} positive and "
            f"{_CONCORDANCE_CASES} negative ones at least; an open call agrees with an open one alone"
        ),
        does_not_check=(
            f"agreement with anybody but {facts.held_against}, or on cases without a call of theirs; "
            "whether the interval excludes less than 90 %, which few cases cannot show; agreement beyond "
            "chance; positive and negative cases apart; the scores 0, 1+ and 2+ among each other"
        ),
    )


def _whole_slide_cases(facts: StudyFacts) -> StudyCheck:
    fewest = _WSI_CASES + _WSI_MORE * facts.further_applications
    if not facts.repeated:
        status, found = CheckStatus.CANNOT_BE_TOLD, "no reader read a case twice"
    else:
        # Cases of several readers do not add up: each reader's eye is validated on cases of their own.
        best = max(facts.repeated, key=lambda one: one.cases)
        status = _met(best.cases >= fewest)
        others = ", and no other reader more" if len(facts.repeated) > 1 else ""
        found = f"{best.reader} called {counted(best.cases, 'case')} in both of two sessions{others}"
    return StudyCheck(
        name="cap-wsi-60-cases",
        title=f"{_WSI_CASES} cases for whole-slide imaging, {_WSI_MORE} more for each further application",
        source=_WSI,
        status=status,
        found=found,
        needed=f"{fewest} cases or more, each read twice by the same reader",
        does_not_check=(
            "whether every reader read as many; "
            "whether one session was on glass and the other on the screen, which reads do not say; whether "
            "scanner, display and network were those of daily work; whether the cases are like daily work"
        ),
    )


def _washout(repeated: Sequence[RepeatedReads]) -> StudyCheck:
    days = [one.fewest_days for one in repeated]
    known = [number for number in days if number is not None]
    if known and min(known) < _WASHOUT_DAYS:
        # One pair that is too close breaks the rule, whatever the dates that are not stated.
        status = CheckStatus.NOT_MET
        too_close = [
            f"{one.reader} ({one.fewest_days})"
            for one in repeated
            if one.fewest_days is not None and one.fewest_days < _WASHOUT_DAYS
        ]
        found = f"fewest days between two reads of a case: {', '.join(too_close)}"
    elif not repeated:
        status, found = CheckStatus.CANNOT_BE_TOLD, "no reader read a case twice"
    elif len(known) < len(days):
        undated = ", ".join(one.reader for one in repeated if one.fewest_days is None)
        status, found = CheckStatus.CANNOT_BE_TOLD, f"reads without a date: {undated}"
    else:
        status, found = CheckStatus.MET, f"{min(known)} days or more between two reads of a case"
    return StudyCheck(
        name="cap-wsi-washout",
        title="Two weeks between the reads on glass and on the screen",
        source=_WSI,
        status=status,
        found=found,
        needed=f"{_WASHOUT_DAYS} days or more between the two reads of each case",
        does_not_check=(
            "whether a reader met the case in between, in a conference or a report; whether the order of the "
            "cases was another one in the second session"
        ),
    )


def _intra_observer(repeated: Sequence[RepeatedReads]) -> StudyCheck:
    read = [one for one in repeated if one.cases]
    found = "; ".join(f"{one.reader}: {_share(one.agreeing, one.cases)}" for one in read)
    if read:
        status = _met(all(100 * one.agreeing >= 95 * one.cases for one in read))
    else:
        status, found = CheckStatus.CANNOT_BE_TOLD, "no reader read a case twice"
    return StudyCheck(
        name="cap-wsi-intra-observer-95",
        title="Each reader repeats 95 % of the own results; less is to be investigated",
        source=_WSI,
        status=status,
        found=found,
        needed="the same result in both sessions in 95 % of a reader's cases or more",
        does_not_check=(
            "why reads differ, and whether the difference matters for treatment; whether one session was on "
            "glass; agreement with other readers"
        ),
    )


def _of_each(positive: int, negative: int) -> str:
    return f"{positive} positive and {negative} negative cases"


def _met(holds: bool) -> CheckStatus:
    return CheckStatus.MET if holds else CheckStatus.NOT_MET


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.1f} %)"
