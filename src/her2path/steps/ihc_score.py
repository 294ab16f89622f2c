"""Step `ihc_score`: tally the scored cells of an IHC slide and read the score by the guideline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from her2path.domain.control_tissue import score_control
from her2path.domain.flags import Flag
from her2path.domain.guideline.quantities import STAINED_OVER_BLANK
from her2path.domain.guideline.registry import find_guideline
from her2path.domain.ihc import (
    IhcReading,
    IhcScore,
    IhcTally,
    Intensity,
    Pattern,
    Reactivity,
    exact_share,
)
from her2path.domain.ihc_chances import ScoreChances, uncertainty_flags
from her2path.domain.reading import read_ihc
from her2path.domain.stats.intervals import wilson_interval
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError, UnsuitableImageError
from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.calibration_facts import calibration_of
from her2path.imaging.ihc.cell_lattice import SCORES, STAININGS, count_cells, staining_places
from her2path.imaging.ihc.clusters import counted_ranks, measure_clusters, rank_of
from her2path.imaging.ihc.control_picture import ControlPanel, control_panel, crop_around, draw_controls
from her2path.imaging.ihc.cytoplasm import Cytoplasm, judge_cytoplasm
from her2path.imaging.ihc.hot_spots import HotSpot
from her2path.imaging.ihc.rays import ANGLES
from her2path.imaging.ihc.sampling import Sampling
from her2path.imaging.ihc.score_evidence import ScoreEvidence, counted_by, named_shares, weigh_score
from her2path.imaging.ihc.spot_picture import draw_spots
from her2path.io.call_entries import Reason
from her2path.io.cell_outlines import read_outlines
from her2path.io.control_cells import ControlCells, read_control_cells
from her2path.io.control_entries import ControlEntry, NamedControl, control_entry, controls_of
from her2path.io.documents import (
    IhcScoreDoc,
    IhcScoreResult,
    SlideDoc,
    read_document,
    write_document,
)
from her2path.io.edited_cells import Before, EditedCells, SlideEdits, edits_entry, read_slide_edits
from her2path.io.hot_spot_areas import write_hot_spots
from her2path.io.pictures import write_picture
from her2path.io.provenance import digests, producer
from her2path.io.qupath_cells import read_cells, scheme_of, write_cells
from her2path.io.score_entries import HotSpotEntry, IntervalMethod, Percentage
from her2path.io.scored_cells import ScoredCells, read_model, read_scored_cells
from her2path.io.slides.opening import open_slide
from her2path.io.slides.source import SlideSource, WorkingBox
from her2path.io.tables import IHC_BLOCKS, facts_of, write_table
from her2path.reports.score_pictures import ScorePictures, drawn_cells


class IhcScoreParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    overlay_px: Annotated[int, Ge(200), Le(8000)] = 1600
    """Longest edge of `overlay.png` in pixels."""
    overlay_min_mpp: Annotated[float, Ge(0.25), Le(16)] = 0.5
    """Finest pixel (µm) of `overlay.png`."""
    block_panel_px: Annotated[int, Ge(200), Le(2000)] = 480
    """Longest edge of one of the six panels of `heterogeneity_map.png` in pixels."""
    spot_min_mpp: Annotated[float, Ge(0.1), Le(1)] = 0.35
    """Finest pixel (µm) of `hotspots.png`; a spot of 250 µm is then 714 pixels wide."""
    geojson_excluded: bool = True
    """Write cells that are not scored, too (class `Ignore*` in QuPath)."""


def run(
    *,
    image: list[Path],
    slide: Path,
    quality: Path,
    cells: Path,
    contours: Path,
    score: Path,
    geojson: Path,
    overlay: Path,
    controls: Path,
    blocks: Path,
    heterogeneity: Path,
    spots: Path,
    crops: Path,
    edits: Path | None = None,
    params: IhcScoreParams,
) -> None:
    """Write `ihc_score.json`, the cells and hot spots for QuPath, the table of blocks, and pictures.

    Where a person edited the slide, and the `edits` fit it, all of them show the cells as edited.
    """
    document = read_document(slide, SlideDoc)
    if document.result is None:
        raise ValueError("ihc_score needs the result of slide_intake")
    edit = read_slide_edits(edits, cells, document.result)
    control = _measure_controls(cells, edit)
    scored = _score(_edited_reading(document, cells, contours, edit), document, cells, edit)
    result = _result(scored, document, control).model_copy(update={"model": read_model(cells)})
    if edit.result is not None and edit.cells is not None:
        before = edits_entry(edit.result, edit.cells, _before(document, cells, contours))
        result = result.model_copy(update={"edits": before})
    sha256 = document.result.files[0].sha256
    size_px0 = document.result.width_px0, document.result.height_px0
    write_hot_spots(spots, result.hot_spots, image_sha256=sha256, size_px0=size_px0)
    made_by = producer("ihc_score", params)
    with write_table(blocks, IHC_BLOCKS, produced_by=made_by) as table:
        table.append(scored.evidence.blocks.columns(mpp=document.result.mpp))
    pictures = ScorePictures(document.result, **params.model_dump(exclude={"geojson_excluded"}))
    with open_slide(image[0], name=document.sheet.image_id) as source:
        write_picture(heterogeneity, pictures.block_map(source, scored.evidence.blocks), slide_sha256=sha256)
        shown = pictures.crops(source, result.hot_spots)
        picture = pictures.overlay(source)
        panels = _control_panels(source, document, contours, control)
        write_picture(controls, draw_controls(panels), slide_sha256=sha256)
    scheme = scheme_of(find_guideline(document.sheet.guideline))
    drawn = drawn_cells(read_cells(cells, contours, scheme=scheme, edited=edit.cells), picture, shown)
    kept = drawn if params.geojson_excluded else (cell for cell in drawn if cell.rank is not None)
    write_cells(geojson, kept, image_sha256=sha256)
    write_picture(overlay, picture.finished(), slide_sha256=sha256)
    drawn_spots = draw_spots(shown, mpp=pictures.crop_mpp, words=scheme.words)
    write_picture(crops, drawn_spots, slide_sha256=sha256)
    named = {} if edits is None else {"edits": edits}
    inputs = digests(slide=slide, quality=quality, cells=cells, contours=contours, **named)
    write_document(score, IhcScoreDoc(produced_by=made_by, inputs=inputs, result=result))


def _largest_clusters(
    found: ScoredCells, contours: Path, mpp: float, calibration: Calibration
) -> dict[Reactivity, int]:
    """Measure clusters; only cells that stain can belong to one, so no other outline is kept."""
    rank = _RANKS[_stainings(found)]
    stained = rank > 0
    # What a person called stained was seen along the cell, whatever of it was measured.
    completeness = np.where(found.by_person, np.float32(1), found.membrane_completeness)
    counted = counted_ranks(rank[stained], completeness[stained], calibration)
    xy_px0 = np.column_stack([found.x_px0[stained], found.y_px0[stained]])
    outlines = read_outlines(contours, found.cell_id[stained], corners=ANGLES)
    return measure_clusters(counted, xy_px0, outlines, mpp=mpp)


_RANKS = np.array([rank_of(*staining) for staining in STAININGS], np.int8)


def _stainings(found: ScoredCells) -> npt.NDArray[np.int8]:
    return staining_places(found.intensity, found.pattern)


@dataclass(frozen=True, slots=True)
class _Control:
    """Control tissue as it is named, and the cells that were found in it."""

    named: NamedControl
    found: ControlCells


def _measure_controls(cells: Path, edit: SlideEdits) -> tuple[_Control, ...]:
    drawn = () if edit.cells is None else edit.cells.controls
    named = (*controls_of(facts_of(cells), name=cells.name), *drawn)
    found = read_control_cells(cells, controls=len(named), edited=edit.cells)
    return tuple(_Control(*pair) for pair in zip(named, found, strict=True))


def _entry(control: _Control, document: SlideDoc, calibration: Calibration) -> ControlEntry:
    """Score one piece of control tissue as the guideline scores the case."""
    blank = exact_share(calibration.limit_of_blank_pct)
    reading = IhcReading(IhcTally(dict(control.found.counts)), limit_of_blank=blank)
    scored = score_control(reading, find_guideline(document.sheet.guideline), interval=wilson_interval)
    staining = (control.found.membrane_od, control.found.stained_cells)
    return control_entry(control.named, reading, scored, staining=staining)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The cells of a slide and how its guideline reads them."""

    found: ScoredCells
    reading: IhcReading
    score: IhcScore
    rule_id: str
    flags: tuple[str, ...]
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class _Score:
    """The score of a slide and what it was read from."""

    read: _Reading
    flags: tuple[str, ...]
    automatic: bool
    evidence: ScoreEvidence


def _reading(document: SlideDoc, cells: Path, contours: Path, edited: EditedCells | None) -> _Reading:
    mpp, guideline = _mpp(document), find_guideline(document.sheet.guideline)
    calibration = _calibration(cells)
    found = read_scored_cells(cells, edited=edited)
    # Whether the run's controls allow a reading, and are known at all, is decided for the case alone.
    reading = IhcReading(
        _tally(found),
        limit_of_blank=exact_share(calibration.limit_of_blank_pct),
        specimen=document.sheet.specimen,
        clusters=_largest_clusters(found, contours, mpp, calibration),
    )
    read = read_ihc(reading, guideline)
    if isinstance(read, NotEvaluable):
        raise UnsuitableImageError(document.sheet.image_id, read.reason, code=read.code)
    if read.score is None:
        raise ValueError("a reading without controls is never indeterminate")
    stained = STAINED_OVER_BLANK(reading)
    doubts = _cytoplasm_flags(found, calibration, document.sheet.image_id) if stained else ()
    flags = (*(flag for flag in read.flags if flag is not Flag.IHC_CONTROLS_UNKNOWN), *doubts)
    return _Reading(found, reading, read.score, read.trail[-1].rule_id, flags, calibration)


def _score(read: _Reading, document: SlideDoc, cells: Path, edit: SlideEdits) -> _Score:
    mpp, guideline, found = _mpp(document), find_guideline(document.sheet.guideline), read.found
    lattice = count_cells(found.x_px0 * mpp, found.y_px0 * mpp, _stainings(found))
    evidence = weigh_score(lattice, read.reading, guideline, rule_id=read.rule_id)
    automatic = not document.sheet.has_tumour_roi and not edit.selects_tumour
    selected = _selection_flags(facts_of(cells), automatic=automatic)
    unsure = uncertainty_flags(read.score, read.reading, evidence.chances)
    return _Score(read, (*read.flags, *unsure, *selected, *edit.flags), automatic, evidence)


def _edited_reading(document: SlideDoc, cells: Path, contours: Path, edit: SlideEdits) -> _Reading:
    try:
        return _reading(document, cells, contours, edit.cells)
    except UnsuitableImageError as error:
        if edit.result is None or edit.cells is None:
            raise
        persons = " and ".join(edit.result.persons)
        told = f"{error.detail} (as edited by {persons}; `her2path qupath discard` goes back)"
        raise UnsuitableImageError(error.name, told, code=error.code) from error


def _before(document: SlideDoc, cells: Path, contours: Path) -> Before:
    """Read the slide as it was measured, to tell what the edits did."""
    try:
        read = _reading(document, cells, contours, None)
    except UnsuitableImageError as error:
        return Before(reason=Reason(code=error.code, reason=str(error)))
    tally = read.reading.tally
    return Before(score=read.score, h_score=tally.h_score, cells=tally.total)


def _calibration(cells: Path) -> Calibration:
    try:
        return calibration_of(facts_of(cells))
    except ValueError as error:
        raise ArtefactError(cells.name, str(error)) from error


def _tally(found: ScoredCells) -> IhcTally:
    counts = np.bincount(_stainings(found), minlength=len(STAININGS)).tolist()
    return IhcTally({staining: n for staining, n in sorted(zip(STAININGS, counts, strict=True)) if n})


def _result(score: _Score, document: SlideDoc, controls: Sequence[_Control]) -> IhcScoreResult:
    read, evidence = score.read, score.evidence
    reading, excluded = read.reading, read.found.excluded
    counts = reading.tally.counts
    nuclei = reading.tally.total + excluded.total() - sum(control.found.cells for control in controls)
    classes, others = named_shares(reading, find_guideline(document.sheet.guideline))
    low, high = evidence.sampling.h_score_interval()
    return IhcScoreResult(
        tally={i: {p: counts[i, p] for p in Pattern if (i, p) in counts} for i in Intensity},
        scored_cells=reading.tally.total,
        excluded_cells=dict(sorted(excluded.items())),
        percentages={name: _percentage(evidence.sampling, counted) for name, counted in classes.items()},
        compared={name: _percentage(evidence.sampling, counted) for name, counted in others.items()},
        interval=IntervalMethod.model_validate(asdict(evidence.sampling.basis)),
        h_score=100 * float(evidence.sampling.tally @ SCORES) / reading.tally.total,
        h_score_low=low,
        h_score_high=high,
        score=read.score,
        rule_id=read.rule_id,
        limit_of_blank_pct=read.calibration.limit_of_blank_pct,
        calibration=read.calibration.id,
        tumour_selection="automatic" if score.automatic else "regions",
        selected_nuclei_pct=100 * reading.tally.total / nuclei,
        **_chances(evidence.chances),
        heterogeneity=evidence.heterogeneity.measures,
        staining_spread=evidence.heterogeneity.word,
        hot_spot_quantity=evidence.deciding.name,
        hot_spots=tuple(_spot(spot, score, _mpp(document)) for spot in evidence.spots),
        clusters=dict(reading.clusters or {}),
        control=tuple(_entry(control, document, read.calibration) for control in controls),
        flags=score.flags,
    )


def _mpp(document: SlideDoc) -> float:
    if document.result is None:
        raise ValueError("ihc_score needs the result of slide_intake")
    return document.result.mpp


def _percentage(sampling: Sampling, counted: npt.NDArray[np.bool_]) -> Percentage:
    return Percentage.model_validate(asdict(sampling.percentage(counted)))


def _chances(chances: ScoreChances | NotEvaluable) -> dict[str, Any]:
    if isinstance(chances, NotEvaluable):
        return {"no_probabilities": Reason(code=chances.code, reason=chances.reason)}
    return {
        "score_probabilities": dict(chances.scores),
        "category_probabilities": dict(chances.categories),
    }


def _spot(spot: HotSpot, score: _Score, mpp: float) -> HotSpotEntry:
    counted = counted_by(score.evidence.deciding, score.read.reading)
    return HotSpotEntry(
        x_px0=round(spot.x_um / mpp, 1),
        y_px0=round(spot.y_um / mpp, 1),
        size_px0=round(spot.size_um / mpp, 1),
        x_um=spot.x_um,
        y_um=spot.y_um,
        size_um=spot.size_um,
        cells=int(spot.counts.sum()),
        pct=100 * int(spot.counts[counted].sum()) / int(spot.counts.sum()),
        percentages=spot.percentages,
        h_score=100 * float(spot.counts @ SCORES) / int(spot.counts.sum()),
    )


def _cytoplasm_flags(found: ScoredCells, calibration: Calibration, image_id: str) -> tuple[str, ...]:
    stained = (found.cell_score > 0) & ~found.by_person  # of those nothing need have been measured
    verdict = judge_cytoplasm(
        found.membrane_contrast_od[stained],
        found.cytoplasm_od[stained],
        calibration,
        certainty=found.membrane_certainty[stained],
    )
    if verdict is Cytoplasm.OBSCURING:
        detail = "membranes cannot be told from its cytoplasm; repeat the stain, or let a person read it"
        raise UnsuitableImageError(image_id, detail, code="cytoplasmic_staining")
    return ("cytoplasmic_staining",) if verdict is Cytoplasm.DOUBTFUL else ()


def _selection_flags(facts: Mapping[str, str], *, automatic: bool) -> tuple[str, ...]:
    if not automatic:
        return ()
    contiguous = facts["tumour_by_neighbourhood"] == "true"
    return ("tumour_automatic",) if contiguous else ("tumour_automatic", "tumour_not_contiguous")


def _control_panels(
    source: SlideSource, document: SlideDoc, contours: Path, controls: Sequence[_Control]
) -> list[ControlPanel]:
    """Draw every piece of control tissue that holds a cell."""
    panels = []
    for number, control in enumerate(controls, start=1):
        box_px0, scores = control.found.box_px0, control.found.cell_score
        if box_px0 is not None:
            crop = crop_around(box_px0, mpp=_mpp(document), size_px0=source.size_px0)
            where = WorkingBox(crop.row, crop.col, crop.height, crop.width)
            rgb = source.read(where, downsample=crop.px0_per_px)
            rings = np.concatenate(list(read_outlines(contours, control.found.cell_id, corners=ANGLES)))
            words = f"control {number} ({control.named.piece})"
            panels.append(
                control_panel(rgb, crop, rings_px0=rings, scores=scores, box_px0=box_px0, words=words)
            )
    return panels
