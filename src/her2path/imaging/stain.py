"""Optical density, and separation of hematoxylin and DAB in bright-field RGB.

All optical densities are *decadic*: ``OD = -log10(I / I0)``, and the amount of a stain is the
coefficient of its *unit* vector in OD space.  `skimage.color.separate_stains` returns OD / 6
(it takes logarithms to the base 1e-6); never mix the two.

Grey matter (refracting fibres, red cells, dust) lies in OD space close to the sum of the two
stain vectors, so two-stain separation gives it like amounts of both.  What counts as brown is
therefore decided later, where the hematoxylin beside the DAB is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

_STRIP = 64
"""Rows at once: few enough for the processor's cache."""

Rgb = tuple[float, float, float]
WhiteOrigin = Literal["estimated", "lightest_tissue", "default"]
"""From glass; bounded by the lightest places of tissue that fills its image; a usual scanner's."""
VectorOrigin = Literal["estimated", "blended", "default"]
"""The slide's own; between its own and the published one, for want of pixels; the published one."""

DEFAULT_WHITE: Rgb = (245.0, 245.0, 245.0)
"""Blank field of a scanner that is set up well; used where a slide shows nothing bright at all."""
RUIFROK_HEMATOXYLIN: Rgb = (0.650, 0.704, 0.286)
RUIFROK_DAB: Rgb = (0.268, 0.570, 0.776)
"""Stain vectors of Ruifrok & Johnston (2001)."""


@dataclass(frozen=True, slots=True)
class StainModel:
    """White point and stain vectors of one slide."""

    white: Rgb = DEFAULT_WHITE
    hematoxylin: Rgb = RUIFROK_HEMATOXYLIN
    dab: Rgb = RUIFROK_DAB
    white_origin: WhiteOrigin = "default"
    hematoxylin_origin: VectorOrigin = "default"
    dab_origin: VectorOrigin = "default"
    hematoxylin_weight: float = 0.0
    """Weight of the slide's own pixels against the published vector, 0 to 1."""
    dab_weight: float = 0.0

    def __post_init__(self) -> None:
        if not all(1 <= channel <= 255 for channel in self.white):
            raise ValueError(f"a white point lies within 1 to 255, got {self.white}")
        for vector in (self.hematoxylin, self.dab):
            if not 0.9 < float(np.linalg.norm(vector)) < 1.1:
                raise ValueError(f"a stain vector has length 1, got {vector}")
        if float(np.dot(self.hematoxylin, self.dab)) > 0.97:
            raise ValueError("hematoxylin and DAB are too alike to be separated")

    def unmixing(self) -> npt.NDArray[np.float32]:
        """Matrix (3, 3) from densities of R, G, B to amounts of hematoxylin, DAB and a residual.

        The third stain is the direction at right angles to both, so that colours which neither
        stain explains do not leak into them.
        """
        third = np.cross(self.hematoxylin, self.dab)
        stains = np.stack([self.hematoxylin, self.dab, third / np.linalg.norm(third)], axis=1)
        return np.asarray(np.linalg.inv(stains), np.float32)


@dataclass(frozen=True, slots=True)
class StainAmounts:
    """Amounts of the two stains, float32 (M, N), decadic OD of the unit vectors; may be < 0 by noise."""

    hematoxylin: npt.NDArray[np.float32]
    dab: npt.NDArray[np.float32]
    residual: npt.NDArray[np.float32] | None = None
    """What neither explains, if it was asked for: about 0, but for other colours."""


def steadied(image: npt.NDArray[np.float32] | cv2.typing.MatLike) -> npt.NDArray[np.float32]:
    """Round densities to 1/4096.

    Vector units sum in another order at the end of a row than within it, so the last digits of a
    filtered pixel depend on where a tile was cut.  Rounded, they do not, and a decision that hangs
    on them falls the same way everywhere.
    """
    # Of numbers between 2048 and 4096 single precision keeps just these digits.
    rounded = np.add(np.asarray(image, np.float32), np.float32(3072))
    rounded -= np.float32(3072)
    return rounded


def density_table(white: Rgb) -> npt.NDArray[np.float32]:
    """Decadic OD of every grey level, shape (256, 3); 0 is read as 1 so that it stays finite."""
    levels = np.maximum(np.arange(256, dtype=np.float64), 1)[:, None]
    return np.asarray(-np.log10(levels / np.asarray(white)), np.float32)


def optical_density(rgb: npt.NDArray[np.uint8], *, white: Rgb = DEFAULT_WHITE) -> npt.NDArray[np.float32]:
    """Convert RGB to decadic optical density.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
        Bright-field image; 0 is opaque.
    white : tuple of three floats
        Blank-field intensity I0 per channel, same scale as `rgb`.

    Returns
    -------
    od : ndarray of float32, shape (M, N, 3)
        Optical density; slightly below 0 where a pixel is brighter than the blank field.  A zero
        is read as 1 so that the result is finite.

    Raises
    ------
    ValueError
        `rgb` is not uint8 or not (M, N, 3).

    Examples
    --------
    >>> grey = np.full((1, 1, 3), 25, dtype=np.uint8)
    >>> optical_density(grey, white=(250.0, 250.0, 250.0)).round(3).ravel().tolist()
    [1.0, 1.0, 1.0]
    """
    _check_rgb(rgb)
    table = density_table(white).reshape(1, 256, 3)
    return np.asarray(cv2.LUT(np.ascontiguousarray(rgb), table), dtype=np.float32)


def separate(rgb: npt.NDArray[np.uint8], model: StainModel, *, with_residual: bool = False) -> StainAmounts:
    """Separate hematoxylin and DAB.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
    model : StainModel
    with_residual : bool
        Also keep what neither stain explains.

    Returns
    -------
    StainAmounts
        Two or three float32 images of shape (M, N), decadic OD.

    References
    ----------
    .. [1] Ruifrok & Johnston, Anal Quant Cytol Histol 23:291 (2001).

    Examples
    --------
    >>> pixel = np.full((1, 1, 3), 245, dtype=np.uint8)
    >>> float(separate(pixel, StainModel()).dab[0, 0])
    0.0
    """
    _check_rgb(rgb)
    unmixing = model.unmixing()[: 3 if with_residual else 2]
    amounts = [np.empty(rgb.shape[:2], np.float32) for _ in unmixing]
    for top in range(0, len(rgb), _STRIP):
        strip = slice(top, top + _STRIP)
        od = optical_density(rgb[strip], white=model.white)
        for amount, weights in zip(amounts, unmixing, strict=True):
            # One stain at a time: to one channel OpenCV transforms with vector units.
            amount[strip] = steadied(cv2.transform(od, weights[None]))
    return StainAmounts(*amounts)


def _check_rgb(rgb: npt.NDArray[np.uint8]) -> None:
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(f"expected uint8 RGB of shape (M, N, 3), got {rgb.dtype} {rgb.shape}")
