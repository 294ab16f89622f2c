"""Cells as DICOM Microscopy Bulk Simple Annotations (Supplement 222): one group a class.

The object is made by highdicom around a single place-holding cell; its bulk elements then point at the
files of `her2path.io.dicom_cells`, which `her2path.io.dicom_writing` copies piece by piece.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from highdicom.ann import (
    AnnotationCoordinateTypeValues,
    AnnotationGroup,
    Measurements,
    MicroscopyBulkSimpleAnnotations,
)
from highdicom.sr import CodedConcept
from pydicom import Dataset

from her2path.io.dicom_cells import Bulk, CellGroup
from her2path.io.qupath_cells import EXCLUDED, CellScheme
from her2path.reports.dicom_concepts import (
    ABNORMAL,
    ANATOMICAL,
    CELL,
    MEASURES,
    algorithm,
    display_colour,
    own,
)
from her2path.reports.dicom_source import Origin, without_clock

Opened = Callable[[Path], BinaryIO]
"""Opens a file of bulk data; it stays open until the object is written."""
_STAINING = {
    CellScheme.SCORES: tuple(
        own(f"membrane_{score}", f"HER2 membrane staining {words}")
        for score, words in enumerate(("absent", "1+", "2+", "3+"))
    ),
    CellScheme.LEVELS: tuple(
        own(f"staining_{words.replace(' ', '_')}", f"HER2 staining {words}")
        for words in ("absent", "faint", "weak to moderate", "strong")
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """How the cells and their classes were found."""

    model: str | None = None
    """Id of the learned model; None = the classical method."""
    edited: bool = False
    """Whether a person had a hand in which cells are scored, and how."""


def cell_annotations(
    origin: Origin, groups: Sequence[CellGroup], found: Finding, *, on_glass: bool, opened: Opened
) -> MicroscopyBulkSimpleAnnotations:
    """Make the object of all cells.

    Parameters
    ----------
    origin : Origin
    groups : sequence of CellGroup
        With coordinates in level-0 pixels, or in mm on the glass.
    found : Finding
    on_glass : bool
        Whether they are in mm (type 3D, in the slide's frame of reference; every cell at height 0).
    opened : callable
        Opens a file of bulk data by its path.
    """
    kind = AnnotationCoordinateTypeValues.SCOORD3D if on_glass else AnnotationCoordinateTypeValues.SCOORD
    annotations = MicroscopyBulkSimpleAnnotations(
        source_images=[origin.finest],
        annotation_coordinate_type=kind,
        annotation_groups=[
            _group(origin, number, group, found, on_glass=on_glass, opened=opened)
            for number, group in enumerate(groups, start=1)
        ],
        content_label="HER2_CELLS",
        content_description="Cells by HER2 membrane staining",
        **origin.head("cells", number=1, description="her2path: cells"),
    )
    return without_clock(annotations)


def _group(
    origin: Origin, number: int, group: CellGroup, found: Finding, *, on_glass: bool, opened: Opened
) -> AnnotationGroup:
    points = 3 if group.graphic == "POLYGON" else 1
    held = np.zeros((points, 3 if on_glass else 2), np.float32)
    held[:, 0] = np.arange(points)
    made = AnnotationGroup(
        number=number,
        uid=origin.uid(f"cells {group.kind.name} {group.graphic}"),
        label=group.kind.name if group.graphic == "POLYGON" else f"{group.kind.name} (centres)",
        description=_description(group),
        annotated_property_category=ABNORMAL if group.kind.name.startswith("Tumor") else ANATOMICAL,
        annotated_property_type=CELL,
        graphic_type=group.graphic,
        graphic_data=[held],
        algorithm_type="SEMIAUTOMATIC" if found.edited else "AUTOMATIC",
        algorithm_identification=algorithm(origin.version, model=found.model),
        measurements=[
            Measurements(name=MEASURES[name].name, values=np.zeros(1), unit=MEASURES[name].unit)
            for name in group.measures
        ],
        display_color=display_colour(group.kind.rgb),
    )
    if (staining := _staining(group)) is not None:
        # One item at most (PS3.3, C.37.1.2); that these are tumour cells stands in the category.
        made.AnnotationPropertyTypeCodeSequence[0].AnnotationPropertyTypeModifierCodeSequence = [staining]
    made.NumberOfAnnotations = group.cells
    made["PointCoordinatesData"].value = opened(group.coordinates)
    if group.starts is not None:
        made["LongPrimitivePointIndexList"].value = opened(group.starts)
    for item, bulk in zip(made.MeasurementsSequence, group.measures.values(), strict=True):
        _fill(item.MeasurementValuesSequence[0], bulk, opened)
    return made


def _fill(item: Dataset, bulk: Bulk, opened: Opened) -> None:
    item["FloatingPointValues"].value = opened(bulk.values)
    if bulk.places is not None:
        item.add_new("AnnotationIndexList", "OL", opened(bulk.places))


def _staining(group: CellGroup) -> CodedConcept | None:
    for scheme, concepts in _STAINING.items():
        for classes in (scheme.scored, scheme.control):
            if group.kind in classes:
                return concepts[classes.index(group.kind)]
    return None


def _description(group: CellGroup) -> str:
    if group.kind == EXCLUDED:
        return "Cells that are not scored"
    part, _, staining = group.kind.name.partition(": ")
    where = "control tissue" if part == "Control" else "the score"
    return f"Cells of {where}: {staining}"
