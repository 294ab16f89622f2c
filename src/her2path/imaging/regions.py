"""Drawn regions: as masks on any pixel grid, and as reasons not to count what lies at a place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

OUTSIDE_TUMOUR_REGION = "outside_tumour_region"
"""Reason: tumour regions were drawn and none of them holds the place."""
EXCLUDED_REGION = "excluded_region"
"""Reason: an excluded region holds the place; it outweighs the other."""


def region_reasons(
    x_px0: npt.NDArray[np.float64],
    y_px0: npt.NDArray[np.float64],
    tumour: shapely.MultiPolygon | None,
    excluded: shapely.MultiPolygon | None,
) -> npt.NDArray[np.object_]:
    """Say of every place why the drawn regions rule it out.

    Parameters
    ----------
    x_px0, y_px0 : ndarray of float64, shape (N,)
        Places in level-0 pixels.
    tumour, excluded : MultiPolygon, optional
        Regions that a person drew, level-0 pixels; None = not drawn.

    Returns
    -------
    reasons : ndarray of object, shape (N,)
        `EXCLUDED_REGION`, `OUTSIDE_TUMOUR_REGION` or None.

    Examples
    --------
    >>> left, top = (shapely.MultiPolygon([shapely.box(0, 0, *size)]) for size in ((2, 4), (4, 2)))
    >>> region_reasons(np.array([1.0, 3.0, 1.0]), np.array([3.0, 3.0, 1.0]), left, top)
    array([None, 'outside_tumour_region', 'excluded_region'], dtype=object)
    """
    reasons = np.full(len(x_px0), None, dtype=object)
    if tumour is not None:
        reasons[~shapely.contains_xy(tumour, x_px0, y_px0)] = OUTSIDE_TUMOUR_REGION
    if excluded is not None:
        reasons[shapely.contains_xy(excluded, x_px0, y_px0)] = EXCLUDED_REGION
    return reasons


def region_mask(
    regions: shapely.MultiPolygon,
    *,
    shape: tuple[int, int],
    px0_per_px: float,
    origin_px: tuple[float, float] = (0.0, 0.0),
) -> npt.NDArray[np.bool_]:
    """Rasterise regions: a pixel belongs to them if its centre does.

    Parameters
    ----------
    regions : MultiPolygon
        Level-0 pixels, valid.  Neighbouring regions never share a pixel and leave none out between
        them, because a centre on a border belongs to the region right of or below it.
    shape : tuple of two ints
        Rows and columns of the mask.
    px0_per_px : float
        Level-0 pixels per pixel of the mask.
    origin_px : tuple of two floats
        Row and column of the mask's top-left corner on the grid of its own pixels.

    Returns
    -------
    mask : ndarray of bool, shape `shape`

    Raises
    ------
    ValueError
        `px0_per_px` is not positive.

    Examples
    --------
    >>> square = shapely.MultiPolygon([shapely.box(2, 0, 4, 4)])
    >>> region_mask(square, shape=(2, 3), px0_per_px=2.0).astype(int).tolist()
    [[0, 1, 0], [0, 1, 0]]
    """
    if not px0_per_px > 0:
        raise ValueError(f"px0_per_px must be positive, got {px0_per_px}")
    height, width = shape
    edges = _edges(regions) / px0_per_px - np.array([origin_px[1], origin_px[0]] * 2)
    # Row r is crossed by an edge if its centre line y = r + 0.5 lies within [y_low, y_high).
    upward = edges[:, 1] > edges[:, 3]
    edges[upward] = edges[upward][:, [2, 3, 0, 1]]
    x0, y0, x1, y1 = edges.T
    first = np.clip(np.ceil(y0 - 0.5), 0, height).astype(np.int64)
    stop = np.clip(np.ceil(y1 - 0.5), 0, height).astype(np.int64)
    crossings = np.maximum(stop - first, 0)
    edge = np.repeat(np.arange(len(edges)), crossings)
    starts = np.cumsum(crossings) - crossings
    rows = np.arange(crossings.sum()) - starts[edge] + first[edge]
    x = x0[edge] + (rows + 0.5 - y0[edge]) * (x1 - x0)[edge] / (y1 - y0)[edge]
    cols = np.clip(np.ceil(x - 0.5), 0, width).astype(np.int64)
    # Every crossing flips inside and outside for all pixels right of it (even-odd rule, holes too).
    flips = np.zeros((height, width + 1), dtype=np.uint8)
    np.bitwise_xor.at(flips, (rows, cols), 1)
    return np.bitwise_xor.accumulate(flips[:, :width], axis=1).astype(bool)


def _edges(regions: shapely.MultiPolygon) -> npt.NDArray[np.float64]:
    """All edges of all rings, one per row: x0, y0, x1, y1."""
    rings = shapely.get_rings(shapely.get_parts(regions))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return np.hstack([xy[:-1][same], xy[1:][same]])
