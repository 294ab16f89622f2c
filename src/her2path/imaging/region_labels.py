"""Which of several areas each pixel of a grid belongs to, whatever the size of the slide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from her2path.imaging.regions import region_mask

Labels = npt.NDArray[np.uint8]
_BAND_ROWS = 512
"""Rows that are rasterised at once."""


def label_areas(
    areas: Sequence[shapely.MultiPolygon | npt.NDArray[np.bool_]],
    *,
    shape: tuple[int, int],
    px0_per_px: float,
    px0_per_mask_px: float,
) -> Labels:
    """Label the pixels of a grid by the area that holds their centre.

    Parameters
    ----------
    areas : sequence of MultiPolygon or ndarray of bool
        Outlines in level-0 pixels, or masks that begin at the corner of level 0.  Where two meet the
        later one names the pixel.
    shape : tuple of two ints
        Rows and columns of the grid.
    px0_per_px, px0_per_mask_px : float
        Level-0 pixels per pixel of the grid, and per pixel of the masks.

    Returns
    -------
    ndarray of uint8, shape `shape`
        Place of the area + 1; 0 = none.  Beside it memory is that of a band of rows.

    Examples
    --------
    >>> left, top = (shapely.MultiPolygon([shapely.box(0, 0, *size)]) for size in ((4, 8), (8, 4)))
    >>> label_areas([left, top], shape=(2, 2), px0_per_px=4.0, px0_per_mask_px=8.0).tolist()
    [[2, 2], [1, 0]]
    """
    labels = np.zeros(shape, np.uint8)
    for top in range(0, shape[0], _BAND_ROWS):
        band = labels[top : top + _BAND_ROWS]
        for number, area in enumerate(areas, start=1):
            if isinstance(area, np.ndarray):
                held = _sampled(area, top, (band.shape[0], shape[1]), px0_per_px / px0_per_mask_px)
            else:
                held = region_mask(
                    area, shape=(band.shape[0], shape[1]), px0_per_px=px0_per_px, origin_px=(top, 0)
                )
            band[held] = number
    return labels


def _sampled(
    mask: npt.NDArray[np.bool_], top: int, shape: tuple[int, int], mask_px_per_px: float
) -> npt.NDArray[np.bool_]:
    """Read a mask at the centres of the pixels of a band."""
    rows = ((np.arange(top, top + shape[0]) + 0.5) * mask_px_per_px).astype(np.intp)
    columns = ((np.arange(shape[1]) + 0.5) * mask_px_per_px).astype(np.intp)
    inside = np.ix_(rows[rows < mask.shape[0]], columns[columns < mask.shape[1]])
    out = np.zeros(shape, np.bool_)
    found = mask[inside]
    out[: found.shape[0], : found.shape[1]] = found
    return out
