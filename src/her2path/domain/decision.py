"""The HER2 call of a case: from its evidence to a state, with everything it rests on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from her2path.domain.case import NOTHING_KNOWN, SpecimenFacts
from her2path.domain.distance import CutDistance, ihc_distances, ish_distances
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import COUNT_SECOND, CommentText, Guideline
from her2path.domain.guideline.findings import Findings, IhcFinding, IshFinding, Outcome, RecountFinding
from her2path.domain.guideline.rules import POLICY, decide, holding
from her2path.domain.ihc import IhcReading, IhcScore, StatedScore
from her2path.domain.ish import IshReading
from her2path.domain.low_expression import Her2Category, LowExpression, low_expression
from her2path.domain.populations import APART, APART_ADOPTED, Population, SecondPopulation, combine
from her2path.domain.reading import (
    Count,
    IhcRead,
    IshRead,
    TrailStep,
    both_counts,
    compare_recount,
    counts_as_one,
    read_ihc,
    read_ish,
)
from her2path.domain.verdict import Indeterminate, NotEvaluable, State


@dataclass(frozen=True, slots=True)
class CaseEvidence:
    """Everything that is known of a case; None = the test was not made."""

    ihc: IhcReading | StatedScore | NotEvaluable | None = None
    ish: IshReading | NotEvaluable | None = None
    recount: IshReading | NotEvaluable | None = None
    """A second, blinded observer's count of the same specimen."""
    second: SecondPopulation | None = None
    """A discrete second population, beside the one that `ish` counts."""
    specimen: SpecimenFacts = NOTHING_KNOWN

    def __post_init__(self) -> None:
        if self.ish is None and (self.recount is not None or self.second is not None):
            raise ValueError("a recount or a second population needs a first count")
        counts = (self.ish, self.recount, None if self.second is None else self.second.count)
        if len({c.summary.probe for c in counts if isinstance(c, IshReading)}) > 1:
            raise ValueError("a recount uses the same probe as the first count")


@dataclass(frozen=True, slots=True)
class PopulationCall:
    """The result of one of two populations."""

    population: Population
    share: Fraction
    """Share (0 to 1) of the tumour cells."""
    state: State
    """What the case would be called if it were this population alone."""
    ish_group: IshFinding | None
    """None: not counted, or not readable."""
    trail: tuple[TrailStep, ...]
    comments: tuple[CommentText, ...]


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
    populations: tuple[PopulationCall, ...] = ()
    """Two results where a second population is counted apart, otherwise none."""

    @property
    def category(self) -> Her2Category | None:
        """Category of the overlay; None where it cannot be told."""
        return None if self.overlay is None else self.overlay.category


def call_case(
    evidence: CaseEvidence, guideline: Guideline, *, distances: bool = True
) -> CaseCall | NotEvaluable:
    """State the HER2 result of a case by a guideline.

    Parameters
    ----------
    evidence : CaseEvidence
        Measurements, or the reason why there is none.
    guideline : Guideline
        The version that the operator chose.
    distances : bool
        Whether to work out how far the numbers lie from the cut-points; a table of 100 000 cases
        prints none of them.

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
    for measured in (evidence.ihc, evidence.ish, evidence.recount):
        if isinstance(measured, NotEvaluable):
            return measured
    if evidence.ihc is None and evidence.ish is None:
        return NotEvaluable("no_measurement", "neither IHC nor ISH was measured; add an image or its numbers")
    ihc = _ihc_read(evidence, guideline)
    if isinstance(ihc, NotEvaluable):
        return ihc
    call = _combine(evidence, _reads(ihc, evidence, guideline), guideline)
    if distances:
        call = replace(call, distances=_distances(evidence, guideline))
    if evidence.second is None:
        return call
    return _with_second(call, ihc, evidence, evidence.second, guideline)


@dataclass(frozen=True, slots=True)
class _Reads:
    ihc: IhcRead | None
    ish: IshRead | None
    second: IshRead | None
    findings: Findings

    @property
    def all(self) -> tuple[IhcRead | IshRead, ...]:
        return tuple(read for read in (self.ihc, self.ish, self.second) if read is not None)


def _ihc_read(evidence: CaseEvidence, guideline: Guideline) -> IhcRead | NotEvaluable | None:
    measured = evidence.ihc
    return read_ihc(measured, guideline) if isinstance(measured, IhcReading | StatedScore) else None


def _ish_read(measured: object, guideline: Guideline, count: Count = Count.FIRST) -> IshRead | None:
    return read_ish(measured, guideline, count=count) if isinstance(measured, IshReading) else None


def _reads(ihc: IhcRead | None, evidence: CaseEvidence, guideline: Guideline) -> _Reads:
    first, second = evidence.ish, evidence.recount
    ish, recount = _ish_read(first, guideline), _ish_read(second, guideline, Count.RECOUNT)
    finding = IhcFinding.NOT_DONE if ihc is None else ihc.finding
    if ish is None or not isinstance(first, IshReading):
        return _Reads(ihc, None, None, Findings(finding, IshFinding.NOT_DONE))
    if isinstance(second, IshReading) and counts_as_one(ish, recount, guideline):
        summed = read_ish(both_counts(first, second), guideline, count=Count.BOTH)
        return _Reads(ihc, ish, summed, Findings(finding, summed.finding, RecountFinding.SAME))
    return _Reads(ihc, ish, recount, Findings(finding, ish.finding, compare_recount(ish, recount, guideline)))


def _combine(evidence: CaseEvidence, reads: _Reads, guideline: Guideline) -> CaseCall:
    findings = reads.findings
    decision = decide(findings, guideline.combined)
    outcome = decision.conclusion
    score = None if reads.ihc is None else reads.ihc.score
    reading = evidence.ihc if isinstance(evidence.ihc, IhcReading | StatedScore) else None
    overlay = low_expression(outcome.state, score, reading, guideline)
    last = TrailStep(
        decision.rule.id,
        decision.rule.source,
        str(outcome.state),
        _finding_text(findings),
        _finding_words(findings),
    )
    trail = (*(step for read in reads.all for step in read.trail), last)
    return CaseCall(
        guideline=guideline.id,
        state=outcome.state,
        ihc_score=score,
        ish_group=findings.ish if findings.ish.is_result else None,
        overlay=overlay,
        trail=trail,
        distances=(),
        comments=_comments(outcome, score, guideline),
        flags=_merged(
            _flags(reads, trail, outcome, overlay),
            _specimen_flags(evidence.specimen, guideline),
        ),
        indeterminate=tuple(read.indeterminate for read in reads.all if read.indeterminate is not None),
    )


def _with_second(
    main: CaseCall,
    ihc: IhcRead | None,
    evidence: CaseEvidence,
    second: SecondPopulation,
    guideline: Guideline,
) -> CaseCall:
    """Call the second population like a case of its own, and the case from both."""
    if not second.is_apart:
        return replace(main, flags=_merged(main.flags, (Flag.SECOND_POPULATION_SMALL,)))
    if main.ish_group is None:
        # What spoils the main count (glow, weak signals, a failed control) lies on the same slide.
        return replace(main, flags=_merged(main.flags, (Flag.SECOND_POPULATION_NOT_READ,)))
    return _from_both(main, _second_call(ihc, evidence, second, guideline), second, guideline)


def _from_both(main: CaseCall, other: CaseCall, second: SecondPopulation, guideline: Guideline) -> CaseCall:
    source = APART if guideline.speaks_of_populations else APART_ADOPTED
    state, rule = combine(main.state, other.state, source)
    blocks = (
        PopulationCall(
            Population.MAIN, 1 - second.share, main.state, main.ish_group, main.trail, main.comments
        ),
        PopulationCall(
            Population.SECOND, second.share, other.state, other.ish_group, other.trail, other.comments
        ),
    )
    words = f"main population {main.state}, second population {other.state}"
    numbers = {"second_population_pct": float(100 * second.share)}
    step = TrailStep(rule.id, rule.source, str(state), words, numbers)
    # IHC was read once, for both; what follows from the second count is told after the main one.
    own = tuple(
        replace(one, conclusion=f"second population: {one.conclusion}")
        for one in other.trail
        if one not in main.trail
    )
    flag = Flag.SECOND_POPULATION_NOT_COUNTED if second.count is None else Flag.TWO_POPULATIONS
    overlay = main.overlay if state is main.state else other.overlay
    return replace(
        main,
        state=state,
        overlay=overlay if state in (main.state, other.state) else None,
        trail=(*main.trail, *own, step),
        # What a population is told that did not make the case so stands in its own block; that
        # somebody must count the second one holds whatever the case is.
        comments=tuple(
            dict.fromkeys(
                comment
                for call in (main, other)
                for comment in call.comments
                if call.state is state or comment is COUNT_SECOND
            )
        ),
        flags=_merged(main.flags, other.flags, (flag,), (Flag.POLICY,) if rule.is_policy else ()),
        indeterminate=tuple(dict.fromkeys((*main.indeterminate, *other.indeterminate))),
        populations=blocks,
    )


def _second_call(
    ihc: IhcRead | None, evidence: CaseEvidence, second: SecondPopulation, guideline: Guideline
) -> CaseCall:
    count = second.reading
    if count is not None:
        alone = replace(evidence, ish=count, recount=None, second=None)
        call = _combine(alone, _reads(ihc, alone, guideline), guideline)
        return replace(call, flags=tuple(f for f in call.flags if f != Flag.AREAS_NOT_STATED))
    step = TrailStep(
        "POP-COUNT",
        f"{APART if guideline.speaks_of_populations else APART_ADOPTED}: count at least 20 nuclei in it",
        str(State.NEEDS_RECOUNT),
        "a second population of more than 10 % of the tumour cells, not counted yet",
    )
    return CaseCall(
        guideline=guideline.id,
        state=State.NEEDS_RECOUNT,
        ihc_score=None if ihc is None else ihc.score,
        ish_group=None,
        overlay=None,
        trail=(step,),
        distances=(),
        comments=(COUNT_SECOND,),
        flags=(),
    )


def _merged(*flags: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({str(flag) for some in flags for flag in some}))


def _specimen_flags(facts: SpecimenFacts, guideline: Guideline) -> tuple[Flag, ...]:
    foreign = facts.site is not None and facts.site not in guideline.sites
    found = tuple(rule.then for rule in holding(facts, guideline.specimen))
    return (*found, Flag.GUIDELINE_SITE) if foreign else found


def _finding_text(findings: Findings) -> str:
    recount = "" if findings.recount is RecountFinding.NONE else f", recount {findings.recount}"
    group = "group " if findings.ish.is_group else ""
    return f"IHC {findings.ihc}, ISH {group}{findings.ish}{recount}".replace("_", " ")


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
