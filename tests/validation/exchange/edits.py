"""Edits from QuPath: time and memory of an export of a whole slide, and whether both ways give equal numbers.

Cells are made up; the figures tell the cost of reading an export, nothing of the measurement.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from her2path.domain.region_use import RegionUse
from her2path.io.edits_reading import Draft, read_edits
from her2path.io.qupath_cells import cell_identifier
from tests.support.edited_slides import SHA256, Cell, editable
from tests.validation.exchange.rows import Row

CELLS = 2_000_000
CHANGED_EACH = 100
"""Every so many cells one has another class."""
_CORNERS = 32
_RING = [[round(12.3 * i, 1), round(7.7 * i, 1)] for i in range(_CORNERS)]


def measure() -> list[Row]:
    """Read an export of two million cells back."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "export.geojson"
        _write(path)
        told = subprocess.run(
            [sys.executable, "-m", __name__, str(path)], check=True, capture_output=True, text=True
        )
        found, idle_mb, peak_mb, seconds = (float(word) for word in told.stdout.split())
        size = path.stat().st_size / 1e9
    on = f"{CELLS:,} cells with {_CORNERS}-point outlines (synthetic), {size:.1f} GB"
    each = f"{CELLS / seconds:,.0f} cells a second"
    kept = f"of it {idle_mb:.0f} MB for the program and the slide's cells"
    return [
        Row(
            "Corrected cells found in an export of everything", on, found, "", threshold=CELLS / CHANGED_EACH
        ),
        Row("Time to read and check an export", on, seconds, "s", detail=each),
        Row("Peak memory of reading an export", on, peak_mb, "MB", detail=kept),
    ]


def _slide(count: int):  # type: ignore[no-untyped-def]  # of tests.support
    return editable([Cell(number % 4) for number in range(count)])


def _write(path: Path) -> None:
    slide, chunk = _slide(CELLS), []
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type":"FeatureCollection","features":[')
        for cell_id in range(1, CELLS + 1):
            chunk.append(_feature(slide, cell_id))
            if len(chunk) == 10_000 or cell_id == CELLS:
                file.write(",\n".join(chunk) + (",\n" if cell_id < CELLS else ""))
                chunk = []
        file.write("]}")


def _feature(slide, cell_id: int) -> str:  # type: ignore[no-untyped-def]  # as above
    x, y = slide.x_px0[cell_id - 1] - 180, slide.y_px0[cell_id - 1] - 120
    words = "Stroma" if cell_id % CHANGED_EACH == 0 else slide.classes[cell_id - 1].name
    ring = [[round(x + a, 1), round(y + b, 1)] for a, b in _RING]
    return json.dumps(
        {
            "type": "Feature",
            "id": cell_identifier(SHA256, cell_id).decode(),
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {"objectType": "cell", "classification": {"name": words, "color": [200, 0, 0]}},
        }
    )


def _read(path: Path) -> None:
    slide = _slide(CELLS)
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    draft = read_edits(path, slide, own_classes=[], tumour_use=RegionUse.REPLACE)
    seconds = time.perf_counter() - started
    assert isinstance(draft, Draft), draft
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(f"{len(draft.corrections)} {idle / 1024} {peak / 1024} {seconds}\n")


if __name__ == "__main__":
    _read(Path(sys.argv[1]))
