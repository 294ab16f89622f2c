"""What the other guidelines of the same kind of tumour would have said of the same evidence.

For the reader's information only: the operator chose one guideline, and the call is its.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from her2path.domain.decision import CaseCall, CaseEvidence, call_case
from her2path.domain.guideline.definition import Guideline
from her2path.domain.guideline.findings import IshFinding
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import IhcScore
from her2path.domain.verdict import NotEvaluable, State


@dataclass(frozen=True, slots=True)
class VersionCall:
    """What another guideline says of a case."""

    guideline: str
    title: str
    state: State | NotEvaluable
    """`NotEvaluable` where it asks for something that is not known, with the reason."""
    ihc_score: IhcScore | None
    """None: no IHC, or one that it cannot read."""
    ish_group: IshFinding | None
    """None: no ISH, or one that it cannot read."""
    comments: tuple[str, ...]
    """Codes."""
    differs: bool
    """Whether its state is another one; scores and groups of the same state may differ all the same."""


def other_versions(
    evidence: CaseEvidence,
    guideline: Guideline,
    guidelines: Iterable[Guideline] = tuple(GUIDELINES.values()),
) -> tuple[VersionCall, ...]:
    """Call a case by every other guideline of the same family.

    Parameters
    ----------
    evidence : CaseEvidence
        The case.
    guideline : Guideline
        The one that the operator chose.
    guidelines : iterable of Guideline
        Those to choose from; by default all that her2path knows.

    Returns
    -------
    calls : tuple of VersionCall
        In the order of `guidelines`; empty where the chosen one is alone in its family.
    """
    here = call_case(evidence, guideline, distances=False)
    return tuple(
        version_call(call_case(evidence, other, distances=False), other, here)
        for other in related(guideline, guidelines)
    )


def related(
    guideline: Guideline, guidelines: Iterable[Guideline] = tuple(GUIDELINES.values())
) -> tuple[Guideline, ...]:
    """List the other guidelines of the same family."""
    return tuple(
        other for other in guidelines if other.family == guideline.family and other.id != guideline.id
    )


def version_call(
    call: CaseCall | NotEvaluable, guideline: Guideline, here: CaseCall | NotEvaluable
) -> VersionCall:
    """Write down what `guideline` says beside `here`, the call by the chosen one."""
    differs = _state(call) is not _state(here)
    if isinstance(call, NotEvaluable):
        return VersionCall(guideline.id, guideline.title, call, None, None, (), differs)
    codes = tuple(comment.code for comment in call.comments)
    return VersionCall(
        guideline.id, guideline.title, call.state, call.ihc_score, call.ish_group, codes, differs
    )


def _state(call: CaseCall | NotEvaluable) -> State | None:
    return None if isinstance(call, NotEvaluable) else call.state
