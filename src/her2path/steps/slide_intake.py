"""Step `slide_intake`: find out what an image is and whether this assay can be measured on it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import numpy as np
import shapely
from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from her2path.domain.case import Assay
from her2path.errors import (
    ImageNotFoundError,
    PixelSizeError,
    RegionError,
    UnreadableImageError,
    UnsuitableImageError,
)
from her2path.io.case_sheet import ImageRow
from her2path.io.documents import SlideDoc, SlideResult, SourceFile, sheet_facts, write_document
from her2path.io.fields.channels import check_probe, check_stated
from her2path.io.fields.opening import open_field
from her2path.io.files import sha256_of
from her2path.io.geojson import read_exclusions, read_regions
from her2path.io.provenance import producer
from her2path.io.slides.opening import files_of, open_slide
from her2path.io.slides.pyramid import PyramidSlide
from her2path.io.slides.source import WorkingBox
from her2path.units import MPP_MAX, MPP_MIN, PixelSize

log = logging.getLogger(__name__)


class SlideIntakeParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    max_ihc_mpp: Annotated[float, Ge(MPP_MIN), Le(MPP_MAX)] = 1.1
    """Coarsest pixel (µm/px) of an IHC image: a membrane is about 1 µm wide, so a 10x scan still shows it."""
    max_fish_mpp: Annotated[float, Ge(MPP_MIN), Le(MPP_MAX)] = 0.35
    """Coarsest pixel (µm/px) of a FISH image: a signal is about 0.5 µm wide and needs two pixels to be
    told from its neighbour."""
    min_bright_level: Annotated[int, Ge(0), Le(255)] = 60
    """Darkest 99th percentile (grey level of the green channel) of a bright-field image, and twice its
    darkest median; a fluorescence scan is darker."""


def run(*, image: list[Path], row: ImageRow, slide: Path, params: SlideIntakeParams) -> None:
    """Open an image, resolve its pixel size and write `slide.json`."""
    _check_regular(image, row.image_id)
    is_ihc = row.assay is Assay.IHC
    result = _bright_field(image, row, params) if is_ihc else _fluorescence(image, row, params)
    # Messages name the column and the image: the name of a region file may identify a person.
    for column, roi in (("tumour_roi", row.tumour_roi), ("exclude_roi", row.exclude_roi)):
        if roi is not None:
            _check_regions(roi, result, name=f"{column} of {row.image_id}")
    if is_ihc and row.exclude_roi is not None:
        # Control tissue of a score that does not exist is refused before anything is measured.
        read_exclusions(row.exclude_roi, name=f"exclude_roi of {row.image_id}")
    inputs = {f"image_{i}": file.sha256 for i, file in enumerate(result.files)}
    inputs |= {
        name: sha256_of(roi)
        for name, roi in (("tumour_roi", row.tumour_roi), ("exclude_roi", row.exclude_roi))
        if roi is not None
    }
    document = SlideDoc(
        produced_by=producer("slide_intake", params), inputs=inputs, sheet=sheet_facts(row), result=result
    )
    write_document(slide, document)


def _check_regular(image: list[Path], image_id: str) -> None:
    """Refuse pipes and devices, which would be read for ever, and names that no file can have."""
    for path in image:
        try:
            odd = path.exists() and not path.is_file() and not path.is_dir()
        except OSError as error:
            raise ImageNotFoundError(image_id) from error
        if odd:
            raise UnreadableImageError(image_id, "it is no regular file")


def _check_regions(roi: Path, slide: SlideResult, *, name: str) -> None:
    regions = read_regions(roi, name=name)
    if not regions.intersects(shapely.box(0, 0, slide.width_px0, slide.height_px0)):
        raise RegionError(name, "all its regions lie outside the image, so they belong to another one")


def _bright_field(image: list[Path], row: ImageRow, params: SlideIntakeParams) -> SlideResult:
    if len(image) != 1:
        raise UnsuitableImageError(row.image_id, f"an IHC image is one file, but {len(image)} were given")
    with open_slide(image[0], name=row.image_id) as source:
        source.probe()
        size = _pixel_size(row, source.pixel_size, source.pixel_size_finding)
        _check_fine_enough(row, size, params.max_ihc_mpp, "membranes cannot be seen")
        _check_bright(row, source, params.min_bright_level)
        return SlideResult(
            files=_files(files_of(image[0]), source.vendor),
            vendor=source.vendor,
            width_px0=source.size_px0[0],
            height_px0=source.size_px0[1],
            mpp=size.mpp,
            mpp_origin=size.origin,
            mpp_in_file=None if source.pixel_size is None else source.pixel_size.mpp,
            level_downsamples=source.level_downsamples,
        )


def _fluorescence(image: list[Path], row: ImageRow, params: SlideIntakeParams) -> SlideResult:
    with open_field(image, name=row.image_id, channels=row.channels, check_axes=True) as source:
        check_stated(source.channels, stated=row.channels, image=row.image_id)
        check_probe(source.channels, probe=row.probe, image=row.image_id)
        size = _pixel_size(row, source.pixel_size, "the file states no usable pixel size")
        _check_fine_enough(row, size, params.max_fish_mpp, "signals cannot be told apart")
        return SlideResult(
            files=_files(tuple(image), source.vendor),
            vendor=source.vendor,
            width_px0=source.size_px0[0],
            height_px0=source.size_px0[1],
            mpp=size.mpp,
            mpp_origin=size.origin,
            mpp_in_file=None if source.pixel_size is None else source.pixel_size.mpp,
            level_downsamples=(1.0,),
            channels=source.channels,
            z_planes=source.z_planes,
            dtype=str(source.dtype),
        )


def _pixel_size(row: ImageRow, stated: PixelSize | None, finding: str) -> PixelSize:
    if row.mpp is not None:
        return PixelSize(row.mpp, "case_sheet")
    if stated is None:
        raise PixelSizeError(row.image_id, finding)
    return stated


def _check_fine_enough(row: ImageRow, size: PixelSize, coarsest: float, consequence: str) -> None:
    if size.mpp > coarsest:
        detail = f"{size.mpp:.3g} µm/px is too coarse, {consequence}; scan at {coarsest:.3g} µm/px or finer"
        raise UnsuitableImageError(row.image_id, detail, code="too_coarse")


def _check_bright(row: ImageRow, source: PyramidSlide, darkest: int) -> None:
    downsample = max(source.size_px0) / 512
    if downsample < 1:
        downsample = 1.0
    width, height = (max(int(edge / downsample), 1) for edge in source.size_px0)
    green = source.read(WorkingBox(0, 0, height, width), downsample=downsample)[..., 1]
    middle, bright = np.percentile(green, [50, 99])
    # Light passes everywhere but through pigment; signals of a fluorescence scan are few on black.
    if bright < darkest or middle < darkest / 2:
        detail = f"it is dark (half of it at grey level {middle:.0f} or below), unlike a bright-field image"
        remedy = "if it is fluorescence, give `fish` in column `assay`"
        raise UnsuitableImageError(row.image_id, f"{detail}; {remedy}", code="not_bright_field")


def _files(paths: tuple[Path, ...], kind: str) -> tuple[SourceFile, ...]:
    return tuple(
        SourceFile(sha256=sha256_of(path), size_bytes=path.stat().st_size, format=kind) for path in paths
    )
