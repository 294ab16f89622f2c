"""Stain vectors of one slide, from its own pixels, each shrunk towards the published one.

Most stained pixels hold both stains, so a vector is an *end* of the range of hues, not the middle
of a cluster, and two stains are two questions:

- *Hematoxylin* stands alone in nuclei of unstained cells; its end is read from densities as they are.
- *DAB* never stands alone: cytoplasm, haze and nuclei lie over and under every membrane.  What a
  membrane adds to the palest place beside it is DAB alone, so its end is read from *differences* of
  densities within 3 µm.  They do not depend on the white point either.

How far an estimate counts against the published vector follows from how many pixels it rests on: no
brown at all gives the published vector, a few brown cells give something between.

References
----------
.. [1] Macenko et al., ISBI 2009, p. 1107 (ends of the range of angles).
.. [2] Ruifrok & Johnston, Anal Quant Cytol Histol 23:291 (2001) (published vectors).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.stain import (
    RUIFROK_DAB,
    RUIFROK_HEMATOXYLIN,
    Rgb,
    StainModel,
    VectorOrigin,
    WhiteOrigin,
    optical_density,
)
from her2path.imaging.white_point import bound_white, estimate_white, measure_brightness

Densities = npt.NDArray[np.float32]

_ESTIMATION_MPP = 1.0
"""Pixel size (µm) for hues: chroma of JPEG files is stored at half their pixel size."""
_BRIGHTNESS_MPP = 8.0
_BESIDE_UM = (1.7, 3.0)
"""Distances at which the palest place beside a pixel is sought: past a membrane, within the cell."""
_DARKEST_LEVEL = 15
"""A channel below this clips or drowns in noise and bends the hue."""
_HUE_SPLIT = -0.04
"""Hue (red minus blue density over the sum of all) on either side of which a pixel speaks for one stain:
the greyest hematoxylin of real slides has +0.03, the greyest DAB -0.10."""
_STAINED, _PALE, _DAB_MIN = 0.25, 0.12, 0.13
"""Sums of densities of what is stained, of the palest nuclei whose hue can be told from noise, and of the
faintest rise."""
_OF_DARKEST = 0.45
"""Share of a pale slide's darkest density above which its nuclei lie."""
_FAINTEST_SHARE = 0.3
"""Share of all brown, from its faintest up, that is left out: its hues are the noisiest."""
_HEMATOXYLIN_BAND, _DAB_BAND = (0.80, 0.97), (0.02, 0.15)
"""Shares of the stain's own pixels, by hue from brown to blue, that are taken for its pure colour."""
_FEWEST = 24
_PUBLISHED_SD_DEG = 7.0
"""How far stains of laboratories and scanners lie from the published vectors, one standard deviation."""
_METHOD_SD_DEG, _PIXEL_SD_DEG = 1.5, 60.0
"""Error of an estimate, however many pixels it rests on, and of a single pixel."""
_PLAIN_HUE, _GREY_HUE = -0.14, -0.06
"""Hues between which what may be DAB turns into grey pigment and fibres."""
_ESTIMATED, _PUBLISHED = 0.7, 0.1
"""Weights of the own estimate from which, and below which, a vector counts as the slide's own."""
_CLOSEST_DEG = 16.0
"""Angle between two vectors below which amounts of them are mostly noise."""


@dataclass(frozen=True, slots=True)
class StainPixels:
    """Densities of stained places of a slide at 1 µm, each of shape (n, 3)."""

    absolute: Densities
    """Over the blank field; of pale matter, too."""
    rise: Densities
    """Over the palest place within 3 µm."""
    clipped_frac: float
    """Share of all places in which a channel sees no light."""
    coverage: float
    """Share of all places that are stained."""

    @property
    def stained(self) -> Densities:
        """Densities over the blank field of plainly stained places."""
        return np.asarray(self.absolute[self.absolute.sum(axis=1) > _STAINED], np.float32)


@dataclass(frozen=True, slots=True)
class EndOfHues:
    """One end of the range of hues: the raw estimate of a stain's vector."""

    vector: npt.NDArray[np.float64]
    pixels: int


def estimate_stain_model(rgb: npt.NDArray[np.uint8], *, mpp: float) -> StainModel:
    """Estimate the stain model of one picture that fits into memory.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
    mpp : float
        Pixel size in µm.
    """
    factor = _BRIGHTNESS_MPP / mpp
    size = (max(1, round(rgb.shape[1] / factor)), max(1, round(rgb.shape[0] / factor)))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    white, origin = estimate_white(measure_brightness(small))
    return estimate_stains([rgb], mpp=mpp, white=white, white_origin=origin)[0]


def estimate_stains(
    samples: Sequence[npt.NDArray[np.uint8]], *, mpp: float, white: Rgb, white_origin: WhiteOrigin
) -> tuple[StainModel, StainPixels]:
    """Estimate the stain vectors, and the white point where a slide shows no glass.

    Parameters
    ----------
    samples : sequence of ndarray of uint8, shape (M, N, 3)
        Pieces of tissue; several places together show what a slide holds.
    mpp : float
        Pixel size of the samples in µm.
    white : tuple of three floats
        Of the slide's glass.
    white_origin : str
        With ``default`` the lightest places of the samples bound the white point.

    Returns
    -------
    model : StainModel
        With the weight of each estimate against the published vector; 0 keeps the latter.
    pixels : StainPixels
        What it rests on, by which `her2path.imaging.stain_verdict` judges it.
    """
    small = [_reduced(sample, mpp) for sample in samples]
    if white_origin == "default":
        white, white_origin = bound_white(small)
    pixels = _collect(small, white)
    blue, brown = hematoxylin_end(pixels), dab_end(pixels)
    hematoxylin, hematoxylin_weight = _shrunk(blue, RUIFROK_HEMATOXYLIN)
    dab, dab_weight = _shrunk(brown, RUIFROK_DAB, credit=_brownness(brown))
    if angle_deg(hematoxylin, dab) < _CLOSEST_DEG:
        # What the slide knows less of gives way.
        if hematoxylin_weight < dab_weight:
            hematoxylin, hematoxylin_weight = RUIFROK_HEMATOXYLIN, 0.0
        else:
            dab, dab_weight = RUIFROK_DAB, 0.0
    model = StainModel(
        white=white,
        white_origin=white_origin,
        hematoxylin=hematoxylin,
        dab=dab,
        hematoxylin_origin=_origin(hematoxylin_weight),
        dab_origin=_origin(dab_weight),
        hematoxylin_weight=hematoxylin_weight,
        dab_weight=dab_weight,
    )
    return model, pixels


def collect_stain_pixels(samples: Sequence[npt.NDArray[np.uint8]], *, mpp: float, white: Rgb) -> StainPixels:
    """Take the densities of stained places, and how much they rise over what lies beside them."""
    return _collect([_reduced(sample, mpp) for sample in samples], white)


def hematoxylin_end(pixels: StainPixels) -> EndOfHues | None:
    """Read the blue end of the hues; None where hardly anything is blue."""
    density = pixels.absolute.sum(axis=1)
    if not len(density):
        return None
    cut = min(_STAINED, _OF_DARKEST * float(np.quantile(density, 0.99)))
    own = pixels.absolute[(density > cut) & (hues(pixels.absolute) > _HUE_SPLIT)]
    return _band(own, _HEMATOXYLIN_BAND)


def dab_end(pixels: StainPixels) -> EndOfHues | None:
    """Read the brown end of the hues; None where hardly anything is brown."""
    own = pixels.rise[hues(pixels.rise) < _HUE_SPLIT]
    if len(own) < _FEWEST:
        return None
    strength = own.sum(axis=1)
    ordered = np.sort(strength)
    faint = np.cumsum(ordered, dtype=np.float64)
    cut = ordered[np.searchsorted(faint, _FAINTEST_SHARE * faint[-1])]
    return _band(own[strength >= cut], _DAB_BAND)


def hues(densities: npt.NDArray[np.floating]) -> Densities:
    """Red minus blue density over the sum of all three; + for blue matter, - for brown."""
    total = np.maximum(densities.sum(axis=-1), 1e-6)
    return np.asarray((densities[..., 0] - densities[..., 2]) / total, np.float32)


def angle_deg(first: Sequence[float], second: Sequence[float]) -> float:
    """Angle between two vectors.

    Examples
    --------
    >>> angle_deg((1, 0, 0), (0, 2, 0))
    90.0
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    cosine = float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
    return round(float(np.degrees(np.arccos(min(1.0, max(-1.0, cosine))))), 6)


def _reduced(sample: npt.NDArray[np.uint8], mpp: float) -> npt.NDArray[np.uint8]:
    factor = max(1, round(_ESTIMATION_MPP / mpp))
    size = (max(1, sample.shape[1] // factor), max(1, sample.shape[0] // factor))
    return np.asarray(cv2.resize(sample, size, interpolation=cv2.INTER_AREA), np.uint8)


def _collect(small: Sequence[npt.NDArray[np.uint8]], white: Rgb) -> StainPixels:
    absolute, rise, clipped, covered, places = [], [], 0, 0, 0
    for sample in small:
        od = optical_density(sample, white=white)
        readable = np.minimum(np.minimum(sample[..., 0], sample[..., 1]), sample[..., 2]) > _DARKEST_LEVEL
        total = od[..., 0] + od[..., 1] + od[..., 2]
        difference = od - _palest_beside(od)
        absolute.append(od[readable & (total > _PALE)])
        rise.append(difference[readable & (difference.sum(axis=2) > _DAB_MIN)])
        clipped += int((~readable).sum())
        covered += int((total > _STAINED).sum())
        places += total.size
    return StainPixels(
        np.concatenate(absolute), np.concatenate(rise), clipped / max(places, 1), covered / max(places, 1)
    )


def _palest_beside(od: Densities) -> Densities:
    """Densities of the palest place around each pixel, averaged over 3 x 3 pixels against noise."""
    reach = round(max(_BESIDE_UM) / _ESTIMATION_MPP)
    soft = np.asarray(cv2.blur(od, (3, 3)), np.float32)
    padded = cv2.copyMakeBorder(soft, reach, reach, reach, reach, cv2.BORDER_REFLECT_101)
    around = np.asarray(padded, np.float32)
    brightness = around.sum(axis=2)
    rows, columns = od.shape[:2]
    palest, lowest = soft, soft.sum(axis=2)
    for distance in _BESIDE_UM:
        for angle in np.arange(8) * (np.pi / 4):
            row = reach + round(distance / _ESTIMATION_MPP * np.sin(angle))
            column = reach + round(distance / _ESTIMATION_MPP * np.cos(angle))
            window = np.s_[row : row + rows, column : column + columns]
            paler = brightness[window] < lowest
            lowest = np.where(paler, brightness[window], lowest)
            palest = np.where(paler[..., None], around[window], palest)
    return palest


def _band(own: Densities, shares: tuple[float, float]) -> EndOfHues | None:
    """Mean colour of the pixels between two shares of all density, in the order of their hue."""
    if len(own) < _FEWEST:
        return None
    order = np.argsort(hues(own), kind="stable")
    reached = np.cumsum(own.sum(axis=1)[order], dtype=np.float64)
    low, high = np.searchsorted(reached, np.array(shares) * reached[-1])
    chosen = own[order[low : high + 1]]
    vector = np.maximum(chosen.sum(axis=0, dtype=np.float64), 0)
    return EndOfHues(vector / np.linalg.norm(vector), len(chosen))


def _brownness(end: EndOfHues | None) -> float:
    """1 for plain brown, 0 for what may as well be grey pigment or fibres."""
    hue = 0.0 if end is None else float(hues(end.vector))
    return float(np.clip((_GREY_HUE - hue) / (_GREY_HUE - _PLAIN_HUE), 0, 1))


def _shrunk(end: EndOfHues | None, published: Rgb, *, credit: float = 1.0) -> tuple[Rgb, float]:
    """Weigh an estimate against the published vector by their errors; also the estimate's weight."""
    if end is None:
        return published, 0.0
    error = _METHOD_SD_DEG**2 + _PIXEL_SD_DEG**2 / end.pixels
    weight = credit * _PUBLISHED_SD_DEG**2 / (_PUBLISHED_SD_DEG**2 + error)
    if weight < _PUBLISHED:
        return published, 0.0
    default = np.asarray(published) / np.linalg.norm(published)
    vector = weight * end.vector + (1 - weight) * default
    vector /= np.linalg.norm(vector)
    red, green, blue = (float(part) for part in vector.round(4))
    return (red, green, blue), round(weight, 4)


def _origin(weight: float) -> VectorOrigin:
    if weight >= _ESTIMATED:
        return "estimated"
    return "default" if weight < _PUBLISHED else "blended"
