"""Breast, ASCO/CAP 2007, 2013 and 2015: how IHC and ISH combine into a call.

Until 2015 either positive test makes the case positive, and an equivocal ISH stays equivocal; no
ISH group needs the IHC to be read.  The three versions differ in their cut-points, not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from her2path.domain.flags import Flag
from her2path.domain.guideline.breast_2018_comments import COMMENTS as LATER
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

POSITIVE_ISH = (IshFinding.AMPLIFIED, IshFinding.GROUP_1, IshFinding.GROUP_2, IshFinding.GROUP_3)
EQUIVOCAL_ISH = (IshFinding.EQUIVOCAL, IshFinding.GROUP_4)
NEGATIVE_ISH = (IshFinding.NOT_AMPLIFIED, IshFinding.GROUP_5)
_SILENT = (IhcFinding.NOT_DONE, IhcFinding.INDETERMINATE)
_LOW = (IhcFinding.ZERO, IhcFinding.ONE_PLUS)
_TWO = (IhcFinding.TWO_PLUS,)
_THREE = (IhcFinding.THREE_PLUS,)
_NO_ISH = (IshFinding.NOT_DONE,)
_ISH_FAILED = (IshFinding.INDETERMINATE,)
_READABLE = (*POSITIVE_ISH, *EQUIVOCAL_ISH, *NEGATIVE_ISH)
_NO_RECOUNT = (RecountFinding.NONE,)
_ANY = tuple(RecountFinding)

_EQUIVOCAL = CommentText(
    "ACT-ISH-EQUIVOCAL",
    CommentKind.ACTION,
    "An equivocal ISH is no final result by this version. The laboratory must count more nuclei, test by "
    "IHC if that is not done, or test another block or specimen.",
)
COMMENTS: Mapping[str, CommentText] = MappingProxyType(
    {
        **{code: LATER[code] for code in ("ACT-ISH", "ACT-REPEAT", "ACT-ADJUDICATE", "NOTE-DISCORDANT")},
        _EQUIVOCAL.code: _EQUIVOCAL,
    }
)
"""Every comment by its code."""


def combined_rules(author: str, *, either: str = "") -> tuple[Rule[Findings, Outcome], ...]:
    """Build the combined rules of one version.

    Parameters
    ----------
    author : str
        First author and year, with which each source begins.
    either : str
        Source of "either positive test makes the case positive", if it is not the author's own.
    """
    either = either or f"{author}, {EITHER}"
    return (*_ihc_rules(author, either), *_ish_rules(author, either))


EITHER = "either test positive makes the case positive"
_DISCORDANT = Outcome(State.POSITIVE, ("NOTE-DISCORDANT",), (Flag.DISCORDANT,))


def _ihc_rules(author: str, either: str) -> tuple[Rule[Findings, Outcome], ...]:
    ihc = f"{author}, IHC algorithm"
    failed = Outcome(State.INDETERMINATE, ("ACT-REPEAT",))
    p8 = f"{POLICY} P8"
    return (
        Rule(
            "CALL-IHC-3",
            f"{ihc}: 3+",
            Match.of(_THREE, (*_NO_ISH, *_ISH_FAILED, *POSITIVE_ISH, *EQUIVOCAL_ISH), _ANY),
            Outcome(State.POSITIVE),
        ),
        Rule(
            "CALL-IHC-3-ISH-NEGATIVE",
            either,
            Match.of(_THREE, NEGATIVE_ISH, _ANY),
            _DISCORDANT,
        ),
        Rule(
            "CALL-IHC-LOW", f"{ihc}: 0 or 1+", Match.of(_LOW, _NO_ISH, _NO_RECOUNT), Outcome(State.NEGATIVE)
        ),
        Rule(
            "CALL-IHC-LOW-ISH-FAILED",
            f"{p8}: IHC 0 or 1+ stands by itself when ISH cannot be read",
            Match.of(_LOW, _ISH_FAILED, _NO_RECOUNT),
            Outcome(State.NEGATIVE),
        ),
        Rule(
            "CALL-IHC-2",
            f"{ihc}: 2+",
            Match.of(_TWO, _NO_ISH, _NO_RECOUNT),
            Outcome(State.NEEDS_ISH, ("ACT-ISH",)),
        ),
        Rule(
            "CALL-IHC-2-ISH-FAILED",
            f"{p8}: IHC 2+ with an ISH that cannot be read",
            Match.of(_TWO, _ISH_FAILED, _NO_RECOUNT),
            failed,
        ),
        Rule(
            "CALL-ISH-FAILED",
            f"{p8}: ISH cannot be read and there is no readable IHC",
            Match.of(_SILENT, _ISH_FAILED, _NO_RECOUNT),
            failed,
        ),
        Rule(
            "CALL-IHC-FAILED",
            f"{p8}: IHC cannot be read and there is no ISH",
            Match.of((IhcFinding.INDETERMINATE,), _NO_ISH, _NO_RECOUNT),
            failed,
        ),
    )


def _ish_rules(author: str, either: str) -> tuple[Rule[Findings, Outcome], ...]:
    ish = f"{author}, ISH algorithm"
    equivocal = Outcome(State.EQUIVOCAL, ("ACT-ISH-EQUIVOCAL",))
    disputed = Outcome(State.NEEDS_ADJUDICATION, ("ACT-ADJUDICATE",), (Flag.POLICY,))
    return (
        Rule(
            "CALL-ISH-POSITIVE",
            f"{ish}: positive",
            Match.of((*_SILENT, *_TWO), POSITIVE_ISH),
            Outcome(State.POSITIVE),
        ),
        Rule("CALL-ISH-POSITIVE-IHC-LOW", either, Match.of(_LOW, POSITIVE_ISH), _DISCORDANT),
        Rule(
            "CALL-ISH-EQUIVOCAL",
            f"{ish}: equivocal",
            Match.of((*_SILENT, *_TWO), EQUIVOCAL_ISH),
            equivocal,
        ),
        Rule(
            "CALL-ISH-EQUIVOCAL-IHC-LOW",
            f"{POLICY} P7: an equivocal ISH stays equivocal beside an IHC of 0 or 1+",
            Match.of(_LOW, EQUIVOCAL_ISH),
            Outcome(State.EQUIVOCAL, ("ACT-ISH-EQUIVOCAL",), (Flag.POLICY,)),
        ),
        Rule(
            "CALL-ISH-NEGATIVE",
            f"{ish}: negative",
            Match.of((*_SILENT, *_LOW, *_TWO), NEGATIVE_ISH),
            Outcome(State.NEGATIVE),
        ),
        Rule(
            "CALL-RECOUNT-DIFFERS",
            f"{POLICY} P5: the recount is another ISH result",
            Match.of((*_SILENT, *_LOW, *_TWO), _READABLE, (RecountFinding.OTHER,)),
            disputed,
        ),
    )
