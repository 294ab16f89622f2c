"""Step `slide_quality`: find the tissue of an image and whether it can be measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from her2path.domain.case import Assay
from her2path.domain.geometry import working_downsample
from her2path.domain.ish import Probe
from her2path.errors import UnsuitableImageError
from her2path.imaging.artefact_areas import ArtefactArea, KindSum, outline_areas, sum_kinds
from her2path.imaging.artefact_detection import FineDetail, detect_artefacts, measure_fine_detail
from her2path.imaging.artefact_marks import detect_marks
from her2path.imaging.artefacts import KIND_RGB
from her2path.imaging.block_colours import BlockColours, join_colours, measure_block_colours
from her2path.imaging.control_areas import number_pieces
from her2path.imaging.fish.field_quality import ChannelState
from her2path.imaging.fish.fields import FieldParams
from her2path.imaging.fish.quality import grey_picture
from her2path.imaging.fish.survey import ChosenField, Drawn, Geometry, remark_on_survey, survey_image
from her2path.imaging.focus import FOCUS_MPP, focus_tiles
from her2path.imaging.quality import (
    QualityCuts,
    ReadingLimits,
    Remark,
    judge_artefacts,
    judge_measures,
    measure_slide,
    remark_on,
    remark_on_artefacts,
    remark_on_pixel_size,
)
from her2path.imaging.quality_picture import draw_quality, mark_fields
from her2path.imaging.stain import Rgb, StainModel
from her2path.imaging.stain_estimation import estimate_stains
from her2path.imaging.stain_verdict import (
    Plausibility,
    Unsuitable,
    judge_colours,
    judge_light,
    judge_plausibility,
)
from her2path.imaging.tissue import (
    BLOCK,
    FEATURE_MPP,
    MARGIN,
    MASK_MPP,
    TissueFeatures,
    detect_foreground,
    detect_tissue,
    join_features,
    measure_tissue_features,
    sample_places,
)
from her2path.imaging.white_point import Brightness, estimate_white, measure_brightness
from her2path.io.documents import QualityDoc, SlideDoc, SlideResult, read_document, write_document
from her2path.io.fields.opening import open_field
from her2path.io.geojson import read_regions
from her2path.io.masks import write_codes, write_mask
from her2path.io.pictures import write_picture
from her2path.io.provenance import digests, producer
from her2path.io.quality_areas import QuPathArea, write_areas
from her2path.io.quality_entries import (
    ArtefactSum,
    ChannelQuality,
    Finding,
    FishField,
    QualityResult,
    StainResult,
)
from her2path.io.qupath_cells import CellClass
from her2path.io.slides.opening import open_slide
from her2path.io.slides.source import SlideSource, WorkingBox

_BAND_ROWS = 1024
"""Rows of 2 µm that are read at once: 25 mm of slide take 40 MB."""
_SAMPLE_PX = 256
_LEAST_CLEAN = 0.2
"""Share of the tissue without ink on which stains may be estimated."""
_PICTURE_PX = 1200
"""Longer side of the picture: a page shows it at its width."""


class SlideQualityParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    samples: Annotated[int, Ge(4), Le(64)] = 16
    """Places (128 µm wide) of the tissue on which stains and focus are judged."""
    sample_mpp: Annotated[float, Ge(0.2), Le(1.1)] = 0.5
    """Pixel size (µm) of these places; that of the measurement."""
    max_eosin_frac: Annotated[float, Ge(0), Le(1)] = 0.3
    """Share of stained pixels that absorb as eosin does, from which an image is H&E and not IHC: an H&E
    slide has 0.65, eight HER2 cores less than 0.001."""
    min_colour_frac: Annotated[float, Ge(0), Le(1)] = 0.05
    """Share of stained pixels that must have a colour: a grey copy of a slide would read as unstained."""
    min_sharpness: Annotated[float, Ge(0)] = 1.35
    """Sharpness below which no membrane can be seen: a blur of about 2 µm."""
    notable_artefact_frac: Annotated[float, Ge(0), Le(1)] = 0.05
    """Share of the tissue under one kind of artefact from which it is a warning, and the slide usable
    instead of good."""
    max_artefact_frac: Annotated[float, Ge(0), Le(1)] = 0.8
    """Share of the tissue under artefacts of any kind from which the slide cannot be evaluated."""
    fields: Annotated[int, Ge(1), Le(20)] = FieldParams().count
    """Fluorescence scans: fields (number) that are chosen to be counted, two areas among them if possible."""
    field_um: Annotated[float, Ge(100), Le(600)] = FieldParams().side_um
    """Side of such a field (µm)."""
    min_field_nuclei: Annotated[int, Ge(20)] = FieldParams().min_nuclei
    """Fewest tumour-sized nuclei (number) of such a field."""
    min_foreground_snr: Annotated[float, Ge(1)] = 5.0
    """Fluorescence: DAPI over background, in standard deviations of the noise, that counts as nuclei."""


@dataclass(frozen=True, slots=True)
class _Examined:
    """What was found on an image."""

    result: QualityResult
    tissue: npt.NDArray[np.bool_]
    codes: npt.NDArray[np.uint8]
    """Artefacts, on the grid of `tissue`."""
    thumbnail: npt.NDArray[np.uint8]
    """RGB, shape (M, N, 3)."""


def run(
    *,
    image: list[Path],
    slide: Path,
    tumour_roi: Path | None = None,
    exclude_roi: Path | None = None,
    quality: Path,
    tissue: Path,
    artefacts: Path,
    areas: Path,
    picture: Path,
    params: SlideQualityParams,
) -> None:
    """Write `quality.json`, the masks of tissue and artefacts, their outlines and a picture of both."""
    document = read_document(slide, SlideDoc)
    facts = document.result
    if facts is None:
        raise ValueError("slide_quality needs the result of slide_intake")
    if document.sheet.assay is Assay.IHC:
        found = _bright_field(image[0], document, facts, params)
    else:
        found = _fluorescence(image, document, facts, (tumour_roi, exclude_roi), params)
    write_mask(tissue, found.tissue)
    write_codes(artefacts, found.codes)
    px0_per_mask_px = found.result.mask_mpp / facts.mpp
    outlined = outline_areas(found.codes, px0_per_px=px0_per_mask_px)
    write_areas(areas, map(_as_annotation, outlined), image_sha256=facts.files[0].sha256)
    drawn = draw_quality(
        found.thumbnail,
        found.tissue,
        outlined,
        px0_per_px=facts.width_px0 / found.thumbnail.shape[1],
        px0_per_mask_px=px0_per_mask_px,
    )
    if document.sheet.assay is Assay.IHC:
        drawn = number_pieces(
            drawn,
            found.tissue,
            mpp=found.result.mask_mpp,
            named=document.sheet.control_piece,
            scale=px0_per_mask_px * drawn.shape[1] / facts.width_px0,
        )
    places = {field.name: field.place_px0 for field in found.result.fields}
    drawn = mark_fields(drawn, places, px0_per_px=facts.width_px0 / drawn.shape[1])
    write_picture(picture, drawn, slide_sha256=facts.files[0].sha256)
    write_document(
        quality,
        QualityDoc(
            produced_by=producer("slide_quality", params), inputs=digests(slide=slide), result=found.result
        ),
    )


def _as_annotation(area: ArtefactArea) -> QuPathArea:
    kind = CellClass(str(area.kind), KIND_RGB[area.kind])
    name = f"Quality: {str(area.kind).replace('_', ' ')}"
    return QuPathArea(kind, area.polygon, {"Area mm^2": area.area_mm2}, name=name, is_locked=True)


def _bright_field(
    image: Path, document: SlideDoc, slide: SlideResult, params: SlideQualityParams
) -> _Examined:
    name = document.sheet.image_id
    with open_slide(image, name=name) as source:
        brightness = _brightness(source, slide)
        _refuse(name, judge_light(brightness))
        white, origin = estimate_white(brightness)
        features, colours = _features(source, slide, white)
        mask = detect_tissue(features)
        if not mask.any():
            detail = "no tissue was found on it; look at the image and scan the slide again"
            raise UnsuitableImageError(name, detail, code="no_tissue")
        marks = detect_marks(colours, features, mask)
        samples, mpp = _samples(source, slide, _without_ink(mask, marks.pen), features, params)
        model, stained = estimate_stains(samples, mpp=mpp, white=white, white_origin=origin)
        _refuse(name, judge_colours(stained, model))
        plausibility = judge_plausibility(model, stained)
        measures = measure_slide(samples, features, model, mpp=mpp)
        _refuse(name, judge_measures(measures, plausibility, _limits(params)))
        # The slow reading comes last: a slide of foreign colours was refused without it.
        fine = _fine_detail(source, slide, mask, model)
        thumbnail = _thumbnail(source, slide)
    tissue_mm2 = float(mask.sum()) * MASK_MPP**2 / 1e6
    codes = detect_artefacts(colours, features, fine, mask, marks)
    sums = sum_kinds(codes, mask)
    _refuse(name, judge_artefacts(sums, max_frac=params.max_artefact_frac))
    on_artefacts = remark_on_artefacts(sums, notable_frac=params.notable_artefact_frac)
    remarks = remark_on(measures, model, tissue_mm2=tissue_mm2, cuts=QualityCuts())
    # What was outlined is said with its area; the samples' view of the same is left out.
    outlined = {remark.code for remark in on_artefacts}
    seen = _as_findings([*on_artefacts, *(remark for remark in remarks if remark.code not in outlined)])
    findings = (
        *_as_findings(remark_on_pixel_size(slide.mpp, stated=slide.mpp_in_file)),
        *_stain_findings(plausibility),
        *seen,
    )
    result = QualityResult(
        verdict=_verdict(findings),
        tissue_mm2=round(tissue_mm2, 6),
        mask_mpp=MASK_MPP,
        stain=StainResult(**asdict(model), **asdict(plausibility)),
        artefacts=tuple(map(_written, sums)),
        findings=findings,
    )
    return _Examined(result, mask, codes, thumbnail)


def _limits(params: SlideQualityParams) -> ReadingLimits:
    return ReadingLimits(**params.model_dump(include={"min_colour_frac", "min_sharpness", "max_eosin_frac"}))


def _refuse(name: str, why: Unsuitable | None) -> None:
    if why is not None:
        raise UnsuitableImageError(name, why.detail, code=why.code)


def _stain_findings(plausibility: Plausibility) -> tuple[Finding, ...]:
    if plausibility.verdict == "plausible":
        return ()
    message = f"the stain is {plausibility.verdict}: {'; '.join(plausibility.reasons)}"
    return (Finding(code="stain_doubtful", severity="warning", message=message),)


def _as_findings(remarks: Sequence[Remark]) -> tuple[Finding, ...]:
    return tuple(Finding(**asdict(remark)) for remark in remarks)


def _written(found: KindSum) -> ArtefactSum:
    sums = {"area_mm2": round(found.area_mm2, 6), "tissue_frac": round(found.tissue_frac, 6)}
    return ArtefactSum(kind=str(found.kind), areas=found.areas, **sums)


def _thumbnail(source: SlideSource, slide: SlideResult) -> npt.NDArray[np.uint8]:
    downsample = max(slide.width_px0, slide.height_px0, _PICTURE_PX) / _PICTURE_PX
    rows, columns = math.ceil(slide.height_px0 / downsample), math.ceil(slide.width_px0 / downsample)
    return source.read(WorkingBox(0, 0, rows, columns), downsample=downsample)


def _size(slide: SlideResult, mpp: float) -> tuple[int, int]:
    """Rows and columns of the slide at a pixel size."""
    return math.ceil(slide.height_px0 * slide.mpp / mpp), math.ceil(slide.width_px0 * slide.mpp / mpp)


def _brightness(source: SlideSource, slide: SlideResult) -> Brightness:
    found = Brightness.nothing()
    rows, columns = _size(slide, MASK_MPP)
    for row in range(0, rows, _BAND_ROWS):
        box = WorkingBox(row, 0, min(_BAND_ROWS, rows - row), columns)
        found += measure_brightness(source.read(box, downsample=MASK_MPP / slide.mpp))
    return found


def _features(source: SlideSource, slide: SlideResult, white: Rgb) -> tuple[TissueFeatures, BlockColours]:
    rows, columns = _size(slide, FEATURE_MPP)
    bands, colours = [], []
    for row in range(0, rows, _BAND_ROWS):
        top, bottom = max(row - MARGIN, 0), min(row + _BAND_ROWS + MARGIN, rows)
        rgb = source.read(WorkingBox(top, 0, bottom - top, columns), downsample=FEATURE_MPP / slide.mpp)
        first = (row - top) // BLOCK
        last = first + math.ceil((min(row + _BAND_ROWS, rows) - row) / BLOCK)
        bands.append(measure_tissue_features(rgb, white=white).rows(first, last))
        colours.append(measure_block_colours(rgb, white=white).rows(first, last))
    return join_features(bands), join_colours(colours)


def _without_ink(mask: npt.NDArray[np.bool_], ink: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Leave out ink, which would be taken for a stain, unless nearly all of the tissue has such a hue."""
    clean = mask & ~ink
    return clean if clean.sum() > _LEAST_CLEAN * mask.sum() else mask


def _fine_detail(
    source: SlideSource, slide: SlideResult, mask: npt.NDArray[np.bool_], stains: StainModel
) -> FineDetail:
    size = math.floor(slide.height_px0 * slide.mpp), math.floor(slide.width_px0 * slide.mpp)
    whole = FineDetail.unread((mask.shape[0], mask.shape[1]))
    for tile in focus_tiles(mask, size):
        (top, bottom), (left, right) = tile.rows, tile.columns
        box = WorkingBox(top, left, bottom - top, right - left)
        whole.place(measure_fine_detail(source.read(box, downsample=FOCUS_MPP / slide.mpp), stains), tile)
    return whole


def _samples(
    source: SlideSource,
    slide: SlideResult,
    mask: npt.NDArray[np.bool_],
    features: TissueFeatures,
    params: SlideQualityParams,
) -> tuple[list[npt.NDArray[np.uint8]], float]:
    downsample = working_downsample(slide.mpp, params.sample_mpp)
    mpp = downsample * slide.mpp
    edge = round(_SAMPLE_PX * mpp / MASK_MPP)
    places = sample_places(mask, features, edge=edge, count=params.samples)
    scale = MASK_MPP / mpp
    corners = [(round(row * scale), round(col * scale)) for row, col in places]
    boxes = [WorkingBox(row, col, _SAMPLE_PX, _SAMPLE_PX) for row, col in corners]
    return [source.read(box, downsample=downsample) for box in boxes], mpp


def _fluorescence(
    image: list[Path],
    document: SlideDoc,
    slide: SlideResult,
    regions: tuple[Path | None, Path | None],
    params: SlideQualityParams,
) -> _Examined:
    name = document.sheet.image_id
    roles = tuple(channel.role for channel in sorted(slide.channels, key=lambda channel: channel.index))
    with open_field(image, name=name, channels=roles) as source:
        found = survey_image(
            lambda index, window: source.plane(index, box=WorkingBox(*window.place)),
            roles,
            Geometry(slide.height_px0, slide.width_px0, slide.mpp, source.full_scale),
            counted=("her2",) if document.sheet.probe is Probe.SINGLE else ("her2", "cep17"),
            drawn=Drawn(*(None if path is None else read_regions(path, name=name) for path in regions)),
            params=FieldParams(params.fields, params.field_um, params.min_field_nuclei),
        )
    if isinstance(found, Unsuitable):
        raise UnsuitableImageError(name, found.detail, code=found.code)
    dapi = found.states[roles.index("dapi")].measure
    rows, columns = _size(slide, FEATURE_MPP)
    small = cv2.resize(found.dapi.level, (columns, rows), interpolation=cv2.INTER_AREA)
    mask = detect_foreground(small, cut=dapi.background + params.min_foreground_snr * dapi.noise)
    if not mask.any():
        detail = "no nucleus is brighter than the background of its DAPI channel; look at the image"
        raise UnsuitableImageError(name, detail, code="no_tissue")
    findings = (
        *_as_findings(remark_on_pixel_size(slide.mpp, stated=slide.mpp_in_file)),
        *_as_findings(remark_on_survey(found)),
    )
    result = QualityResult(
        verdict=_verdict(findings),
        tissue_mm2=round(float(mask.sum()) * FEATURE_MPP**2 / 1e6, 6),
        mask_mpp=FEATURE_MPP,
        channels=tuple(map(_channel_quality, found.states)),
        fields=tuple(_fish_field(field, name, number) for number, field in enumerate(found.fields, start=1)),
        findings=findings,
    )
    thumbnail = grey_picture(np.asarray(small, np.float32), background=dapi.background)
    return _Examined(result, mask, np.zeros(mask.shape, np.uint8), thumbnail)


def _channel_quality(state: ChannelState) -> ChannelQuality:
    share = state.saturated_objects_frac
    return ChannelQuality(
        role=state.role, **asdict(state.measure), width_um=state.width_um, saturated_objects_frac=share
    )


def _fish_field(field: ChosenField, image_id: str, number: int) -> FishField:
    name = image_id if field.nuclei is None else f"{image_id}.f{number}"
    place, edge_um = field.place_px0, field.dapi_edge_um
    return FishField(name=name, **place, area=field.area, nuclei=field.nuclei, dapi_edge_um=edge_um)


def _verdict(findings: tuple[Finding, ...]) -> Literal["good", "usable"]:
    return "usable" if any(finding.severity == "warning" for finding in findings) else "good"
