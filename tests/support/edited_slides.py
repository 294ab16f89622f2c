"""Slides as a person edits them: cells placed by hand, and exports of them as QuPath writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from her2path.domain.ihc import CELL_SCORE, Intensity, Pattern, staining_class
from her2path.domain.region_use import RegionUse
from her2path.io.control_entries import NamedControl
from her2path.io.documents import Producer, SheetFacts, SlideResult, SourceFile
from her2path.io.edited_cells import places_digest
from her2path.io.edits_documents import EditsResult
from her2path.io.edits_slide import EditableSlide
from her2path.io.qupath_cells import CONTROL_CLASSES, EXCLUDED, SCORE_CLASSES, cell_identifier
from her2path.io.tables import IHC_CELLS, write_table

SHA256 = "ab" * 32
SIDE = 1000
STEP = 40
"""Pixels between two cells."""
RADIUS = 12
STAINED = {
    0: (Intensity.NONE, Pattern.NONE),
    1: (Intensity.FAINT, Pattern.INCOMPLETE),
    2: (Intensity.MODERATE, Pattern.COMPLETE),
    3: (Intensity.STRONG, Pattern.COMPLETE),
}


@dataclass(frozen=True)
class Cell:
    """A cell as it was measured."""

    score: int = 0
    exclusion: str | None = None
    if_drawn: str | None = None
    control: int | None = None


def places(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Set cells out row by row, 20 in a row, from x 20, y 20."""
    index = np.arange(n)
    return 20.0 + STEP * (index % 20), 20.0 + STEP * (index // 20)


def editable(cells: Sequence[Cell], *, controls: Sequence[str | None] = (), roi: bool = False):
    """Give a slide with these cells."""
    x, y = places(len(cells))
    kinds = [
        CONTROL_CLASSES[cell.score]
        if cell.exclusion == "control_tissue"
        else SCORE_CLASSES[cell.score]
        if cell.exclusion is None
        else EXCLUDED
        for cell in cells
    ]
    named = tuple(NamedControl(piece=f"{n}", expected=score) for n, score in enumerate(controls, start=1))
    return EditableSlide(
        sheet=SheetFacts(
            case_id="c1",
            image_id="i1",
            assay="ihc",
            guideline="breast_2023",
            probe="dual",
            observer=1,
            area="",
            controls="unknown",
            has_tumour_roi=roi,
        ),
        slide=SlideResult(
            files=(SourceFile(sha256=SHA256, size_bytes=1, format="tiff"),),
            vendor="generic",
            width_px0=SIDE,
            height_px0=SIDE,
            mpp=0.5,
            mpp_origin="case_sheet",
            level_downsamples=(1.0,),
        ),
        x_px0=x,
        y_px0=y,
        control=np.array([cell.control or 0 for cell in cells], np.int16),
        classes=kinds,
        controls=named,
    )


def cell_table(path: Path, cells: Sequence[Cell]) -> Path:
    """Write the same cells as `ihc_cells`."""
    x, y = places(len(cells))
    n = len(cells)
    words = [STAINED[cell.score] for cell in cells]
    constant = {
        name: [None if IHC_CELLS.field(name).nullable else 1.0] * n
        for name in IHC_CELLS.names
        if IHC_CELLS.field(name).type in ("float", "double")
    }
    with write_table(path, IHC_CELLS, produced_by=Producer(step="t", version="0"), facts={}) as table:
        table.append(
            {
                **constant,
                "cell_id": list(range(1, n + 1)),
                "x_px0": x,
                "y_px0": y,
                "intensity": [intensity.value for intensity, _ in words],
                "pattern": [pattern.value for _, pattern in words],
                "cell_score": [CELL_SCORE[staining_class(*word)] for word in words],
                "in_tumour": [cell.exclusion is None for cell in cells],
                "piece": [1] * n,
                "control": [cell.control for cell in cells],
                "exclusion": [cell.exclusion for cell in cells],
                "exclusion_if_drawn": [cell.if_drawn for cell in cells],
            }
        )
    return path


def edits(slide: EditableSlide, **changes: Any) -> EditsResult:
    """Give edits of a slide."""
    known: dict[str, Any] = {
        "by": "A.B.",
        "on": "2026-11-20",
        "tool": "QuPath 0.6.0",
        "sha256": "cd" * 32,
        "image_id": "i1",
        "image_files": (SHA256,),
        "cells": len(slide),
        "places_sha256": places_digest(slide.x_px0, slide.y_px0),
        "tumour_use": RegionUse.REPLACE,
    }
    return EditsResult(**{**known, **changes})


def box(left: float, top: float, right: float, bottom: float) -> list[list[list[float]]]:
    """Give the coordinates of a rectangle."""
    return [[[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]]


def region(words: Any, coordinates: Any, **members: Any) -> dict[str, Any]:
    """Draw an annotation."""
    return {
        "type": "Feature",
        "id": "4d1a5b0e-3f5b-4c51-8c34-5a3f0d6f1c11",
        "geometry": {"type": "Polygon", "coordinates": coordinates},
        "properties": {"objectType": "annotation", "classification": classification(words)},
        **members,
    }


def classification(words: Any) -> Any:
    """Spell a class: a text as QuPath's name, anything else as it is."""
    return {"name": words, "color": [200, 0, 0]} if isinstance(words, str) else words


def exported(
    slide: EditableSlide, given: Mapping[int, Any] = MappingProxyType({}), *, sha256: str = SHA256
) -> list[Any]:
    """Export all cells of a slide, those in `given` with another class."""
    return [
        exported_cell(slide, number, given.get(number), sha256=sha256) for number in range(1, len(slide) + 1)
    ]


def exported_cell(slide: EditableSlide, cell_id: int, words: Any = None, *, sha256: str = SHA256) -> Any:
    """Export one cell."""
    x, y = slide.x_px0[cell_id - 1], slide.y_px0[cell_id - 1]
    measured = slide.classes[cell_id - 1].name
    return {
        "type": "Feature",
        "id": cell_identifier(sha256, cell_id).decode(),
        "geometry": {"type": "Polygon", "coordinates": box(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS)},
        "properties": {
            "objectType": "cell",
            "classification": classification(measured if words is None else words),
            "measurements": {"Cell: Area µm^2": 80.0},
        },
    }


def write_export(path: Path, features: Sequence[Any]) -> Path:
    """Write features as QuPath does."""
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}), encoding="utf-8")
    return path
