"""The overall HER2 status and the expression category of a case as FHIR observations."""

from __future__ import annotations

from collections.abc import Iterator

from fhir.resources.R4B.annotation import Annotation
from fhir.resources.R4B.codeableconcept import CodeableConcept

from her2path.domain.verdict import State
from her2path.io.documents import CallDoc
from her2path.reports.codes import (
    HER2_STATUS,
    INTERPRETATIONS,
    SNOMED_STATUS,
    STATUS_ANSWERS,
)
from her2path.reports.fhir_elements import Frame, absent, concept, note, rule_notes
from her2path.reports.fhir_observations import Finding
from her2path.reports.own_codes import own
from her2path.reports.wording import (
    NOT_EVALUABLE,
    flag_sentence,
    headline,
    notes_of,
    reason_sentences,
    words_of,
)

STATUS = "status"
"""Role of the overall status."""
CATEGORY = "category"


def status_finding(call: CallDoc, frame: Frame, derived_from: tuple[str, ...]) -> Finding:
    """State the HER2 status of a case, or why there is none yet."""
    state = None if call.state == NOT_EVALUABLE else State(call.state)
    return Finding(
        role=STATUS,
        code=HER2_STATUS,
        text="HER2 status",
        value=None if state is None else _answer(state, frame),
        absent=_why_not(call, state),
        interpretation=None if state is None else INTERPRETATIONS.get(state),
        method=_guideline(call),
        derived_from=derived_from,
        notes=tuple(_notes(call)),
    )


def _answer(state: State, frame: Frame) -> CodeableConcept | None:
    if state not in STATUS_ANSWERS:
        return None
    also = [SNOMED_STATUS[state]] if frame.snomed and state in SNOMED_STATUS else []
    return concept(STATUS_ANSWERS[state], *also)


def _why_not(call: CallDoc, state: State | None) -> CodeableConcept | None:
    if state is None:
        reasons = tuple(own(code) for code in _reason_codes(call))
        return absent("error", " ".join((f"{headline(call)}.", *reason_sentences(call))), *reasons)
    if state in STATUS_ANSWERS:
        return None
    # temp-unknown: there is reason to expect that the value becomes known.
    return absent("temp-unknown", headline(call), own(state.value))


def _reason_codes(call: CallDoc) -> tuple[str, ...]:
    return tuple(dict.fromkeys(call.reasons[image].code for image in sorted(call.reasons)))


def _guideline(call: CallDoc) -> CodeableConcept:
    return concept(own(call.guideline))


def _notes(call: CallDoc) -> Iterator[Annotation]:
    words = words_of(call)
    yield note(f"{headline(call)}. Who acts next: {words.who}. {words.action}")
    for comment in notes_of(call):
        yield note(f"{comment.code}: {comment.text}")
    yield from rule_notes(call, call.rule_trail, comments=[comment.code for comment in call.comments])
    for flag in call.flags:
        yield note(f"Flag {flag}: {flag_sentence(flag) or 'not known to this version'}")


def category_finding(call: CallDoc) -> Finding | None:
    """State the category of trials and labels, which no code list has; None where it cannot be told."""
    if call.her2_category is None:
        return None
    basis = f" Basis: {call.her2_category_basis}." if call.her2_category_basis else ""
    return Finding(
        role=CATEGORY,
        code=own("her2_category"),
        value=concept(own(f"her2_{call.her2_category}")),
        derived_from=(STATUS,),
        notes=(
            note(f"Of trials and labels, beside the result of the guideline; no advice on treatment.{basis}"),
        ),
    )
