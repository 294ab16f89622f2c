"""Step `fish_nuclei`: find the nuclei of a FISH image and those whose shape rules them out."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import shapely
from annotated_types import Gt, Le
from pydantic import BaseModel, ConfigDict

from her2path.errors import UnsuitableImageError
from her2path.imaging.fish.field_quality import clipping_level, judge_levels
from her2path.imaging.fish.nuclei import (
    Nuclei,
    NucleusParams,
    measure_levels,
    number_objects,
    segment_nuclei,
)
from her2path.imaging.fish.nucleus_choice import rank_nuclei, suitability_of
from her2path.imaging.fish.nucleus_shape import ShapeLimits
from her2path.imaging.fish.windows import Window, sample_of, window_at, windows_in
from her2path.imaging.regions import region_reasons
from her2path.io.documents import QualityDoc, SlideDoc, read_document, required
from her2path.io.fields.channels import check_probe
from her2path.io.fields.opening import open_field
from her2path.io.fields.source import FieldSource
from her2path.io.geojson import read_regions
from her2path.io.label_image import LabelCanvas, write_labels
from her2path.io.provenance import producer
from her2path.io.slides.source import WorkingBox
from her2path.io.tables import FISH_OBJECTS, write_table

log = logging.getLogger(__name__)

_MARGIN_UM = 40.0
"""Read around a window: twice the largest nucleus, so that none is cut there."""
_LIMITS = ShapeLimits()


class FishNucleiParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    working_mpp: Annotated[float, Gt(0.1), Le(0.5)] = NucleusParams().working_mpp
    """Pixel size (µm/px) that nuclear outlines are found at; signals use the full resolution."""
    min_area_um2: Annotated[float, Gt(0)] = _LIMITS.min_area_um2
    """Smallest nucleus (µm²) that may be counted; smaller ones are fragments or lymphocytes."""
    max_area_um2: Annotated[float, Gt(0)] = _LIMITS.max_area_um2
    """Largest nucleus (µm²) that may be counted; larger objects are clumps."""
    min_solidity: Annotated[float, Gt(0), Le(1)] = _LIMITS.min_solidity
    """Area over convex hull below which an object is taken for overlapping nuclei."""
    max_elongation: Annotated[float, Gt(1)] = _LIMITS.max_elongation
    """Length over width above which a nucleus is taken for stroma."""


@dataclass
class _Found:
    """Objects of all windows so far."""

    columns: dict[str, list[object]]
    canvas: LabelCanvas
    number: int = 0
    suitability: list[float] = field(default_factory=list)
    """Per object, by its shape."""


def run(
    *,
    image: list[Path],
    slide: Path,
    quality: Path,
    tumour_roi: Path | None,
    exclude_roi: Path | None,
    objects: Path,
    labels: Path,
    params: FishNucleiParams,
) -> None:
    """Segment the nuclei and write their table and label image."""
    document = read_document(slide, SlideDoc)
    result, sheet = required(document.result, slide), document.sheet
    tumour = read_regions(tumour_roi, name=f"tumour_roi of {sheet.image_id}") if tumour_roi else None
    excluded = read_regions(exclude_roi, name=f"exclude_roi of {sheet.image_id}") if exclude_roi else None
    settings, fields = _settings(params), _fields(quality)
    roles = tuple(channel.role for channel in result.channels)
    found = _Found(
        {name: [] for name in FISH_OBJECTS.names}, LabelCanvas(result.height_px0, result.width_px0)
    )
    with open_field(image, name=sheet.image_id, channels=roles) as source:
        check_probe(source.channels, probe=sheet.probe, image=sheet.image_id)
        dapi = roles.index("dapi")
        sample = _sample(source, dapi, fields)
        levels = measure_levels(sample.astype(np.float32), mpp=result.mpp, params=settings)
        if why := judge_levels(levels):
            raise UnsuitableImageError(sheet.image_id, why.detail, code=why.code)
        clipping = clipping_level(sample, full_scale=source.full_scale)
        margin = round(_MARGIN_UM / result.mpp)
        height, width = result.height_px0, result.width_px0
        for name, core in fields.items():
            for window in windows_in(core, height=height, width=width, margin=margin):
                plane = source.plane(dapi, box=WorkingBox(*window.place)).astype(np.float32)
                nuclei = segment_nuclei(
                    plane, mpp=result.mpp, levels=levels, params=settings, full_scale=clipping
                )
                worth = suitability_of(
                    nuclei.shapes, settings.limits, height=window.height, width=window.width, mpp=result.mpp
                )
                _collect(found, nuclei, worth, window, name)
    if not found.number:
        raise UnsuitableImageError(
            sheet.image_id, "no nucleus was found on its DAPI channel", code="no_nuclei"
        )
    found.columns["exclusion"] = _with_regions(found.columns, tumour, excluded)
    found.columns["rank"] = _ranks(found)
    with write_table(objects, FISH_OBJECTS, produced_by=producer("fish_nuclei", params)) as table:
        table.append(dict(found.columns))
    write_labels(labels, found.canvas)
    log.info("%d nuclei", found.number)


def _settings(params: FishNucleiParams) -> NucleusParams:
    limits = ShapeLimits(**params.model_dump(exclude={"working_mpp"}))
    return NucleusParams(working_mpp=params.working_mpp, limits=limits)


def _fields(quality: Path) -> dict[str, Window]:
    """Fields that nuclei are looked for in, by name: a whole image, or squares of a scan."""
    result = required(read_document(quality, QualityDoc).result, quality)
    return {field.name: window_at(*field.place_px0) for field in result.fields}


def _sample(source: FieldSource, dapi: int, fields: dict[str, Window]) -> npt.NDArray[np.generic]:
    """Give an even sample of the fields, of bounded size, in the pixel type of the file."""
    boxes = [WorkingBox(*window.place) for core in fields.values() for window in sample_of(core)]
    return np.concatenate([source.plane(dapi, box=box) for box in boxes])


def _collect(
    found: _Found, nuclei: Nuclei, worth: npt.NDArray[np.float64], window: Window, field_id: str
) -> None:
    """Add the objects that the window owns and that no window before has painted."""
    box = WorkingBox(*window.place)
    numbers, painted = number_objects(nuclei, window, found.canvas.read(box), first=found.number + 1)
    for index in np.flatnonzero(numbers).tolist():
        row, col = window.top + nuclei.shapes.row[index], window.left + nuclei.shapes.col[index]
        _append(found.columns, nuclei, index, (int(numbers[index]), float(col), float(row), field_id))
        found.suitability.append(float(worth[index]))
    found.number += int(np.count_nonzero(numbers))
    found.canvas.write(box, painted)


def _append(
    columns: dict[str, list[object]], nuclei: Nuclei, index: int, head: tuple[int, float, float, str]
) -> None:
    number, x_px0, y_px0, field_id = head
    shapes = nuclei.shapes
    edge_um = float(shapes.edge_um[index])
    values: dict[str, object] = {
        "nucleus_id": number,
        "x_px0": x_px0,
        "y_px0": y_px0,
        "area_um2": float(shapes.area_um2[index]),
        "solidity": float(shapes.solidity[index]),
        "dapi_mean": float(shapes.dapi_mean[index]),
        "edge_um": edge_um if 0.0 < edge_um < np.inf else None,
        "dapi_saturated_frac": float(shapes.saturated_frac[index]),
        "field": field_id,
        "exclusion": nuclei.exclusion[index],
    }
    for name, value in values.items():
        columns[name].append(value)


def _with_regions(
    columns: dict[str, list[object]],
    tumour: shapely.MultiPolygon | None,
    excluded: shapely.MultiPolygon | None,
) -> list[object]:
    """Reasons of shape, outweighed by those of the regions that a person drew."""
    x, y = (np.array(columns[name], dtype=np.float64) for name in ("x_px0", "y_px0"))
    drawn = region_reasons(x, y, tumour, excluded)
    return [region or shape for region, shape in zip(drawn, columns["exclusion"], strict=True)]


def _ranks(found: _Found) -> list[object]:
    """Order of the nuclei that neither shape nor region rules out."""
    columns = found.columns
    return list(
        rank_nuclei(
            np.array(columns["nucleus_id"], np.int32),
            np.array(found.suitability),
            np.array(columns["area_um2"], np.float64),
            np.array([reason is None for reason in columns["exclusion"]]),
        )
    )
