"""What a guideline consists of: rules, comments and cut-points, all of it data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from her2path.domain.guideline.findings import Findings, IshFinding, Outcome, Scoring
from her2path.domain.guideline.rules import Rule
from her2path.domain.ihc import IhcReading
from her2path.domain.ish import IshReading, SignalSummary

E = TypeVar("E")
C = TypeVar("C")


class CommentKind(StrEnum):
    """Why a comment stands beside a call."""

    MANDATORY = "mandatory"
    """The guideline demands it in the report."""
    ACTION = "action"
    """Nothing is final yet; it says who must do what."""
    NOTE = "note"
    """It helps to read the call."""


@dataclass(frozen=True, slots=True)
class CommentText:
    """A comment in her2path's own words."""

    code: str
    kind: CommentKind
    text: str


class Quantity(StrEnum):
    """A number of a case that a guideline compares with a cut-point."""

    HER2_CEP17_RATIO = "her2_cep17_ratio"
    HER2_MEAN = "her2_mean"
    PCT_COMPLETE_INTENSE = "pct_complete_intense"
    PCT_COMPLETE = "pct_complete"
    PCT_INCOMPLETE_MODERATE_INTENSE = "pct_incomplete_moderate_intense"
    PCT_INCOMPLETE_FAINT = "pct_incomplete_faint"
    PCT_STAINED = "pct_stained"


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut-point, for stating how far a number lies from it; the rules themselves decide."""

    quantity: Quantity
    value: int


@dataclass(frozen=True, slots=True)
class Guideline:
    """One version of a guideline for one kind of tumour."""

    id: str
    title: str
    source: str
    """Publication."""
    ihc_rejections: tuple[Rule[IhcReading, str], ...]
    """Reasons to read no score; any number of them may hold."""
    ihc: tuple[Rule[IhcReading, Scoring], ...]
    """Exactly one holds."""
    ish_rejections: tuple[Rule[IshReading, str], ...]
    """Reasons to read no first count; any number of them may hold."""
    recount_rejections: tuple[Rule[IshReading, str], ...]
    """Reasons to read no recount; any number of them may hold."""
    ish_dual: tuple[Rule[SignalSummary, IshFinding], ...]
    """Exactly one holds."""
    ish_single: tuple[Rule[SignalSummary, IshFinding], ...]
    """Exactly one holds."""
    combined: tuple[Rule[Findings, Outcome], ...]
    """Exactly one holds."""
    comments: Mapping[str, CommentText]
    cuts: tuple[Cut, ...]
    has_low_expression_overlay: bool
    """Whether HER2-low and ultralow are defined for this tumour."""
    low_expression_comment: str | None = None
    """Code of the comment that accompanies a negative result with an IHC score."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "comments", MappingProxyType(dict(self.comments)))
        ids = [rule_id for rule_id, _ in self.rule_sources()]
        if len(set(ids)) != len(ids):
            raise ValueError(f"guideline {self.id}: rule ids are not unique")
        wanted = {code for rule in self.combined for code in rule.then.comments}
        if self.low_expression_comment is not None:
            wanted.add(self.low_expression_comment)
        if missing := wanted - self.comments.keys():
            raise ValueError(f"guideline {self.id}: comments {sorted(missing)} have no text")

    def rule_sources(self) -> tuple[tuple[str, str], ...]:
        """Id and source of every rule, in reading order; a rule of two sets counts once."""
        counts = dict.fromkeys((*self.ish_rejections, *self.recount_rejections))
        found = [(rule.id, rule.source) for rule in self.ihc_rejections]
        found += [(rule.id, rule.source) for rule in self.ihc]
        found += [(rule.id, rule.source) for rule in counts]
        found += [(rule.id, rule.source) for rule in (*self.ish_dual, *self.ish_single)]
        return (*found, *((rule.id, rule.source) for rule in self.combined))


def restamped(rules: tuple[Rule[E, C], ...], prefix: str) -> tuple[Rule[E, C], ...]:
    """Give rules of an affirmed guideline the source that affirms them; policies keep theirs."""
    return tuple(rule if rule.is_policy else replace(rule, source=f"{prefix}{rule.source}") for rule in rules)
