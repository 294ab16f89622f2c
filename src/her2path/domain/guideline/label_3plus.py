"""Drug labels that ask for IHC 3+ by the scheme of the stomach: ISH plays no part.

The result is eligibility by the label, not a HER2 status: a 2+ with amplified ISH is outside the
label and therefore negative here.
"""

from __future__ import annotations

from collections.abc import Mapping

from her2path.domain.guideline.breast_2018_comments import COMMENTS as BREAST
from her2path.domain.guideline.definition import CommentKind, CommentText, resourced
from her2path.domain.guideline.findings import (
    Findings,
    IhcFinding,
    IshFinding,
    Match,
    Outcome,
    RecountFinding,
    Scoring,
)
from her2path.domain.guideline.gastroesophageal_2016 import IHC
from her2path.domain.guideline.rules import POLICY, Rule
from her2path.domain.ihc import IhcReading
from her2path.domain.verdict import State

_BELOW_3 = (IhcFinding.ZERO, IhcFinding.ONE_PLUS, IhcFinding.TWO_PLUS)
_ANY_ISH = (
    IshFinding.NOT_DONE,
    IshFinding.INDETERMINATE,
    IshFinding.AMPLIFIED,
    IshFinding.EQUIVOCAL,
    IshFinding.NOT_AMPLIFIED,
)
_ANY = tuple(RecountFinding)

_LABEL = CommentText(
    "NOTE-LABEL",
    CommentKind.NOTE,
    "The result says whether the tumour meets the label of one drug (IHC 3+), not what its HER2 status is "
    "by a guideline of its organ. ISH plays no part in it.",
)
_STAIN = CommentText(
    "ACT-IHC-LABEL",
    CommentKind.ACTION,
    "The label rests on IHC alone. The laboratory must stain IHC of the tumour.",
)
COMMENTS: Mapping[str, CommentText] = {
    _LABEL.code: _LABEL,
    _STAIN.code: _STAIN,
    "ACT-REPEAT": BREAST["ACT-REPEAT"],
}


def scoring(label: str) -> tuple[Rule[IhcReading, Scoring], ...]:
    """Take the IHC scores of the stomach over for a label."""
    return resourced(
        IHC, {rule.id: f"{label}, scored as {rule.source}" for rule in IHC if not rule.is_policy}
    )


def combined_rules(label: str) -> tuple[Rule[Findings, Outcome], ...]:
    """Build the rules of eligibility; `label` begins each source."""
    return (
        Rule(
            "CALL-ELIGIBLE",
            f"{label}: IHC 3+",
            Match.of((IhcFinding.THREE_PLUS,), _ANY_ISH, _ANY),
            Outcome(State.POSITIVE, (_LABEL.code,)),
        ),
        Rule(
            "CALL-NOT-ELIGIBLE",
            f"{label}: IHC 0, 1+ or 2+ is outside the label, whatever ISH shows",
            Match.of(_BELOW_3, _ANY_ISH, _ANY),
            Outcome(State.NEGATIVE, (_LABEL.code,)),
        ),
        Rule(
            "CALL-NO-IHC",
            f"{label}: rests on IHC",
            Match.of((IhcFinding.NOT_DONE,), _ANY_ISH[1:], _ANY),
            Outcome(State.NEEDS_IHC, (_STAIN.code,)),
        ),
        Rule(
            "CALL-IHC-FAILED",
            f"{POLICY} P8: without a readable IHC there is no result",
            Match.of((IhcFinding.INDETERMINATE,), _ANY_ISH, _ANY),
            Outcome(State.INDETERMINATE, ("ACT-REPEAT",)),
        ),
    )
