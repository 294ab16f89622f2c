"""How much of an agreement two different categories are: weights of kappa and of Gwet's AC2."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Weighting(StrEnum):
    """Weights for categories in ascending order."""

    UNWEIGHTED = "unweighted"
    """Only the same category is an agreement."""
    LINEAR = "linear"
    """Falls with the number of steps between two categories."""
    QUADRATIC = "quadratic"
    """Falls with the square of the steps."""
    ORDINAL = "ordinal"
    """Falls with the number of pairs of categories in the range that the two span: uses their order only."""


def agreement_weights(weighting: Weighting, categories: int) -> Floats:
    """Give the agreement of each pair of categories.

    Parameters
    ----------
    weighting : Weighting
        Which weights.
    categories : int
        At least 2.

    Returns
    -------
    weights : ndarray of float64, shape (K, K)
        1 on the diagonal, 0 for the categories farthest apart.

    Raises
    ------
    ValueError
        Fewer than two categories.

    References
    ----------
    .. [1] Gwet, Handbook of Inter-Rater Reliability, 4th edition (2014), chapter 3.

    Examples
    --------
    >>> agreement_weights(Weighting.ORDINAL, 4)[0].round(3).tolist()
    [1.0, 0.833, 0.5, 0.0]
    """
    if categories < 2:
        raise ValueError(f"agreement needs two categories or more, got {categories}")
    place = np.arange(categories)
    steps = np.abs(place[:, None] - place)
    match weighting:
        case Weighting.UNWEIGHTED:
            apart = np.minimum(steps, 1)
        case Weighting.LINEAR:
            apart = steps
        case Weighting.QUADRATIC:
            apart = steps**2
        case Weighting.ORDINAL:
            apart = steps * (steps + 1) // 2
    weights: Floats = 1.0 - apart / apart.max()
    return weights
