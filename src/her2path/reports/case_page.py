"""The page of one case: everything that its template prints, worded and formatted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from markupsafe import Markup

from her2path.domain.case import Assay
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import CommentKind
from her2path.domain.guideline.registry import GUIDELINES
from her2path.io.call_entries import Distance
from her2path.io.documents import CallDoc, Producer
from her2path.reports.evidence import ImageEvidence
from her2path.reports.html.pictures import Picture
from her2path.reports.html.plots import distance_bar
from her2path.reports.ihc_section import IhcSection, ihc_section
from her2path.reports.ish_section import IshCount, IshCuts, ish_counts
from her2path.reports.numbers import number_text, signed_text, value_text
from her2path.reports.origin_section import Origin, origin_of
from her2path.reports.wording import (
    CATEGORY_WORDS,
    NOT_EVALUABLE,
    OVER_BLANK,
    STATE_WORDS,
    Note,
    StateWords,
    conclusion_words,
    flag_sentence,
    headline,
    in_listing_order,
    label_of,
    notes_of,
    reason_sentences,
)

LIMITS_OF_USE = (
    "Decision support for research and validation, not a diagnostic device: the pathologist signs.",
    "The software measures what the images show. It does not know the history, the histological type, "
    "the pre-analytical handling or whether the controls were read correctly.",
    "Percentages and counts come from image analysis whose optical thresholds belong to the stated "
    "calibration; another scanner or stain needs its own.",
    "The category beside the call is an overlay of trials and labels, not a result of the guideline, and no "
    "advice on treatment.",
)

Cuts = Mapping[str, tuple[float, ...]]
_TILES = (
    ("ihc", "scored_cells"),
    ("ihc", "pct_complete_intense"),
    ("ihc", "pct_stained"),
    ("ihc", "h_score"),
    ("ish", "nuclei"),
    ("ish", "her2_mean"),
    ("ish", "cep17_mean"),
    ("ish", "her2_cep17_ratio"),
)


@dataclass(frozen=True, slots=True)
class NamedNumber:
    """A number as printed, with its name."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class TrailRow:
    """One rule of the trail as printed."""

    rule_id: str
    source: str
    conclusion: str
    numbers: tuple[NamedNumber, ...]


@dataclass(frozen=True, slots=True)
class DistanceRow:
    """One distance to a cut-point as printed."""

    quantity: str
    value: str
    cut: str
    distance: str
    unit: str
    bar: Markup


@dataclass(frozen=True, slots=True)
class QualityRow:
    """One quality finding as printed."""

    image_id: str
    severity: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ImageReason:
    """An image that could not be evaluated."""

    image_id: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class CasePage:
    """All that the template of a case prints."""

    case_id: str
    guideline: str
    guideline_title: str
    specimen: str
    headline: str
    state: StateWords
    is_final: bool
    reasons: tuple[str, ...]
    failed_images: tuple[ImageReason, ...]
    category: str
    category_basis: str
    flags: tuple[Note, ...]
    comments: tuple[Note, ...]
    """Mandatory comments and notes."""
    actions: tuple[Note, ...]
    """Comments that say who must do what."""
    tiles: tuple[NamedNumber, ...]
    trail: tuple[TrailRow, ...]
    distances: tuple[DistanceRow, ...]
    ihc: tuple[IhcSection, ...]
    ish: tuple[IshCount, ...]
    findings: tuple[QualityRow, ...]
    has_quality: bool
    """Whether the quality of any image could be examined."""
    limits: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class CaseMaterial:
    """What a page is made from."""

    call: CallDoc
    images: tuple[ImageEvidence, ...]
    pictures: Mapping[str, Picture]
    """Overlay or gallery by image id; an image without a result has none."""
    report: Producer
    report_inputs: Mapping[str, str]
    """SHA-256 of the files that the page was made from."""


def case_page(material: CaseMaterial) -> CasePage:
    """Word and format everything a case's page prints."""
    call, images = material.call, material.images
    pictures = dict(material.pictures)
    ihc_images = [image for image in images if image.facts.assay is Assay.IHC]
    fish_images = [image for image in images if image.facts.assay is Assay.FISH]
    cuts = cuts_by_quantity(call)
    comments = notes_of(call)
    origin = origin_of(call, images, report=material.report, report_inputs=dict(material.report_inputs))
    return CasePage(
        case_id=call.case_id,
        guideline=call.guideline,
        guideline_title=GUIDELINES[call.guideline].title if call.guideline in GUIDELINES else "",
        specimen=", ".join(sorted({str(image.facts.specimen) for image in images})),
        headline=headline(call),
        state=STATE_WORDS[call.state],
        is_final=call.state in {"positive", "negative"},
        reasons=reason_sentences(call) if call.state == NOT_EVALUABLE else (),
        failed_images=_failed_images(call, images),
        category=CATEGORY_WORDS.get(call.her2_category, call.her2_category) if call.her2_category else "",
        category_basis=call.her2_category_basis or "",
        flags=_flags(call, images),
        comments=tuple(note for note in comments if note.kind != CommentKind.ACTION),
        actions=tuple(note for note in comments if note.kind == CommentKind.ACTION),
        tiles=_tiles(call, cuts),
        trail=tuple(
            TrailRow(
                entry.rule_id, entry.source, conclusion_words(entry.conclusion), _numbers(entry.numbers, cuts)
            )
            for entry in call.rule_trail
        ),
        distances=tuple(_distance_row(distance) for distance in call.distance_to_cut),
        ihc=tuple(
            ihc_section(image, cuts=_pct_cuts(cuts), overlay=pictures.get(image.image_id))
            for image in ihc_images
        ),
        ish=ish_counts(
            fish_images,
            pictures,
            IshCuts(ratio=cuts.get("her2_cep17_ratio", ()), copies=cuts.get("her2_mean", ())),
        ),
        findings=_findings(images),
        has_quality=any(image.quality.result is not None for image in images),
        limits=LIMITS_OF_USE,
        origin=origin,
    )


def cuts_by_quantity(call: CallDoc) -> Cuts:
    """Cut-points that the call was measured against, ascending, by the name of the number."""
    found: dict[str, set[float]] = {}
    for distance in call.distance_to_cut:
        found.setdefault(distance.quantity, set()).add(distance.cut)
    return MappingProxyType({name: tuple(sorted(found[name])) for name in sorted(found)})


def _pct_cuts(cuts: Cuts) -> Cuts:
    """Cut-points of the guideline in per cent of the cells; the limit of blank is none of them."""
    names = [name for name in cuts if name.startswith("pct_") and not name.endswith(OVER_BLANK)]
    return {name: cuts[name] for name in names}


def _numbers(numbers: Mapping[str, int | float | str | None], cuts: Cuts) -> tuple[NamedNumber, ...]:
    return tuple(
        NamedNumber(label_of(name), value_text(name, numbers[name], cuts=cuts.get(name, ())))
        for name in in_listing_order(numbers)
    )


def _tiles(call: CallDoc, cuts: Cuts) -> tuple[NamedNumber, ...]:
    measured = {"ihc": call.ihc, "ish": call.ish}
    found = {name: measured[part].get(name) for part, name in _TILES}
    return _numbers({name: value for name, value in found.items() if value is not None}, cuts)


def _distance_row(distance: Distance) -> DistanceRow:
    per_cent = " %" if distance.quantity.startswith("pct_") else ""
    relative = distance.distance / distance.cut if distance.cut else 2 * math.copysign(1, distance.distance)
    return DistanceRow(
        quantity=label_of(distance.quantity),
        value=number_text(distance.value, cuts=(distance.cut,)) + per_cent,
        cut=f"{distance.cut:g}{per_cent}",
        distance=signed_text(distance.distance),
        unit=distance.unit,
        bar=distance_bar(relative if distance.distance else 0.0),
    )


def _flags(call: CallDoc, images: Sequence[ImageEvidence]) -> tuple[Note, ...]:
    """Word the flags of the call and of its measurements, once each, with the images that raised them.

    A flag of the call that only a measurement raised was found anew on the whole case, and dismissed.
    """
    raised: dict[str, list[str]] = {flag: [] for flag in call.flags}
    for image in images:
        for flag in image.flags:
            if flag in raised or flag not in tuple(Flag):
                raised.setdefault(flag, []).append(image.image_id)
    where = {flag: tuple(names) if len(images) > 1 else () for flag, names in raised.items()}
    return tuple(Note(flag, flag_sentence(flag) or "", images=where[flag]) for flag in raised)


def _failed_images(call: CallDoc, images: Sequence[ImageEvidence]) -> tuple[ImageReason, ...]:
    """List images without a result: those the call names, and those whose documents say so."""
    found = {image_id: (reason.code, reason.reason) for image_id, reason in call.reasons.items()}
    for image in images:
        for _, document in image.documents:
            if document.not_evaluable is not None:
                reason = document.not_evaluable
                found.setdefault(image.image_id, (reason.code, reason.reason))
    return tuple(ImageReason(image_id, *found[image_id]) for image_id in sorted(found))


def _findings(images: Sequence[ImageEvidence]) -> tuple[QualityRow, ...]:
    """List findings, warnings first, each in the order of its image."""
    rows = [
        QualityRow(image.image_id, str(finding.severity), finding.code, finding.message)
        for image in images
        if image.quality.result is not None
        for finding in image.quality.result.findings
    ]
    return tuple(sorted(rows, key=lambda row: row.severity != "warning"))
