"""The HER2 call of a case: from its evidence to a state, with everything it rests on."""

from __future__ import annotations

from dataclasses import dataclass

from her2path.domain.distance import CutDistance, ihc_distances, ish_distances
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import CommentText, Guideline
from her2path.domain.guideline.findings import Findings, IhcFinding, IshFinding, Outcome, RecountFinding
from her2path.domain.guideline.rules import POLICY, decide
from her2path.domain.ihc import IhcReading, IhcScore, StatedScore
from her2path.domain.ish import IshReading
from her2path.domain.low_expression import Her2Category, LowExpression, low_expression
from her2path.domain.reading import IhcRead, IshRead, TrailStep, compare_recount, read_ihc, read_ish
from her2path.domain.verdict import Indeterminate, NotEvaluable, State


@dataclass(frozen=True, slots=True)
class CaseEvidence:
    """Everything that is known of a case; None = the test was not made."""

    ihc: IhcReading | StatedScore | NotEvaluable | None = None
    ish: IshReading | NotEvaluable | None = None
    recount: IshReading | NotEvaluable | None = None
    """A second, blinded observer's count of the same specimen."""

    def __post_init__(self) -> None:
        if self.recount is not None and self.ish is None:
            raise ValueError("a recount needs a first count")
        counts = (self.ish, self.recount)
        if len({c.summary.probe for c in counts if isinstance(c, IshReading)}) > 1:
            raise ValueError("a recount uses the same probe as the first count")


@dataclass(frozen=True, slots=True)
class CaseCall:
    """What a guideline says of a case, and why."""

    guideline: str
    state: State
    ihc_score: IhcScore | None
    """None: no IHC, or one that cannot be read."""
    ish_group: IshFinding | None
    """None: no ISH, or one that cannot be read."""
    overlay: LowExpression | None
    """Expression category, apart from the result."""
    trail: tuple[TrailStep, ...]
    distances: tuple[CutDistance, ...]
    comments: tuple[CommentText, ...]
    flags: tuple[str, ...]
    """Sorted, each once."""
    indeterminate: tuple[Indeterminate, ...] = ()
    """Why a test that was made could not be read."""

    @property
    def category(self) -> Her2Category | None:
        """Category of the overlay; None where it cannot be told."""
        return None if self.overlay is None else self.overlay.category


def call_case(evidence: CaseEvidence, guideline: Guideline) -> CaseCall | NotEvaluable:
    """State the HER2 result of a case by a guideline.

    Parameters
    ----------
    evidence : CaseEvidence
        Measurements, or the reason why there is none.
    guideline : Guideline
        The version that the operator chose.

    Returns
    -------
    call : CaseCall or NotEvaluable
        `NotEvaluable` where a test was made but could not be measured, or none was made: then
        nothing is called, whatever the other test says.

    Raises
    ------
    RuleSetError
        The guideline's rules contradict each other or leave a gap.
    """
    first, second = evidence.ish, evidence.recount
    if isinstance(evidence.ihc, NotEvaluable):
        return evidence.ihc
    if isinstance(first, NotEvaluable):
        return first
    if isinstance(second, NotEvaluable):
        return second
    if evidence.ihc is None and first is None:
        return NotEvaluable("no_measurement", "neither IHC nor ISH was measured; add an image or its numbers")
    ihc = None if evidence.ihc is None else read_ihc(evidence.ihc, guideline)
    if isinstance(ihc, NotEvaluable):
        return ihc
    ish = None if first is None else read_ish(first, guideline)
    recount = None if second is None else read_ish(second, guideline, recount=True)
    return _combine(evidence, _Reads(ihc, ish, recount), guideline)


@dataclass(frozen=True, slots=True)
class _Reads:
    ihc: IhcRead | None
    ish: IshRead | None
    second: IshRead | None

    @property
    def findings(self) -> Findings:
        ihc = IhcFinding.NOT_DONE if self.ihc is None else self.ihc.finding
        if self.ish is None:
            return Findings(ihc, IshFinding.NOT_DONE)
        return Findings(ihc, self.ish.finding, compare_recount(self.ish, self.second))

    @property
    def all(self) -> tuple[IhcRead | IshRead, ...]:
        return tuple(read for read in (self.ihc, self.ish, self.second) if read is not None)


def _combine(evidence: CaseEvidence, reads: _Reads, guideline: Guideline) -> CaseCall:
    findings = reads.findings
    decision = decide(findings, guideline.combined)
    outcome = decision.conclusion
    score = findings.ihc.score
    reading = evidence.ihc if isinstance(evidence.ihc, IhcReading | StatedScore) else None
    overlay = low_expression(outcome.state, score, reading, guideline)
    last = TrailStep(decision.rule.id, decision.rule.source, str(outcome.state), _finding_words(findings))
    trail = (*(step for read in reads.all for step in read.trail), last)
    return CaseCall(
        guideline=guideline.id,
        state=outcome.state,
        ihc_score=score,
        ish_group=findings.ish if findings.ish.is_result else None,
        overlay=overlay,
        trail=trail,
        distances=_distances(evidence, guideline),
        comments=_comments(outcome, score, guideline),
        flags=_flags(reads, trail, outcome, overlay),
        indeterminate=tuple(read.indeterminate for read in reads.all if read.indeterminate is not None),
    )


def _finding_words(findings: Findings) -> dict[str, int | float | str]:
    return {"ihc": str(findings.ihc), "ish": str(findings.ish), "recount": str(findings.recount)}


def _distances(evidence: CaseEvidence, guideline: Guideline) -> tuple[CutDistance, ...]:
    ihc = ihc_distances(evidence.ihc, guideline) if isinstance(evidence.ihc, IhcReading) else ()
    ish = ish_distances(evidence.ish, guideline) if isinstance(evidence.ish, IshReading) else ()
    return (*ihc, *ish)


def _comments(outcome: Outcome, score: IhcScore | None, guideline: Guideline) -> tuple[CommentText, ...]:
    codes = list(outcome.comments)
    if outcome.state is State.NEGATIVE and score is not None and guideline.low_expression_comment is not None:
        codes.append(guideline.low_expression_comment)
    return tuple(guideline.comments[code] for code in codes)


def _flags(
    reads: _Reads, trail: tuple[TrailStep, ...], outcome: Outcome, overlay: LowExpression | None
) -> tuple[str, ...]:
    findings = reads.findings
    flags = {str(flag) for read in reads.all for flag in read.flags} | {str(flag) for flag in outcome.flags}
    conditions = {
        Flag.POLICY: any(step.source.startswith(POLICY) for step in trail),
        Flag.ISH_INDETERMINATE: findings.ish is IshFinding.INDETERMINATE,
        Flag.RECOUNT_DIFFERS: findings.recount is RecountFinding.OTHER,
        Flag.RECOUNT_NOT_VALID: findings.recount is RecountFinding.INVALID,
        Flag.RECOUNT_NOT_COMPARABLE: reads.second is not None and findings.recount is RecountFinding.NONE,
        Flag.LOW_WITH_RATIO_AT_LEAST_2: findings.ish is IshFinding.GROUP_2
        and overlay is not None
        and overlay.category is Her2Category.LOW,
    }
    return tuple(sorted(flags | {str(flag) for flag, holds in conditions.items() if holds}))
