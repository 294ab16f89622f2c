"""All cells of one tile: the chain from RGB to measured cells."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from her2path.imaging.ihc.calibration import Calibration, Grades, grade
from her2path.imaging.ihc.cells import CLEAR_OD, STEP_UM, CellMaps, CellRays, prepare_maps, trace_cells
from her2path.imaging.ihc.finder import Finder, Nuclei
from her2path.imaging.ihc.membrane import Membranes, measure_membranes
from her2path.imaging.ihc.nuclei import ClassicalFinder
from her2path.imaging.ihc.rays import (
    AT_ONCE,
    Coordinates,
    Floats,
    is_before,
    is_beyond,
    parts_of,
    ring_area,
    ring_centroids,
    ring_points,
    total,
    within,
)
from her2path.imaging.stain import StainModel, separate

_Table = TypeVar("_Table", Membranes, Grades)
CLASSICAL = ClassicalFinder()
_RIM_UM = 3.0


@dataclass(frozen=True, slots=True)
class Core:
    """The part of a tile's array that the tile owns."""

    row: int
    col: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Cells:
    """Measured cells in reading order; positions in pixels of the tile's array (edges are whole)."""

    x: Coordinates
    y: Coordinates
    nuclei: Nuclei
    cell_area_um2: Floats
    membranes: Membranes
    grades: Grades
    cell_rings: Coordinates
    """Outlines of the cells, shape (n, ANGLES, 2), x first; in 64 bits, for in 32 the last digits would
    depend on where the tile lies."""
    nucleus_rings: Coordinates
    surround_od: Floats
    """Mean density of both stains in a rim 3 µm wide around the nucleus."""
    gap_frac: Floats
    """Share of that rim that is as clear as glass."""
    greyness: Floats
    """Rise of DAB over that of hematoxylin from the rim to the nucleus: 0 for blue, 1 for grey."""

    def __len__(self) -> int:
        return len(self.x)


def measure_cells(
    rgb: npt.NDArray[np.uint8],
    model: StainModel,
    *,
    mpp: float,
    core: Core,
    origin: tuple[int, int],
    calibration: Calibration,
    finder: Finder = CLASSICAL,
) -> Cells:
    """Measure the cells whose nucleus has its centre in the core of a tile.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
        The core with the finder's `margin_um` around it.
    model : StainModel
    mpp : float
        Pixel size in µm.
    core : Core
        Half-open on its lower and right edge, so that neighbours share no cell.
    origin : tuple of two ints
        Row and column of the array's first pixel on the slide's grid.
    calibration : Calibration
    finder : Finder
        Finds the nuclei; cells and membranes are measured around them.

    Returns
    -------
    Cells
    """
    # Who tells kinds of cells looks at other colours, too.
    stains = separate(rgb, model, with_residual=finder.tells_tumour)
    found = finder(stains, mpp=mpp, origin=origin)
    nuclei = found.nuclei
    x, y = ring_centroids(nuclei.x, nuclei.y, nuclei.radii_px)
    x, y = x + 0.5, y + 0.5
    own = (y >= core.row) & (y < core.row + core.height) & (x >= core.col) & (x < core.col + core.width)
    chosen = np.flatnonzero(own)
    chosen = chosen[np.lexsort((x[chosen], y[chosen]))]
    maps = prepare_maps(stains, found, mpp=mpp)
    gain = _dab_noise(model) / _dab_noise(StainModel())
    parts = [
        _measured(maps, chosen[part], x[chosen[part]], y[chosen[part]], calibration, gain)
        for part in parts_of(max(len(chosen), 1), AT_ONCE)
    ]
    return _joined(parts)


def _measured(
    maps: CellMaps,
    chosen: npt.NDArray[np.intp],
    x: Coordinates,
    y: Coordinates,
    calibration: Calibration,
    noise_gain: float,
) -> Cells:
    rays = trace_cells(maps, chosen=chosen)
    membranes = measure_membranes(rays, calibration, noise_gain=noise_gain)
    some = maps.found.nuclei.where(chosen)
    radii_px = np.asarray(rays.contour_um / maps.mpp, np.float32)
    surround_od, gap_frac, greyness = _surround(rays)
    return Cells(
        x=x,
        y=y,
        nuclei=some,
        cell_area_um2=np.maximum(ring_area(rays.contour_um), some.area_um2),
        membranes=membranes,
        grades=grade(membranes.completeness, membranes.connectivity, membranes.excess_od_um, calibration),
        cell_rings=ring_points(some.x + 0.5, some.y + 0.5, radii_px),
        nucleus_rings=ring_points(some.x + 0.5, some.y + 0.5, some.radii_px),
        surround_od=surround_od,
        gap_frac=gap_frac,
        greyness=greyness,
    )


def _joined(parts: list[Cells]) -> Cells:
    """Put cells one after the other."""

    def one(kind: type[_Table], found: list[_Table]) -> _Table:
        return kind(
            **{f.name: np.concatenate([getattr(part, f.name) for part in found]) for f in fields(kind)}
        )

    plain = [f.name for f in fields(Cells) if f.name not in {"nuclei", "membranes", "grades"}]
    return Cells(
        nuclei=Nuclei.joined([part.nuclei for part in parts]),
        membranes=one(Membranes, [part.membranes for part in parts]),
        grades=one(Grades, [part.grades for part in parts]),
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in plain},
    )


def _dab_noise(model: StainModel) -> float:
    """Noise of the DAB amounts for noise of 1 in each channel: the more alike the stains, the more."""
    return float(np.linalg.norm(model.unmixing()[1]))


def _surround(rays: CellRays) -> tuple[Floats, Floats, Floats]:
    """Density around nuclei, how much of it is as clear as glass, and how grey the nuclei are."""
    steps = np.arange(1, rays.dab.shape[2] + 1, dtype=np.float32)
    begin, end = rays.nucleus + 1, rays.nucleus + np.float32(1 + _RIM_UM / STEP_UM)
    rim = (is_beyond(begin, steps) & ~is_beyond(end, steps)).astype(np.float32)
    core = np.asarray(is_before(rays.nucleus - 1, steps) * steps, np.float32)
    count, weight = np.maximum(total(rim), 1), np.maximum(total(core), 1)
    blue = rays.blue
    rim_dab, rim_blue = within(rays.dab, rim) / count, within(blue, rim) / count
    core_dab, core_blue = within(rays.dab, core) / weight, within(blue, core) / weight
    clear = within((rays.dab + blue < CLEAR_OD).astype(np.float32), rim) / count
    greyness = (core_dab - rim_dab) / np.maximum(core_blue - rim_blue, 0.02)
    found = [np.asarray(value, np.float32) for value in (rim_dab + rim_blue, clear, greyness)]
    return found[0], found[1], found[2]
