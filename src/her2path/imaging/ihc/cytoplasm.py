"""Whether membranes can be told from what the cytoplasm stains.

Where the cytoplasm stains more strongly than the membranes stand out from it, lines of granules
and the edges of clear nuclei look like membranes.  A reader then repeats the stain; a measurement
that cannot be trusted must not become a score.  Rays are judged by how far membranes stand out; a learned
finder by how sure it is, which tells more: it knows granules, but not in every cytoplasm.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from her2path.imaging.ihc.calibration import Calibration

Floats = npt.NDArray[np.floating[Any]]


class Cytoplasm(StrEnum):
    """What the staining of the cytoplasm leaves of the membranes."""

    CLEAR = "clear"
    DOUBTFUL = "doubtful"
    """Membranes hardly stand out from it: a person must look."""
    OBSCURING = "obscuring"
    """Membranes cannot be told: no score."""


def judge_cytoplasm(
    contrast_od: Floats,
    cytoplasm_od: Floats,
    calibration: Calibration,
    *,
    certainty: Floats | None = None,
) -> Cytoplasm:
    """Compare the membranes of stained cells with the cytoplasm beside them.

    Parameters
    ----------
    contrast_od : ndarray of float32, shape (n,)
        Median rise of the stained contour over the cytoplasm, stained cells only.
    cytoplasm_od : ndarray of float32, shape (n,)
        Mean DAB of their cytoplasm; NaN where a nucleus fills its cell.
    calibration : Calibration
    certainty : ndarray of float32, shape (n,), optional
        Where a learned finder told what cells express: how sure it is of their stained contours.  It then
        decides in place of the contrast; NaN everywhere is none.

    Returns
    -------
    Cytoplasm
        `CLEAR` without a stained cell: then nothing was taken for a membrane.

    Examples
    --------
    >>> many = np.ones(50, np.float32)
    >>> judge_cytoplasm(0.17 * many, 0.12 * many, Calibration()).value
    'clear'
    >>> judge_cytoplasm(0.06 * many, 0.27 * many, Calibration()).value
    'obscuring'
    """
    known = np.isfinite(cytoplasm_od) & np.isfinite(contrast_od)
    if not known.any():
        return Cytoplasm.CLEAR
    density = float(np.median(cytoplasm_od[known]))
    if density < calibration.cytoplasm_od:
        return Cytoplasm.CLEAR
    dense = density >= calibration.dense_cytoplasm_od
    if certainty is not None and np.isfinite(certainty).any():
        sure = float(np.nanmedian(certainty))
        if dense and sure < calibration.unsure:
            return Cytoplasm.OBSCURING
        return Cytoplasm.DOUBTFUL if sure < calibration.sure else Cytoplasm.CLEAR
    rise = float(np.median(contrast_od[known])) / density
    if rise < (calibration.dense_obscured_rise if dense else calibration.obscured_rise):
        return Cytoplasm.OBSCURING
    return Cytoplasm.DOUBTFUL if rise < calibration.doubtful_rise else Cytoplasm.CLEAR
