"""What each tumour cell expresses and what its border shows.

A cell *expresses* an intensity along a part of its contour.  A border between two cells *shows*
the sum of both membranes.  The first is biology and the truth for scores; the second is all that
an image holds.  Both are measured on the contour pixels here, not copied from the spec.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import Intensity, Pattern
from her2path.imaging.phantoms.ihc_spec import (
    FAINT_CUT_OD,
    MEMBRANE_OD,
    MEMBRANE_SHARE,
    ClassShare,
    IhcPhantomSpec,
)
from her2path.imaging.phantoms.ihc_tissue import CellMap, border_mask
from her2path.imaging.phantoms.texture import smooth_noise, standardised, stream

Floats = npt.NDArray[np.float64]

COMPLETENESS: dict[Pattern, tuple[float, float]] = {
    Pattern.NONE: (0.0, 0.0),
    Pattern.INCOMPLETE: (0.25, 0.65),
    Pattern.BASOLATERAL: (0.60, 0.80),
    Pattern.COMPLETE: (0.95, 1.0),
}
"""Range of the stained share of the contour that is drawn for each pattern."""


@dataclass(frozen=True)
class Expression:
    """Staining per tumour cell; index 0 is unused so that labels index the arrays."""

    intensity: tuple[Intensity, ...]
    pattern: tuple[Pattern, ...]
    membrane_od: Floats
    """Shape (n + 1,): class density of the cell's membrane, varied by +-20 %."""
    wanted_completeness: Floats
    """Shape (n + 1,): share of the contour to be stained."""


@dataclass(frozen=True)
class Contours:
    """DAB of all contour pixels; arrays of shape (k,), in the order of `flat`."""

    flat: npt.NDArray[np.int64]
    """Index of the pixel in the raveled image."""
    cell: npt.NDArray[np.int32]
    own_od: Floats
    """What the cell itself brings to this pixel."""
    shown_od: Floats
    """What the pixel shows: own density and the neighbour's."""


@dataclass(frozen=True)
class BorderTruth:
    """Measured staining per tumour cell; arrays of shape (n + 1,), index 0 unused."""

    expressed_completeness: Floats
    shown_completeness: Floats
    shown_od: Floats
    """Mean density over the stained contour; 0 where nothing is stained."""


def assign_expression(spec: IhcPhantomSpec, cells: CellMap) -> Expression:
    """Give every cell its class so that the shares of the spec hold to one cell."""
    rng = stream(spec.seed, "classes")
    n = cells.count
    field = smooth_noise(rng, spec.shape, 55 / spec.mpp)
    at = np.rint(cells.centre_px[1:]).astype(np.int64)
    patch = standardised(field[at[:, 1], at[:, 0]].astype(np.float64)) if n else np.zeros(0)
    mix = spec.patchiness
    order = np.argsort(-(mix * patch + 0.75 * (1 - mix) * rng.standard_normal(n)), kind="stable")
    if mix == 0:
        order = rng.permutation(n)
    # Patches are strongest in their middle: classes are handed out from strong to faint.
    ranked = sorted(spec.classes, key=lambda share: -_weight(share))
    kinds: list[tuple[Intensity, Pattern]] = [(Intensity.NONE, Pattern.NONE)] * (n + 1)
    start = 0
    for share, count in zip(ranked, _whole_cells([s.fraction for s in ranked], n), strict=True):
        for cell in order[start : start + count]:
            kinds[int(cell) + 1] = (share.intensity, share.pattern)
        start += count
    level = np.array([MEMBRANE_OD[intensity] for intensity, _ in kinds])
    low, high = np.array([COMPLETENESS[pattern] for _, pattern in kinds]).T
    vary = stream(spec.seed, "levels")
    return Expression(
        tuple(intensity for intensity, _ in kinds),
        tuple(pattern for _, pattern in kinds),
        level * vary.uniform(0.8, 1.2, n + 1),
        vary.uniform(low, high),
    )


def _weight(share: ClassShare) -> float:
    return MEMBRANE_OD[share.intensity] + 0.01 * (share.pattern is Pattern.COMPLETE)


def _whole_cells(fractions: Sequence[float], n: int) -> list[int]:
    """Round cumulative shares, so that the sum never exceeds `n` and no share is off by a cell."""
    edges = np.floor(np.cumsum([0.0, *fractions]) * n + 0.5).astype(int)
    return [int(count) for count in np.diff(edges)]


def stain_contours(spec: IhcPhantomSpec, cells: CellMap, expression: Expression) -> Contours:
    """Compute the DAB density of every contour pixel from both sides of the border."""
    labels = cells.labels.ravel()
    flat = np.flatnonzero(border_mask(cells.labels).ravel())
    cell = labels[flat]
    stained = _stained(spec, cells, expression, flat, cell)
    # Deposits vary along a membrane.
    uneven = smooth_noise(stream(spec.seed, "uneven"), spec.shape, 1.6 / spec.mpp).ravel()[flat]
    factor = np.clip(1 + 0.22 * uneven, 0.45, 1.6)
    own = np.where(stained, expression.membrane_od[cell] * MEMBRANE_SHARE * factor, 0.0)
    plane = np.zeros(labels.shape, dtype=np.float64)
    plane[flat] = own
    return Contours(flat, cell, own, own + _neighbour_od(cells.labels, plane, flat, cell))


def _stained(
    spec: IhcPhantomSpec,
    cells: CellMap,
    expression: Expression,
    flat: npt.NDArray[np.int64],
    cell: npt.NDArray[np.int32],
) -> npt.NDArray[np.bool_]:
    """Stain exactly the wanted share of each contour, in one to three arcs."""
    width = spec.width_px
    dx = flat % width - cells.centre_px[cell, 0]
    dy = flat // width - cells.centre_px[cell, 1]
    theta = np.arctan2(dy, dx)
    rng = stream(spec.seed, "arcs")
    n = cells.count + 1
    arcs = np.zeros(len(flat))
    for k, amplitude in ((1, 1.0), (2, 0.8), (3, 0.6), (5, 0.25)):
        size = amplitude * rng.uniform(0.3, 1.0, n)
        arcs += size[cell] * np.cos(k * theta + rng.uniform(0, 2 * np.pi, n)[cell])
    apical = (np.cos(theta) * cells.apical[cell, 0]) + (np.sin(theta) * cells.apical[cell, 1])
    polar = np.array([pattern is Pattern.BASOLATERAL for pattern in expression.pattern])
    height = np.where(polar[cell], -apical + 0.1 * arcs, arcs)
    order = np.lexsort((height, cell))
    size_of = np.bincount(cell, minlength=n)
    first = np.cumsum(size_of) - size_of
    rank = np.empty(len(flat))
    rank[order] = np.arange(len(flat)) - first[cell[order]]
    share = (rank + 0.5) / size_of[cell]
    return np.asarray(share >= 1 - expression.wanted_completeness[cell])


def _neighbour_od(
    labels: npt.NDArray[np.int32],
    own: Floats,
    flat: npt.NDArray[np.int64],
    cell: npt.NDArray[np.int32],
) -> Floats:
    """Density that the cell across the border brings; the first touching cell counts."""
    height, width = labels.shape
    ravel = labels.ravel()
    row, col = flat // width, flat % width
    other = np.zeros(len(flat))
    found = np.zeros(len(flat), dtype=bool)
    for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        inside = (row + dr >= 0) & (row + dr < height) & (col + dc >= 0) & (col + dc < width)
        there = np.where(inside, flat + dr * width + dc, flat)
        touching = inside & ~found & (ravel[there] > 0) & (ravel[there] != cell)
        other[touching] = own[there[touching]]
        found |= touching
    return other


def measure_borders(contours: Contours, n_cells: int) -> BorderTruth:
    """Measure completeness and density per cell from its contour pixels."""
    n = n_cells + 1
    size = np.maximum(np.bincount(contours.cell, minlength=n), 1)
    expressed = np.bincount(contours.cell, weights=contours.own_od > 0, minlength=n)
    over = contours.shown_od >= FAINT_CUT_OD
    shown = np.bincount(contours.cell, weights=over, minlength=n)
    total = np.bincount(contours.cell, weights=contours.shown_od * over, minlength=n)
    return BorderTruth(expressed / size, shown / size, total / np.maximum(shown, 1))


def nearest_pieces(
    shape: tuple[int, ...], contours: Contours
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp]]:
    """Find the piece of contour that lies nearest to each pixel; there must be one.

    Returns
    -------
    distance : ndarray of float32, shape (M, N)
        In pixels.
    piece : ndarray of int, shape (M, N)
        Place in the arrays of `contours`.
    """
    away = np.ones(shape, np.uint8)
    away.ravel()[contours.flat] = 0
    distance, label = cv2.distanceTransformWithLabels(away, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    places = np.zeros(int(label.max()) + 1, np.intp)
    places[label.ravel()[contours.flat]] = np.arange(len(contours.flat))
    return np.asarray(distance, np.float32), places[label]


def own_plane(labels: npt.NDArray[np.int32], contours: Contours) -> npt.NDArray[np.float32]:
    """Lay what every cell expresses over its whole body, each place with the nearest piece of contour.

    Parameters
    ----------
    labels : ndarray of int32, shape (M, N)
        Cell at each pixel, 0 = none.
    contours : Contours

    Returns
    -------
    own : ndarray of float32, shape (M, N)
        Class density (what the membrane shows beside equal neighbours is 1.2 times as much); 0 where the
        nearest piece is unstained and off cells.
    """
    if not len(contours.flat):
        return np.zeros(labels.shape, np.float32)
    density = np.asarray(contours.own_od / MEMBRANE_SHARE, np.float32)
    _, piece = nearest_pieces(labels.shape, contours)
    return np.where(labels > 0, density[piece], np.float32(0))
