"""Outlines of cells: from the nucleus outwards to the membrane, or to where one would be.

Where DAB draws a line between two nuclei the outline follows it; where nothing stains it keeps to
where a learned finder sees it, or to the middle between neighbours, or to a usual distance from the
nucleus.  Both neighbours of a line find it on their own, so no order of cells and no tile matters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.ihc.expression import Expressed
from her2path.imaging.ihc.finder import Found, Nuclei
from her2path.imaging.ihc.rays import (
    Floats,
    RayPoints,
    closed_paths,
    extended,
    first_places,
    is_before,
    is_beyond,
    ring_points,
)
from her2path.imaging.stain import StainAmounts, steadied

REACH_UM = 19.0
"""Longest ray of a cell."""
STEP_UM = 0.5
"""Distance of samples along a ray."""
RAY_UM: Floats = np.arange(1, round(REACH_UM / STEP_UM) + 1, dtype=np.float32) * np.float32(STEP_UM)
"""Distances of the samples of a ray from its centre."""

MEMBRANE_SIGMA_UM = 0.35
"""Smoothing before lines are sought: less than half a membrane's apparent width of about 1 µm."""
_RIM_UM = 4.0
"""Usual cytoplasm around a nucleus whose cell nothing bounds."""
_WIDEST_UM = 9.0
"""Widest cytoplasm that is believed, from the nucleus to the membrane."""
_PULL = 0.003
"""Price (OD) of each step away from the usual place: a line of 0.03 OD is followed over 5 µm."""
_BEND = (0.004, 0.008, 0.012)
"""Price of a change by one to three steps from ray to ray.  A corner of a polygonal cell costs no more
than the same way in small steps, or outlines would cut it off and miss the membrane there."""
_RIDGE_LOW, _RIDGE_HIGH = -0.05, 0.40
CLEAR_OD = 0.025
"""Density of both stains below which a place is as clear as glass; pale cytoplasm has 0.04 to 0.08."""


@dataclass(frozen=True, slots=True)
class CellRays:
    """Cells along their rays; place 0 is `STEP_UM` from the centre."""

    dab: Floats
    """DAB, shape (n, ANGLES, R)."""
    blue: Floats
    """Hematoxylin, >= 0, same shape."""
    nucleus: Floats
    """Distance of the nucleus' outline in steps, shape (n, ANGLES)."""
    contour: npt.NDArray[np.intp]
    """Place of the cell's outline along each ray, shape (n, ANGLES)."""
    own: Expressed | None = None
    """What the cells express; None where the finder of nuclei does not tell."""

    @property
    def contour_um(self) -> Floats:
        """Distance of the cell's outline from its centre in µm, shape (n, ANGLES)."""
        return np.asarray((self.contour + 1) * STEP_UM, np.float32)


@dataclass(frozen=True, slots=True)
class CellMaps:
    """What the rays of cells read, and whose nuclei bound them."""

    dab: Floats
    """DAB without noise, shape (M, N)."""
    blue: Floats
    """Hematoxylin without noise, >= 0."""
    labels: Floats
    """Place + 1 of the nucleus at each pixel, 0 = none."""
    found: Found
    mpp: float


def prepare_maps(stains: StainAmounts, found: Found, *, mpp: float) -> CellMaps:
    """Make the maps of a tile once for all of its cells.

    Parameters
    ----------
    stains : StainAmounts
        Of the tile with its margin.
    found : Found
        All nuclei of the tile: those of neighbours bound a cell.
    mpp : float
        Pixel size in µm.
    """
    sigma = MEMBRANE_SIGMA_UM / mpp
    dab = steadied(cv2.GaussianBlur(stains.dab, (0, 0), sigma))
    blue = steadied(cv2.GaussianBlur(stains.hematoxylin, (0, 0), sigma))
    np.maximum(blue, 0, out=blue)
    return CellMaps(dab, blue, _label(found.nuclei, stains.dab.shape), found, mpp)


def trace_cells(maps: CellMaps, *, chosen: npt.NDArray[np.intp]) -> CellRays:
    """Trace the cells of some nuclei among all.

    Parameters
    ----------
    maps : CellMaps
    chosen : ndarray of int, shape (n,)
        Which of the nuclei to trace.

    Returns
    -------
    CellRays
        In the order of `chosen`.
    """
    some = maps.found.nuclei.where(chosen)
    points = RayPoints.around(some.x, some.y, np.asarray(RAY_UM / maps.mpp, np.float32))
    nucleus = np.asarray(some.radii_px * (maps.mpp / STEP_UM), np.float32, order="F")
    line, blue = points.read(maps.dab), points.read(maps.blue)
    labels = points.read(maps.labels, nearest=True)
    limit = _limits(labels, line + blue < CLEAR_OD, chosen, nucleus)
    if some.cell_um is None:
        usual = np.minimum(nucleus + np.float32(_RIM_UM / STEP_UM), (nucleus + limit) / 2)
    else:
        usual = np.clip(np.asarray(some.cell_um / np.float32(STEP_UM), order="F"), nucleus + 1, limit)
    rays = CellRays(line, blue, nucleus, closed_paths(_cost(line, nucleus, usual, limit), prices=_BEND))
    if maps.found.expression is None:
        return rays
    # Within the outline as the network sees it: the line that ours follows may be a neighbour's.
    told_um = usual * np.float32(STEP_UM)
    return replace(rays, own=maps.found.expression.along(some.x, some.y, told_um))


def _label(nuclei: Nuclei, shape: tuple[int, ...]) -> Floats:
    """Draw nuclei as numbers from 1; float32 holds whole numbers up to 16 million exactly."""
    labels = np.zeros(shape, np.float32)
    # Not rint: it rounds halves to even, which depends on where the tile begins.
    corners = np.floor(ring_points(nuclei.x, nuclei.y, nuclei.radii_px) + 0.5 + 1e-6).astype(np.int32)
    for number, ring in enumerate(corners, start=1):
        cv2.fillPoly(labels, [ring], float(number))
    return labels


def _limits(
    labels: Floats, clear: npt.NDArray[np.bool_], chosen: npt.NDArray[np.intp], nucleus: Floats
) -> Floats:
    """How far each ray may go, in steps: just into the next nucleus, and to no far shore of a gap."""
    steps = np.arange(1, labels.shape[2] + 1, dtype=np.float32)
    foreign = is_beyond(nucleus, steps)
    foreign &= labels > 0
    foreign &= labels != (chosen + 1).astype(np.float32)[:, None, None]
    # Four clear samples, 2 µm, are a gap: what stains beyond it belongs to others.
    gap = is_beyond(nucleus + 1, steps[:-3])
    for k in range(4):
        gap &= clear[..., k : clear.shape[2] - 3 + k]
    length = labels.shape[2]
    limit = np.minimum(nucleus + np.float32(_WIDEST_UM / STEP_UM), _bound(foreign, length))
    return np.asarray(np.maximum(np.minimum(limit, _bound(gap, length)), nucleus + 1), np.float32)


def _bound(stops: npt.NDArray[np.bool_], length: int) -> Floats:
    """Two steps into what stops a ray; without that nearly its whole length."""
    first = first_places(stops)
    return np.where(first < stops.shape[2], first + 2, length - 4).astype(np.float32)


def _cost(line: Floats, nucleus: Floats, usual: Floats, limit: Floats) -> Floats:
    length = line.shape[2]
    steps = np.arange(1, length + 1, dtype=np.float32)
    padded = extended(line, 3, 4)
    inner = padded[..., :length] + padded[..., 1 : length + 1]
    inner /= 2
    sides = np.minimum(padded[..., 5 : length + 5], padded[..., 6 : length + 6])
    np.maximum(inner, sides, out=sides)
    ridge = np.subtract(line, sides, out=sides)
    np.clip(ridge, _RIDGE_LOW, _RIDGE_HIGH, out=ridge)
    cost = np.empty_like(ridge)
    np.abs(np.subtract(steps, usual[..., None], out=cost), out=cost)
    cost *= np.float32(_PULL)
    cost -= ridge
    outside = is_before(nucleus - np.float32(0.5), steps) | is_beyond(limit, steps)
    # Costs inside are far below 1; a maximum is taken several times as fast as a choice.
    barrier = np.multiply(outside, np.float32(2), out=ridge)
    barrier -= np.float32(1)
    return np.asarray(np.maximum(cost, barrier, out=cost), np.float32)
