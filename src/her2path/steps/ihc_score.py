"""Step `ihc_score`: tally the scored cells of an IHC slide and read the score by the guideline."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from her2path.domain.guideline.quantities import STAINED_OVER_BLANK
from her2path.domain.guideline.registry import find_guideline
from her2path.domain.ihc import (
    STAINED,
    IhcReading,
    IhcTally,
    Intensity,
    Pattern,
    Reactivity,
    StainingClass,
    exact_share,
)
from her2path.domain.reading import read_ihc
from her2path.domain.stats.intervals import wilson_interval
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError, UnsuitableImageError
from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.clusters import Outlines, counted_ranks, largest_clusters, neighbours, rank_of
from her2path.imaging.ihc.cytoplasm import Cytoplasm, judge_cytoplasm
from her2path.imaging.ihc.heterogeneity import measure_heterogeneity
from her2path.imaging.ihc.overlay import Overlay
from her2path.imaging.ihc.rays import ANGLES
from her2path.io.cell_outlines import read_outlines
from her2path.io.documents import (
    IhcScoreDoc,
    IhcScoreResult,
    Percentage,
    SlideDoc,
    SlideResult,
    read_document,
    write_document,
)
from her2path.io.files import write_bytes
from her2path.io.provenance import digests, producer
from her2path.io.qupath_cells import SCORE_CLASSES, read_cells, write_cells
from her2path.io.slides.opening import open_slide
from her2path.io.slides.source import WorkingBox
from her2path.io.tables import IHC_CELLS, facts_of, open_table


class IhcScoreParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    overlay_px: Annotated[int, Ge(200), Le(8000)] = 1600
    """Longest edge of `overlay.png` in pixels."""
    overlay_min_mpp: Annotated[float, Ge(0.25), Le(16)] = 0.5
    """Finest pixel (µm) of `overlay.png`."""
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
    params: IhcScoreParams,
) -> None:
    """Write `ihc_score.json`, `cells.geojson` and `overlay.png`."""
    document = read_document(slide, SlideDoc)
    if document.result is None:
        raise ValueError("ihc_score needs the result of slide_intake")
    result = _score(document, cells, contours)
    sha256 = document.result.files[0].sha256
    written = read_cells(cells, contours, with_excluded=params.geojson_excluded)
    write_cells(geojson, written, image_sha256=sha256)
    _draw(image[0], document.sheet.image_id, document.result, (cells, contours, overlay), params)
    inputs = digests(slide=slide, quality=quality, cells=cells, contours=contours)
    write_document(
        score, IhcScoreDoc(produced_by=producer("ihc_score", params), inputs=inputs, result=result)
    )


@dataclass(frozen=True, slots=True)
class _Scored:
    """What the table of cells comes to."""

    counts: Counter[tuple[Intensity, Pattern]]
    excluded: Counter[str]
    cell_id: npt.NDArray[np.int64]
    rank: npt.NDArray[np.int8]
    """Level of staining as in `imaging.ihc.clusters`."""
    x_px0: npt.NDArray[np.float64]
    y_px0: npt.NDArray[np.float64]
    cell_score: npt.NDArray[np.float64]
    membrane_completeness: npt.NDArray[np.float64]
    membrane_contrast_od: npt.NDArray[np.float64]
    cytoplasm_od: npt.NDArray[np.float64]


def _count(cells: Path) -> _Scored:
    """Count cells batch by batch; of the scored ones only what is looked at together is kept."""
    counts: Counter[tuple[Intensity, Pattern]] = Counter()
    excluded: Counter[str] = Counter()
    kept: list[list[npt.NDArray[Any]]] = []
    ids, ranks = [np.empty(0, np.int64)], [np.empty(0, np.int8)]
    measures = [
        "x_px0",
        "y_px0",
        "cell_score",
        "membrane_completeness",
        "membrane_contrast_od",
        "cytoplasm_od",
    ]
    columns = [*measures, "cell_id", "intensity", "pattern", "exclusion"]
    with open_table(cells, IHC_CELLS) as table:
        for batch in table.iter_batches(65_536, columns=columns):
            scored = batch.filter(pc.is_null(batch["exclusion"]))
            excluded.update(word for word in batch["exclusion"].to_pylist() if word is not None)
            words = zip(scored["intensity"].to_pylist(), scored["pattern"].to_pylist(), strict=True)
            stainings = [(Intensity(intensity), Pattern(pattern)) for intensity, pattern in words]
            counts.update(stainings)
            ids.append(scored["cell_id"].to_numpy())
            ranks.append(np.array([rank_of(*staining) for staining in stainings], np.int8))
            kept.append([scored[name].to_numpy(zero_copy_only=False) for name in measures])
    joined = {
        name: np.concatenate([np.empty(0), *parts]) for name, *parts in zip(measures, *kept, strict=True)
    }
    return _Scored(counts, excluded, np.concatenate(ids), np.concatenate(ranks), **joined)


def _largest_clusters(found: _Scored, contours: Path, mpp: float) -> dict[Reactivity, int]:
    """Measure clusters; only cells that stain can belong to one, so no other outline is kept."""
    stained = found.rank > 0
    xy_um = np.column_stack([found.x_px0[stained], found.y_px0[stained]]) * mpp
    offsets_um = np.empty((len(xy_um), ANGLES, 2), np.float16)
    start = 0
    for outlines in read_outlines(contours, found.cell_id[stained], corners=ANGLES):
        part = slice(start, start + len(outlines))
        offsets_um[part] = outlines * mpp - xy_um[part, None]
        start += len(outlines)
    counted = counted_ranks(found.rank[stained], found.membrane_completeness[stained], Calibration())
    return largest_clusters(counted, neighbours(Outlines(xy_um, offsets_um)))


def _score(document: SlideDoc, cells: Path, contours: Path) -> IhcScoreResult:
    facts, calibration = facts_of(cells), Calibration()
    if facts.get("calibration") != calibration.id:
        detail = f"was graded with calibration {facts.get('calibration')!r}, expected {calibration.id!r}"
        raise ArtefactError(cells.name, detail)
    found = _count(cells)
    tally = IhcTally({key: found.counts[key] for key in sorted(found.counts)})
    clusters = _largest_clusters(found, contours, _mpp(document))
    # Whether the run's controls allow a reading is decided for the case, not for each image.
    reading = IhcReading(
        tally,
        limit_of_blank=exact_share(calibration.limit_of_blank_pct),
        specimen=document.sheet.specimen,
        clusters=clusters,
    )
    read = read_ihc(reading, find_guideline(document.sheet.guideline))
    if isinstance(read, NotEvaluable):
        raise UnsuitableImageError(document.sheet.image_id, read.reason, code=read.code)
    if read.score is None:
        raise ValueError("a reading without controls is never indeterminate")
    doubts = (
        _cytoplasm_flags(found, calibration, document.sheet.image_id) if STAINED_OVER_BLANK(reading) else ()
    )
    h_score = tally.h_score
    if h_score is None:
        raise ValueError("a reading with a score has cells")
    scored, total = tally.total, tally.total + found.excluded.total()
    mpp = _mpp(document)
    automatic = not document.sheet.has_tumour_roi
    return IhcScoreResult(
        tally={i: {p: found.counts[i, p] for p in Pattern if found.counts[i, p]} for i in Intensity},
        scored_cells=scored,
        excluded_cells=dict(sorted(found.excluded.items())),
        percentages=_percentages(reading),
        h_score=h_score,
        score=read.score,
        rule_id=read.trail[-1].rule_id,
        limit_of_blank_pct=calibration.limit_of_blank_pct,
        calibration=calibration.id,
        tumour_selection="automatic" if automatic else "regions",
        selected_nuclei_pct=100 * scored / total,
        heterogeneity=measure_heterogeneity(
            found.x_px0 * mpp, found.y_px0 * mpp, found.cell_score.astype(np.int8)
        ),
        clusters=clusters,
        flags=(*read.flags, *_selection_flags(facts, automatic=automatic), *doubts),
    )


def _mpp(document: SlideDoc) -> float:
    if document.result is None:
        raise ValueError("ihc_score needs the result of slide_intake")
    return document.result.mpp


def _percentages(reading: IhcReading) -> dict[str, Percentage]:
    total = reading.tally.total
    groups: dict[str, tuple[StainingClass, ...]] = {name.value: (name,) for name in StainingClass}
    groups["stained"] = STAINED
    found = {}
    for name, classes in groups.items():
        cells = reading.cells_of(*classes)
        low, high = wilson_interval(cells, total)
        found[name] = Percentage(cells=cells, pct=100 * cells / total, low_pct=100 * low, high_pct=100 * high)
    return found


def _cytoplasm_flags(found: _Scored, calibration: Calibration, image_id: str) -> tuple[str, ...]:
    stained = found.cell_score > 0
    contrast, cytoplasm = found.membrane_contrast_od[stained], found.cytoplasm_od[stained]
    verdict = judge_cytoplasm(contrast, cytoplasm, calibration)
    if verdict is Cytoplasm.OBSCURING:
        detail = (
            "its cytoplasm stains more strongly than membranes stand out from it, so membranes cannot be "
            "told; repeat the stain, or let a person read it"
        )
        raise UnsuitableImageError(image_id, detail, code="cytoplasmic_staining")
    return ("cytoplasmic_staining",) if verdict is Cytoplasm.DOUBTFUL else ()


def _selection_flags(facts: Mapping[str, str], *, automatic: bool) -> tuple[str, ...]:
    if not automatic:
        return ()
    contiguous = facts["tumour_by_neighbourhood"] == "true"
    return ("tumour_automatic",) if contiguous else ("tumour_automatic", "tumour_not_contiguous")


def _draw(
    image: Path, name: str, slide: SlideResult, paths: tuple[Path, Path, Path], params: IhcScoreParams
) -> None:
    cells, contours, overlay = paths
    longest = max(slide.width_px0, slide.height_px0)
    downsample = max(1.0, params.overlay_min_mpp / slide.mpp, longest / params.overlay_px)
    rows, columns = (math.ceil(edge / downsample) for edge in (slide.height_px0, slide.width_px0))
    with open_slide(image, name=name) as source:
        rgb = source.read(WorkingBox(0, 0, rows, columns), downsample=downsample)
    picture = Overlay(rgb, px0_per_px=downsample)
    by_class = {kind.name: score for score, kind in enumerate(SCORE_CLASSES)}
    for cell in read_cells(cells, contours):
        picture.draw(cell.cell_xy, score=by_class.get(cell.kind.name))
    encoded, data = cv2.imencode(".png", cv2.cvtColor(picture.finished(), cv2.COLOR_RGB2BGR))
    if not encoded:
        raise ValueError("the overlay cannot be written as PNG")
    write_bytes(overlay, data.tobytes())
