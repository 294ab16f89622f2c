"""From the domain's call to the document `call.json`, for images and for typed numbers alike."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from her2path.domain.case import Specimen, SpecimenFacts
from her2path.domain.comparison import VersionCall
from her2path.domain.decision import CaseCall, PopulationCall
from her2path.domain.distance import CutDistance
from her2path.domain.explanation import Explanation
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import CommentText
from her2path.domain.ihc import IhcReading
from her2path.domain.ish import IshReading
from her2path.domain.populations import APART_ABOVE, Population
from her2path.domain.reading import TrailStep, ihc_numbers, ish_numbers
from her2path.domain.recount import Check
from her2path.domain.stability import Stability
from her2path.domain.verdict import NotEvaluable
from her2path.io.call_entries import (
    CheckEntry,
    Comment,
    Distance,
    HeterogeneityEntry,
    MarginEntry,
    PopulationEntry,
    Reason,
    SpecimenEntry,
    StabilityEntry,
    TrailEntry,
    VersionEntry,
)
from her2path.io.documents import CallDoc, Producer
from her2path.io.edits_entry import EditsEntry
from her2path.io.model_entries import ModelEntry
from her2path.io.recount_documents import RecountResult

_APART = (APART_ABOVE, 1 - APART_ABOVE)
"""Where the share of the second population is cut, and of the main one beside it."""
Numbers = dict[str, int | float | str | None]


@dataclass(frozen=True, slots=True)
class CallHead:
    """What a call document says besides the call itself."""

    case_id: str
    guideline: str
    produced_by: Producer
    inputs: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of what the call was made from, by name."""
    images: tuple[str, ...] = ()
    models: tuple[ModelEntry, ...] = ()
    """Models that measured the images."""
    specimen: SpecimenEntry = field(default_factory=SpecimenEntry)
    ihc: Numbers = field(default_factory=dict)
    ish: Numbers = field(default_factory=dict)
    recount: Numbers = field(default_factory=dict)
    checks: tuple[CheckEntry, ...] = ()
    flags: tuple[str, ...] = ()
    """Flags of the measurements, beside those of the call."""
    edits: Mapping[str, EditsEntry] = field(default_factory=dict)
    """What a person changed, by image id."""


def ihc_evidence(reading: IhcReading) -> Numbers:
    """List the numbers of an IHC measurement; empty without a scored cell."""
    if reading.tally.total == 0:
        return {}
    return {"h_score": reading.tally.h_score, **ihc_numbers(reading)}


def ish_evidence(reading: IshReading) -> Numbers:
    """List the numbers of an ISH count."""
    return {"probe": str(reading.summary.probe), **ish_numbers(reading)}


def read_evidence(read: RecountResult, reading: IshReading) -> Numbers:
    """List the numbers of a second person's count, with who made it and when."""
    return {
        **ish_evidence(reading),
        "images": len(read.image_files),
        "reader": read.reader,
        "read_on": read.read_on,
        "sheet_id": read.sheet_id,
        "nuclei_not_countable": len(read.nuclei) - len(read.counted),
        "nuclei_of_first_count": read.reused,
    }


def check_entry(check: Check, counted: Literal["images_of_observer_2", "part_of_first_count"]) -> CheckEntry:
    """Write down a count by the program beside the first one."""
    return CheckEntry(
        counted=counted,
        name=check.name,
        nuclei=check.summary.nuclei,
        her2_signals=check.summary.her2,
        cep17_signals=check.summary.cep17,
        ish_group=None if check.group is None else str(check.group),
        why=check.why,
        agrees=check.agrees,
    )


def specimen_entry(facts: SpecimenFacts, kind: Specimen | None) -> SpecimenEntry:
    """Write down what was stated of the specimen."""
    hours, minutes = facts.fixation_hours, facts.cold_ischaemia_minutes
    return SpecimenEntry(
        site=facts.site,
        kind=kind,
        fixation_hours=None if hours is None else float(hours),
        cold_ischaemia_minutes=None if minutes is None else float(minutes),
    )


def evaluated(call: CaseCall, head: CallHead, explanation: Explanation) -> CallDoc:
    """Write down a call with what stands beside it; heterogeneous nuclei (2009) become a flag."""
    cells = explanation.heterogeneity_2009
    mixed = cells is not None and cells.is_heterogeneous
    stable = explanation.stability
    return CallDoc(
        produced_by=head.produced_by,
        inputs=dict(head.inputs),
        case_id=head.case_id,
        guideline=call.guideline,
        status="evaluated",
        state=call.state,
        ihc_score=call.ihc_score,
        ish_group=None if call.ish_group is None else str(call.ish_group),
        her2_category=None if call.overlay is None else str(call.overlay.category),
        her2_category_basis=None if call.overlay is None else call.overlay.basis,
        rule_trail=_trail(call.trail),
        distance_to_cut=_distances(call.distances),
        comments=_comments(call.comments),
        flags=_sorted_flags(call.flags, head.flags, (Flag.HETEROGENEOUS_2009,) if mixed else ()),
        other_versions=tuple(_version(version) for version in explanation.other_versions),
        stability=_stability(stable),
        no_stability=_no_stability(stable),
        populations=tuple(_population(one, explanation) for one in call.populations),
        heterogeneity_2009=None
        if cells is None
        else HeterogeneityEntry(
            share_pct=float(100 * cells.share_above), heterogeneous=cells.is_heterogeneous
        ),
        specimen=head.specimen,
        ihc=head.ihc,
        ish=head.ish,
        recount=head.recount,
        checks=head.checks,
        images=head.images,
        models=head.models,
        edits=dict(head.edits),
    )


def not_evaluable(reasons: Mapping[str, NotEvaluable], head: CallHead) -> CallDoc:
    """Write down why there is no call, by image id, with whatever was measured."""
    return CallDoc(
        produced_by=head.produced_by,
        inputs=dict(head.inputs),
        case_id=head.case_id,
        guideline=head.guideline,
        status="not_evaluable",
        state="not_evaluable",
        flags=_sorted_flags(head.flags),
        specimen=head.specimen,
        ihc=head.ihc,
        ish=head.ish,
        recount=head.recount,
        checks=head.checks,
        images=head.images,
        models=head.models,
        edits=dict(head.edits),
        reasons={name: _reason(why) for name, why in sorted(reasons.items())},
    )


def _reason(why: NotEvaluable) -> Reason:
    return Reason(code=why.code, reason=why.reason)


def _trail(steps: Iterable[TrailStep]) -> tuple[TrailEntry, ...]:
    return tuple(
        TrailEntry(
            rule_id=step.rule_id,
            source=step.source,
            conclusion=step.conclusion,
            condition=step.condition,
            numbers=dict(step.numbers),
        )
        for step in steps
    )


def _comments(comments: Iterable[CommentText]) -> tuple[Comment, ...]:
    return tuple(Comment(code=comment.code, text=comment.text) for comment in comments)


def _distances(distances: Iterable[CutDistance]) -> tuple[Distance, ...]:
    return tuple(
        Distance(quantity=d.quantity, value=d.value, cut=d.cut, distance=d.distance, unit=d.unit)
        for d in distances
    )


def _share_pct(share: Fraction) -> float:
    """Turn a share into per cent that lie on the same side of the cut as the share itself."""
    pct = float(100 * share)
    if share in _APART or Fraction(pct) / 100 not in _APART:
        return pct
    return math.nextafter(pct, math.inf if 100 * share > pct else 0.0)


def _population(one: PopulationCall, explanation: Explanation) -> PopulationEntry:
    is_main = one.population is Population.MAIN
    stable = explanation.stability if is_main else explanation.second_stability
    count = explanation.counts.get(one.population)
    return PopulationEntry(
        population=one.population.value,
        share_pct=_share_pct(one.share),
        state=one.state,
        ish_group=None if one.ish_group is None else str(one.ish_group),
        rule_trail=_trail(one.trail),
        comments=_comments(one.comments),
        ish={} if count is None else ish_evidence(count.reading),
        distance_to_cut=() if count is None else _distances(count.distances),
        stability=_stability(stable),
        no_stability=_no_stability(stable),
    )


def _version(version: VersionCall) -> VersionEntry:
    why = version.state if isinstance(version.state, NotEvaluable) else None
    return VersionEntry(
        guideline=version.guideline,
        title=version.title,
        state="not_evaluable" if isinstance(version.state, NotEvaluable) else version.state,
        ihc_score=version.ihc_score,
        ish_group=None if version.ish_group is None else str(version.ish_group),
        comments=version.comments,
        differs=version.differs,
        reason_code=None if why is None else why.code,
        reason=None if why is None else why.reason,
    )


def _no_stability(stable: Stability | NotEvaluable | None) -> Reason | None:
    return _reason(stable) if isinstance(stable, NotEvaluable) else None


def _stability(stable: Stability | NotEvaluable | None) -> StabilityEntry | None:
    if not isinstance(stable, Stability):
        return None
    return StabilityEntry(
        basis=stable.basis.value,
        finding=str(stable.finding),
        nuclei=stable.nuclei,
        probabilities={str(name): p for name, p in stable.probabilities.items()},
        another_finding=stable.another_finding,
        another_result=stable.another_result,
        margin=tuple(
            MarginEntry(counted=m.counted.value, change=m.change, finding=str(m.finding))
            for m in stable.margins
        ),
        nuclei_alike=stable.nuclei_alike,
    )


def _sorted_flags(*flags: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({flag for some in flags for flag in some}))
