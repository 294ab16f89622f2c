"""Which disagreements matter most: what each changes for the patient, and in which order to review them.

Two opinions on a case are compared by what follows from them, not by how many steps apart their scores are:
1+ beside 2+ may change nothing, 0 beside 1+ may change a treatment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from her2path.domain.ihc import IhcScore
from her2path.domain.reads import CallClass, ClinicalCategory, call_class


class Discordance(StrEnum):
    """What a disagreement changes, the gravest first."""

    OPPOSITE_CALL = "opposite_call"
    LOW_OR_NOT = "low_or_not"
    ULTRALOW_OR_NOT = "ultralow_or_not"
    ONE_CALL_OPEN = "one_call_open"
    SCORES_APART = "scores_apart"
    ADJACENT_SCORE = "adjacent_score"


TITLES = MappingProxyType(
    {
        Discordance.OPPOSITE_CALL: "Positive or negative",
        Discordance.LOW_OR_NOT: "Low, or 0 or ultralow",
        Discordance.ULTRALOW_OR_NOT: "Ultralow or 0",
        Discordance.ONE_CALL_OPEN: "Final, or still open",
        Discordance.SCORES_APART: "Scores two steps or more apart",
        Discordance.ADJACENT_SCORE: "Adjacent scores",
    }
)
REASONS = MappingProxyType(
    {
        Discordance.OPPOSITE_CALL: (
            "One of the two would give HER2-directed treatment and the other withhold it, so one of them is "
            "wrong for the patient whatever else is true"
        ),
        Discordance.LOW_OR_NOT: (
            "Treatment of HER2-low disease depends on it (DESTINY-Breast04); both calls are negative, so the "
            "harm is less than where HER2-directed treatment as such is at stake"
        ),
        Discordance.ULTRALOW_OR_NOT: (
            "Treatment of HER2-ultralow disease depends on it in fewer patients (DESTINY-Breast06), and a "
            "few faintly stained cells decide"
        ),
        Discordance.ONE_CALL_OPEN: (
            "One of the two asks for a further test and the other does not; whether the result changes is "
            "known only when that test has been made"
        ),
        Discordance.SCORES_APART: (
            "The class of treatment is the same, but scores so far apart mean that the two did not see the "
            "same"
        ),
        Discordance.ADJACENT_SCORE: "The class of treatment is the same, and readers differ by a step often",
    }
)
ORDER = tuple(Discordance)
"""By clinical weight; cases are reviewed in this order."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one reader (or the software) says of a case; None = nothing, or not yet."""

    score: IhcScore | None
    category: ClinicalCategory | None
    call: str | None
    """A `State`, or `NOT_EVALUABLE`."""

    @property
    def is_low(self) -> bool | None:
        """Whether the case is HER2-low; None where the opinion does not tell.

        A negative case with score 0 is not, although 0 and ultralow are not told apart without percentages.
        """
        if self.category is not None:
            return self.category is ClinicalCategory.LOW
        if self.score is IhcScore.ZERO and call_class(self.call) is CallClass.NEGATIVE:
            return False
        return None


@cache
def discordance(one: Opinion, other: Opinion) -> Discordance | None:
    """Tell what a disagreement of two opinions changes, the gravest that holds.

    Returns
    -------
    Discordance or None
        None where they agree on everything that both state.

    Examples
    --------
    >>> low = Opinion(IhcScore.ONE_PLUS, ClinicalCategory.LOW, "negative")
    >>> zero = Opinion(IhcScore.ZERO, None, "negative")
    >>> discordance(low, zero).value
    'low_or_not'
    """
    calls = {call_class(one.call), call_class(other.call)}
    categories = {one.category, other.category}
    apart = _steps(one.score, other.score)
    # Without a call a category still says whether the case is positive.
    opposite = ClinicalCategory.POSITIVE in categories and None not in categories and len(categories) == 2
    holds = {
        Discordance.OPPOSITE_CALL: calls == {CallClass.POSITIVE, CallClass.NEGATIVE} or opposite,
        Discordance.LOW_OR_NOT: {one.is_low, other.is_low} == {True, False},
        Discordance.ULTRALOW_OR_NOT: categories == {ClinicalCategory.ZERO, ClinicalCategory.ULTRALOW},
        Discordance.ONE_CALL_OPEN: None not in calls and len(calls) == 2 and CallClass.EQUIVOCAL in calls,
        Discordance.SCORES_APART: apart >= 2,
        Discordance.ADJACENT_SCORE: apart == 1,
    }
    return next((kind for kind in ORDER if holds[kind]), None)


def agree(one: Opinion, other: Opinion) -> bool | None:
    """Tell whether two opinions agree; None where they have nothing in common to agree on.

    Examples
    --------
    >>> scored, called = Opinion(IhcScore.ONE_PLUS, None, None), Opinion(None, None, "negative")
    >>> agree(scored, called) is None
    True
    """
    shared = (
        one.score is not None and other.score is not None,
        one.category is not None and other.category is not None,
        call_class(one.call) is not None and call_class(other.call) is not None,
    )
    return discordance(one, other) is None if any(shared) else None


def repeats_result(one: Opinion, other: Opinion, *, counted: tuple[bool, bool]) -> bool | None:
    """Tell whether a read repeats another, of which perhaps only one counted signals.

    A call that waits for a count is not held against the call of a count: then the scores alone tell.

    Parameters
    ----------
    one, other : Opinion
        The two reads.
    counted : tuple of bool
        Whether each of them counted signals.

    Examples
    --------
    >>> first = Opinion(IhcScore.TWO_PLUS, ClinicalCategory.LOW, "negative")
    >>> again = Opinion(IhcScore.TWO_PLUS, None, "needs_ish")
    >>> agree(first, again), repeats_result(first, again, counted=(True, False))
    (False, True)
    """
    if counted[0] is not counted[1]:
        without = other if counted[0] else one
        if call_class(without.call) is CallClass.EQUIVOCAL:
            return agree(Opinion(one.score, None, None), Opinion(other.score, None, None))
    return agree(one, other)


def _steps(one: IhcScore | None, other: IhcScore | None) -> int:
    if one is None or other is None:
        return 0
    levels = tuple(IhcScore)
    return abs(levels.index(one) - levels.index(other))


@dataclass(frozen=True, slots=True)
class CaseReview:
    """How far the opinions on a case differ."""

    case_id: str
    kind: Discordance | None
    """The gravest disagreement; None = all agree."""
    against_software: bool
    """Whether it is one between the software and a reader; readers alone are compared where not."""
    differing: int
    """Readers who differ from the software in this kind; without a software opinion, pairs of readers."""
    by_reader: tuple[Discordance | None, ...]
    """Of each reader from the software, in the order given; all None without a software opinion."""


def review_case(case_id: str, software: Opinion | None, readers: Sequence[Opinion]) -> CaseReview:
    """Find the gravest disagreement on a case.

    Parameters
    ----------
    case_id : str
        Case.
    software : Opinion or None
        None where the software could not evaluate the case.
    readers : sequence of Opinion
        First reads; later ones and adjudications never replace them.

    Notes
    -----
    The case takes the gravest kind of those with the software and those among readers; where both have it, it
    counts as one with the software.
    """
    by_reader = tuple(None if software is None else discordance(software, reader) for reader in readers)
    among = tuple(
        kind
        for at, one in enumerate(readers)
        for other in readers[at + 1 :]
        if (kind := discordance(one, other)) is not None
    )
    found = {*by_reader, *among} - {None}
    kind = next((kind for kind in ORDER if kind in found), None)
    against = kind is not None and kind in by_reader
    differing = 0 if kind is None else (by_reader if against else among).count(kind)
    return CaseReview(case_id, kind, against, differing, by_reader)


def ranked(reviews: Sequence[CaseReview]) -> tuple[CaseReview, ...]:
    """Put discordant cases in the order of review; concordant ones are left out.

    By what the disagreement changes; then those that the software is part of; then by how many readers
    differ; then by the name of the case, so that the order is always the same.
    """
    discordant = [(ORDER.index(one.kind), one) for one in reviews if one.kind is not None]
    discordant.sort(
        key=lambda pair: (pair[0], not pair[1].against_software, -pair[1].differing, pair[1].case_id)
    )
    return tuple(one for _, one in discordant)
