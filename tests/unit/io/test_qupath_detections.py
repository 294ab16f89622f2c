"""Tiles, blocks, nuclei and signals as QuPath detections."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from shapely.geometry import shape

from her2path.io.documents import Producer
from her2path.io.qupath_cells import CellClass
from her2path.io.qupath_detections import QuPathDetection, write_detections
from her2path.io.qupath_tiles import read_blocks, read_tiles
from her2path.io.tables import IHC_BLOCKS, TILES, write_table
from tests.unit.io.test_qupath_cells import tables

MADE_BY = Producer(step="test", version="0")
SQUARE = np.array([(0.0, 0.0), (4.04, 0.0), (4.04, 4.0), (0.0, 4.0)])


def features(path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["features"]


def test_a_detection_carries_its_class_and_only_what_was_measured(tmp_path):
    measured = {"HER2 signals": 4, "CEP17 signals": None, "Signal: SNR": math.nan}
    one = QuPathDetection(SQUARE, measured, CellClass("Nucleus: Counted", (0, 150, 90)))
    assert write_detections(tmp_path / "d", [one, one], image_sha256="ab", layer="nuclei") == 2
    first, second = features(tmp_path / "d")
    assert first["properties"] == {
        "objectType": "detection",
        "classification": {"name": "Nucleus: Counted", "color": [0, 150, 90]},
        "measurements": {"HER2 signals": 4},
    }
    assert first["geometry"]["coordinates"][0][0] == first["geometry"]["coordinates"][0][-1]
    assert first["id"] != second["id"]


def test_identifiers_of_two_layers_of_one_slide_differ(tmp_path):
    for layer in ("tiles", "blocks"):
        write_detections(tmp_path / layer, [QuPathDetection(SQUARE)], image_sha256="ab", layer=layer)
    assert features(tmp_path / "tiles")[0]["id"] != features(tmp_path / "blocks")[0]["id"]


def test_no_detections_give_an_empty_collection(tmp_path):
    assert write_detections(tmp_path / "d", [], image_sha256="ab", layer="tiles") == 0
    assert features(tmp_path / "d") == []


def test_blocks_show_percentages_of_their_cells_and_the_h_score(tmp_path):
    with write_table(tmp_path / "b", IHC_BLOCKS, produced_by=MADE_BY) as table:
        counts = {
            "complete_intense": 5,
            "complete_weak_moderate": 3,
            "incomplete_moderate_intense": 0,
            "incomplete_faint": 0,
            "none": 2,
        }
        row = {"x_px0": 500.0, "y_px0": 1000.0, "size_um": 250.0, "cells": 10, "h_score": 210.0, **counts}
        table.append({name: [value] for name, value in row.items()})
    (block,) = read_blocks(tmp_path / "b", mpp=0.5)
    assert block.object_type == "tile"
    assert block.xy_px0.min(axis=0).tolist() == [500, 1000]
    assert block.xy_px0.max(axis=0).tolist() == [1000, 1500]
    assert block.measurements["Block: complete, intense %"] == 50
    assert block.measurements["Block: none %"] == 20
    assert block.measurements["Block: H-score"] == 210


@pytest.fixture
def tile_table(tmp_path):
    """Two rows of two tiles of 256 working pixels, each 2 wide, on a slide of 1000 x 800 pixels."""
    with write_table(tmp_path / "tiles", TILES, produced_by=MADE_BY) as table:
        rows, cols = [0, 0, 256, 256], [0, 256, 0, 256]
        table.append(
            {
                "tile_id": [0, 1, 2, 3],
                "row": rows,
                "col": cols,
                "height": [256, 256, 144, 144],
                "width": [256, 245, 256, 245],  # the last working pixel reaches beyond the slide
                "target_mpp": [0.5] * 4,
                "x_px0": [2.0 * col for col in cols],
                "y_px0": [2.0 * row for row in rows],
                "tissue_frac": [0.5, 1.0, 0.25, 0.0],
            }
        )
    return tmp_path / "tiles"


def test_tiles_count_their_cells_and_end_with_the_slide(tmp_path, tile_table):
    cells, _ = tables(tmp_path, 30)  # at x = 30 n, y = 40: 18 in the first tile, 12 in the second
    tiles = list(read_tiles(tile_table, cells, mpp=0.25, size_px0=(1000, 800)))
    assert [tile.measurements["Tile: Cells"] for tile in tiles] == [18, 12, 0, 0]
    assert [tile.measurements["Tile: Scored cells"] for tile in tiles] == [12, 6, 0, 0]
    assert [tile.measurements["Tile: Tissue %"] for tile in tiles] == [50, 100, 25, 0]
    assert tiles[3].xy_px0.max(axis=0).tolist() == [1000, 800]
    scored = [n % 4 for n in range(18) if n % 5 not in {3, 4}]
    assert tiles[0].measurements["Tile: H-score"] == pytest.approx(100 * sum(scored) / len(scored))


def test_a_tile_without_scored_cells_has_no_h_score(tmp_path, tile_table):
    cells, _ = tables(tmp_path, 30)
    tiles = list(read_tiles(tile_table, cells, mpp=0.25, size_px0=(1000, 800)))
    assert "Tile: H-score" not in tiles[2].measurements


def test_tiles_cover_the_slide_without_gap_or_overlap(tmp_path, tile_table):
    cells, _ = tables(tmp_path, 1)
    tiles = read_tiles(tile_table, cells, mpp=0.25, size_px0=(1000, 800))
    write_detections(tmp_path / "t", tiles, image_sha256="ab", layer="tiles")
    shapes = [shape(feature["geometry"]) for feature in features(tmp_path / "t")]
    assert sum(one.area for one in shapes) == 1000 * 800
    assert not any(one.overlaps(other) for one in shapes for other in shapes)
