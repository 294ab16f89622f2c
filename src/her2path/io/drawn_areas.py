"""The areas of a slide that people drew, in the case sheet's files and as edits, as they count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely

from her2path.domain.label_classes import LabelClass
from her2path.domain.region_use import RegionUse
from her2path.io.edited_cells import SlideEdits
from her2path.io.edits_documents import CONTROL, DrawnRegion
from her2path.io.geojson import Exclusions, Regions, read_exclusions, read_regions


@dataclass(frozen=True, slots=True)
class DrawnAreas:
    """Level-0 pixels; None = nobody drew any."""

    tumour: Regions | None
    left_out: Regions | None
    controls: tuple[Regions, ...]
    """Of the case sheet, in the order of their numbers."""
    added_controls: tuple[Regions, ...]
    """Of a person's edits; their numbers follow all others."""


def read_drawn_areas(
    tumour_roi: Path | None, exclude_roi: Path | None, edits: SlideEdits, *, image_id: str
) -> DrawnAreas:
    """Read what was drawn; edits that do not fit the slide count for nothing.

    Raises
    ------
    RegionError
        A file of the case sheet is missing or broken.
    """
    tumour = None if tumour_roi is None else read_regions(tumour_roi, name=f"tumour_roi of {image_id}")
    excluded = Exclusions(None, ())
    if exclude_roi is not None:
        excluded = read_exclusions(exclude_roi, name=f"exclude_roi of {image_id}")
    left_out = excluded.left_out
    added: tuple[DrawnRegion, ...] = ()
    made = edits.result if edits.cells is not None else None
    if made is not None:
        tumour = _edited(tumour, made.of_kind(LabelClass.TUMOUR), made.tumour_use)
        left_out = _edited(left_out, made.left_out, made.left_out_use)
        added = made.of_kind(CONTROL)
    return DrawnAreas(
        tumour,
        left_out,
        tuple(control.regions for control in excluded.controls),
        tuple(region.area() for region in added),
    )


def _edited(before: Regions | None, drawn: Sequence[DrawnRegion], use: RegionUse) -> Regions | None:
    if not drawn:
        return before
    parts: list[Regions] = [region.area() for region in drawn]
    if use is RegionUse.ADD and before is not None:
        parts.append(before)
    united = shapely.union_all(parts)
    return united if isinstance(united, shapely.MultiPolygon) else shapely.MultiPolygon([united])
