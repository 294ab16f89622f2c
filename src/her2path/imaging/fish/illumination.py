"""Uneven illumination of a camera's field, learnt from its own signals and evened out.

The excitation falls off towards the border of a field, so that a signal there is fainter than the same
one in the middle and the copies of a cluster would be underestimated.  Every signal is a sample of the
light at its place: their heights, each with its own chance, give the smooth surface.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Image = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

_MIN_SIGNALS = 120
"""Fewest signals for a surface of six coefficients: of a spread of 40 % each is then known to 4 %."""
_SURE = 1e-4
"""Chance of a fit as good as this on an even field, below which the surface is believed."""
_DARKEST = 0.35
"""A field's border is never taken for darker than this share of its brightest place."""


@dataclass(frozen=True, slots=True)
class Illumination:
    """Light over a field of a given size, 1 at its brightest place."""

    height: int
    width: int
    coefficients: tuple[float, ...]
    """Of 1, y, x, y^2, x y, x^2 with y and x from -1 to 1 over the field; the logarithm of the light."""

    def at(self, rows: Floats, cols: Floats) -> Floats:
        """Light at places in pixels, `_DARKEST` to 1."""
        light: Floats = np.clip(np.exp(self._logarithm(rows, cols) - self._grid.max()), _DARKEST, 1.0)
        return light

    @property
    def unevenness_frac(self) -> float:
        """By how much the dimmest place of the field falls short of the brightest, 0 to 1."""
        return 1 - float(np.clip(np.exp(self._grid.min() - self._grid.max()), _DARKEST, 1.0))

    def even(self, plane: Image, *, floor: float, level: float = 1.0) -> Image:
        """Bring what lies above `floor` to what it would be where the light is `level`."""
        gain = np.float32(level) / self._full(plane.shape)
        evened: Image = np.float32(floor) + (plane - np.float32(floor)) * gain
        return evened

    @property
    def _grid(self) -> Floats:
        """Logarithm of the light on a grid of places over the field."""
        rows, cols = np.meshgrid(
            np.linspace(0, self.height, 33), np.linspace(0, self.width, 33), indexing="ij"
        )
        return self._logarithm(rows.ravel(), cols.ravel())

    def _logarithm(self, rows: Floats, cols: Floats) -> Floats:
        surface: Floats = _terms(rows, cols, self.height, self.width) @ np.array(self.coefficients)
        return surface

    def _full(self, shape: tuple[int, ...]) -> Image:
        # The exponent is a polynomial: a row and a column of terms give the whole surface.
        c = self.coefficients
        y = (np.arange(shape[0]) + 0.5) / self.height * 2 - 1
        x = (np.arange(shape[1]) + 0.5) / self.width * 2 - 1
        of_row = (c[0] - float(self._grid.max()) + c[1] * y + c[3] * y**2).astype(np.float32)
        of_col = (c[2] * x + c[5] * x**2).astype(np.float32)
        surface = of_row[:, None] + of_col[None, :] + np.outer(c[4] * y, x).astype(np.float32)
        full: Image = np.clip(np.exp(surface), _DARKEST, 1.0).astype(np.float32)
        return full


def learn_illumination(
    rows: Floats, cols: Floats, heights: Floats, *, shape: tuple[int, int]
) -> Illumination | None:
    """Fit a smooth surface to the heights of lone signals.

    Parameters
    ----------
    rows, cols : ndarray of float64, shape (N,)
        Places in pixels.
    heights : ndarray of float64, shape (N,)
        Of the signals, > 0.
    shape : tuple of two int
        Height and width of the field.

    Returns
    -------
    illumination : Illumination or None
        None with fewer than 120 signals, or where the field is as even as chance would have it.

    References
    ----------
    .. [1] Peng et al., Nat Commun 8:14836 (2017), BaSiC: shading estimated from the images themselves; here
       from signals, as one field is all there is.
    """
    kept = np.ones(len(rows), bool)
    logs = np.log(heights)
    terms = _terms(rows, cols, *shape)
    coefficients: Floats = np.zeros(terms.shape[1])
    for _ in range(4):
        if kept.sum() < _MIN_SIGNALS:
            return None
        coefficients = np.asarray(np.linalg.lstsq(terms[kept], logs[kept], rcond=None)[0], np.float64)
        rest = logs - terms @ coefficients
        kept = np.abs(rest) <= 2.5 * float(np.std(rest[kept]))
    number, free = int(kept.sum()), terms.shape[1] - 1
    total = float(((logs[kept] - logs[kept].mean()) ** 2).sum())
    left = float(((logs[kept] - terms[kept] @ coefficients) ** 2).sum())
    if left <= 0 or total <= left:
        return None
    strength = ((total - left) / free) / (left / (number - free - 1))
    if float(stats.f.sf(strength, free, number - free - 1)) > _SURE:
        return None
    return Illumination(*shape, tuple(float(c) for c in coefficients))


def _terms(rows: Floats, cols: Floats, height: int, width: int) -> Floats:
    y, x = rows / height * 2 - 1, cols / width * 2 - 1
    return np.stack([np.ones_like(y), y, x, y**2, x * y, x**2], axis=1)
