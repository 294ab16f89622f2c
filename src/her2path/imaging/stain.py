"""Optical density, white point and separation of hematoxylin and DAB in bright-field RGB.

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

Rgb = tuple[float, float, float]
Origin = Literal["estimated", "default"]

DEFAULT_WHITE: Rgb = (245.0, 245.0, 245.0)
"""Blank field of a scanner that is set up well; used where a slide shows too little background."""
RUIFROK_HEMATOXYLIN: Rgb = (0.650, 0.704, 0.286)
RUIFROK_DAB: Rgb = (0.268, 0.570, 0.776)
"""Stain vectors of Ruifrok & Johnston (2001)."""

_BRIGHT_MIN = 200
"""Darkest channel of a pixel that may be blank glass."""
_COLOUR_SPREAD = 22
"""Widest distance between the channels of blank glass: lamps are white, not coloured."""
_BLANK_FRAC_MIN = 0.005
"""Smallest share of blank pixels on which a white point may rest."""
_STAINED_OD_SUM = 0.30
"""Sum of the three densities above which a pixel's hue can be told from noise (sum, not mean)."""
_MIN_STAINED = 400
"""Fewest pixels of one stain's hue on which its vector may rest."""


@dataclass(frozen=True, slots=True)
class StainModel:
    """White point and stain vectors of one slide."""

    white: Rgb = DEFAULT_WHITE
    hematoxylin: Rgb = RUIFROK_HEMATOXYLIN
    dab: Rgb = RUIFROK_DAB
    white_origin: Origin = "default"
    hematoxylin_origin: Origin = "default"
    dab_origin: Origin = "default"

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
    return np.asarray(
        np.rint(np.asarray(image, np.float32) * np.float32(4096)) / np.float32(4096), np.float32
    )


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
    od = optical_density(rgb, white=model.white)
    amounts = cv2.transform(od, model.unmixing()[: 3 if with_residual else 2])
    return StainAmounts(*(steadied(amount) for amount in cv2.split(amounts)))


def blank_histogram(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Count pixels that may be blank glass by channel, shape (3, 256).

    Histograms of several parts of a slide add up, so the white point of a slide of any size
    costs one part at a time.  Pure white (255 in all channels) is padding, not glass.
    """
    _check_rgb(rgb)
    low = rgb.min(axis=2)
    high = rgb.max(axis=2)
    blank = (low >= _BRIGHT_MIN) & (high - low <= _COLOUR_SPREAD) & (low < 255)
    return np.stack([np.bincount(rgb[..., c][blank], minlength=256) for c in range(3)])


def estimate_white(histogram: npt.NDArray[np.int64], *, pixels: int) -> tuple[Rgb, Origin]:
    """Estimate the blank field from the histograms of bright, colourless pixels.

    The mode is taken: it does not move with the amount of pale tissue as a percentile does.
    Pale tissue darker than the glass forms a second, lower and broader peak.

    Parameters
    ----------
    histogram : ndarray of int64, shape (3, 256)
        Sum of `blank_histogram` over the slide.
    pixels : int
        Number of pixels that were looked at.

    Returns
    -------
    white : tuple of three floats
    origin : str
        ``default`` where less than 0.5 % of the pixels may be glass.
    """
    if pixels <= 0 or histogram[0].sum() < _BLANK_FRAC_MIN * pixels:
        return DEFAULT_WHITE, "default"
    return (_mode(histogram[0]), _mode(histogram[1]), _mode(histogram[2])), "estimated"


def _mode(counts: npt.NDArray[np.int64]) -> float:
    """Place of the brightest substantial peak, to a fraction of a grey level."""
    smooth = np.convolve(counts.astype(np.float64), np.array([0.25, 0.5, 0.25]), mode="same")
    substantial = np.flatnonzero(smooth >= 0.5 * smooth.max())
    top = int(substantial[-1])
    while top > 0 and smooth[top - 1] >= smooth[top]:
        top -= 1
    span = np.arange(max(top - 2, 0), min(top + 3, 256))
    weight = counts[span].sum()
    return float((span * counts[span]).sum() / weight) if weight else float(top)


def estimate_stains(rgb: npt.NDArray[np.uint8], *, white: Rgb, white_origin: Origin) -> StainModel:
    """Estimate the stain vectors from the hues of stained pixels, with safe falls.

    Most stained pixels hold both stains, so the vectors are the *ends* of the range of hues, not
    the middle of clusters: the red-most pixels absorb red light by hematoxylin alone, the blue-most
    absorb blue light by DAB alone.  An end is trusted only if enough pixels have a hue that no
    other stain explains; else the published vector is used and the origin says so.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
        Tissue at working pixel size; best from several places.
    white : tuple of three floats
    white_origin : str
        Passed through to the model.

    References
    ----------
    .. [1] Macenko et al., ISBI 2009, p. 1107 (ends of the range of angles).
    .. [2] Ruifrok & Johnston, Anal Quant Cytol Histol 23:291 (2001) (default vectors).
    """
    smooth = np.asarray(cv2.GaussianBlur(np.ascontiguousarray(rgb), (3, 3), 0), np.uint8)
    od = optical_density(smooth, white=white).reshape(-1, 3)
    total = od.sum(axis=1)
    # Opaque pixels clip in single channels, which bends their hue.
    stained = od[(total > _STAINED_OD_SUM) & (smooth.reshape(-1, 3).min(axis=1) > 15)]
    hue = (stained[:, 0] - stained[:, 2]) / stained.sum(axis=1)
    dab = _end(stained, -hue, _DAB_END)
    hematoxylin = _end(stained, hue, _HEMATOXYLIN_END) or _faded(stained, hue)
    return StainModel(
        white=white,
        white_origin=white_origin,
        hematoxylin=hematoxylin or RUIFROK_HEMATOXYLIN,
        dab=dab or RUIFROK_DAB,
        hematoxylin_origin="estimated" if hematoxylin else "default",
        dab_origin="estimated" if dab else "default",
    )


@dataclass(frozen=True, slots=True)
class _End:
    """One end of the range of hues."""

    hue_min: float
    """Hue (red minus blue density over their sum, sign towards this end) that only this stain explains."""
    default: Rgb
    max_angle_deg: float
    """Farthest that an estimate may lie from the published vector."""


_HEMATOXYLIN_END = _End(0.12, RUIFROK_HEMATOXYLIN, 14.0)
_DAB_END = _End(0.13, RUIFROK_DAB, 14.0)
_GREY_HUE = -0.06
_MIXED_FRAC = 0.40
"""Share of brown among stained pixels from which grey ones are mixtures of both stains."""


def _end(
    stained: npt.NDArray[np.float32], hue: npt.NDArray[np.float32], end: _End
) -> tuple[float, float, float] | None:
    own = hue > end.hue_min
    if int(own.sum()) < max(_MIN_STAINED, stained.shape[0] // 500):
        return None
    # The upper part of the hues that are this stain's own: the lower part holds mixtures, and the very
    # top holds noise of weakly stained pixels.
    cut = np.quantile(hue[own], (0.6, 0.98))
    chosen = stained[own & (hue >= cut[0]) & (hue <= cut[1])]
    if not len(chosen):
        return None
    vector = chosen.sum(axis=0, dtype=np.float64)
    vector /= np.linalg.norm(vector)
    default = np.asarray(end.default) / np.linalg.norm(end.default)
    if (
        float(vector.min()) <= 0
        or np.degrees(np.arccos(min(1.0, float(vector @ default)))) > end.max_angle_deg
    ):
        return None
    red, green, blue = (float(v) for v in vector.round(4))
    return red, green, blue


def _faded(
    stained: npt.NDArray[np.float32], hue: npt.NDArray[np.float32]
) -> tuple[float, float, float] | None:
    """Take the colour of grey nuclei for hematoxylin that has faded, unless grey may be a mixture."""
    if float((-hue > _DAB_END.hue_min).mean() if len(hue) else 1) > _MIXED_FRAC:
        return None
    grey = _End(_GREY_HUE, RUIFROK_HEMATOXYLIN, 22.0)
    return _end(stained, np.where(hue <= _HEMATOXYLIN_END.hue_min, hue, -1), grey)


def _check_rgb(rgb: npt.NDArray[np.uint8]) -> None:
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(f"expected uint8 RGB of shape (M, N, 3), got {rgb.dtype} {rgb.shape}")
