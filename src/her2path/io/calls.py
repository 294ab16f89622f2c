"""From the domain's call to the document `call.json`, for images and for typed numbers alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from her2path.domain.decision import CaseCall
from her2path.domain.ihc import IhcReading
from her2path.domain.ish import IshReading
from her2path.domain.reading import ihc_numbers, ish_numbers
from her2path.domain.verdict import NotEvaluable
from her2path.io.call_entries import Comment, Distance, TrailEntry
from her2path.io.documents import CallDoc, Producer, Reason

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
    ihc: Numbers = field(default_factory=dict)
    ish: Numbers = field(default_factory=dict)
    recount: Numbers = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    """Flags of the measurements, beside those of the call."""


def ihc_evidence(reading: IhcReading) -> Numbers:
    """List the numbers of an IHC measurement; empty without a scored cell."""
    if reading.tally.total == 0:
        return {}
    return {"h_score": reading.tally.h_score, **ihc_numbers(reading)}


def ish_evidence(reading: IshReading) -> Numbers:
    """List the numbers of an ISH count."""
    return {"probe": str(reading.summary.probe), **ish_numbers(reading)}


def evaluated(call: CaseCall, head: CallHead) -> CallDoc:
    """Write down a call."""
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
        rule_trail=tuple(
            TrailEntry(
                rule_id=step.rule_id,
                source=step.source,
                conclusion=step.conclusion,
                condition=step.condition,
                numbers=dict(step.numbers),
            )
            for step in call.trail
        ),
        distance_to_cut=tuple(
            Distance(quantity=d.quantity, value=d.value, cut=d.cut, distance=d.distance, unit=d.unit)
            for d in call.distances
        ),
        comments=tuple(Comment(code=comment.code, text=comment.text) for comment in call.comments),
        flags=_sorted_flags(call.flags, head.flags),
        ihc=head.ihc,
        ish=head.ish,
        recount=head.recount,
        images=head.images,
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
        ihc=head.ihc,
        ish=head.ish,
        recount=head.recount,
        images=head.images,
        reasons={name: Reason(code=why.code, reason=why.reason) for name, why in sorted(reasons.items())},
    )


def _sorted_flags(*flags: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({flag for some in flags for flag in some}))
