"""Layout of an IHC phantom: where tissue, nests, lumens and cells lie.

Lengths are computed in µm and applied in pixels, so that one seed gives tissue of the same kind
at every pixel size (not the same tissue: the noise is drawn per pixel).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.ihc_spec import IhcPhantomSpec
from her2path.imaging.phantoms.texture import (
    Field,
    blurred,
    fibre_noise,
    pixel_grid,
    smooth_noise,
    stream,
    warped,
)

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int32]

EPITHELIUM_UM = 26.0
"""Height of the columnar epithelium of a gland."""
_HEX = float(np.sqrt(3) / 2)


@dataclass(frozen=True)
class TissueMap:
    """Regions of a phantom; all arrays have shape (M, N)."""

    tissue: Mask
    """Everything but glass."""
    nests: Mask
    """Tumour, lumens cut out."""
    lumen: Mask
    depth_um: Field
    """Depth below the surface of a nest (lumens filled); 0 outside."""
    fibre_angle: Field
    """Direction of the stroma's fibres in radians."""


@dataclass(frozen=True)
class CellMap:
    """Tumour cells; index 0 of the tables is unused so that labels index them."""

    labels: Labels
    """Shape (M, N); 0 = no tumour cell."""
    centre_px: npt.NDArray[np.float64]
    """Shape (n + 1, 2): x and y of the centroid."""
    core_px: npt.NDArray[np.float64]
    """Shape (n + 1, 2): x and y of the place where the cell is widest."""
    inradius_um: npt.NDArray[np.float64]
    """Shape (n + 1,): distance from the widest place to the border."""
    area_px: npt.NDArray[np.int64]
    apical: npt.NDArray[np.float64]
    """Shape (n + 1, 2): unit vector towards the lumen or the inside of the nest."""
    touches_edge: Mask
    """Shape (n + 1,): cut by the image's edge."""

    @property
    def count(self) -> int:
        """Number of tumour cells."""
        return len(self.area_px) - 1


def map_tissue(spec: IhcPhantomSpec, *, without: Mask | None = None) -> TissueMap:
    """Lay out glass, stroma, nests and lumens.

    Parameters
    ----------
    spec : IhcPhantomSpec
    without : ndarray of bool, shape (M, N), optional
        Where no tumour grows: other structures have their place there.
    """
    tissue = _tissue(spec)
    turn = smooth_noise(stream(spec.seed, "fibre angle"), spec.shape, 55 / spec.mpp)
    drift = np.float32(stream(spec.seed, "fibre drift").uniform(0, np.pi))
    angle = (drift + np.float32(0.6) * turn).astype(np.float32)
    nests = _nests(spec, tissue, angle)
    if without is not None:
        nests &= ~without
    depth = depth_below(nests, spec.mpp)
    lumen = _lumens(spec, depth)
    return TissueMap(tissue, nests & ~lumen, lumen, depth, _along_nests(depth, angle, spec.mpp))


def depth_below(region: Mask, mpp: float) -> Field:
    """Distance in µm of each pixel of a region from its surface; 0 outside; shape (M, N)."""
    inside = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(inside, dtype=np.float32) * np.float32(mpp)


def _tissue(spec: IhcPhantomSpec) -> Mask:
    shape, mpp = spec.shape, spec.mpp
    rng = stream(spec.seed, "background")
    field = smooth_noise(rng, shape, 130 / mpp)
    field += np.float32(0.10) * smooth_noise(rng, shape, 14 / mpp)
    field += np.float32(0.04) * smooth_noise(rng, shape, 4 / mpp)
    tissue = np.ones(shape, dtype=bool)
    if spec.background_fraction > 0:
        tissue &= field > np.quantile(field, spec.background_fraction)
    if spec.island:
        rows, cols = pixel_grid(shape)
        margin = np.minimum(np.minimum(rows, shape[0] - rows), np.minimum(cols, shape[1] - cols))
        tissue &= margin * np.float32(mpp) > 45 + 9 * np.clip(field, -3, 3)
    return tissue


def _nests(spec: IhcPhantomSpec, tissue: Mask, angle: Field) -> Mask:
    shape, mpp = spec.shape, spec.mpp
    rng = stream(spec.seed, "nests")
    if spec.architecture == "trabecular":
        # Cords one to two cells wide follow the fibres.
        field = fibre_noise(rng, angle, 0.55 * spec.cell_diameter_um / mpp, 3)
        field += np.float32(0.35) * smooth_noise(rng, shape, 45 / mpp)
        field += np.float32(0.15) * smooth_noise(rng, shape, 4 / mpp)
    else:
        scale = 42.0 if spec.architecture == "glandular" else 48.0
        field = smooth_noise(rng, shape, scale / mpp)
        field += np.float32(0.40) * smooth_noise(rng, shape, 20 / mpp)
        field += np.float32(0.10) * smooth_noise(rng, shape, 7 / mpp)
    sample = field[::4, ::4][tissue[::4, ::4]]
    if not sample.size:
        return np.zeros(shape, dtype=bool)
    cut = np.quantile(sample, 1 - spec.tumour_fraction)
    # Nests keep a rim of stroma towards the glass, so that the glass's edge is not a row of cells.
    rim = cv2.erode(tissue.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=round(5 / mpp))
    return np.asarray((field > cut) & (rim > 0))


def _epithelium_um(spec: IhcPhantomSpec) -> float:
    return EPITHELIUM_UM if spec.detail is None else spec.detail.epithelium_um


def _lumens(spec: IhcPhantomSpec, depth_um: Field) -> Mask:
    shape, mpp = spec.shape, spec.mpp
    rng = stream(spec.seed, "lumens")
    wobble = smooth_noise(rng, shape, 9 / mpp)
    if spec.architecture == "glandular":
        return np.asarray(depth_um > _epithelium_um(spec) + 2.5 * wobble)
    if spec.architecture in ("trabecular", "discohesive"):
        return np.zeros(shape, dtype=bool)
    holes = smooth_noise(rng, shape, 16 / mpp) + np.float32(0.12) * wobble
    return np.asarray((holes > 2.05) & (depth_um > 12))


def _along_nests(depth_um: Field, angle: Field, mpp: float) -> Field:
    """Turn the fibres so that they run along the surface of nests, as desmoplastic stroma does."""
    if not depth_um.any():
        return angle
    outside = cv2.distanceTransform((depth_um <= 0).astype(np.uint8), cv2.DIST_L2, 5) * np.float32(mpp)
    surface = blurred(outside, 8 / mpp)
    gx = cv2.Sobel(surface, cv2.CV_32F, 1, 0, ksize=5)
    gy = cv2.Sobel(surface, cv2.CV_32F, 0, 1, ksize=5)
    along = np.arctan2(gx, -gy)
    weight = np.exp(-outside / np.float32(30))
    # Directions are averaged as doubled angles: 0 and 180 degrees are the same fibre.
    c = weight * np.cos(2 * along) + (1 - weight) * np.cos(2 * angle)
    s = weight * np.sin(2 * along) + (1 - weight) * np.sin(2 * angle)
    return np.asarray(np.arctan2(s, c) / 2, dtype=np.float32)


def map_cells(spec: IhcPhantomSpec, tissue: TissueMap) -> CellMap:
    """Divide the nests into polygonal cells that share their borders."""
    seeds = _solid_seeds(spec)
    stratified = spec.detail is not None and spec.detail.stratified
    if spec.architecture == "glandular" and not stratified:
        seeds = _with_columns(spec, tissue, seeds)
    inside = tissue.nests & (tissue.depth_um > (1.5 if spec.architecture == "trabecular" else 3.0))
    rows, cols = seeds[:, 0], seeds[:, 1]
    seeds = seeds[inside[rows, cols]]
    if not len(seeds):
        return _measured(spec, np.zeros(spec.shape, np.int32), tissue)
    labels, reach = voronoi(spec.shape, seeds)
    limit = _reach_of_cells(spec, len(seeds))
    labels[~tissue.nests | (reach * spec.mpp > limit[labels])] = 0
    rng = stream(spec.seed, "waver")
    shift = [
        np.float32(0.35 / spec.mpp) * smooth_noise(rng, spec.shape, 2.4 / spec.mpp)
        + np.float32(1.1 / spec.mpp) * smooth_noise(rng, spec.shape, 6.0 / spec.mpp)
        for _ in range(2)
    ]
    return _measured(spec, warped(labels, shift[0], shift[1]), tissue)


def _reach_of_cells(spec: IhcPhantomSpec, n: int) -> npt.NDArray[np.float32]:
    """How far in µm each cell reaches from its seed at most; shape (n + 1,)."""
    if spec.architecture == "discohesive":
        # Cells without cohesion are round and do not fill the space between them.
        reach = stream(spec.seed, "cohesion").uniform(0.36, 0.62, n + 1) * spec.cell_diameter_um
        return np.asarray(reach, dtype=np.float32)
    limit = 1.5 if spec.architecture == "glandular" else 1.0
    return np.full(n + 1, limit * spec.cell_diameter_um, dtype=np.float32)


def _solid_seeds(spec: IhcPhantomSpec) -> npt.NDArray[np.int32]:
    """Scatter cell centres on a shaken hexagonal grid; shape (n, 2), rows and columns."""
    rng = stream(spec.seed, "cells")
    height, width = spec.size_um
    step = spec.cell_diameter_um
    r, c = np.mgrid[-1 : height / (step * _HEX) + 1, -1 : width / step + 1]
    points = np.stack([r * step * _HEX, (c + 0.5 * (r % 2)) * step], axis=-1).reshape(-1, 2)
    uneven = 0.21 if spec.detail is None else 0.18 + 0.12 * spec.detail.pleomorphism
    points = points + rng.normal(0, uneven * step, points.shape)
    # A missing centre makes its neighbours large: cells of a tumour differ in size.
    points = points[rng.random(len(points)) > 0.07]
    return _on_grid(spec, points / spec.mpp)


def _on_grid(spec: IhcPhantomSpec, points_px: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    grid = np.floor(points_px).astype(np.int32)
    inside = ((grid >= 0) & (grid < np.array(spec.shape))).all(axis=1)
    return np.unique(grid[inside], axis=0)


def _with_columns(
    spec: IhcPhantomSpec, tissue: TissueMap, solid: npt.NDArray[np.int32]
) -> npt.NDArray[np.int32]:
    """Put one row of narrow cells along half the height of each gland's epithelium."""
    rng = stream(spec.seed, "columns")
    middle = (tissue.depth_um > _epithelium_um(spec) / 2).astype(np.uint8)
    contours, _ = cv2.findContours(middle, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    width = 0.62 * spec.cell_diameter_um / spec.mpp
    rows = []
    for contour in contours:
        line = contour[:, 0, ::-1].astype(np.float64)
        if len(line) < 3 * width:
            continue
        length = np.cumsum(np.hypot(*np.diff(line, axis=0, prepend=line[:1]).T))
        at = np.arange(0, length[-1] - width / 2, width)
        at = at + rng.normal(0, 0.16 * width, len(at))
        place = line[np.clip(np.searchsorted(length, at), 0, len(line) - 1)]
        rows.append(place + rng.normal(0, 1.2 / spec.mpp, place.shape))
    if not rows:
        return solid
    columns = _on_grid(spec, np.concatenate(rows))
    _, reach = voronoi(spec.shape, columns)
    free = reach[solid[:, 0], solid[:, 1]] * spec.mpp > 1.05 * _epithelium_um(spec) / 2 + 2
    return np.unique(np.concatenate([columns, solid[free]]), axis=0)


def voronoi(shape: tuple[int, int], seeds: npt.NDArray[np.int32]) -> tuple[Labels, Field]:
    """Give each pixel its nearest seed (1, 2 ... in the order of `seeds`) and the distance in pixels."""
    plane = np.ones(shape, dtype=np.uint8)
    plane[seeds[:, 0], seeds[:, 1]] = 0
    reach, label = cv2.distanceTransformWithLabels(plane, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    table = np.zeros(int(label.max()) + 1, dtype=np.int32)
    table[label[seeds[:, 0], seeds[:, 1]]] = np.arange(1, len(seeds) + 1)
    return table[label], np.asarray(reach, dtype=np.float32)


def border_mask(labels: Labels) -> Mask:
    """Pixels of a cell that touch another cell or no cell (4-neighbourhood)."""
    edge = np.zeros(labels.shape, dtype=bool)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    return edge & (labels > 0)


def _measured(spec: IhcPhantomSpec, labels: Labels, tissue: TissueMap) -> CellMap:
    """Renumber the cells in reading order and measure them; slivers are dropped."""
    least = 0.12 * (spec.cell_diameter_um / spec.mpp) ** 2
    area = np.bincount(labels.ravel())
    area[0] = 0
    keep = np.flatnonzero(area >= least)
    table = np.zeros(len(area), dtype=np.int32)
    table[keep] = np.arange(1, len(keep) + 1)
    labels = table[labels]
    flat = labels.ravel()
    n = len(keep) + 1
    inside = (~border_mask(labels) & (labels > 0)).astype(np.uint8)
    inner = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 5), dtype=np.float32)
    rows, cols = pixel_grid(spec.shape)
    area_px = np.bincount(flat, minlength=n)
    area_px[0] = 0
    centre = _weighted_centre(flat, None, rows, cols, n)
    core = _weighted_centre(flat, inner**3, rows, cols, n)
    at = np.rint(core).astype(np.int32)
    inradius = spec.mpp * inner[np.clip(at[:, 1], 0, None), np.clip(at[:, 0], 0, None)].astype(np.float64)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    touches = np.isin(np.arange(n), edge)
    return CellMap(labels, centre, core, inradius, area_px, _apical(spec, tissue, at), touches)


def _weighted_centre(
    flat: Labels, weight: Field | None, rows: Field, cols: Field, n: int
) -> npt.NDArray[np.float64]:
    w = None if weight is None else weight.ravel()
    total = np.bincount(flat, weights=w, minlength=n) + (0 if w is None else 1e-9)
    moment = [
        np.bincount(flat, weights=axis.ravel() if w is None else axis.ravel() * w, minlength=n)
        for axis in (cols, rows)
    ]
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nan_to_num(np.stack([m / total for m in moment], axis=1)), dtype=np.float64)


def _apical(spec: IhcPhantomSpec, tissue: TissueMap, at: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    surface = blurred(tissue.depth_um, 5 / spec.mpp)
    gx = cv2.Sobel(surface, cv2.CV_32F, 1, 0, ksize=3)[at[:, 1], at[:, 0]]
    gy = cv2.Sobel(surface, cv2.CV_32F, 0, 1, ksize=3)[at[:, 1], at[:, 0]]
    length = np.hypot(gx, gy) + 1e-9
    return np.stack([gx / length, gy / length], axis=1).astype(np.float64)
