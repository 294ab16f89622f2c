"""Guidelines that test IHC first: ISH is asked for the equivocal score alone.

Stomach and oesophagus, colon and rectum, and serous carcinoma of the endometrium combine the two
tests alike; they differ in their scores and their ISH cut-points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from her2path.domain.flags import Flag
from her2path.domain.guideline.breast_2018_comments import COMMENTS as BREAST
from her2path.domain.guideline.definition import CommentKind, CommentText
from her2path.domain.guideline.findings import (
    Findings,
    IhcFinding,
    IshFinding,
    Match,
    Outcome,
    RecountFinding,
)
from her2path.domain.guideline.rules import POLICY, Rule
from her2path.domain.verdict import State

_NEW = (
    CommentText(
        "ACT-IHC-FIRST",
        CommentKind.ACTION,
        "This guideline tests IHC first and asks for ISH only beside an equivocal score. The laboratory "
        "must stain IHC of the same tissue.",
    ),
    CommentText(
        "ACT-RETEST",
        CommentKind.ACTION,
        "The score with this extent is no final result. The laboratory must repeat the IHC and, if it is "
        "confirmed, test by ISH.",
    ),
    CommentText(
        "ACT-COUNT-MORE",
        CommentKind.ACTION,
        "The ISH is equivocal. The laboratory must count at least 20 more nuclei in another area, which are "
        "added to the first ones, or use another probe for chromosome 17.",
    ),
    CommentText(
        "ACT-OTHER-PROBE",
        CommentKind.ACTION,
        "The ISH is still equivocal after more nuclei were counted. The laboratory should use another probe "
        "for chromosome 17, or test another block or specimen.",
    ),
)
_SHARED = ("ACT-ISH", "ACT-REPEAT", "ACT-ADJUDICATE", "NOTE-DISCORDANT")
_ALL: Mapping[str, CommentText] = MappingProxyType(
    {**{code: BREAST[code] for code in _SHARED}, **{comment.code: comment for comment in _NEW}}
)

_NO_RECOUNT = (RecountFinding.NONE,)
_ANY = tuple(RecountFinding)
_NO_ISH = (IshFinding.NOT_DONE,)
_ISH_FAILED = (IshFinding.INDETERMINATE,)
_AMPLIFIED = (IshFinding.AMPLIFIED,)
_NOT_AMPLIFIED = (IshFinding.NOT_AMPLIFIED,)


@dataclass(frozen=True, slots=True)
class IhcFirst:
    """What differs between the guidelines that test IHC first."""

    author: str
    """First author or body and year, with which each source begins."""
    low: tuple[IhcFinding, ...] = (IhcFinding.ZERO, IhcFinding.ONE_PLUS)
    equivocal: tuple[IhcFinding, ...] = (IhcFinding.TWO_PLUS,)
    high: tuple[IhcFinding, ...] = (IhcFinding.THREE_PLUS,)
    ask_for_ish: str = "ACT-ISH"
    """Code of the comment beside an equivocal score without ISH."""
    discordant_policy: str = "P17"
    """Policy that lets a low score stand beside an amplified ISH."""
    has_equivocal_ish: bool = False

    def comments(self) -> Mapping[str, CommentText]:
        """Every comment that the combined rules name, by its code."""
        used = {code for rule in self.combined_rules() for code in rule.then.comments}
        return {code: text for code, text in _ALL.items() if code in used}

    def combined_rules(self) -> tuple[Rule[Findings, Outcome], ...]:
        """Build the combined rules."""
        rules = (*self._decided_by_ihc(), *self._decided_by_ish(), *self._undecided())
        return (*rules, *self._equivocal_ish()) if self.has_equivocal_ish else rules

    def _decided_by_ihc(self) -> tuple[Rule[Findings, Outcome], ...]:
        ihc = f"{self.author}, IHC algorithm"
        quiet = (*_NO_ISH, *_ISH_FAILED, IshFinding.AMPLIFIED, *self._equivocal_finding)
        return (
            Rule(
                "CALL-IHC-HIGH",
                f"{ihc}: positive without ISH",
                Match.of(self.high, quiet, _ANY),
                Outcome(State.POSITIVE),
            ),
            Rule(
                "CALL-IHC-HIGH-ISH-NEGATIVE",
                f"{ihc}: positive without ISH",
                Match.of(self.high, _NOT_AMPLIFIED, _ANY),
                Outcome(State.POSITIVE, ("NOTE-DISCORDANT",), (Flag.DISCORDANT,)),
            ),
            Rule(
                "CALL-IHC-LOW",
                f"{ihc}: negative without ISH",
                Match.of(self.low, (*_NO_ISH, *_NOT_AMPLIFIED, *self._equivocal_finding), _ANY),
                Outcome(State.NEGATIVE),
            ),
            Rule(
                "CALL-IHC-LOW-ISH-FAILED",
                f"{POLICY} P8: a low score stands by itself when ISH cannot be read",
                Match.of(self.low, _ISH_FAILED, _NO_RECOUNT),
                Outcome(State.NEGATIVE),
            ),
            Rule(
                "CALL-IHC-LOW-AMPLIFIED",
                f"{POLICY} {self.discordant_policy}: a low score stays negative beside an amplified ISH",
                Match.of(self.low, _AMPLIFIED, _ANY),
                Outcome(State.NEGATIVE, ("NOTE-DISCORDANT",), (Flag.POLICY, Flag.DISCORDANT)),
            ),
        )

    def _decided_by_ish(self) -> tuple[Rule[Findings, Outcome], ...]:
        ish = f"{self.author}, equivocal IHC"
        return (
            Rule(
                "CALL-IHC-EQUIVOCAL",
                f"{ish}: ISH decides",
                Match.of(self.equivocal, _NO_ISH, _NO_RECOUNT),
                Outcome(State.NEEDS_ISH, (self.ask_for_ish,)),
            ),
            Rule(
                "CALL-IHC-EQUIVOCAL-ISH-FAILED",
                f"{POLICY} P8: an equivocal score with an ISH that cannot be read",
                Match.of(self.equivocal, _ISH_FAILED, _NO_RECOUNT),
                Outcome(State.INDETERMINATE, ("ACT-REPEAT",)),
            ),
            Rule(
                "CALL-AMPLIFIED",
                f"{ish}: ISH amplified",
                Match.of(self.equivocal, _AMPLIFIED),
                Outcome(State.POSITIVE),
            ),
            Rule(
                "CALL-NOT-AMPLIFIED",
                f"{ish}: ISH not amplified",
                Match.of(self.equivocal, _NOT_AMPLIFIED),
                Outcome(State.NEGATIVE),
            ),
            Rule(
                "CALL-RECOUNT-DIFFERS",
                f"{POLICY} P5: the recount is another ISH result",
                Match.of(
                    self.equivocal,
                    (*_AMPLIFIED, *_NOT_AMPLIFIED, *self._equivocal_finding),
                    (RecountFinding.OTHER,),
                ),
                Outcome(State.NEEDS_ADJUDICATION, ("ACT-ADJUDICATE",), (Flag.POLICY,)),
            ),
        )

    def _undecided(self) -> tuple[Rule[Findings, Outcome], ...]:
        made = (*_ISH_FAILED, *_AMPLIFIED, *_NOT_AMPLIFIED, *self._equivocal_finding)
        return (
            Rule(
                "CALL-NO-IHC",
                f"{self.author}, IHC comes first",
                Match.of((IhcFinding.NOT_DONE,), made, _ANY),
                Outcome(State.NEEDS_IHC, ("ACT-IHC-FIRST",)),
            ),
            Rule(
                "CALL-IHC-FAILED",
                f"{POLICY} P8: without a readable IHC nothing follows from ISH",
                Match.of((IhcFinding.INDETERMINATE,), (*_NO_ISH, *made), _ANY),
                Outcome(State.INDETERMINATE, ("ACT-REPEAT",)),
            ),
        )

    def _equivocal_ish(self) -> tuple[Rule[Findings, Outcome], ...]:
        return (
            Rule(
                "CALL-ISH-EQUIVOCAL",
                f"{self.author}, equivocal ISH: count more nuclei",
                Match.of(
                    self.equivocal, (IshFinding.EQUIVOCAL,), (RecountFinding.NONE, RecountFinding.INVALID)
                ),
                Outcome(State.NEEDS_RECOUNT, ("ACT-COUNT-MORE",)),
            ),
            Rule(
                "CALL-ISH-STILL-EQUIVOCAL",
                f"{POLICY} P20: still equivocal on the sum of both counts",
                Match.of(self.equivocal, (IshFinding.EQUIVOCAL,), (RecountFinding.SAME,)),
                Outcome(State.EQUIVOCAL, ("ACT-OTHER-PROBE",), (Flag.POLICY,)),
            ),
        )

    @property
    def _equivocal_finding(self) -> tuple[IshFinding, ...]:
        return (IshFinding.EQUIVOCAL,) if self.has_equivocal_ish else ()
