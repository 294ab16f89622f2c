"""How evenly staining is spread over a slide."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FIELD_UM = 250.0
"""Edge of a field: about a high-power field of a microscope."""
MIN_CELLS = 30
"""Fewest scored cells of a field that counts."""


def measure_heterogeneity(
    x_um: npt.NDArray[np.float64], y_um: npt.NDArray[np.float64], scores: npt.NDArray[np.int8]
) -> dict[str, float]:
    """Compare the H-scores of square fields.

    Parameters
    ----------
    x_um, y_um : ndarray of float64, shape (n,)
        Places of the scored cells.
    scores : ndarray of int8, shape (n,)
        Their scores, 0 to 3.

    Returns
    -------
    dict
        ``fields``: number of fields of 250 µm with 30 scored cells or more; with two of them or
        more also ``h_score_low`` and ``h_score_high``: 10th and 90th percentile of their H-scores.

    Examples
    --------
    >>> measure_heterogeneity(np.zeros(3), np.zeros(3), np.zeros(3, np.int8))
    {'fields': 0.0}
    """
    fields, place = np.unique(
        np.column_stack([x_um // FIELD_UM, y_um // FIELD_UM]), axis=0, return_inverse=True
    )
    counts = np.bincount(place.ravel(), minlength=len(fields))
    sums = np.bincount(place.ravel(), weights=scores, minlength=len(fields))
    enough = counts >= MIN_CELLS
    found = {"fields": float(enough.sum())}
    if enough.sum() >= 2:
        low, high = np.quantile(100 * sums[enough] / counts[enough], (0.1, 0.9))
        found |= {"h_score_low": round(float(low), 2), "h_score_high": round(float(high), 2)}
    return found
