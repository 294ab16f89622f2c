"""The page of one case: everything that its template prints, worded and formatted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from her2path.domain.case import Assay
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import CommentKind, RecountUse
from her2path.domain.guideline.registry import GUIDELINES
from her2path.io.documents import CallDoc
from her2path.reports.case_material import CaseMaterial
from her2path.reports.control_section import ControlSection, control_sections
from her2path.reports.edits_section import EditsBlock, edits_blocks
from her2path.reports.evidence import ImageEvidence
from her2path.reports.firmness_section import Firmness, firmness_of
from her2path.reports.ihc_section import IhcSection, Scheme, ihc_section
from her2path.reports.ish_section import (
    Heterogeneity,
    IshCount,
    IshCuts,
    TotalRow,
    heterogeneity_of,
    ish_counts,
)
from her2path.reports.limits_of_use import LIMITS_OF_USE
from her2path.reports.origin_section import Origin, origin_of
from her2path.reports.population_section import PopulationBlock, own_distances, own_trail, population_blocks
from her2path.reports.quality_section import QualityBlock, quality_blocks
from her2path.reports.recount_section import RecountSection, check_rows, recount_section
from her2path.reports.slide_section import SlideSection, slide_section
from her2path.reports.specimen_section import (
    SITE_WORDS,
    SiteWarning,
    SpecimenFact,
    site_warning,
    specimen_facts,
)
from her2path.reports.trail_section import (
    Cuts,
    DistanceRow,
    NamedNumber,
    TrailRow,
    cell_cuts,
    cuts_by_quantity,
    distance_rows,
    named_numbers,
    trail_rows,
)
from her2path.reports.versions_section import VersionRow, guideline_title, version_rows
from her2path.reports.wording import (
    CATEGORY_WORDS,
    NOT_EVALUABLE,
    Note,
    StateWords,
    flag_sentence,
    headline,
    notes_of,
    reason_sentences,
    words_of,
)

_TILES = (
    ("ihc", "scored_cells"),
    ("ihc", "pct_complete_intense"),
    ("ihc", "pct_strong"),
    ("ihc", "pct_stained"),
    ("ihc", "h_score"),
    ("ish", "nuclei"),
    ("ish", "her2_mean"),
    ("ish", "cep17_mean"),
    ("ish", "her2_cep17_ratio"),
)


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
    site_warning: SiteWarning | None
    headline: str
    state: StateWords
    is_final: bool
    reasons: tuple[str, ...]
    failed_images: tuple[ImageReason, ...]
    category: str
    category_basis: str
    has_categories: bool
    """Whether the guideline's tumour has such categories at all."""
    flags: tuple[Note, ...]
    comments: tuple[Note, ...]
    """Mandatory comments and notes."""
    actions: tuple[Note, ...]
    """Comments that say who must do what."""
    tiles: tuple[NamedNumber, ...]
    populations: tuple[PopulationBlock, ...]
    """Two where a second population is reported apart."""
    trail: tuple[TrailRow, ...]
    distances: tuple[DistanceRow, ...]
    firmness: tuple[Firmness, ...]
    """Of each count that was made by itself; empty without one."""
    versions: tuple[VersionRow, ...]
    """The chosen guideline and the others of its family; empty without others."""
    ihc: tuple[IhcSection, ...]
    controls: tuple[ControlSection, ...]
    """Control tissue on the slides; empty without."""
    ish: tuple[IshCount, ...]
    recount: RecountSection | None
    """What a second person counted; None without a read that the call uses."""
    checks: tuple[TotalRow, ...]
    """The program's own counts beside the first one."""
    heterogeneity: Heterogeneity | None
    """The cell-level definition of 2009; None where it cannot be told."""
    specimen_facts: tuple[SpecimenFact, ...]
    quality: tuple[QualityBlock, ...]
    """Of each IHC image that could be examined."""
    slides: Mapping[str, SlideSection]
    """Zoomable views by image id; also of an image without a result, where it could be read."""
    gaps: tuple[str, ...]
    """What could not be shown, in sentences."""
    edits: tuple[EditsBlock, ...]
    """Of each slide that a person edited."""
    findings: tuple[QualityRow, ...]
    has_quality: bool
    """Whether the quality of any image could be examined."""
    limits: tuple[str, ...]
    origin: Origin


def case_page(material: CaseMaterial) -> CasePage:
    """Word and format everything a case's page prints."""
    call, images = material.call, material.images
    pictures = dict(material.pictures)
    ihc_images = [image for image in images if image.facts.assay is Assay.IHC]
    fish_images = [image for image in images if image.facts.assay is Assay.FISH]
    cuts = cuts_by_quantity(call)
    ish_cuts = _ish_cuts(cuts)
    comments = notes_of(call)
    known = GUIDELINES.get(call.guideline)
    recount_use = RecountUse.CONFIRM if known is None else known.recount_use
    scheme = Scheme.CLASSES if known is None or known.family == "breast" else Scheme.LEVELS
    origin = origin_of(material)
    populations = population_blocks(call, cuts)
    return CasePage(
        case_id=call.case_id,
        guideline=call.guideline,
        guideline_title=guideline_title(call.guideline),
        specimen=_specimen(call, images),
        site_warning=site_warning(call),
        headline=headline(call),
        state=words_of(call),
        is_final=call.state in {"positive", "negative"},
        reasons=reason_sentences(call) if call.state == NOT_EVALUABLE else (),
        failed_images=_failed_images(call, images),
        category=CATEGORY_WORDS.get(call.her2_category, call.her2_category) if call.her2_category else "",
        category_basis=call.her2_category_basis or "",
        has_categories=known is None or known.has_low_expression_overlay,
        flags=_flags(call, images),
        comments=tuple(note for note in comments if note.kind != CommentKind.ACTION),
        actions=tuple(note for note in comments if note.kind == CommentKind.ACTION),
        tiles=_tiles(call, cuts),
        populations=populations,
        trail=trail_rows(own_trail(call), call.comments, cuts),
        distances=distance_rows(own_distances(call)),
        firmness=_firmness(call, populations),
        versions=version_rows(call),
        ihc=tuple(
            ihc_section(
                image,
                scheme,
                cuts=cell_cuts(call),
                overlay=pictures.get(image.image_id),
                pictures=material.score_pictures,
            )
            for image in ihc_images
        ),
        controls=control_sections(ihc_images, material.control_pictures),
        ish=ish_counts(fish_images, {**pictures, **material.field_pictures}, ish_cuts, recount_use),
        recount=recount_section(material.recount, call, ish_cuts),
        checks=check_rows(call.checks, ish_cuts),
        heterogeneity=heterogeneity_of(call),
        specimen_facts=specimen_facts(call.specimen),
        quality=quality_blocks(ihc_images, material.quality_pictures),
        slides=_slides(material),
        gaps=material.gaps,
        edits=edits_blocks(call),
        findings=_findings(images),
        has_quality=any(image.quality.result is not None for image in images),
        limits=LIMITS_OF_USE,
        origin=origin,
    )


def _slides(material: CaseMaterial) -> dict[str, SlideSection]:
    shown = [image.image_id for image in material.images if image.image_id in material.slides]
    return {
        name: slide_section(material.slides[name], number, with_still=name not in material.pictures)
        for number, name in enumerate(shown, start=1)
    }


def _ish_cuts(cuts: Cuts) -> IshCuts:
    return IshCuts(ratio=cuts.get("her2_cep17_ratio", ()), copies=cuts.get("her2_mean", ()))


def _firmness(call: CallDoc, populations: Sequence[PopulationBlock]) -> tuple[Firmness, ...]:
    found = [block.firmness for block in populations] or [firmness_of(call)]
    return tuple(firm for firm in found if firm is not None)


def _tiles(call: CallDoc, cuts: Cuts) -> tuple[NamedNumber, ...]:
    compared = {distance.quantity: distance.value for distance in call.distance_to_cut}
    measured = {"ihc": {**compared, **call.ihc}, "ish": call.ish}
    found = {name: measured[part].get(name) for part, name in _TILES}
    if "pct_strong" in compared:
        # The guideline reads levels of staining, so closed membranes are no number of its own.
        found["pct_complete_intense"] = None
    return named_numbers({name: value for name, value in found.items() if value is not None}, cuts)


def _specimen(call: CallDoc, images: Sequence[ImageEvidence]) -> str:
    kinds = ", ".join(sorted({str(i.facts.specimen) for i in images if i.facts.specimen is not None}))
    site = "" if call.specimen.site is None else SITE_WORDS[call.specimen.site]
    return ", ".join(words for words in (kinds, site) if words)


def _flags(call: CallDoc, images: Sequence[ImageEvidence]) -> tuple[Note, ...]:
    """Word the flags of the call and of its measurements, once each, with the images that raised them.

    A flag of the call that only a measurement raised was found anew on the whole case, and dismissed.
    """
    raised: dict[str, list[str]] = {flag: [] for flag in call.flags}
    for image in images:
        for flag in image.flags:
            if flag in raised or flag not in tuple(Flag):
                raised.setdefault(flag, []).append(image.image_id)
    # The guideline that does not fit the site has a warning of its own, near the top.
    raised.pop(Flag.GUIDELINE_SITE, None)
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
