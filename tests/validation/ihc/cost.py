"""Speed and memory: a mosaic of cores with 60 mm² of tissue, and slides of 100 000 x 80 000 pixels."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from her2path.io.artefacts import IHC_FILES
from her2path.io.documents import QualityDoc, read_document
from her2path.io.masks import read_mask
from her2path.io.tables import IHC_CELLS, open_table
from tests.support.mosaic import BLOCK_PX, blocks, core_files, write_mosaic
from tests.support.step_cost import TO_SCORED_CELLS, StepCost, step_costs
from tests.validation.ihc.reading import Her2Path
from tests.validation.measures import Measure

MOSAIC_BLOCKS = (9, 8)
"""Columns and rows of the mosaic on which speed is measured."""
LARGE_PX = (100_000, 80_000)
LARGE_SPARSE_BLOCKS = 12
LEAST_TISSUE_MM2 = 60.0
LIMIT_MB = 2000.0
WORKERS = 2
SECONDS_PER_MM2 = {"classical": 0.5, "learned": 1.2}


def mosaic_rows(method: Her2Path) -> tuple[list[Measure], dict[str, Any]]:
    """Speed and memory on the mosaic of cores."""
    width, height = (count * BLOCK_PX for count in MOSAIC_BLOCKS)
    costs, tissue_mm2, cells = _measured(method, width, height, filled=None)
    seconds = sum(cost.seconds for cost in costs if cost.step in TO_SCORED_CELLS)
    material = "real cores" if core_files() else "phantoms (no real cores here)"
    on = f"mosaic of {material}, {tissue_mm2:.1f} mm² of tissue, {cells} cells"
    kind = "classical" if method.model is None else "learned"
    detail = ", ".join(f"{cost.step} {cost.seconds:.1f} s" for cost in costs)
    if tissue_mm2 < LEAST_TISSUE_MM2:
        raise ValueError(f"the mosaic holds {tissue_mm2:.1f} mm² of tissue, {LEAST_TISSUE_MM2} are asked for")
    speed = Measure(
        "speed, 2 workers, tissue to scored cells",
        on,
        seconds / tissue_mm2,
        "s per mm²",
        threshold=SECONDS_PER_MM2[kind],
        direction="at most",
        detail=f"{detail}; load of the machine before {os.getloadavg()[0]:.1f}",
    )
    return [speed, _memory(costs, on)], {"costs": [asdict(cost) for cost in costs]}


def large_rows(method: Her2Path, *, full: bool) -> tuple[list[Measure], dict[str, Any]]:
    """Memory on a slide of 100 000 x 80 000 pixels, mostly glass or full of tissue."""
    filled = None if full else LARGE_SPARSE_BLOCKS
    costs, tissue_mm2, cells = _measured(method, *LARGE_PX, filled=filled)
    size = " x ".join(f"{side:,}".replace(",", " ") for side in LARGE_PX)
    on = f"slide of {size} px, {tissue_mm2:.1f} mm² of tissue, {cells} cells"
    return [_memory(costs, on)], {"costs": [asdict(cost) for cost in costs]}


def _memory(costs: list[StepCost], on: str) -> Measure:
    worst = max(costs, key=lambda cost: cost.megabytes)
    detail = ", ".join(f"{cost.step} {cost.megabytes:.0f} MB" for cost in costs)
    detail += f"; all steps {sum(cost.seconds for cost in costs):.0f} s"
    return Measure(
        "peak memory", on, worst.megabytes, "MB", threshold=LIMIT_MB, direction="at most", detail=detail
    )


def _measured(
    method: Her2Path, width: int, height: int, *, filled: int | None
) -> tuple[list[StepCost], float, int]:
    """Costs of all steps, tissue in mm² and the number of cells."""
    with tempfile.TemporaryDirectory() as name:
        folder, slide = Path(name) / "m", Path(name) / "mosaic.tif"
        write_mosaic(slide, blocks(), width_px=width, height_px=height, filled=filled)
        params = {"ihc_cells": method.config.ihc_cells.model_dump(mode="json")}
        costs = []
        for cost in step_costs(slide, folder, workers=WORKERS, params=params):
            sys.stderr.write(f"{method.name} {cost}\n")
            costs.append(cost)
        found = read_document(folder / IHC_FILES["quality"], QualityDoc).result
        if found is None:
            raise ValueError("the mosaic was refused")
        tissue = read_mask(folder / IHC_FILES["tissue"])
        with open_table(folder / IHC_FILES["cells"], IHC_CELLS) as table:
            cells = table.metadata.num_rows
        return costs, float(tissue.sum()) * found.mask_mpp**2 / 1e6, cells
