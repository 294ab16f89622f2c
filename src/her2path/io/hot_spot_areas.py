"""Hot spots as QuPath annotations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import shapely

from her2path.io.quality_areas import QuPathArea, write_areas
from her2path.io.qupath_cells import CellClass
from her2path.io.score_entries import HotSpotEntry

HOT_SPOT = CellClass("HER2 hot spot", (230, 0, 230))


def write_hot_spots(path: Path, spots: Sequence[HotSpotEntry], *, image_sha256: str) -> None:
    """Write hot spots in their order, each with its rank and numbers, whole or not at all."""
    areas = [_area(spot, rank) for rank, spot in enumerate(spots, start=1)]
    write_areas(path, areas, image_sha256=image_sha256)


def _area(spot: HotSpotEntry, rank: int) -> QuPathArea:
    right, bottom = spot.x_px0 + spot.size_px0, spot.y_px0 + spot.size_px0
    measurements = {
        "Rank": float(rank),
        "Cells": float(spot.cells),
        "Deciding cells %": spot.pct,
        "H-score": spot.h_score,
    }
    return QuPathArea(HOT_SPOT, shapely.box(spot.x_px0, spot.y_px0, right, bottom), measurements)
