"""Agreement on positive and negative calls, and sensitivity and specificity where there is a reference.

Without a reference standard nobody knows which of two readers is right: what one calls of the other's
positives is *positive percent agreement*, and no sensitivity.  A table against a reader therefore has no
such method; only one against a named reference has.  Calls that are neither positive nor negative are
kept: leaving them out would flatter both, so that every measure is given with all of them taken for
positive, with all of them taken for negative, and at the least and the most that any reading of them
could make of it.

References
----------
.. [1] FDA, Guidance for Industry and FDA Staff: Statistical Guidance on Reporting Results from Studies
   Evaluating Diagnostic Tests (2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.confusion import checked_table
from her2path.domain.stats.estimate import CONFIDENCE, Estimate
from her2path.domain.stats.proportion import clopper_pearson_estimate, wilson_estimate

CallTable = npt.NDArray[np.int64]
NEGATIVE, EQUIVOCAL, POSITIVE = range(3)
"""Codes of the calls: rows and columns of a table of calls."""


class Equivocals(StrEnum):
    """What is made of the calls that are neither positive nor negative, of both readers alike."""

    AS_POSITIVE = "as_positive"
    AS_NEGATIVE = "as_negative"
    LEAST = "least"
    """Each measure at the least that any reading of each of them could make of it."""
    MOST = "most"
    """Likewise at the most."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share of cases with both intervals."""

    agreed: int
    of: int
    wilson: Estimate
    clopper_pearson: Estimate

    @classmethod
    def counted(cls, agreed: int, of: int, *, why: str, confidence: float) -> Share:
        """Estimate from counts; `why` there is none where nothing was counted."""
        return cls(
            agreed,
            of,
            wilson_estimate(agreed, of, confidence=confidence, none_why=why),
            clopper_pearson_estimate(agreed, of, confidence=confidence, none_why=why),
        )


@dataclass(frozen=True, slots=True)
class PercentAgreement:
    """Agreement on calls in one treatment of the equivocal ones."""

    positive: Share
    """Of the cases that the second calls positive, those that the first does, too."""
    negative: Share
    overall: Share
    table: tuple[tuple[int, int], tuple[int, int]] | None
    """Rows: first positive, negative; columns: second likewise.  None at the least and the most, where
    each measure has counts of its own."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How the first reader's calls stand against a reference, in one treatment of equivocal ones."""

    reference: str
    sensitivity: Share
    specificity: Share


@dataclass(frozen=True, slots=True, eq=False)
class CallsAgainstReader:
    """Calls of one reader against those of another, of whom nobody says that they are right."""

    table: CallTable
    """Shape (3, 3): rows the first reader (under test), columns the second; negative, equivocal, positive."""

    def __post_init__(self) -> None:
        if len(checked_table(self.table)) != 3:
            raise ValueError("calls are negative, equivocal or positive: a table of three by three")

    @property
    def equivocal_cases(self) -> int:
        """Cases that either reader left open."""
        return int(
            self.table[EQUIVOCAL].sum() + self.table[:, EQUIVOCAL].sum() - self.table[EQUIVOCAL, EQUIVOCAL]
        )

    def percent_agreement(
        self, equivocals: Equivocals, *, confidence: float = CONFIDENCE
    ) -> PercentAgreement:
        """Estimate positive, negative and overall percent agreement.

        Parameters
        ----------
        equivocals : Equivocals
            How calls that are neither are taken; there is no way to leave them out.
        confidence : float
            Of both intervals.
        """
        counts = self._counts(equivocals)
        names = (
            "called positive by the second reader",
            "called negative by the second reader",
            "called by both",
        )
        positive, negative, overall = (
            Share.counted(agreed, of, why=f"no case was {name}", confidence=confidence)
            for (agreed, of), name in zip(counts, names, strict=True)
        )
        return PercentAgreement(positive, negative, overall, self._two_by_two(equivocals))

    def _two_by_two(self, equivocals: Equivocals) -> tuple[tuple[int, int], tuple[int, int]] | None:
        if equivocals in (Equivocals.LEAST, Equivocals.MOST):
            return None
        positive = [POSITIVE] if equivocals is Equivocals.AS_NEGATIVE else [EQUIVOCAL, POSITIVE]
        negative = [call for call in (NEGATIVE, EQUIVOCAL, POSITIVE) if call not in positive]
        rows = [
            [int(self.table[np.ix_(a, b)].sum()) for b in (positive, negative)] for a in (positive, negative)
        ]
        return (rows[0][0], rows[0][1]), (rows[1][0], rows[1][1])

    def _counts(self, equivocals: Equivocals) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """Agreed and all cases of positive, negative and overall agreement."""
        two_by_two = self._two_by_two(equivocals)
        if two_by_two is not None:
            (both_positive, first), (second, both_negative) = two_by_two
            agreed, total = both_positive + both_negative, int(self.table.sum())
            return (
                (both_positive, both_positive + second),
                (both_negative, both_negative + first),
                (agreed, total),
            )
        most = equivocals is Equivocals.MOST
        overall = int(self.table[POSITIVE, POSITIVE] + self.table[NEGATIVE, NEGATIVE])
        left_open = self.equivocal_cases if most else 0
        return (
            self._extreme(POSITIVE, NEGATIVE, most=most),
            self._extreme(NEGATIVE, POSITIVE, most=most),
            (overall + left_open, int(self.table.sum())),
        )

    def _extreme(self, call: int, other: int, *, most: bool) -> tuple[int, int]:
        """Agreed and all cases that the second reader calls `call`, at the most or the least."""
        t = self.table
        agreed, missed = int(t[call, call]), int(t[other, call])
        if most:
            # Open calls are taken for what the other reader says, and for `call` where both are open.
            agreed += int(t[EQUIVOCAL, call] + t[call, EQUIVOCAL] + t[EQUIVOCAL, EQUIVOCAL])
        else:
            # For the opposite; the first's `call` against an open one then lies with the other measure.
            missed += int(t[EQUIVOCAL, call] + t[other, EQUIVOCAL] + t[EQUIVOCAL, EQUIVOCAL])
        return agreed, agreed + missed


@dataclass(frozen=True, slots=True, eq=False)
class CallsAgainstReference(CallsAgainstReader):
    """Calls against a reference standard that was named as such."""

    reference: str
    """What is held to be right: a consensus panel, another method; never empty."""

    def __post_init__(self) -> None:
        # Not by super(): dataclasses with slots are made anew, and the bare call would miss the class.
        CallsAgainstReader.__post_init__(self)
        if not self.reference.strip():
            raise ValueError("sensitivity and specificity need a reference standard with a name")

    def accuracy(self, equivocals: Equivocals, *, confidence: float = CONFIDENCE) -> Accuracy:
        """Estimate sensitivity and specificity against the reference."""
        positive, negative, _ = self._counts(equivocals)
        sensitivity, specificity = (
            Share.counted(*counts, why=f"the reference calls no case {name}", confidence=confidence)
            for counts, name in ((positive, "positive"), (negative, "negative"))
        )
        return Accuracy(self.reference, sensitivity, specificity)
