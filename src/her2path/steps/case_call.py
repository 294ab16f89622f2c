"""State the HER2 call of a case from the scores and counts of its images.

Images of observer 2 are the recount.  One that the same program makes is not that of a person who
does not know the first result, and the case sheet states no such thing: guidelines that ask for a
blinded observer flag it `recount_blinding_not_stated`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from fractions import Fraction
from functools import reduce
from itertools import combinations
from operator import add
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from her2path.domain.case import Assay, Controls, SpecimenFacts
from her2path.domain.control_tissue import RunControls, run_controls
from her2path.domain.decision import CaseEvidence, call_case
from her2path.domain.explanation import explain
from her2path.domain.flags import Flag
from her2path.domain.guideline.registry import find_guideline
from her2path.domain.ihc import IhcReading, Reactivity, exact_share
from her2path.domain.ish import (
    IshReading,
    NucleusSignals,
    SignalSummary,
    ratio_is_at_least_2,
    share_with_ratio,
)
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError
from her2path.io import calls
from her2path.io.documents import (
    FishCountsDoc,
    FishCountsResult,
    IhcScoreDoc,
    IhcScoreResult,
    SheetFacts,
    SlideDoc,
    read_document,
    write_document,
)
from her2path.io.provenance import digests, producer

log = logging.getLogger(__name__)


class CaseCallParams(BaseModel):
    """Nothing to set: cut-points belong to the guideline that the case sheet names."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def run(
    *, slide: list[Path], score: list[Path], counts: list[Path], call: Path, params: CaseCallParams
) -> None:
    """Pool the images of one case, call it, and write `call.json`."""
    images = _read_images(slide, score, counts)
    sheet = images[0].sheet
    pooled = _pool(images)
    facts = _specimen_facts(sheet)
    head = calls.CallHead(
        case_id=sheet.case_id,
        guideline=sheet.guideline,
        produced_by=producer("case_call", params),
        inputs=digests(**{f"{p.parent.name}/{p.stem}": p for p in (*slide, *score, *counts)}),
        images=tuple(image.image_id for image in images),
        specimen=calls.specimen_entry(facts, sheet.specimen),
        ihc=pooled.ihc_numbers,
        ish=pooled.ish_numbers,
        recount=pooled.recount_numbers,
        flags=pooled.flags,
    )
    reasons = {image.image_id: image.reason for image in images if image.reason is not None}
    reasons = reasons or pooled.obstacles | _doubles(images)
    if reasons:
        log.warning("case %s: %d images not evaluable", sheet.case_id, len(reasons))
        write_document(call, calls.not_evaluable(reasons, head))
        return
    evidence = CaseEvidence(ihc=pooled.ihc, ish=pooled.ish, recount=pooled.recount, specimen=facts)
    guideline = find_guideline(sheet.guideline)
    result = call_case(evidence, guideline)
    if isinstance(result, NotEvaluable):
        # Only the pooled tally can still be refused here: counts are read or indeterminate.
        reasons = {image.image_id: result for image in images if image.score is not None}
        write_document(call, calls.not_evaluable(reasons, head))
        return
    log.info("case %s: %s", sheet.case_id, result.state)
    explanation = explain(evidence, guideline, pooled.nuclei, pooled.more_nuclei)
    write_document(call, calls.evaluated(result, head, explanation))


def _specimen_facts(sheet: SheetFacts) -> SpecimenFacts:
    return SpecimenFacts(
        sheet.tumour_site, _as_written(sheet.fixation_hours), _as_written(sheet.cold_ischaemia_minutes)
    )


def _as_written(number: float | None) -> Fraction | None:
    """Read a number as its decimal digits say, so that 72.0 hours lie on the cut, not beside it."""
    return None if number is None else Fraction(str(number))


@dataclass(frozen=True, slots=True)
class _Image:
    image_id: str
    sheet: SheetFacts
    score: IhcScoreResult | None = None
    counts: FishCountsResult | None = None
    reason: NotEvaluable | None = None
    files: frozenset[str] = frozenset()
    """SHA-256 of the files it was read from."""

    def shares_file(self, other: _Image) -> bool:
        """Whether both were read from one file."""
        return not self.files.isdisjoint(other.files)


def _read_images(slide: Sequence[Path], score: Sequence[Path], counts: Sequence[Path]) -> list[_Image]:
    """Join the documents of each image by the name of their folder, in the order of the ids."""
    slides, scores, counted = _by_image(slide), _by_image(score), _by_image(counts)
    if not slides:
        raise ArtefactError("slide.json", "no image was given")
    if strays := (scores.keys() | counted.keys()) - slides.keys():
        raise ArtefactError("slide.json", f"is missing for {', '.join(sorted(strays))}")
    images = [_read_image(name, path, scores, counted) for name, path in sorted(slides.items())]
    sheets = [image.sheet for image in images]
    if len({(s.case_id, s.guideline, s.specimen, *astuple(_specimen_facts(s))) for s in sheets}) > 1:
        raise ArtefactError("slide.json", "the images belong to several cases, guidelines or specimens")
    if len({image.sheet.probe for image in images if image.sheet.assay is Assay.FISH}) > 1:
        raise ArtefactError("slide.json", "the FISH images were made with different probes")
    return images


def _by_image(paths: Sequence[Path]) -> dict[str, Path]:
    found = {path.parent.name: path for path in paths}
    if len(found) != len(paths):
        raise ArtefactError(paths[0].name, "an image was given twice")
    return found


def _read_image(name: str, slide: Path, scores: dict[str, Path], counted: dict[str, Path]) -> _Image:
    document = read_document(slide, SlideDoc)
    sheet = document.sheet
    if sheet.image_id != name:
        raise ArtefactError("slide.json", f"in folder {name!r} belongs to image {sheet.image_id!r}")
    paths, kind = (scores, "ihc_score.json") if sheet.assay is Assay.IHC else (counted, "fish_counts.json")
    if name not in paths:
        raise ArtefactError(kind, f"is missing for image {name!r}")
    measured = (
        read_document(paths[name], IhcScoreDoc)
        if sheet.assay is Assay.IHC
        else read_document(paths[name], FishCountsDoc)
    )
    for found in (document, measured):
        if found.not_evaluable is not None:
            return _Image(name, sheet, reason=found.not_evaluable.value())
    files = frozenset(file.sha256 for file in document.result.files) if document.result else frozenset()
    if isinstance(measured, IhcScoreDoc):
        return _Image(name, sheet, score=measured.result, files=files)
    return _Image(name, sheet, counts=measured.result, files=files)


def _doubles(images: Sequence[_Image]) -> dict[str, NotEvaluable]:
    """Find images that show what another image of the case shows already.

    Their cells or nuclei would be counted twice, and a recount of the same image by the same
    program confirms nothing.  Two regions of one file are no doubles.
    """
    found: dict[str, NotEvaluable] = {}
    for one, other in combinations(images, 2):
        regions = one.sheet.has_tumour_roi and other.sheet.has_tumour_roi
        if one.shares_file(other) and not regions:
            reason = (
                f"shows the same file as image {one.image_id!r}; nothing may be counted twice, and a recount "
                "needs an image of its own: remove one of the rows, or give each its `tumour_roi`"
            )
            found.setdefault(other.image_id, NotEvaluable("duplicate_image", reason))
    return found


@dataclass(frozen=True, slots=True)
class _Pooled:
    """The evidence of a case, pooled over its images."""

    ihc: IhcReading | None
    ish: IshReading | None
    recount: IshReading | None
    nuclei: tuple[NucleusSignals, ...]
    """Of the first count."""
    more_nuclei: tuple[NucleusSignals, ...]
    """Of the recount."""
    ihc_numbers: calls.Numbers
    ish_numbers: calls.Numbers
    recount_numbers: calls.Numbers
    flags: tuple[str, ...]
    obstacles: dict[str, NotEvaluable]
    """Why the images, each of them good, cannot be combined; by image id."""


def _pool(images: Sequence[_Image]) -> _Pooled:
    scored = [image for image in images if image.score is not None]
    counted = [image for image in images if image.counts is not None]
    first = [image for image in counted if image.sheet.observer == 1]
    second = [image for image in counted if image.sheet.observer == 2]
    ihc, ish, recount = _pool_ihc(scored), _pool_ish(first), _pool_ish(second)
    if recount is not None:
        # Another number in the sheet is another observer; whether they were blinded it does not say.
        recount = replace(recount, other_observer=True)
    alone = NotEvaluable(
        "recount_without_count",
        "a recount (observer 2) was given without a first count; add the images of observer 1",
    )
    later = [image for image in counted if image.sheet.observer > 1]
    return _Pooled(
        ihc=ihc,
        ish=ish,
        recount=recount,
        nuclei=_nuclei(first),
        more_nuclei=_nuclei(second),
        ihc_numbers=_ihc_numbers(ihc, scored),
        ish_numbers=_ish_numbers(ish, first),
        recount_numbers=_ish_numbers(recount, second),
        flags=_flags(scored, counted),
        obstacles={image.image_id: alone for image in later} if not first else {},
    )


def _pool_ihc(images: Sequence[_Image]) -> IhcReading | None:
    results = [image.score for image in images if image.score is not None]
    if not results:
        return None
    tallies = [result.as_tally() for result in results]
    total = sum(tally.total for tally in tallies)
    # The share of cells expected on blank tissue adds up over the images like the cells themselves.
    pairs = zip(results, tallies, strict=True)
    blank = sum((exact_share(r.limit_of_blank_pct) * t.total for r, t in pairs), start=Fraction(0))
    return IhcReading(
        tally=reduce(add, tallies),
        limit_of_blank=blank / total if total else exact_share(results[0].limit_of_blank_pct),
        controls=_worst_controls(images),
        specimen=images[0].sheet.specimen,
        clusters=_largest_clusters([result.clusters for result in results]),
    )


def _largest_clusters(images: Sequence[dict[Reactivity, int] | None]) -> dict[Reactivity, int] | None:
    """Take the largest cluster over the images; a level that one of them did not measure is left out."""
    measured = [clusters for clusters in images if clusters is not None]
    if len(measured) < len(images):
        return None
    levels = [level for level in Reactivity if all(level in clusters for clusters in measured)]
    return {level: max(clusters[level] for clusters in measured) for level in levels}


def _nuclei(images: Sequence[_Image]) -> tuple[NucleusSignals, ...]:
    counted = (image.counts for image in images if image.counts is not None)
    return tuple(NucleusSignals(her2, cep17) for result in counted for her2, cep17 in result.nuclei)


def _pool_ish(images: Sequence[_Image]) -> IshReading | None:
    results = [image.counts for image in images if image.counts is not None]
    if not results:
        return None
    return IshReading(
        summary=reduce(add, (_summary(image, image.counts) for image in images if image.counts)),
        areas=_areas([image.sheet.area for image in images]),
        weak_signals=sum(result.weak_signals for result in results),
        cytoplasmic_signals=sum(result.cytoplasmic_signals for result in results),
        controls=_worst_controls(images),
        share_ratio_at_least_2=share_with_ratio(_nuclei(images), ratio_is_at_least_2),
    )


def _summary(image: _Image, result: FishCountsResult) -> SignalSummary:
    """Sum the nuclei of an image and hold the sum against the totals of its document."""
    try:
        nuclei = [NucleusSignals(her2, cep17) for her2, cep17 in result.nuclei]
        summary = SignalSummary.of(nuclei, probe=image.sheet.probe)
    except ValueError as error:
        raise ArtefactError("fish_counts.json", f"of image {image.image_id!r}: {error}") from error
    if (summary.her2, summary.cep17) != (result.her2_signals, result.cep17_signals):
        raise ArtefactError(
            "fish_counts.json", f"of image {image.image_id!r}: the nuclei do not sum to the totals"
        )
    return summary


def _areas(labels: Sequence[str]) -> int | None:
    """Count the labelled areas; None where an unlabelled image could show a second one."""
    named = {label for label in labels if label}
    return len(named) if len(named) >= 2 or all(labels) else None


def _run_controls(image: _Image) -> RunControls:
    """Join what the sheet states of an image's run with the control tissue on its slide."""
    measured = () if image.score is None else image.score.control
    return run_controls(image.sheet.controls, [control.verdict for control in measured])


def _worst_controls(images: Sequence[_Image]) -> Controls:
    found = {_run_controls(image).controls for image in images}
    return next((c for c in (Controls.FAIL, Controls.UNKNOWN) if c in found), Controls.PASS)


def _ihc_numbers(reading: IhcReading | None, images: Sequence[_Image]) -> calls.Numbers:
    results = [image.score for image in images if image.score is not None]
    if reading is None:
        return {}
    return {
        **calls.ihc_evidence(reading),
        "images": len(results),
        "calibration": ";".join(sorted({result.calibration for result in results})),
        "tumour_selection": ";".join(sorted({result.tumour_selection for result in results})),
        "selected_nuclei_pct": _selected_pct(results),
        "excluded_cells": sum(sum(result.excluded_cells.values()) for result in results),
        **(_certainty(results[0]) if len(results) == 1 else {}),
    }


def _selected_pct(results: Sequence[IhcScoreResult]) -> float | None:
    """State which percentage of all nuclei was scored; None without a scored cell."""
    if any(result.scored_cells == 0 for result in results):
        return None
    nuclei = sum(result.scored_cells / result.selected_nuclei_pct for result in results)
    return sum(result.scored_cells for result in results) / nuclei


def _certainty(result: IhcScoreResult) -> calls.Numbers:
    """State how certain the score of a single image is; several images have no place in common."""
    probability = result.score_probabilities.get(result.score)
    return {
        "h_score_low": result.h_score_low,
        "h_score_high": result.h_score_high,
        "score_probability_pct": None if probability is None else 100 * probability,
    }


def _ish_numbers(reading: IshReading | None, images: Sequence[_Image]) -> calls.Numbers:
    results = [image.counts for image in images if image.counts is not None]
    if reading is None:
        return {}
    return {
        **calls.ish_evidence(reading),
        "images": len(results),
        "nuclei_with_clusters": sum(result.nuclei_with_clusters for result in results),
        "excluded_nuclei": sum(sum(result.excluded_nuclei.values()) for result in results),
    }


_FOUND_ANEW = frozenset(Flag) - {Flag.SCORE_UNCERTAIN, Flag.CATEGORY_UNCERTAIN, Flag.TOO_LITTLE_TISSUE}
"""How certain a score is follows from where its cells lie, which the pooled numbers no longer tell."""


def _flags(scored: Sequence[_Image], counted: Sequence[_Image]) -> tuple[str, ...]:
    """Collect what the measurements flagged; flags of the call are found anew on the pooled numbers."""
    results = [image.score or image.counts for image in (*scored, *counted)]
    flags = {flag for result in results if result is not None for flag in result.flags} - _FOUND_ANEW
    if len({image.score.calibration for image in scored if image.score is not None}) > 1:
        flags.add(Flag.CALIBRATIONS_DIFFER)
    if any(image.counts.nuclei_with_clusters for image in counted if image.counts is not None):
        flags.add(Flag.CLUSTERS)
    if any(one.shares_file(other) for one, other in combinations((*scored, *counted), 2)):
        flags.add(Flag.SHARED_FILE)
    flags |= {flag for image in scored for flag in _run_controls(image).flags}
    if _worst_controls(scored) is not Controls.PASS:
        # One run of several that passed by measurement does not speak for the others.
        flags.discard(Flag.CONTROLS_BY_MEASUREMENT)
    if any(image.sheet.observer > 2 for image in counted):
        flags.add(Flag.EXTRA_OBSERVER)
    return tuple(sorted(str(flag) for flag in flags))
