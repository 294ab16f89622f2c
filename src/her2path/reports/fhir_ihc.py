"""The IHC score of a case as a FHIR observation, with its percentages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fhir.resources.R4B.annotation import Annotation
from fhir.resources.R4B.codeableconcept import CodeableConcept
from fhir.resources.R4B.observation import ObservationComponent

from her2path.domain.flags import Flag
from her2path.domain.ihc import IhcScore
from her2path.domain.verdict import State
from her2path.io.call_entries import TrailEntry
from her2path.io.documents import CallDoc
from her2path.reports.codes import IHC_ANSWERS, INDETERMINATE, INTERPRETATIONS, ihc_code
from her2path.reports.evidence import ImageEvidence
from her2path.reports.fhir_elements import (
    absent,
    bound_component,
    components,
    concept,
    cuts_of,
    note,
    number_component,
    rule_notes,
    word_component,
)
from her2path.reports.fhir_observations import Finding
from her2path.reports.number_names import OVER_BLANK
from her2path.reports.odds import drawn_bound_pct
from her2path.reports.own_codes import own
from her2path.reports.unread_tests import not_called
from her2path.reports.wording import NOT_EVALUABLE, headline

_CHANCE = "score_probability_pct"
IHC = "ihc"
"""Role of the IHC score."""


def ihc_finding(call: CallDoc, images: Sequence[ImageEvidence] = ()) -> Finding | None:
    """State the IHC score of a case with its percentages; None where no IHC was made.

    Of the images only the number of samples is read that were drawn for the certainty of the score.
    """
    unread = Flag.IHC_INDETERMINATE in call.flags
    if call.ihc_score is None and not call.ihc and not unread:
        return None
    return Finding(
        role=IHC,
        code=ihc_code(call),
        text="HER2 IHC score",
        value=_answer(call.ihc_score, unread=unread),
        absent=None if call.ihc_score is not None or unread else _why_not(call),
        interpretation=INTERPRETATIONS[State.INDETERMINATE] if unread else None,
        method=_method(call),
        components=tuple(_components(call, _draws(images))),
        notes=(*_edit_notes(call), *rule_notes(call, _steps(call))),
        by=tuple(dict.fromkeys(name for edit in call.edits.values() for name in edit.persons)),
    )


def _answer(score: IhcScore | None, *, unread: bool) -> CodeableConcept | None:
    if unread:
        return concept(INDETERMINATE)
    return None if score is None else concept(IHC_ANSWERS[score])


def _why_not(call: CallDoc) -> CodeableConcept:
    # A case without a call still shows what was measured on its good images, but no score of the case.
    code = "error" if call.state == NOT_EVALUABLE else "unknown"
    return absent(code, not_called(call) or headline(call))


def _method(call: CallDoc) -> CodeableConcept:
    if Flag.SCORE_STATED in call.flags:
        return concept(own("ihc_stated"))
    return concept(own("ihc_measured"))


def _draws(images: Sequence[ImageEvidence]) -> int | None:
    """Count the samples drawn from the one scored slide; None where they tell nothing, or are not known."""
    results = [image.score.result for image in images if image.score is not None and image.score.result]
    if len(results) != 1:
        return None
    kinds = [n for row in results[0].tally.values() for n in row.values() if n]
    # From cells that all stain alike every sample is the same.
    return results[0].interval.draws or None if len(kinds) > 1 else None


def _components(call: CallDoc, draws: int | None) -> Iterator[ObservationComponent]:
    cuts = cuts_of(call)
    chance = call.ihc.get(_CHANCE)
    # That every drawn sample got the score, or none, is no certainty but a bound.
    is_bound = chance in (0, 100)
    yield from components(call.ihc, cuts=cuts, skip=(_CHANCE,) if is_bound else ())
    if is_bound and draws is not None:
        least = drawn_bound_pct(draws)
        yield bound_component(_CHANCE, least if chance == 0 else 100 - least, "<" if chance == 0 else ">")
    compared = {d.quantity: d.value for d in call.distance_to_cut if d.quantity not in call.ish}
    for name, value in compared.items():
        # What the guideline compares beside the classes; over the limit of blank it is the same number.
        if name not in call.ihc and not name.endswith(OVER_BLANK):
            yield number_component(name, value, cuts[name])
    if call.edits:
        before = {name: edit.score_before or "none" for name, edit in sorted(call.edits.items())}
        listed = [f"{name}: {score}" if len(before) > 1 else str(score) for name, score in before.items()]
        yield word_component("score_before", "; ".join(listed))


def _steps(call: CallDoc) -> Iterator[TrailEntry]:
    return (step for step in call.rule_trail if step.rule_id.startswith("IHC-"))


def _edit_notes(call: CallDoc) -> Iterator[Annotation]:
    # Not the person's comment: it is free text, and may name somebody.
    for image_id, edit in sorted(call.edits.items()):
        regions = ", ".join(f"{n} of {name}" for name, n in sorted(edit.regions_changed.items()))
        cells = sum(n for to in edit.cells_changed.values() for n in to.values())
        undone = "".join(
            f" Cells no longer of the class given by {by}: {n}." for by, n in edit.cells_overruled.items()
        )
        before = (
            f"The program's own score was {edit.score_before}."
            if edit.score_before is not None
            else f"The program gave no score: {edit.no_score_before.reason}"
            if edit.no_score_before is not None
            else ""
        )
        earlier = ", ".join(f"{one.by} on {one.on} (in {one.tool})" for one in edit.earlier)
        yield note(
            f"Edited by a person: image {image_id}, in {edit.tool}, on {edit.on}"
            f"{f', after {earlier}' if earlier else ''}. Regions drawn: "
            f"{regions or 'none'}. Cells given another class: {cells}.{undone} {before}".rstrip(),
            by=edit.by,
            on=edit.on,
        )
