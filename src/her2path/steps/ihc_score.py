"""Step `ihc_score`: tally the scored cells of an IHC slide and read the score by the guideline."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from her2path.domain.control_tissue import score_control
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
from her2path.imaging.ihc.block_picture import draw_block_map, frame_blocks
from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.calibration_facts import calibration_of
from her2path.imaging.ihc.cell_lattice import SCORES, STAININGS, count_cells, staining_places
from her2path.imaging.ihc.clusters import Outlines, counted_ranks, largest_clusters, neighbours, rank_of
from her2path.imaging.ihc.control_picture import ControlPanel, control_panel, crop_around, draw_controls
from her2path.imaging.ihc.cytoplasm import Cytoplasm, judge_cytoplasm
from her2path.imaging.ihc.heterogeneity import BlockMap
from her2path.imaging.ihc.hot_spots import HotSpot
from her2path.imaging.ihc.overlay import Overlay
from her2path.imaging.ihc.rays import ANGLES
from her2path.imaging.ihc.sampling import Sampling
from her2path.imaging.ihc.score_evidence import ScoreEvidence, counted_by, named_shares, weigh_score
from her2path.imaging.ihc.spot_picture import SpotCrop, draw_spots
from her2path.io.call_entries import Reason
from her2path.io.cell_outlines import read_outlines
from her2path.io.control_cells import ControlCells, read_control_cells
from her2path.io.control_entries import ControlEntry, NamedControl, control_entry, controls_of
from her2path.io.documents import (
    IhcScoreDoc,
    IhcScoreResult,
    SlideDoc,
    SlideResult,
    read_document,
    write_document,
)
from her2path.io.hot_spot_areas import write_hot_spots
from her2path.io.pictures import write_picture
from her2path.io.provenance import digests, producer
from her2path.io.qupath_cells import QuPathCell, read_cells, scheme_of, write_cells
from her2path.io.score_entries import HotSpotEntry, IntervalMethod, Percentage
from her2path.io.scored_cells import ScoredCells, read_model, read_scored_cells
from her2path.io.slides.opening import open_slide
from her2path.io.slides.source import SlideSource, WorkingBox
from her2path.io.tables import IHC_BLOCKS, facts_of, write_table

_DRAWN_AT_ONCE = 256
"""Cells that are drawn at once."""


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
    params: IhcScoreParams,
) -> None:
    """Write `ihc_score.json`, the cells and hot spots for QuPath, the table of blocks, and pictures."""
    document = read_document(slide, SlideDoc)
    if document.result is None:
        raise ValueError("ihc_score needs the result of slide_intake")
    control = _measure_controls(cells)
    scored = _score(document, cells, contours)
    result = _result(scored, document, control).model_copy(update={"model": read_model(cells)})
    sha256 = document.result.files[0].sha256
    write_hot_spots(spots, result.hot_spots, image_sha256=sha256)
    made_by = producer("ihc_score", params)
    with write_table(blocks, IHC_BLOCKS, produced_by=made_by) as table:
        table.append(scored.evidence.blocks.columns(mpp=document.result.mpp))
    pictures = _Pictures(document.sheet.image_id, document.result, params)
    with open_slide(image[0], name=document.sheet.image_id) as source:
        write_picture(heterogeneity, _block_map(source, pictures, scored.evidence.blocks))
        shown = _crops(source, pictures, result.hot_spots)
        picture = _overlay(source, pictures)
        write_picture(controls, draw_controls(_control_panels(source, document, contours, control)))
    scheme = scheme_of(find_guideline(document.sheet.guideline))
    drawn = _drawn(read_cells(cells, contours, scheme=scheme), picture, shown)
    kept = drawn if params.geojson_excluded else (cell for cell in drawn if cell.score is not None)
    write_cells(geojson, kept, image_sha256=sha256)
    write_picture(overlay, picture.finished())
    write_picture(crops, draw_spots(shown, mpp=pictures.crop_mpp))
    inputs = digests(slide=slide, quality=quality, cells=cells, contours=contours)
    write_document(score, IhcScoreDoc(produced_by=made_by, inputs=inputs, result=result))


def _drawn(cells: Iterable[QuPathCell], picture: Overlay, crops: Sequence[SpotCrop]) -> Iterator[QuPathCell]:
    """Draw cells while they pass by: the table of their outlines is read once for all."""
    left = iter(cells)
    while some := tuple(islice(left, _DRAWN_AT_ONCE)):
        rings, scores = [cell.cell_xy for cell in some], [cell.score for cell in some]
        picture.draw(rings, scores)
        x, y = (np.array(places) for places in zip(*((c.x_px0, c.y_px0) for c in some), strict=True))
        for crop in crops:
            near = crop.near(x, y).tolist()
            crop.draw([rings[place] for place in near], [scores[place] for place in near])
        yield from some


def _largest_clusters(
    found: ScoredCells, contours: Path, mpp: float, calibration: Calibration
) -> dict[Reactivity, int]:
    """Measure clusters; only cells that stain can belong to one, so no other outline is kept."""
    rank = _RANKS[_stainings(found)]
    stained = rank > 0
    xy_um = np.column_stack([found.x_px0[stained], found.y_px0[stained]]) * mpp
    offsets_um = np.empty((len(xy_um), ANGLES, 2), np.float16)
    start = 0
    for outlines in read_outlines(contours, found.cell_id[stained], corners=ANGLES):
        part = slice(start, start + len(outlines))
        offsets_um[part] = outlines * mpp - xy_um[part, None]
        start += len(outlines)
    counted = counted_ranks(rank[stained], found.membrane_completeness[stained], calibration)
    return largest_clusters(counted, neighbours(Outlines(xy_um, offsets_um)))


_RANKS = np.array([rank_of(*staining) for staining in STAININGS], np.int8)


def _stainings(found: ScoredCells) -> npt.NDArray[np.int8]:
    return staining_places(found.intensity, found.pattern)


@dataclass(frozen=True, slots=True)
class _Control:
    """Control tissue as it is named, and the cells that were found in it."""

    named: NamedControl
    found: ControlCells


def _measure_controls(cells: Path) -> tuple[_Control, ...]:
    named = controls_of(facts_of(cells), name=cells.name)
    found = read_control_cells(cells, controls=len(named))
    return tuple(_Control(*pair) for pair in zip(named, found, strict=True))


def _entry(control: _Control, document: SlideDoc, calibration: Calibration) -> ControlEntry:
    """Score one piece of control tissue as the guideline scores the case."""
    blank = exact_share(calibration.limit_of_blank_pct)
    reading = IhcReading(IhcTally(dict(control.found.counts)), limit_of_blank=blank)
    scored = score_control(reading, find_guideline(document.sheet.guideline), interval=wilson_interval)
    staining = (control.found.membrane_od, control.found.stained_cells)
    return control_entry(control.named, reading, scored, staining=staining)


@dataclass(frozen=True, slots=True)
class _Score:
    """The score of a slide and what it was read from."""

    found: ScoredCells
    reading: IhcReading
    score: IhcScore
    rule_id: str
    flags: tuple[str, ...]
    calibration: Calibration
    evidence: ScoreEvidence


def _score(document: SlideDoc, cells: Path, contours: Path) -> _Score:
    mpp, guideline = _mpp(document), find_guideline(document.sheet.guideline)
    calibration = _calibration(cells)
    found = read_scored_cells(cells)
    # Whether the run's controls allow a reading is decided for the case, not for each image.
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
    lattice = count_cells(found.x_px0 * mpp, found.y_px0 * mpp, _stainings(found))
    evidence = weigh_score(lattice, reading, guideline, rule_id=read.trail[-1].rule_id)
    selected = _selection_flags(facts_of(cells), automatic=not document.sheet.has_tumour_roi)
    unsure = uncertainty_flags(read.score, reading, evidence.chances)
    flags = (*read.flags, *unsure, *selected, *doubts)
    return _Score(found, reading, read.score, read.trail[-1].rule_id, flags, calibration, evidence)


def _calibration(cells: Path) -> Calibration:
    try:
        return calibration_of(facts_of(cells))
    except ValueError as error:
        raise ArtefactError(cells.name, str(error)) from error


def _tally(found: ScoredCells) -> IhcTally:
    counts = np.bincount(_stainings(found), minlength=len(STAININGS)).tolist()
    return IhcTally({staining: n for staining, n in sorted(zip(STAININGS, counts, strict=True)) if n})


def _result(score: _Score, document: SlideDoc, controls: Sequence[_Control]) -> IhcScoreResult:
    reading, evidence, excluded = score.reading, score.evidence, score.found.excluded
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
        score=score.score,
        rule_id=score.rule_id,
        limit_of_blank_pct=score.calibration.limit_of_blank_pct,
        calibration=score.calibration.id,
        tumour_selection="regions" if document.sheet.has_tumour_roi else "automatic",
        selected_nuclei_pct=100 * reading.tally.total / nuclei,
        **_chances(evidence.chances),
        heterogeneity=evidence.heterogeneity.measures,
        staining_spread=evidence.heterogeneity.word,
        hot_spot_quantity=evidence.deciding.name,
        hot_spots=tuple(_spot(spot, score, _mpp(document)) for spot in evidence.spots),
        clusters=dict(reading.clusters or {}),
        control=tuple(_entry(control, document, score.calibration) for control in controls),
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
    counted = counted_by(score.evidence.deciding, score.reading)
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
    stained = found.cell_score > 0
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


@dataclass(frozen=True, slots=True)
class _Pictures:
    """What the pictures of one slide share."""

    name: str
    slide: SlideResult
    params: IhcScoreParams

    @property
    def crop_mpp(self) -> float:
        """Pixel size of the hot spots: that of the slide, or coarser where it is very fine."""
        return max(self.slide.mpp, self.params.spot_min_mpp)


def _overlay(source: SlideSource, of: _Pictures) -> Overlay:
    slide, params = of.slide, of.params
    longest = max(slide.width_px0, slide.height_px0)
    downsample = max(1.0, params.overlay_min_mpp / slide.mpp, longest / params.overlay_px)
    rows, columns = (math.ceil(edge / downsample) for edge in (slide.height_px0, slide.width_px0))
    rgb = source.read(WorkingBox(0, 0, rows, columns), downsample=downsample)
    return Overlay(rgb, px0_per_px=downsample)


def _block_map(source: SlideSource, of: _Pictures, blocks: BlockMap) -> npt.NDArray[np.uint8]:
    frame = frame_blocks(blocks, finest_mpp=of.slide.mpp, longest_px=of.params.block_panel_px)
    box = WorkingBox(frame.row, frame.col, frame.height, frame.width)
    return draw_block_map(source.read(box, downsample=frame.mpp / of.slide.mpp), blocks, frame)


def _crops(source: SlideSource, of: _Pictures, spots: Sequence[HotSpotEntry]) -> list[SpotCrop]:
    downsample = of.crop_mpp / of.slide.mpp
    found = []
    for number, spot in enumerate(spots, start=1):
        side = round(spot.size_um / of.crop_mpp)
        row, col = round(spot.y_px0 / downsample), round(spot.x_px0 / downsample)
        found.append(
            SpotCrop(
                source.read(WorkingBox(row, col, side, side), downsample=downsample),
                corner_px0=(col * downsample, row * downsample),
                px0_per_px=downsample,
                words=f"{number}: {spot.pct:.1f} % of {spot.cells} cells",
            )
        )
    return found


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
