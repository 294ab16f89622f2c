"""QuPath: memory and time of two million cells, and where objects lie.

Coordinates: pixel (0, 0) of level 0 covers 0 to 1, as in QuPath.  A phantom of nuclei whose middles and
outlines are known is measured with every size of tiles, and what goes out is read back and held against
the truth and against each other.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely
from scipy import ndimage
from scipy.spatial import cKDTree
from shapely.geometry import shape

from her2path.imaging.phantoms.ihc import IhcPhantom, render_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, IhcPhantomSpec
from her2path.io.documents import Producer
from her2path.io.qupath_cells import read_cells, write_cells
from her2path.io.qupath_project import zip_objects
from her2path.io.tables import IHC_CELLS, IHC_CONTOURS, write_table
from tests.support.ihc_chain import find_cells, prepare, score
from tests.support.slides import write_pyramid
from tests.validation.exchange.rows import Row

CELLS = 2_000_000
TILES_PX = (256, 300, 512, 1000, 2048)
PIXELS_UM = (0.25, 0.2282, 0.5)
"""Working pixels of 2, 2.19 and 1 level-0 pixels."""
_CHUNK = 20_000
_CORNERS = 32
_MADE_BY = Producer(step="validation", version="0")
_SHA = "ab" * 32
_PACKED_BYTES = 100_000_000
_MATCH_PX = 6.0
"""Furthest that the middle of a nucleus is looked for from its truth (level-0 pixels)."""
_SHIFT = "x or y, median over nuclei, largest of all tile sizes; level-0 pixels"
_APART = "middles of the same nucleus, largest; level-0 pixels"


def measure() -> list[Row]:
    """Measure the stream of cells and the places of objects."""
    with tempfile.TemporaryDirectory() as name:
        return [*_stream(Path(name)), *_places(Path(name))]


def _stream(root: Path) -> list[Row]:
    tables, on = _tables(root, CELLS), f"{CELLS:,} cells with 32-point outlines (synthetic)"
    told = subprocess.run(
        [sys.executable, "-m", __name__, str(root)], check=True, stdout=subprocess.PIPE, text=True
    )
    peak_mb, seconds = (float(word) for word in told.stdout.split())
    path = root / "cells.geojson"
    rows = [
        Row("Peak memory of writing cells.geojson", on, peak_mb, "MB", threshold=500, direction="at most"),
        Row("Time to write cells.geojson", on, seconds, "s", detail=f"{CELLS / seconds:,.0f} cells a second"),
        Row("Size of cells.geojson", on, path.stat().st_size / 1e9, "GB"),
        _packed(path, root),
    ]
    for file in (*tables, path):
        file.unlink()
    return rows


def _packed(path: Path, root: Path) -> Row:
    """Pack the first part of a file of cells and read it back."""
    part = root / "part.geojson"
    with path.open("rb") as whole:
        part.write_bytes(whole.read(_PACKED_BYTES))
    started = time.perf_counter()
    zip_objects(part, root / "part.zip")
    seconds = time.perf_counter() - started
    with zipfile.ZipFile(root / "part.zip") as archive:
        same = archive.read(part.name) == part.read_bytes()
    share = 100 * (root / "part.zip").stat().st_size / part.stat().st_size
    speed = f"{part.stat().st_size / seconds / 1e6:.0f} MB a second; read back equal: {same}"
    on = f"the first {_PACKED_BYTES / 1e6:.0f} MB of it"
    return Row("Size of the ZIP of a project", on, share, "% of the GeoJSON", detail=speed)


def _tables(root: Path, count: int) -> tuple[Path, Path]:
    rng = np.random.default_rng(1)
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    cells, contours = root / "ihc_cells.parquet", root / "ihc_contours.parquet"
    with (
        write_table(cells, IHC_CELLS, produced_by=_MADE_BY) as facts,
        write_table(contours, IHC_CONTOURS, produced_by=_MADE_BY) as outlines,
    ):
        for start in range(0, count, _CHUNK):
            ids = np.arange(start, min(start + _CHUNK, count)) + 1
            xy = rng.uniform(0, 100_000, (len(ids), 2))
            facts.append(_facts(ids, xy, rng))
            radii = rng.uniform(8, 14, (len(ids), _CORNERS, 1))
            rings = {"cell_xy_px0": radii, "nucleus_xy_px0": radii / 2}
            outlines.append(
                {"cell_id": ids}
                | {
                    name: list((xy[:, None] + r * circle).astype(np.float32).reshape(len(ids), -1))
                    for name, r in rings.items()
                }
            )
    return cells, contours


def _facts(
    ids: npt.NDArray[np.int64], xy: npt.NDArray[np.float64], rng: np.random.Generator
) -> dict[str, object]:
    n = len(ids)
    fixed: dict[str, object] = {
        "cell_id": ids,
        "x_px0": xy[:, 0],
        "y_px0": xy[:, 1],
        "intensity": rng.choice(["none", "faint", "weak", "moderate", "strong"], n),
        "pattern": rng.choice(["incomplete", "basolateral", "complete"], n),
        "cell_score": rng.integers(0, 4, n),
        "in_tumour": np.ones(n, bool),
        "piece": np.ones(n, np.int32),
        "control": [None] * n,
        "exclusion": np.where(rng.random(n) < 0.3, "not_tumour", None),
        "exclusion_if_drawn": [None] * n,
    }
    return {name: fixed.get(name, rng.random(n).astype(np.float32)) for name in IHC_CELLS.names}


def _write(root: Path) -> None:
    """Write the cells in a process of its own, and tell its peak memory (MB) and time (s)."""
    started = time.perf_counter()
    cells = read_cells(root / "ihc_cells.parquet", root / "ihc_contours.parquet")
    write_cells(root / "cells.geojson", cells, image_sha256=_SHA)
    seconds = time.perf_counter() - started
    # Of what the process ever held, mapped files included.
    peak_kb = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    sys.stdout.write(f"{int(peak_kb.split()[1]) / 1024} {seconds}\n")


def _places(root: Path) -> list[Row]:
    return [row for mpp in PIXELS_UM for row in _places_at(root, mpp)]


def _places_at(root: Path, mpp: float) -> list[Row]:
    # Whole multiples of four: a level of a pyramid then covers its level-0 pixels exactly.
    size = {"width_px": 4 * round(100 / mpp), "height_px": 4 * round(75 / mpp)}
    phantom = render_ihc(IhcPhantomSpec(seed=11, mpp=mpp, classes=SCORE_PRESETS["2+"], **size))
    slide = write_pyramid(root / f"slide-{mpp}.tif", phantom.rgb, mpp=mpp)
    found = {}
    for tile_px in TILES_PX:
        at, sheet = prepare(slide, root / f"{mpp}-{tile_px}", tile_px=tile_px)
        find_cells(slide, at, sheet)
        score(slide, at)
        found[tile_px] = _outlines(at.geojson)
    tiles = ", ".join(map(str, TILES_PX))
    on = f"phantom of {len(phantom.cells)} cells at {mpp} µm/px, tiles of {tiles} working pixels"
    shift = float(np.abs([_shift(outlines, phantom) for outlines in found.values()]).max())
    apart = max(_apart(outlines, found[TILES_PX[-1]]) for outlines in found.values())
    asked = {"unit": "px", "threshold": 0.5, "direction": "at most"}
    return [
        Row("Shift of nuclei from their truth", on, shift, **asked, detail=_SHIFT),
        Row("Nuclei measured in other tiles: how far apart", on, apart, **asked, detail=_APART),
    ]


def _outlines(path: Path) -> list[shapely.Polygon]:
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    return [shape(f["nucleusGeometry"]) for f in features if "nucleusGeometry" in f]


def _middles(outlines: list[shapely.Polygon]) -> npt.NDArray[np.float64]:
    return np.array([(outline.centroid.x, outline.centroid.y) for outline in outlines])


def _shift(outlines: list[shapely.Polygon], phantom: IhcPhantom) -> tuple[float, float]:
    """Median distance in x and y of nuclei from the true ones that they are nearest to."""
    nuclei = phantom.scene.nuclei
    found = ndimage.center_of_mass(nuclei > 0, nuclei, np.unique(nuclei[nuclei > 0]))
    truth = np.array(found)[:, ::-1] + 0.5  # pixel (0, 0) covers 0 to 1
    middles = _middles(outlines)
    far, nearest = cKDTree(truth).query(middles)
    off = (middles - truth[nearest])[far < _MATCH_PX]
    return float(np.median(off[:, 0])), float(np.median(off[:, 1]))


def _apart(outlines: list[shapely.Polygon], others: list[shapely.Polygon]) -> float:
    """Furthest distance of a nucleus from the same one among others; nuclei of one alone are left out."""
    far, _ = cKDTree(_middles(others)).query(_middles(outlines))
    return float(far[far < _MATCH_PX].max())


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
