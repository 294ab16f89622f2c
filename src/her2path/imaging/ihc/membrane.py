"""Membrane staining of single cells: how strong it is and how much of the contour it covers.

A stained membrane is a *brown line*: DAB on the contour rises over the cytoplasm on its inner side
and falls again on its outer side, and the rise is brown, not grey or blue.  So neither a blush of
the cytoplasm, nor a tinted background, nor the edge of a nucleus, nor a refracting fibre counts,
however dark it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.cells import CellRays
from her2path.imaging.ihc.rays import ANGLES, Floats, at, ring_lengths

_REACH = 6
"""Samples that the measures look beyond the contour, 3 µm."""
_RIM_STEPS = 2
"""Samples between cytoplasm and contour: the width of a membrane after blur, 1 µm."""
_LEAK = 0.12
"""Share of a nucleus' hematoxylin that sharpening and chroma subsampling turn into a false brown rim."""
_LEAK_STEPS = 3.0
"""Distance from the nucleus' outline over which that rim fades, 1.5 µm."""
_FEW = 8
"""Cytoplasm samples below which a cell has no cytoplasm to speak of."""


@dataclass(frozen=True, slots=True)
class Membranes:
    """Staining of the membranes of n cells (decadic OD; NaN where there is nothing to measure).

    NaN stays within `imaging`; tables hold null instead.
    """

    completeness: Floats
    """Stained share of the contour's length, 0 to 1."""
    connectivity: Floats
    """Longest stained run as a share of the contour's length, 0 to 1."""
    od: Floats
    """Median DAB over the stained contour."""
    contrast_od: Floats
    """Median rise over the cytoplasm beside the stained contour."""
    cytoplasm_od: Floats
    nucleus_od: Floats
    """Mean DAB over the nucleus."""


def measure_membranes(rays: CellRays, calibration: Calibration) -> Membranes:
    """Measure the membranes of traced cells.

    Parameters
    ----------
    rays : CellRays
    calibration : Calibration
        From which rise a piece of contour counts as stained.

    Returns
    -------
    Membranes
    """
    steps = np.arange(1, rays.dab.shape[2] + 1, dtype=np.float32)
    contour = (rays.contour + 1)[..., None]
    cytoplasm = (steps > rays.nucleus[..., None] + 1) & (steps < contour - _RIM_STEPS)
    nucleus = np.asarray((steps < rays.nucleus[..., None] - 1) * steps, np.float32)
    count = cytoplasm.sum(axis=2)
    levels = [_levels(samples, cytoplasm, nucleus, count) for samples in (rays.dab, rays.brown)]
    line_od, above, rise = _rise(rays, levels)
    rise = rise - _leak(rays, nucleus)
    stained = rise >= calibration.stained_rise_od
    length = ring_lengths(rays.contour_um)
    share = np.asarray(length / length.sum(axis=1, keepdims=True), np.float32)
    has_cytoplasm = count.sum(axis=1) >= _FEW
    return Membranes(
        completeness=np.asarray((stained * share).sum(axis=1), np.float32),
        connectivity=_longest_run(stained, share),
        od=_median(line_od, stained),
        contrast_od=_median(above, stained),
        cytoplasm_od=np.asarray(np.where(has_cytoplasm, levels[0].cell, np.nan), np.float32),
        nucleus_od=levels[0].nucleus,
    )


@dataclass(frozen=True, slots=True)
class _Levels:
    """Level of one map in the cytoplasm beside each ray, in the whole cytoplasm, in the nucleus."""

    beside: Floats
    cell: Floats
    nucleus: Floats


def _levels(
    samples: Floats, cytoplasm: npt.NDArray[np.bool_], nucleus: Floats, count: npt.NDArray[np.intp]
) -> _Levels:
    in_nucleus = (samples * nucleus).sum(axis=(1, 2)) / np.maximum(nucleus.sum(axis=(1, 2)), 1)
    sums = (samples * cytoplasm).sum(axis=2)
    total = count.sum(axis=1)
    # A nucleus that fills its cell stands for the cytoplasm that cannot be seen.
    cell = np.where(total >= _FEW, sums.sum(axis=1) / np.maximum(total, 1), in_nucleus)
    beside = np.where(count >= 2, sums / np.maximum(count, 1), cell[:, None])
    beside = (beside + cell[:, None]) / 2
    return _Levels(*(np.asarray(level, np.float32) for level in (beside, cell, in_nucleus)))


def _rise(rays: CellRays, levels: list[_Levels]) -> tuple[Floats, Floats, Floats]:
    """DAB on the contour, over the cytoplasm, and as a brown line over both sides; all (n, ANGLES)."""
    dab = np.pad(rays.dab, ((0, 0), (0, 0), (_REACH, _REACH)), mode="edge")
    brown = np.pad(rays.brown, ((0, 0), (0, 0), (_REACH, _REACH)), mode="edge")
    place = rays.contour + _REACH
    line = np.maximum.reduce([at(dab, place + k) for k in (-1, 0, 1)])
    brown_line = np.maximum.reduce([at(brown, place + k) for k in (-1, 0, 1)])
    outside, brown_outside = (_middle([at(stain, place + k) for k in (2, 3, 4)]) for stain in (dab, brown))
    rise = np.minimum(
        line - np.maximum(levels[0].beside, outside),
        brown_line - np.maximum(levels[1].beside, brown_outside),
    )
    smooth = (np.roll(rise, 1, axis=1) + 2 * rise + np.roll(rise, -1, axis=1)) / 4
    return line, np.asarray(line - levels[0].beside, np.float32), np.asarray(smooth, np.float32)


def _middle(three: list[Floats]) -> Floats:
    """Median of three images: neither a line 2 µm further out nor the edge of the tissue decides."""
    low, high = np.minimum(three[0], three[1]), np.maximum(three[0], three[1])
    return np.maximum(low, np.minimum(high, three[2]))


def _leak(rays: CellRays, nucleus: Floats) -> Floats:
    """Estimate the false rise at the outline of a dark nucleus, shape (n, ANGLES)."""
    blue = (rays.blue * nucleus).sum(axis=(1, 2)) / np.maximum(nucleus.sum(axis=(1, 2)), 1)
    distance = np.maximum(rays.contour + 1 - rays.nucleus, 0)
    fade = np.clip(1 - distance / np.float32(_LEAK_STEPS), 0, 1)
    return np.asarray(np.float32(_LEAK) * blue[:, None] * fade, np.float32)


def _median(values: Floats, chosen: npt.NDArray[np.bool_]) -> Floats:
    """Median of the chosen values of each row; NaN where none is chosen."""
    ordered = np.sort(np.where(chosen, values, np.inf), axis=1)
    count = chosen.sum(axis=1)
    low = np.maximum((count - 1) // 2, 0)[:, None]
    high = np.minimum(count // 2, values.shape[1] - 1)[:, None]
    pair = np.take_along_axis(ordered, np.concatenate([low, high], axis=1), axis=1)
    pair[count == 0] = np.nan
    return np.asarray(pair.mean(axis=1), np.float32)


def _longest_run(stained: npt.NDArray[np.bool_], share: Floats) -> Floats:
    """Longest stained run around each contour; a break of one ray (2 µm) is bridged, not counted."""
    bridged = stained | (np.roll(stained, 1, axis=1) & np.roll(stained, -1, axis=1))
    counted = share * stained
    run = np.zeros(len(stained), np.float32)
    longest = np.zeros(len(stained), np.float32)
    for ray in range(2 * ANGLES):
        run = np.where(bridged[:, ray % ANGLES], run + counted[:, ray % ANGLES], 0).astype(np.float32)
        longest = np.maximum(longest, run)
    return np.asarray(np.minimum(longest, counted.sum(axis=1)), np.float32)
