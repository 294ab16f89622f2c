"""All DICOM objects of one slide: annotations, segmentations and the report that refers to them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import shapely
from pydicom import Dataset

from her2path.domain.case import TumourSite
from her2path.domain.guideline.registry import find_guideline
from her2path.domain.verdict import NotEvaluable
from her2path.errors import UnsuitableImageError
from her2path.imaging.artefacts import KIND_RGB, ArtefactKind, artefact_code
from her2path.imaging.control_areas import locate_controls
from her2path.imaging.region_labels import label_areas
from her2path.imaging.tissue_pieces import find_pieces
from her2path.io.dicom_cells import CellGroup
from her2path.io.documents import IhcScoreResult, SheetFacts, SlideResult
from her2path.io.drawn_areas import DrawnAreas
from her2path.reports.dicom_annotations import Finding, Opened, cell_annotations
from her2path.reports.dicom_regions import (
    Grid,
    Segment,
    artefact_segment,
    control_segment,
    excluded_segment,
    segmentation,
    tissue_segment,
    tumour_segment,
)
from her2path.reports.dicom_report import Scored, SegmentArea, measurement_report
from her2path.reports.dicom_source import Origin

_MOST_REGION_PX = 100_000_000
"""Pixels of the grid of regions; that of a larger slide is coarser (memory: a byte a pixel)."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on a slide."""

    sheet: SheetFacts
    slide: SlideResult
    score: IhcScoreResult
    tissue: npt.NDArray[np.bool_]
    artefacts: npt.NDArray[np.uint8]
    """Codes on the grid of `tissue`."""
    mask_mpp: float
    """Pixel size of both in µm."""
    drawn: DrawnAreas


@dataclass(frozen=True, slots=True)
class Made:
    """One object."""

    file: str
    dataset: Dataset
    holds: Mapping[str, int]
    """Cells by class, pixels by segment, or groups of measurements."""


def slide_objects(
    origin: Origin,
    measured: Measured,
    groups: Sequence[CellGroup],
    *,
    on_glass: bool,
    opened: Opened,
    region_mpp: float,
) -> Iterator[Made]:
    """Make the objects one by one, each of which may be written before the next is made.

    Parameters
    ----------
    origin : Origin
    measured : Measured
    groups : sequence of CellGroup
        Bulk data of the cells.
    on_glass : bool
        Whether their coordinates are mm on the glass.
    opened : callable
        Opens a file of bulk data.
    region_mpp : float
        Pixel size of the segmentation of regions in µm.

    Raises
    ------
    UnsuitableImageError
        The control tissue that the case sheet names cannot be told.
    """
    model, edits = measured.score.model, measured.score.edits
    found_by = Finding(None if model is None else model.id, edited=edits is not None)
    annotations = cell_annotations(origin, groups, found_by, on_glass=on_glass, opened=opened)
    held = {
        str(group.AnnotationGroupLabel): group.NumberOfAnnotations
        for group in annotations.AnnotationGroupSequence
    }
    yield Made("cells.dcm", annotations, held)
    found = [_quality(measured)]
    if (regions := _regions(measured, region_mpp)) is not None:
        found.append(regions)
    segmentations, areas = [], {}
    for one in found:
        made = segmentation(origin, one.what, one.segments, one.pixels, Grid(one.px0_per_px))
        pixels = one.counts()
        pixel_mm2 = (one.px0_per_px * measured.slide.mpp / 1000) ** 2
        for number, (label, count) in enumerate(pixels.items(), start=1):
            if count:
                areas[label] = SegmentArea(made, number, count * pixel_mm2)
        yield Made(f"{one.what}.dcm", made, pixels)
        segmentations.append(made)
    scored = Scored(measured.sheet, measured.score, _of_breast(measured.sheet), areas)
    report = measurement_report(origin, scored, evidence=[annotations, *segmentations])
    yield Made("report.dcm", report, {"groups": 1 + len(areas) + len(measured.score.hot_spots)})


def _of_breast(sheet: SheetFacts) -> bool:
    if sheet.tumour_site is not None:
        return sheet.tumour_site is TumourSite.BREAST
    return find_guideline(sheet.guideline).sites == {TumourSite.BREAST}


@dataclass(frozen=True, slots=True)
class _Areas:
    """Segments and their pixels."""

    what: Literal["regions", "quality"]
    segments: tuple[Segment, ...]
    pixels: npt.NDArray[np.uint8]
    px0_per_px: float

    def counts(self) -> dict[str, int]:
        labels = [segment.label for segment in self.segments]
        if self.pixels.ndim == 3:
            found = self.pixels.sum(axis=(0, 1), dtype=np.int64).tolist()
        else:
            found = np.bincount(self.pixels.ravel(), minlength=len(labels) + 1)[1:].tolist()
        return dict(zip(labels, found, strict=True))


def _quality(measured: Measured) -> _Areas:
    kinds = [kind for kind in ArtefactKind if (measured.artefacts == artefact_code(kind)).any()]
    masks = [measured.tissue, *(measured.artefacts == artefact_code(kind) for kind in kinds)]
    segments = (tissue_segment(), *(artefact_segment(str(kind), KIND_RGB[kind]) for kind in kinds))
    px0_per_px = measured.mask_mpp / measured.slide.mpp
    return _Areas("quality", segments, np.stack(masks, axis=-1).astype(np.uint8), px0_per_px)


def _regions(measured: Measured, region_mpp: float) -> _Areas | None:
    """Lay out drawn regions as the score counts them: what is left out outweighs controls, these tumour."""
    slide, drawn = measured.slide, measured.drawn
    areas: list[tuple[Segment, shapely.MultiPolygon | npt.NDArray[np.bool_]]] = []
    if drawn.tumour is not None:
        areas.append((tumour_segment(), drawn.tumour))
    for number, (control, is_drawn) in enumerate(_controls(measured), start=1):
        areas.append((control_segment(number, drawn=is_drawn), control))
    if drawn.left_out is not None:
        areas.append((excluded_segment(), drawn.left_out))
    if not areas:
        return None
    whole = slide.width_px0 * slide.height_px0
    px0_per_px = max(region_mpp / slide.mpp, 1.0, math.sqrt(whole / _MOST_REGION_PX))
    rows, columns = (math.ceil(edge / px0_per_px) for edge in (slide.height_px0, slide.width_px0))
    labels = label_areas(
        [area for _, area in areas],
        shape=(rows, columns),
        px0_per_px=px0_per_px,
        px0_per_mask_px=measured.mask_mpp / slide.mpp,
    )
    return _Areas("regions", tuple(segment for segment, _ in areas), labels, px0_per_px)


def _controls(
    measured: Measured,
) -> Iterator[tuple[shapely.MultiPolygon | npt.NDArray[np.bool_], bool]]:
    """Give the control tissue in the order of its numbers, and whether a person drew it."""
    sheet, drawn = measured.sheet, measured.drawn
    pieces = find_pieces(measured.tissue, mpp=measured.mask_mpp)
    located = locate_controls(
        pieces,
        named=sheet.control_piece,
        drawn=drawn.controls,
        px0_per_px=measured.mask_mpp / measured.slide.mpp,
    )
    if isinstance(located, NotEvaluable):
        raise UnsuitableImageError(sheet.image_id, located.reason, code=located.code)
    for area in located.drawn:
        yield area, True
    for piece in located.named:
        yield pieces.labels == piece, False
    for area in drawn.added_controls:
        yield area, True
