"""Step `slide_quality`: find the tissue of an image and whether it can be measured."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from her2path.domain.case import Assay
from her2path.domain.geometry import working_downsample
from her2path.errors import UnsuitableImageError
from her2path.imaging.fish.quality import measure_channel
from her2path.imaging.quality import QualityCuts, measure_slide, remark_on
from her2path.imaging.stain import Origin, Rgb, StainModel, blank_histogram, estimate_stains, estimate_white
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
from her2path.io.documents import (
    ChannelQuality,
    Finding,
    QualityDoc,
    QualityResult,
    SlideDoc,
    SlideResult,
    StainResult,
    read_document,
    write_document,
)
from her2path.io.fields.opening import open_field
from her2path.io.masks import write_mask
from her2path.io.provenance import digests, producer
from her2path.io.slides.opening import open_slide
from her2path.io.slides.source import SlideSource, WorkingBox

_BAND_ROWS = 1024
"""Rows of 2 µm that are read at once: 25 mm of slide take 40 MB."""
_SAMPLE_PX = 256


_NOTABLE_DIFFERENCE = 0.05
"""Share of a pixel size: calibrations of one scanner differ by less."""


class SlideQualityParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    samples: Annotated[int, Ge(4), Le(64)] = 16
    """Places (128 µm wide) of the tissue on which stains and focus are judged."""
    sample_mpp: Annotated[float, Ge(0.2), Le(1.1)] = 0.5
    """Pixel size (µm) of these places; that of the measurement."""
    max_eosin_frac: Annotated[float, Ge(0), Le(1)] = 0.3
    """Share of stained pixels that absorb as eosin does, from which an image is H&E and not IHC: an H&E
    slide has 0.59, eight HER2 cores less than 0.001."""
    min_colour_frac: Annotated[float, Ge(0), Le(1)] = 0.05
    """Share of stained pixels that must have a colour: a grey copy of a slide would read as unstained."""
    min_sharpness: Annotated[float, Ge(0)] = 1.35
    """Sharpness below which no membrane can be seen: a blur of about 2 µm."""
    min_foreground_snr: Annotated[float, Ge(1)] = 5.0
    """Fluorescence: DAPI over background, in standard deviations of the noise, that counts as nuclei."""


def run(*, image: list[Path], slide: Path, quality: Path, tissue: Path, params: SlideQualityParams) -> None:
    """Write `quality.json` and `tissue.png`."""
    document = read_document(slide, SlideDoc)
    if document.result is None:
        raise ValueError("slide_quality needs the result of slide_intake")
    if document.sheet.assay is Assay.IHC:
        result, mask = _bright_field(image[0], document, document.result, params)
    else:
        result, mask = _fluorescence(image, document, document.result, params)
    write_mask(tissue, mask)
    write_document(
        quality,
        QualityDoc(produced_by=producer("slide_quality", params), inputs=digests(slide=slide), result=result),
    )


def _bright_field(
    image: Path, document: SlideDoc, slide: SlideResult, params: SlideQualityParams
) -> tuple[QualityResult, npt.NDArray[np.bool_]]:
    name = document.sheet.image_id
    with open_slide(image, name=name) as source:
        white, origin = _white(source, slide)
        features = _features(source, slide, white)
        mask = detect_tissue(features)
        if not mask.any():
            detail = "no tissue was found on it; look at the image and scan the slide again"
            raise UnsuitableImageError(name, detail, code="no_tissue")
        samples, mpp = _samples(source, slide, mask, features, params)
    model = _stains(samples, white, origin)
    measures = measure_slide(samples, features, model, mpp=mpp)
    if measures.colour_frac < params.min_colour_frac:
        detail = "it has no colours, so brown cannot be told from blue; export or scan it in colour"
        raise UnsuitableImageError(name, detail, code="no_colour")
    if measures.sharpness < params.min_sharpness:
        detail = "its tissue is out of focus, so membranes cannot be seen; scan it again"
        raise UnsuitableImageError(name, detail, code="out_of_focus")
    if measures.eosin_frac > params.max_eosin_frac:
        detail = (
            f"{100 * measures.eosin_frac:.0f} % of its stained pixels absorb as eosin does, so it is an H&E "
            "stain and no IHC; correct the case sheet"
        )
        raise UnsuitableImageError(name, detail, code="not_ihc")
    tissue_mm2 = float(mask.sum()) * MASK_MPP**2 / 1e6
    remarks = remark_on(measures, model, tissue_mm2=tissue_mm2, cuts=QualityCuts())
    stain = StainResult(
        white=model.white,
        white_origin=model.white_origin,
        hematoxylin=model.hematoxylin,
        dab=model.dab,
        hematoxylin_origin=model.hematoxylin_origin,
        dab_origin=model.dab_origin,
    )
    seen = tuple(Finding(code=r.code, severity=r.severity, message=r.message) for r in remarks)
    findings = (*_pixel_size_findings(slide), *seen)
    result = QualityResult(tissue_mm2=round(tissue_mm2, 6), mask_mpp=MASK_MPP, stain=stain, findings=findings)
    return result, mask


def _size(slide: SlideResult, mpp: float) -> tuple[int, int]:
    """Rows and columns of the slide at a pixel size."""
    return math.ceil(slide.height_px0 * slide.mpp / mpp), math.ceil(slide.width_px0 * slide.mpp / mpp)


def _white(source: SlideSource, slide: SlideResult) -> tuple[Rgb, Origin]:
    histogram, pixels = np.zeros((3, 256), np.int64), 0
    rows, columns = _size(slide, MASK_MPP)
    for row in range(0, rows, _BAND_ROWS):
        box = WorkingBox(row, 0, min(_BAND_ROWS, rows - row), columns)
        band = source.read(box, downsample=MASK_MPP / slide.mpp)
        histogram += blank_histogram(band)
        pixels += band.shape[0] * band.shape[1]
    return estimate_white(histogram, pixels=pixels)


def _features(source: SlideSource, slide: SlideResult, white: Rgb) -> TissueFeatures:
    rows, columns = _size(slide, FEATURE_MPP)
    bands = []
    for row in range(0, rows, _BAND_ROWS):
        top, bottom = max(row - MARGIN, 0), min(row + _BAND_ROWS + MARGIN, rows)
        rgb = source.read(WorkingBox(top, 0, bottom - top, columns), downsample=FEATURE_MPP / slide.mpp)
        first = (row - top) // BLOCK
        last = first + math.ceil((min(row + _BAND_ROWS, rows) - row) / BLOCK)
        bands.append(measure_tissue_features(rgb, white=white).rows(first, last))
    return join_features(bands)


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
    boxes = [
        WorkingBox(round(row * scale), round(col * scale), _SAMPLE_PX, _SAMPLE_PX) for row, col in places
    ]
    return [source.read(box, downsample=downsample) for box in boxes], mpp


def _stains(samples: list[npt.NDArray[np.uint8]], white: Rgb, origin: Origin) -> StainModel:
    return estimate_stains(np.concatenate(samples), white=white, white_origin=origin)


def _fluorescence(
    image: list[Path], document: SlideDoc, slide: SlideResult, params: SlideQualityParams
) -> tuple[QualityResult, npt.NDArray[np.bool_]]:
    name = document.sheet.image_id
    channels: list[ChannelQuality] = []
    mask = np.zeros((1, 1), np.bool_)
    roles = tuple(channel.role for channel in sorted(slide.channels, key=lambda channel: channel.index))
    with open_field(image, name=name, channels=roles) as source:
        for index, channel in enumerate(source.channels):
            plane = source.plane(index)
            measure = measure_channel(plane, full_scale=source.full_scale)
            channels.append(
                ChannelQuality(
                    role=channel.role,
                    background=measure.background,
                    noise=measure.noise,
                    saturated_frac=measure.saturated_frac,
                    focus=measure.focus,
                )
            )
            if channel.role == "dapi":
                cut = measure.background + params.min_foreground_snr * measure.noise
                rows, columns = _size(slide, FEATURE_MPP)
                small = cv2.resize(plane.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
                mask = detect_foreground(small, cut=cut)
    if not mask.any():
        detail = "no nucleus is brighter than the background of its DAPI channel; look at the image"
        raise UnsuitableImageError(name, detail, code="no_tissue")
    result = QualityResult(
        tissue_mm2=round(float(mask.sum()) * FEATURE_MPP**2 / 1e6, 6),
        mask_mpp=FEATURE_MPP,
        channels=tuple(channels),
        findings=(*_pixel_size_findings(slide), *_channel_findings(channels)),
    )
    return result, mask


def _pixel_size_findings(slide: SlideResult) -> tuple[Finding, ...]:
    """Say where the case sheet contradicts the file: every size and distance hangs on it."""
    stated = slide.mpp_in_file
    if stated is None or abs(slide.mpp - stated) <= _NOTABLE_DIFFERENCE * stated:
        return ()
    message = (
        f"the case sheet gives {slide.mpp:.4g} µm per pixel, the file says {stated:.4g}; "
        "the sheet's was used: check column mpp"
    )
    return (Finding(code="pixel_size_contradicted", severity="warning", message=message),)


def _channel_findings(channels: list[ChannelQuality]) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            code="saturated",
            severity="warning",
            message=f"{100 * channel.saturated_frac:.1f} % of the {channel.role} channel is saturated: "
            "neighbours in it may look like one",
        )
        for channel in channels
        if channel.saturated_frac > 0.005
    )
