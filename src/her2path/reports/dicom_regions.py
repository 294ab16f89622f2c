"""Areas of a slide as DICOM Segmentation: regions that decided the score, tissue and what spoils it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from highdicom import PixelMeasuresSequence, PlaneOrientationSequence, PlanePositionSequence
from highdicom.seg import Segmentation, SegmentDescription
from pydicom.sr.coding import Code

from her2path.reports.dicom_concepts import (
    ABNORMAL,
    IMAGE_ARTIFACT,
    NEOPLASM,
    NOT_OF_INTEREST,
    REFERENCE_REGION,
    SPATIAL,
    TISSUE,
    algorithm,
    display_colour,
    own,
)
from her2path.reports.dicom_source import Origin, placement_of, spacing_of, without_clock

Rgb = tuple[int, int, int]
_TILE_PX = 512


@dataclass(frozen=True, slots=True)
class Segment:
    """One kind of area."""

    label: str
    category: Code
    kind: Code
    rgb: Rgb
    drawn: bool
    """By a person; otherwise found by the program."""
    detail: tuple[str, str] | None = None
    """Her2path's own word and its meaning, where the standard's code is wider."""


def tissue_segment() -> Segment:
    """Mark all tissue that can be measured."""
    return Segment("Tissue", TISSUE, TISSUE, (0, 114, 178), drawn=False)


def artefact_segment(kind: str, rgb: Rgb) -> Segment:
    """Mark places of one kind of artefact."""
    words = kind.replace("_", " ")
    return Segment(
        f"Artefact: {words}", SPATIAL, IMAGE_ARTIFACT, rgb, drawn=False, detail=(f"artefact_{kind}", words)
    )


def tumour_segment() -> Segment:
    """Mark drawn tumour, without what was left out of it."""
    return Segment("Tumour", ABNORMAL, NEOPLASM, (200, 0, 0), drawn=True)


def excluded_segment() -> Segment:
    """Mark what a person drew to be left out."""
    return Segment("Excluded", TISSUE, NOT_OF_INTEREST, (180, 180, 180), drawn=True)


def control_segment(number: int, *, drawn: bool) -> Segment:
    """Mark control tissue, which is scored on its own."""
    detail = ("control_tissue", "Control tissue on the slide")
    return Segment(f"Control {number}", SPATIAL, REFERENCE_REGION, (0, 158, 115), drawn=drawn, detail=detail)


@dataclass(frozen=True, slots=True)
class Grid:
    """Pixels of a segmentation, which begin at the same corner as level 0."""

    px0_per_px: float


def segmentation(
    origin: Origin,
    what: Literal["regions", "quality"],
    segments: Sequence[Segment],
    pixels: npt.NDArray[np.uint8],
    grid: Grid,
) -> Segmentation:
    """Make a binary segmentation.

    Parameters
    ----------
    origin : Origin
    what : {'regions', 'quality'}
    segments : sequence of Segment
        Numbered from 1 in their order.
    pixels : ndarray of uint8
        Shape (M, N), the number of the segment of each pixel, or (M, N, S) of zeros and ones where
        segments overlap.
    grid : Grid
    """
    finest = origin.finest
    number, words = (2, "regions") if what == "regions" else (3, "tissue and quality")
    rows_mm, columns_mm = (edge * grid.px0_per_px for edge in spacing_of(finest))
    # The centre of the first pixel, which is larger than one of level 0 and shares its outer corner.
    x, y = placement_of(finest).mm(np.full((1, 2), grid.px0_per_px / 2))[0].tolist()
    made = Segmentation(
        source_images=[finest],
        pixel_array=pixels[np.newaxis],
        segmentation_type="BINARY",
        segment_descriptions=[_described(origin, *one) for one in enumerate(segments, start=1)],
        pixel_measures=PixelMeasuresSequence(
            pixel_spacing=(rows_mm, columns_mm), slice_thickness=_thickness(origin)
        ),
        plane_orientation=PlaneOrientationSequence("SLIDE", finest.ImageOrientationSlide),
        plane_positions=[PlanePositionSequence("SLIDE", (x, y, 0.0), (1, 1))],
        tile_pixel_array=True,
        tile_size=(_TILE_PX, _TILE_PX),
        dimension_organization_type="TILED_SPARSE",
        content_label=f"HER2_{what.upper()}",
        content_description=f"her2path: {words}",
        **origin.head(what, number=number, description=f"her2path: {words}"),
    )
    organisation = origin.uid(f"dimensions {what}")
    for item in (*made.DimensionOrganizationSequence, *made.DimensionIndexSequence):
        item.DimensionOrganizationUID = organisation
    made.PatientOrientation = ""  # type 2C of any image: a glass slide has none
    return without_clock(made)


def _thickness(origin: Origin) -> float:
    measures = origin.finest.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    return float(measures.get("SliceThickness") or 0.001)


def _described(origin: Origin, number: int, segment: Segment) -> SegmentDescription:
    described = SegmentDescription(
        segment_number=number,
        segment_label=segment.label,
        segmented_property_category=segment.category,
        segmented_property_type=segment.kind,
        algorithm_type="MANUAL" if segment.drawn else "AUTOMATIC",
        algorithm_identification=None if segment.drawn else algorithm(origin.version, model=None),
        tracking_uid=origin.uid(f"segment {segment.label}"),
        tracking_id=segment.label,
        display_color=display_colour(segment.rgb),
    )
    if segment.detail is not None:
        modified = described.SegmentedPropertyTypeCodeSequence[0]
        modified.SegmentedPropertyTypeModifierCodeSequence = [own(*segment.detail)]
    return described
