"""Whether stated chances come true: reliability diagram, expected calibration error, Brier score.

All of it follows from three sums in each of some bins, which add up over images; so an interval that
draws images again needs those sums only, not the chances themselves.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BINS = 10
"""Bins of equal width; Guo 2017 takes 15 for 5 000 and more pictures, ours may be a few hundred cells."""
ROWS = ("n", "chances", "come_true")
"""Rows of the sums: how many, the sum of their chances, how many came true."""
Sums = npt.NDArray[np.float64]


def reliability_sums(chance: npt.NDArray[np.floating], came_true: npt.NDArray[np.bool_]) -> Sums:
    """Sort chances into bins and sum them up.

    Parameters
    ----------
    chance : ndarray of float, shape (n,)
        0 to 1.
    came_true : ndarray of bool, shape (n,)

    Returns
    -------
    sums : ndarray of float64, shape (3, BINS)
        Rows as in `ROWS`; a chance on the edge of two bins belongs to the upper one, as in
        `sklearn.calibration.calibration_curve`.

    Raises
    ------
    ValueError
        A chance lies outside 0 to 1.

    Examples
    --------
    >>> sums = reliability_sums(np.array([0.1, 0.9, 0.95]), np.array([False, True, False]))
    >>> sums[:, 9].tolist()
    [2.0, 1.85, 1.0]
    """
    if chance.size and not (chance.min() >= 0 and chance.max() <= 1):
        raise ValueError("chances lie between 0 and 1")
    values = np.asarray(chance, np.float64)
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    place = np.searchsorted(inner, values, side="right")
    weights = (np.ones_like(values), values, came_true.astype(np.float64))
    return np.stack([np.bincount(place, weights=weight, minlength=BINS) for weight in weights])


def expected_calibration_error(sums: Sums) -> npt.NDArray[np.float64]:
    """Weigh the distances between what was said and what came true by how often it was said.

    Parameters
    ----------
    sums : ndarray of float64, shape (..., 3, BINS)
        See `reliability_sums`; leading axes are samples.

    Returns
    -------
    error : ndarray of float64, shape (...)
        0 to 1; NaN where there is no chance at all.

    References
    ----------
    .. [1] Naeini, Cooper & Hauskrecht, AAAI 2015, p. 2901.
    .. [2] Guo et al., On calibration of modern neural networks, ICML 2017.

    Examples
    --------
    >>> float(expected_calibration_error(reliability_sums(np.array([0.75, 0.75]), np.array([True, False]))))
    0.25
    """
    count = sums[..., 0, :].sum(axis=-1)
    gap = np.abs(sums[..., 1, :] - sums[..., 2, :]).sum(axis=-1)
    return np.asarray(np.divide(gap, count, out=np.full(np.shape(count), np.nan), where=count > 0))


def points(sums: Sums) -> list[tuple[float, float, int]]:
    """List mean chance, share that came true, and number of each bin that is not empty.

    Examples
    --------
    >>> points(reliability_sums(np.array([0.5, 0.5]), np.array([True, False])))
    [(0.5, 0.5, 2)]
    """
    count, chances, true = sums
    return [
        (float(chances[b] / count[b]), float(true[b] / count[b]), int(count[b]))
        for b in range(BINS)
        if count[b] > 0
    ]
