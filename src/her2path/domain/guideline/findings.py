"""What a guideline combines: the finding of each test, and what follows from them.

The findings form a finite lattice, so a test can show that a guideline's combined rules cover
every combination once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from her2path.domain.ihc import IhcScore
from her2path.domain.ish import IshGroup
from her2path.domain.verdict import State


class IhcFinding(StrEnum):
    """What the IHC says, or why it says nothing."""

    NOT_DONE = "not_done"
    INDETERMINATE = "indeterminate"
    ZERO = "0"
    ONE_PLUS = "1+"
    TWO_PLUS = "2+"
    THREE_PLUS = "3+"
    # Where the extent of the staining decides beside the score (colorectal, HERACLES).
    NEGATIVE = "negative"
    EQUIVOCAL = "equivocal"
    POSITIVE = "positive"


class IshFinding(StrEnum):
    """What the ISH says, or why it says nothing."""

    NOT_DONE = "not_done"
    INDETERMINATE = "indeterminate"
    GROUP_1 = "1"
    GROUP_2 = "2"
    GROUP_3 = "3"
    GROUP_4 = "4"
    GROUP_5 = "5"
    AMPLIFIED = "amplified"
    EQUIVOCAL = "equivocal"
    NOT_AMPLIFIED = "not_amplified"

    @property
    def is_group(self) -> bool:
        """Whether it is one of the five numbered groups."""
        return self.value in tuple(IshGroup)

    @property
    def is_result(self) -> bool:
        """Whether the ISH was made and could be read."""
        return self not in (IshFinding.NOT_DONE, IshFinding.INDETERMINATE)


class RecountFinding(StrEnum):
    """What a second, blinded count says beside the first one."""

    NONE = "none"
    INVALID = "invalid"
    """Made, but it cannot be read (fewer than 20 nuclei, for example)."""
    SAME = "same"
    OTHER = "other"
    """It falls into another group than the first count."""


NOT_CONTRADICTED = (RecountFinding.NONE, RecountFinding.INVALID, RecountFinding.SAME)
"""No recount that falls into another group."""


@dataclass(frozen=True, slots=True)
class Findings:
    """The findings of one case."""

    ihc: IhcFinding
    ish: IshFinding
    recount: RecountFinding = RecountFinding.NONE

    def __post_init__(self) -> None:
        if self.ihc is IhcFinding.NOT_DONE and self.ish is IshFinding.NOT_DONE:
            raise ValueError("findings need at least one test")
        if self.recount is not RecountFinding.NONE and not self.ish.is_result:
            raise ValueError("a recount is compared with a first count that can be read")


def all_findings(ihc: Iterable[IhcFinding], ish: Iterable[IshFinding]) -> tuple[Findings, ...]:
    """List every combination of findings that can occur where these are the results of the tests.

    Parameters
    ----------
    ihc, ish : iterable
        What the tests can say when they can be read; not done and indeterminate are added.
    """
    found = []
    every_ihc = (IhcFinding.NOT_DONE, IhcFinding.INDETERMINATE, *ihc)
    every_ish = (IshFinding.NOT_DONE, IshFinding.INDETERMINATE, *ish)
    for one, other, recount in product(every_ihc, every_ish, RecountFinding):
        try:
            found.append(Findings(one, other, recount))
        except ValueError:
            continue
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Match:
    """A condition on findings: each of them lies in its set."""

    ihc: frozenset[IhcFinding]
    ish: frozenset[IshFinding]
    recount: frozenset[RecountFinding]

    @classmethod
    def of(
        cls,
        ihc: Iterable[IhcFinding],
        ish: Iterable[IshFinding],
        recount: Iterable[RecountFinding] = NOT_CONTRADICTED,
    ) -> Match:
        """Make one from any collections; a recount, if any, must not contradict the first count."""
        return cls(frozenset(ihc), frozenset(ish), frozenset(recount))

    def __call__(self, findings: Findings) -> bool:
        """Tell whether the condition holds."""
        return findings.ihc in self.ihc and findings.ish in self.ish and findings.recount in self.recount


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows from the findings."""

    state: State
    comments: tuple[str, ...] = ()
    """Codes of the guideline's comments that belong to it."""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scoring:
    """An IHC score and what a person should know of how it came about."""

    score: IhcScore
    flags: tuple[str, ...] = ()
    reads_as: IhcFinding | None = None
    """What it leads to where that is not the score alone."""

    @property
    def finding(self) -> IhcFinding:
        """What the combined rules look at."""
        return IhcFinding(self.score) if self.reads_as is None else self.reads_as
