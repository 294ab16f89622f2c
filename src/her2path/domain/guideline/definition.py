"""What a guideline consists of: rules, comments and cut-points, all of it data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Generic, TypeVar

from her2path.domain.case import SpecimenFacts, TumourSite
from her2path.domain.flags import Flag
from her2path.domain.guideline.conditions import All, Comparison, Condition, Quantity
from her2path.domain.guideline.findings import Findings, IhcFinding, IshFinding, Outcome, Scoring
from her2path.domain.guideline.quantities import IS_BIOPSY, OverBlank
from her2path.domain.guideline.rules import Rule
from her2path.domain.ihc import IhcReading
from her2path.domain.ish import IshReading, Probe
from her2path.domain.verdict import NotEvaluable
from her2path.errors import RuleSetError

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


COUNT_SECOND = CommentText(
    "ACT-COUNT-SECOND",
    CommentKind.ACTION,
    "A discrete second population of more than 10 % of the tumour cells was seen but not counted. The "
    "laboratory must count at least 20 nuclei within it, apart from those of the main population.",
)
"""Belongs to every guideline, since any tumour can hold a second population."""


class RecountUse(StrEnum):
    """What a second count is for."""

    CONFIRM = "confirm"
    """It confirms or contradicts the first one, group against group."""
    ADD = "add"
    """It counts further nuclei, and the sum of both is read where the first count was equivocal."""


@dataclass(frozen=True, slots=True)
class Cut(Generic[E]):
    """A cut-point, for stating how far a number lies from it; the rules themselves decide."""

    quantity: Quantity[E]
    value: Fraction
    only: Condition[E] | None = None
    """Kind of specimen that it is for; None = every one."""

    def concerns(self, evidence: E) -> bool:
        """Whether it means anything for this evidence."""
        return self.only is None or self.only(evidence)


@dataclass(frozen=True, slots=True)
class Guideline:
    """One version of a guideline for one kind of tumour."""

    id: str
    title: str
    source: str
    """Publication."""
    family: str
    """Its versions and alternatives share this word; they are compared with each other."""
    sites: frozenset[TumourSite]
    """The tumours it was made for; beside another one it warns."""
    unreadable: tuple[Rule[IhcReading, NotEvaluable], ...]
    """Reasons why there is no IHC to read; any number of them may hold."""
    ihc_rejections: tuple[Rule[IhcReading, str], ...]
    """Reasons to read no score; any number of them may hold."""
    ihc: tuple[Rule[IhcReading, Scoring], ...]
    """Exactly one holds."""
    ish_rejections: tuple[Rule[IshReading, str], ...]
    """Reasons to read no first count; any number of them may hold."""
    recount_rejections: tuple[Rule[IshReading, str], ...]
    """Reasons to read no recount; any number of them may hold."""
    ish_dual: tuple[Rule[IshReading, IshFinding], ...]
    """Exactly one holds."""
    ish_single: tuple[Rule[IshReading, IshFinding], ...]
    """Exactly one holds; none where a rejection forbids a single probe."""
    combined: tuple[Rule[Findings, Outcome], ...]
    """Exactly one holds."""
    comments: Mapping[str, CommentText]
    specimen: tuple[Rule[SpecimenFacts, Flag], ...]
    """What the handling of the specimen makes a person look at; any number of them may hold."""
    ish_flags: tuple[Rule[IshReading, Flag], ...] = ()
    """What a count that was read makes a person look at; any number of them may hold."""
    recount_flags: tuple[Rule[IshReading, Flag], ...] = ()
    """What a recount that was read makes a person look at; any number of them may hold."""
    recount_use: RecountUse = RecountUse.CONFIRM
    speaks_of_populations: bool = False
    """Whether it tells to count a second population apart; elsewhere policy P21 does."""
    one_result: tuple[frozenset[IshFinding], ...] = ()
    """Groups that are one result by this guideline, so that a recount in either confirms the other."""
    has_low_expression_overlay: bool = False
    """Whether HER2-low and ultralow are defined for this tumour."""
    low_expression_comment: str | None = None
    """Code of the comment that accompanies a negative result with an IHC score."""
    # Every call asks for these three, and a table has 100 000 of them: listed once.
    ihc_cuts: tuple[Cut[IhcReading], ...] = field(init=False, compare=False, repr=False)
    """The cut-points of its IHC rules, in order of appearance."""
    ish_cuts: tuple[Cut[IshReading], ...] = field(init=False, compare=False, repr=False)
    """The cut-points of its ISH rules, in order of appearance."""
    blanks: tuple[Quantity[IhcReading], ...] = field(init=False, compare=False, repr=False)
    """The percentages that its IHC rules hold against the limit of blank."""

    def __post_init__(self) -> None:
        comments = {**self.comments, COUNT_SECOND.code: COUNT_SECOND}
        object.__setattr__(self, "comments", MappingProxyType(comments))
        ids = [rule_id for rule_id, _ in self.rule_sources()]
        if len(set(ids)) != len(ids):
            raise ValueError(f"guideline {self.id}: rule ids are not unique")
        wanted = {code for rule in self.combined for code in rule.then.comments}
        if self.low_expression_comment is not None:
            wanted.add(self.low_expression_comment)
        if missing := wanted - self.comments.keys():
            raise ValueError(f"guideline {self.id}: comments {sorted(missing)} have no text")
        object.__setattr__(self, "ihc_cuts", _cuts(self.ihc))
        object.__setattr__(self, "ish_cuts", _cuts((*self.ish_dual, *self.ish_single)))
        object.__setattr__(self, "blanks", blanks_of(self.ihc))

    def rule_sources(self) -> tuple[tuple[str, str], ...]:
        """Id and source of every rule, in reading order; a rule of two sets counts once."""
        counts = dict.fromkeys((*self.ish_rejections, *self.recount_rejections))
        found = [(rule.id, rule.source) for rule in self.unreadable]
        found += [(rule.id, rule.source) for rule in self.ihc_rejections]
        found += [(rule.id, rule.source) for rule in self.ihc]
        found += [(rule.id, rule.source) for rule in counts]
        found += [(rule.id, rule.source) for rule in (*self.ish_dual, *self.ish_single)]
        found += [(rule.id, rule.source) for rule in (*self.ish_flags, *self.recount_flags)]
        found += [(rule.id, rule.source) for rule in self.combined]
        return (*found, *((rule.id, rule.source) for rule in self.specimen))

    @property
    def ihc_findings(self) -> tuple[IhcFinding, ...]:
        """What its IHC rules can say."""
        return tuple(dict.fromkeys(rule.then.finding for rule in self.ihc))

    @property
    def ish_findings(self) -> tuple[IshFinding, ...]:
        """What its ISH rules can say."""
        return tuple(dict.fromkeys(rule.then for rule in (*self.ish_dual, *self.ish_single)))

    def ish_rules(self, probe: Probe) -> tuple[Rule[IshReading, IshFinding], ...]:
        """Its ISH rules for an assay; none where a rejection forbids a single probe."""
        return self.ish_dual if probe is Probe.DUAL else self.ish_single

    def is_one_result(self, one: IshFinding, other: IshFinding) -> bool:
        """Whether two ISH findings are the same result by this guideline."""
        return one is other or any({one, other} <= alike for alike in self.one_result)


def _cuts(rules: Iterable[Rule[E, C]]) -> tuple[Cut[E], ...]:
    found: dict[tuple[str, Fraction], Cut[E]] = {}
    for rule in rules:
        condition = condition_of(rule)
        for atom in condition.atoms:
            # "Any cell at all" has no neighbourhood, so a cut of 0 is none to keep a distance from.
            if isinstance(atom, Comparison) and atom.cut:
                key = (atom.quantity.name, atom.cut)
                cut = Cut(atom.quantity, atom.cut, _kind_of_specimen(condition))
                found[key] = cut if found.get(key, cut) == cut else Cut(atom.quantity, atom.cut)
    return tuple(found.values())


def _kind_of_specimen(condition: Condition[E]) -> Condition[E] | None:
    parts = condition.parts if isinstance(condition, All) else (condition,)
    return next((part for part in parts if part in (IS_BIOPSY, ~IS_BIOPSY)), None)


def blanks_of(rules: Iterable[Rule[IhcReading, Scoring]]) -> tuple[Quantity[IhcReading], ...]:
    """List the percentages that rules hold against the limit of blank, each once."""
    atoms = (atom for rule in rules for atom in condition_of(rule).atoms)
    return tuple(dict.fromkeys(atom.quantity for atom in atoms if isinstance(atom, OverBlank)))


def condition_of(rule: Rule[E, C]) -> Condition[E]:
    """Return the condition of a rule about a test as data.

    Raises
    ------
    RuleSetError
        It is a bare function, which could neither be printed nor drawn.
    """
    if not isinstance(rule.when, Condition):
        raise RuleSetError("the condition is not data", (rule.id,))
    return rule.when


def restamped(rules: tuple[Rule[E, C], ...], prefix: str) -> tuple[Rule[E, C], ...]:
    """Give rules of an affirmed guideline the source that affirms them; policies keep theirs."""
    return tuple(rule if rule.is_policy else replace(rule, source=f"{prefix}{rule.source}") for rule in rules)


def resourced(rules: tuple[Rule[E, C], ...], sources: Mapping[str, str]) -> tuple[Rule[E, C], ...]:
    """Give each rule of another version its own source; policies keep theirs.

    Raises
    ------
    KeyError
        A rule that is no policy has no source here.
    """
    return tuple(rule if rule.is_policy else replace(rule, source=sources[rule.id]) for rule in rules)
