"""State the HER2 call of a case from the scores and counts of its images.

A recount is made by a second person (`her2path recount`).  What the program counts on images of
observer 2 is a check beside the first count and never takes that person's place; only a guideline
that adds further nuclei to an equivocal count reads it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import reduce
from itertools import combinations
from operator import add
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from her2path.domain.case import Controls
from her2path.domain.control_tissue import RunControls, run_controls
from her2path.domain.count_quality import pooled as pooled_quality
from her2path.domain.decision import CaseEvidence, call_case
from her2path.domain.explanation import explain
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import Guideline, RecountUse
from her2path.domain.guideline.registry import find_guideline
from her2path.domain.guideline.rejections import MIN_AREAS
from her2path.domain.ihc import IhcReading, Reactivity, exact_share
from her2path.domain.ish import (
    IshReading,
    NucleusSignals,
    SignalSummary,
    ratio_is_at_least_2,
    share_with_ratio,
)
from her2path.domain.recount import checks_of
from her2path.domain.stats.second_population import PopulationSuggestion, look_for_second_population
from her2path.domain.verdict import NotEvaluable, State
from her2path.errors import ArtefactError
from her2path.io import calls
from her2path.io.call_entries import CheckEntry
from her2path.io.case_images import (
    CaseImage,
    CaseRead,
    duplicates,
    read_images,
    read_recount,
    specimen_facts_of,
)
from her2path.io.count_entries import FishCountsResult
from her2path.io.documents import IhcScoreResult, write_document
from her2path.io.model_entries import ModelEntry, ModelOrigin
from her2path.io.provenance import digests, producer

log = logging.getLogger(__name__)


class CaseCallParams(BaseModel):
    """Nothing to set: cut-points belong to the guideline that the case sheet names."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def run(
    *,
    slide: list[Path],
    score: list[Path],
    counts: list[Path],
    recount: Path | None = None,
    call: Path,
    params: CaseCallParams,
) -> None:
    """Pool the images of one case, call it, and write `call.json`."""
    images = read_images(slide, score, counts)
    sheet = images[0].sheet
    guideline = find_guideline(sheet.guideline)
    pooled = _pool(images, read_recount(recount, images), guideline)
    facts = specimen_facts_of(sheet)
    head = calls.CallHead(
        case_id=sheet.case_id,
        guideline=sheet.guideline,
        produced_by=producer("case_call", params),
        inputs=digests(
            **{f"{p.parent.name}/{p.stem}": p for p in (*slide, *score, *counts)},
            **({} if recount is None else {"recount": recount}),
        ),
        images=tuple(image.image_id for image in images),
        models=_models(images),
        specimen=calls.specimen_entry(facts, sheet.specimen),
        ihc=pooled.ihc_numbers,
        ish=pooled.ish_numbers,
        recount=pooled.recount_numbers,
        checks=pooled.checks,
        flags=pooled.flags,
        edits={
            i.image_id: i.score.edits for i in images if i.score is not None and i.score.edits is not None
        },
    )
    reasons = {image.image_id: image.reason for image in images if image.reason is not None}
    reasons = reasons or pooled.obstacles | duplicates(images)
    if reasons:
        log.warning("case %s: %d images not evaluable", sheet.case_id, len(reasons))
        write_document(call, calls.not_evaluable(reasons, head))
        return
    evidence = CaseEvidence(ihc=pooled.ihc, ish=pooled.ish, recount=pooled.recount, specimen=facts)
    result = call_case(evidence, guideline)
    if isinstance(result, NotEvaluable):
        # Only the pooled tally can still be refused here: counts are read or indeterminate.
        reasons = {image.image_id: result for image in images if image.score is not None}
        write_document(call, calls.not_evaluable(reasons, head))
        return
    log.info("case %s: %s", sheet.case_id, result.state)
    if result.state is State.NEEDS_RECOUNT or recount is not None:
        head = replace(head, checks=(*head.checks, *_checks_of_parts(images, pooled, guideline)))
    explanation = explain(evidence, guideline, pooled.nuclei, pooled.more_nuclei)
    write_document(call, calls.evaluated(result, head, explanation))


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
    checks: tuple[CheckEntry, ...]
    flags: tuple[str, ...]
    obstacles: dict[str, NotEvaluable]
    """Why the images, each of them good, cannot be combined; by image id."""


def _pool(images: Sequence[CaseImage], read: CaseRead | None, guideline: Guideline) -> _Pooled:
    scored = [image for image in images if image.score is not None]
    counted = [image for image in images if image.counts is not None]
    first = [image for image in counted if image.sheet.observer == 1]
    second = [image for image in counted if image.sheet.observer == 2]
    ihc, ish, more = _pool_ihc(scored), _pool_ish(first), _pool_ish(second)
    again = _again(counted, second, more, read, guideline)
    check = {} if more is None or guideline.recount_use is RecountUse.ADD else {"": more}
    checks = checks_of(check, ish, guideline)
    alone = NotEvaluable(
        "recount_without_count",
        "images of observer 2 were given without a first count; add the images of observer 1",
    )
    later = [image for image in counted if image.sheet.observer > 1]
    beside = {
        Flag.AUTOMATIC_RECOUNT: bool(checks) and again.reading is None,
        Flag.AUTOMATIC_RECOUNT_DIFFERS: any(one.agrees is False for one in checks),
    }
    flags = {*_flags(scored, counted), *again.flags, *(str(f) for f, holds in beside.items() if holds)}
    return _Pooled(
        ihc=ihc,
        ish=ish,
        recount=again.reading,
        nuclei=_nuclei(first),
        more_nuclei=again.nuclei,
        ihc_numbers=_ihc_numbers(ihc, scored),
        ish_numbers=_ish_numbers(ish, first),
        recount_numbers=again.numbers,
        checks=tuple(calls.check_entry(one, "images_of_observer_2") for one in checks),
        flags=tuple(sorted(flags)),
        obstacles={image.image_id: alone for image in later} if not first else {},
    )


@dataclass(frozen=True, slots=True)
class _Again:
    """What is read beside the first count."""

    reading: IshReading | None = None
    nuclei: tuple[NucleusSignals, ...] = ()
    numbers: calls.Numbers = field(default_factory=dict)
    flags: tuple[str, ...] = ()


def _again(
    counted: Sequence[CaseImage],
    second: Sequence[CaseImage],
    more: IshReading | None,
    read: CaseRead | None,
    guideline: Guideline,
) -> _Again:
    """Take the read of a second person, or the further nuclei of a guideline that adds them."""
    if read is not None and read.fits and any(image.sheet.observer == 1 for image in counted):
        reading = read.result.as_reading(_worst_controls(counted))
        numbers = calls.read_evidence(read.result, reading)
        return _Again(reading, read.result.signals, numbers, tuple(map(str, read.result.flags())))
    flags = () if read is None or read.fits else (str(Flag.RECOUNT_OF_OTHER_IMAGES),)
    if more is None or guideline.recount_use is not RecountUse.ADD:
        return _Again(flags=flags)
    # Another number in the sheet is another observer; whether they were blinded it does not say.
    reading = replace(more, other_observer=True)
    return _Again(reading, _nuclei(second), _ish_numbers(more, second), flags)


def _checks_of_parts(
    images: Sequence[CaseImage], pooled: _Pooled, guideline: Guideline
) -> tuple[CheckEntry, ...]:
    """Say what the parts of the first count would be by themselves: areas, or images without a label."""
    parts: dict[str, list[CaseImage]] = {}
    for image in images:
        if image.counts is not None and image.sheet.observer == 1:
            parts.setdefault(image.sheet.area or image.image_id, []).append(image)
    readings = {name: reading for name, part in parts.items() if (reading := _pool_ish(part)) is not None}
    if len(readings) < 2 or guideline.recount_use is RecountUse.ADD:
        return ()
    checks = checks_of(readings, pooled.ish, guideline)
    return tuple(calls.check_entry(one, "part_of_first_count") for one in checks)


def _pool_ihc(images: Sequence[CaseImage]) -> IhcReading | None:
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


def _nuclei(images: Sequence[CaseImage]) -> tuple[NucleusSignals, ...]:
    counted = (image.counts for image in images if image.counts is not None)
    return tuple(NucleusSignals(her2, cep17) for result in counted for her2, cep17 in result.nuclei)


def _pool_ish(images: Sequence[CaseImage]) -> IshReading | None:
    results = [image.counts for image in images if image.counts is not None]
    if not results:
        return None
    quality = pooled_quality(result.quality.value() for result in results)
    return IshReading(
        summary=reduce(add, (_summary(image, image.counts) for image in images if image.counts)),
        areas=_areas(images),
        weak_signals=quality.weak.of_them,
        weak_among=quality.weak.total,
        cytoplasmic_signals=quality.cytoplasmic.of_them,
        cytoplasmic_among=quality.cytoplasmic.total,
        poor_nuclei=quality.poor_nuclei,
        autofluorescence=quality.autofluorescence,
        controls=_worst_controls(images),
        share_ratio_at_least_2=share_with_ratio(_nuclei(images), ratio_is_at_least_2),
    )


def _summary(image: CaseImage, result: FishCountsResult) -> SignalSummary:
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


def _areas(images: Sequence[CaseImage]) -> int | None:
    """Count the areas, by label and within scans; None where an unlabelled image could show a second one."""
    seen: dict[str, int] = {}
    for image in images:
        if image.counts is not None:
            seen[image.sheet.area] = max(image.counts.areas, seen.get(image.sheet.area, 0))
    # A labelled image is an area of its own, whatever was counted on it.
    known = sum(max(areas, 1) for label, areas in seen.items() if label)
    known = max(known, seen.get("", 0))
    return known if known >= MIN_AREAS or "" not in seen else None


def _run_controls(image: CaseImage) -> RunControls:
    """Join what the sheet states of an image's run with the control tissue on its slide."""
    measured = () if image.score is None else image.score.control
    return run_controls(image.sheet.controls, [control.verdict for control in measured])


def _worst_controls(images: Sequence[CaseImage]) -> Controls:
    found = {_run_controls(image).controls for image in images}
    return next((c for c in (Controls.FAIL, Controls.UNKNOWN) if c in found), Controls.PASS)


def _ihc_numbers(reading: IhcReading | None, images: Sequence[CaseImage]) -> calls.Numbers:
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


def _models(images: Sequence[CaseImage]) -> tuple[ModelEntry, ...]:
    """List the models that measured the images, each once."""
    every = (image.score.model for image in images if image.score is not None)
    found = {model for model in every if model is not None}
    return tuple(sorted(found, key=lambda model: (model.id, model.sha256)))


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


def _ish_numbers(reading: IshReading | None, images: Sequence[CaseImage]) -> calls.Numbers:
    results = [image.counts for image in images if image.counts is not None]
    if reading is None:
        return {}
    return {
        **calls.ish_evidence(reading),
        "images": len(results),
        "nuclei_with_clusters": sum(result.nuclei_with_clusters for result in results),
        "excluded_nuclei": sum(sum(result.excluded_nuclei.values()) for result in results),
    }


_MODEL_FLAGS = {
    ModelOrigin.PROMOTED: Flag.MODEL_PROMOTED,
    ModelOrigin.FOLDER: Flag.MODEL_NOT_PROMOTED,
}
_OF_THE_SLIDE = {
    *(Flag.SCORE_UNCERTAIN, Flag.CATEGORY_UNCERTAIN, Flag.TOO_LITTLE_TISSUE),
    *(Flag.EDITED_BY_PERSON, Flag.EDITS_DO_NOT_FIT),
}
"""How certain a score is follows from where its cells lie, which the pooled numbers no longer tell; nor do
they tell who chose the cells."""
_FOUND_ANEW = frozenset(Flag) - _OF_THE_SLIDE


def _flags(scored: Sequence[CaseImage], counted: Sequence[CaseImage]) -> tuple[str, ...]:
    """Collect what the measurements flagged; flags of the call are found anew on the pooled numbers."""
    results = [image.score or image.counts for image in (*scored, *counted)]
    flags = {flag for result in results if result is not None for flag in result.flags} - _FOUND_ANEW
    if len({image.score.calibration for image in scored if image.score is not None}) > 1:
        flags.add(Flag.CALIBRATIONS_DIFFER)
    flags |= {_MODEL_FLAGS[model.origin] for model in _models(scored) if model.origin in _MODEL_FLAGS}
    if any(image.counts.nuclei_with_clusters for image in counted if image.counts is not None):
        flags.add(Flag.CLUSTERS)
    if any(one.shares_file(other) for one, other in combinations((*scored, *counted), 2)):
        flags.add(Flag.SHARED_FILE)
    flags |= {flag for image in scored for flag in _run_controls(image).flags}
    if _worst_controls(scored) is not Controls.PASS:
        # One run of several that passed by measurement does not speak for the others.
        flags.discard(Flag.CONTROLS_BY_MEASUREMENT)
    first = _nuclei([image for image in counted if image.sheet.observer == 1])
    if isinstance(look_for_second_population(first), PopulationSuggestion):
        # Over all fields: an area may be another population as a whole, or a small part of the tumour.
        flags.add(Flag.SECOND_POPULATION_SUGGESTED)
    if any(image.sheet.observer > 2 for image in counted):
        flags.add(Flag.EXTRA_OBSERVER)
    return tuple(sorted(str(flag) for flag in flags))
