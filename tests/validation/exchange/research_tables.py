"""Export of a large slide for research: time, memory and size on disk.

The table is made up: cells on a grid with outlines of 32 corners each, as many as a resection with much
tumour has.  Memory is the peak of a process of its own that does nothing but the export.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from her2path.io.documents import IhcScoreDoc, read_document, write_document
from her2path.io.files import sha256_of
from her2path.io.tables import IHC_CELLS, IHC_CONTOURS, write_table
from tests.support.measured_slide import MADE_BY, cell_columns, write_measured_slide
from tests.validation.exchange.rows import Row

CELLS = 2_000_000
BATCH = 20_000
CORNERS = 32
_EXPORT = """
import resource, sys, time
from pathlib import Path
from her2path.cli.export_tables import export_anndata, export_spatialdata
results, out = map(Path, sys.argv[1:])
started = time.perf_counter()
if "space" in out.name:
    export_spatialdata(results, "s1", out, sheet=None, overwrite=False)
else:
    export_anndata(results, "s1", out, overwrite=False)
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measure() -> list[Row]:
    """Export a slide of two million cells in each format, each in a process of its own."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results"
        write_large_slide(results, CELLS)
        for name, what in (
            ("t.h5ad", "AnnData (.h5ad)"),
            ("t.zarr", "AnnData (.zarr)"),
            ("space.zarr", "SpatialData"),
        ):
            out = Path(folder) / name
            command = [sys.executable, "-c", _EXPORT, str(results), str(out)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            seconds, peak_mb = map(float, done.stdout.split())
            on = f"{CELLS:,} made-up cells".replace(",", " ")
            rows += [
                Row(f"{what}: peak memory", on, peak_mb, "MB"),
                Row(f"{what}: time", on, seconds, "s"),
                Row(f"{what}: size", on, _size_mb(out), "MB"),
            ]
    return rows


def write_large_slide(results: Path, cells: int) -> None:
    """Write a measured slide whose tables hold many cells."""
    folder = write_measured_slide(results, cells=10)
    with (
        write_table(
            folder / "ihc_cells.parquet",
            IHC_CELLS,
            produced_by=MADE_BY,
            facts={"calibration": "default_hdab/1"},
        ) as table,
        write_table(folder / "ihc_contours.parquet", IHC_CONTOURS, produced_by=MADE_BY) as outlines,
    ):
        for columns in _batches(cells):
            table.append(columns)
            outlines.append(_outlines(columns))
    document = read_document(folder / "ihc_score.json", IhcScoreDoc)
    inputs = {name: sha256_of(folder / f"ihc_{name}.parquet") for name in ("cells", "contours")}
    write_document(folder / "ihc_score.json", document.model_copy(update={"inputs": inputs}))


def _batches(cells: int) -> Iterator[dict[str, object]]:
    across = math.isqrt(cells) + 1
    same = cell_columns(BATCH)
    for start in range(0, cells, BATCH):
        number = np.arange(start, min(start + BATCH, cells))
        rows = slice(0, len(number))
        places = {"x_px0": number % across * 40.0, "y_px0": number // across * 40.0, "cell_id": number + 1}
        yield {name: values[rows] for name, values in same.items()} | places  # type: ignore[index]


def _outlines(columns: dict[str, object]) -> dict[str, object]:
    centres = np.stack([np.asarray(columns["x_px0"]), np.asarray(columns["y_px0"])], axis=1)
    turn = np.linspace(0, 2 * math.pi, CORNERS, endpoint=False)
    wave = 1 + 0.1 * np.sin(np.arange(len(centres)))

    def rings(radius: float) -> pa.Array:
        ring = radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        xy = (centres[:, None] + ring[None] * wave[:, None, None]).astype(np.float32)
        ends = np.arange(len(xy) + 1, dtype=np.int32) * (2 * CORNERS)
        return pa.ListArray.from_arrays(pa.array(ends), pa.array(xy.ravel()))

    return {"cell_id": columns["cell_id"], "cell_xy_px0": rings(18), "nucleus_xy_px0": rings(9)}


def _size_mb(path: Path) -> float:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6
