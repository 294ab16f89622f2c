"""A measured IHC slide in a results folder, with every kind of cell that its tables may hold."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely

from her2path.io.documents import (
    IhcScoreDoc,
    Producer,
    SlideDoc,
    read_document,
    write_document,
)
from her2path.io.edited_cells import places_digest
from her2path.io.edits_documents import DrawnRegion, EditsDoc, EditsResult, GivenClass
from her2path.io.files import sha256_of
from her2path.io.quality_areas import QuPathArea, write_areas
from her2path.io.qupath_cells import CellClass
from her2path.io.score_entries import HotSpotEntry
from her2path.io.slide_view_file import SlideView, ViewLevel, encode_jpeg, write_view
from her2path.io.tables import IHC_BLOCKS, IHC_CELLS, IHC_CONTOURS, TILES, read_table, write_table
from tests.support.case_documents import SHA, Ihc, write_image

MPP = 0.25
TARGET_MPP = 0.5
TILE = 1024
SIZE_PX0 = 5468
"""Of `case_documents.slide_doc`."""
MADE_BY = Producer(step="ihc_cells", version="0.1.0")
WITHOUT_TILE = (1, 1)
"""Row and column of the tile in the middle, which holds no tissue."""
_FACTS = {"calibration": "default_hdab/1", "tumour_by_neighbourhood": "true"}


def write_measured_slide(
    results: Path, *, cells: int = 90, image_id: str = "s1", case_id: str = "c1"
) -> Path:
    """Write the artefacts that an export reads; give the folder of the image."""
    folder = results / "images" / image_id
    folder.mkdir(parents=True)
    write_image(folder, case_id, Ihc(image_id=image_id))
    _tiles(folder)
    columns = cell_columns(cells)
    with write_table(folder / "ihc_cells.parquet", IHC_CELLS, produced_by=MADE_BY, facts=_FACTS) as table:
        table.append(columns)
    with write_table(folder / "ihc_contours.parquet", IHC_CONTOURS, produced_by=MADE_BY) as table:
        table.append(outline_columns(columns))
    with write_table(folder / "ihc_blocks.parquet", IHC_BLOCKS, produced_by=MADE_BY) as table:
        table.append(_blocks())
    fold = QuPathArea(CellClass("Fold", (1, 2, 3)), shapely.box(10, 20, 110, 220))
    write_areas(folder / "quality.geojson", [fold], image_sha256="0")
    _view(folder / "view.tif")
    path = folder / "ihc_score.json"
    scored = read_document(path, IhcScoreDoc)
    assert scored.result is not None
    inputs = {name: sha256_of(folder / f"ihc_{name}.parquet") for name in ("cells", "contours")}
    result = scored.result.model_copy(update={"hot_spots": (_spot(400), _spot(900))})
    write_document(path, scored.model_copy(update={"inputs": inputs, "result": result}))
    return folder


def edit_slide(folder: Path, *corrections: GivenClass, regions: tuple[DrawnRegion, ...] = ()) -> None:
    """Let a person correct cells and draw regions, and the score know it."""
    table = read_table(folder / "ihc_cells.parquet", IHC_CELLS)
    slide = read_document(folder / "slide.json", SlideDoc).result
    assert slide is not None
    edits = EditsResult(
        by="reader-1",
        on="2026-11-22",
        tool="QuPath 0.6",
        sha256="0" * 64,
        image_id=folder.name,
        image_files=tuple(file.sha256 for file in slide.files),
        cells=table.num_rows,
        places_sha256=places_digest(table["x_px0"].to_numpy(), table["y_px0"].to_numpy()),
        regions=regions,
        corrections=corrections,
    )
    path = folder / "edits" / "edits.json"
    path.parent.mkdir()
    write_document(path, EditsDoc(produced_by=MADE_BY, result=edits))
    scored = read_document(folder / "ihc_score.json", IhcScoreDoc)
    inputs = {**scored.inputs, "edits": sha256_of(path)}
    write_document(folder / "ihc_score.json", scored.model_copy(update={"inputs": inputs}))


def say_regions(folder: Path, **digests: str) -> None:
    """State in `slide.json` the regions that a slide was measured with."""
    document = read_document(folder / "slide.json", SlideDoc)
    write_document(folder / "slide.json", document.model_copy(update={"inputs": digests}))


def cell_columns(n: int) -> dict[str, object]:
    """Cells on a spiral, so that every tile has some, and those of the grid's lines among them."""
    i = np.arange(n)
    radius = 2600 * np.sqrt((i + 0.5) / max(n, 1))
    x = np.round(2734 + radius * np.cos(2.4 * i), 3)
    y = np.round(2734 + radius * np.sin(2.4 * i), 3)
    if n:
        x[:3], y[:3] = (2048.0, 2047.999, 0.0), (100.0, 100.0, 0.0)
    stained = i % 4 != 0
    od = np.where(stained, 0.1 + 0.01 * (i % 50), np.nan).astype(np.float32)

    def known(values: np.ndarray) -> pa.Array:
        return pa.array(values, pa.float32(), mask=np.isnan(values))

    reasons = [None, None, "image_border", "control_tissue", "not_tumour"]
    exclusion = [reasons[k % 5] for k in i.tolist()]
    words = ["none", "faint", "weak", "moderate", "strong"]
    return {
        "cell_id": i + 1,
        "x_px0": x,
        "y_px0": y,
        "nucleus_area_um2": (20 + i % 30).astype(np.float32),
        "cell_area_um2": (60 + i % 70).astype(np.float32),
        "membrane_completeness": (i % 11 / 10).astype(np.float32),
        "membrane_connectivity": (i % 7 / 10).astype(np.float32),
        "membrane_od": known(od),
        "membrane_contrast_od": known(od / 2),
        "membrane_excess_od_um": known(od * 3),
        "membrane_thickness_um": known(od + 1),
        "membrane_certainty": known(np.full(n, np.nan, np.float32)),
        "membrane_mean_od": (0.02 + 0.01 * (i % 50)).astype(np.float32),
        "cytoplasm_od": known(np.where(i % 9 == 0, np.nan, 0.02).astype(np.float32)),
        "nucleus_od": (-0.01 + 0.001 * (i % 20)).astype(np.float32),
        "intensity": [words[1 + k // 5 % 4] if k % 4 else "none" for k in i.tolist()],
        "pattern": ["complete" if k % 4 else "none" for k in i.tolist()],
        "cell_score": (i % 4).astype(np.int8),
        "in_tumour": i % 5 != 4,
        "piece": (1 + i % 2).astype(np.int32),
        "control": pa.array([1 if word == "control_tissue" else None for word in exclusion], pa.int16()),
        "exclusion": exclusion,
        "exclusion_if_drawn": exclusion,
    }


def outline_columns(cells: dict[str, object]) -> dict[str, object]:
    """Outlines of sixteen corners; the second cell has none, and the third nucleus two points."""
    turn = np.linspace(0, 2 * math.pi, 16, endpoint=False)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    centres = np.stack([np.asarray(cells["x_px0"]), np.asarray(cells["y_px0"])], axis=1)

    def rings(radius: float, odd: int, points: int) -> list[list[float]]:
        shapes = [(centre + radius * ring).astype(np.float32).ravel().tolist() for centre in centres]
        if odd < len(shapes):
            shapes[odd] = shapes[odd][: 2 * points]
        return shapes

    kind = pa.list_(pa.float32())
    return {
        "cell_id": cells["cell_id"],
        "cell_xy_px0": pa.array(rings(20, 1, 0), kind),
        "nucleus_xy_px0": pa.array(rings(9, 2, 2), kind),
    }


def _tiles(folder: Path) -> None:
    edge = math.ceil(SIZE_PX0 * MPP / TARGET_MPP)
    starts = range(0, edge, TILE)
    places = [(row, col) for row in starts for col in starts if (row // TILE, col // TILE) != WITHOUT_TILE]
    scale = TARGET_MPP / MPP
    with write_table(folder / "tiles.parquet", TILES, produced_by=MADE_BY) as table:
        table.append(
            {
                "tile_id": list(range(len(places))),
                "row": [row for row, _ in places],
                "col": [col for _, col in places],
                "height": [min(TILE, edge - row) for row, _ in places],
                "width": [min(TILE, edge - col) for _, col in places],
                "target_mpp": [TARGET_MPP] * len(places),
                "x_px0": [col * scale for _, col in places],
                "y_px0": [row * scale for row, _ in places],
                "tissue_frac": [0.5] * len(places),
            }
        )


def _blocks() -> dict[str, object]:
    counts = {name: [3, 4] for name in IHC_BLOCKS.names[4:9]}
    places = {"x_px0": [0.0, 1000.0], "y_px0": [0.0, 0.0], "size_um": [250.0] * 2, "cells": [15, 20]}
    return places | counts | {"h_score": [120.0, 130.0]}


def _spot(x_px0: float) -> HotSpotEntry:
    return HotSpotEntry(
        x_px0=x_px0,
        y_px0=500.0,
        size_px0=1000.0,
        x_um=x_px0 * MPP,
        y_um=500 * MPP,
        size_um=250.0,
        cells=4,
        pct=75.0,
        percentages={"complete_intense": 75.0},
        h_score=250.0,
    )


def _view(path: Path) -> None:
    """Write a view at a ninth of the slide: left half red, right half blue."""
    downsample, tile = SIZE_PX0 / 600, 256
    rgb = np.zeros((768, 768, 3), np.uint8)
    rgb[:, :300, 0], rgb[:, 300:, 2] = 200, 200
    cut = [rgb[r : r + tile, c : c + tile] for r in range(0, 768, tile) for c in range(0, 768, tile)]
    tiles = tuple(encode_jpeg(part, quality=90) for part in cut)
    write_view(
        path, SlideView((ViewLevel(downsample, 600, 600, tile, tiles),), (), slide_sha256=SHA), mpp=MPP
    )
