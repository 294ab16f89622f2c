"""Brightness of blank glass: the reference of every optical density.

Glass is the brightest *smooth* matter of a slide.  Pale stroma may be as bright at a glance and
cover more of the slide, but averaged over 8 µm it still varies by several grey levels from one
pixel to the next, where glass varies by less than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.stain import DEFAULT_WHITE, Rgb, WhiteOrigin

_LEVELS = 766
"""Sums of three channels, 0 to 765."""
_SMOOTH_RANGE = 9
"""Range of the channel sum within 3 x 3 pixels of 8 µm up to which a place is smooth: on eight real
cores 90 % of the glass stays below 6, and of pale tissue less than 1 % below 12."""
_TINT_MAX = 0.78
"""Lowest channel over the highest that a lamp and a camera may give glass."""
_DARKEST_SUM = 450
_MIN_SMOOTH = 6
_MIN_SMOOTH_FRAC = 0.0003
"""Smooth pixels on which a white point may rest, at least; their colour is exact to half a level."""
_SUBSTANTIAL = 0.1
"""Share of the highest peak from which a brighter one is glass too (a cover slip's edge is less)."""
_BRIGHTER, _OUTSHONE = 12, 0.2
"""Where more matter than this share of the smooth is brighter by so much (channel sum), the smooth is no
glass but necrosis or mucus; edges of bubbles and dirt are brighter than glass, too, but few."""
_LIGHTEST = (0.990, 0.998)
"""Quantiles of brightness between which tissue is as good as clear: lumens and clefts."""
_CLEAREST_OD = 0.018
"""Density per channel that the lightest places of solid tissue keep, as far as `_USUAL_LEVEL` allows."""
_USUAL_LEVEL = 236.0
_CLIPPED_LEVEL = 245


@dataclass(frozen=True, slots=True)
class Brightness:
    """Pixels of 8 µm by the sum of their channels; those of several bands of a slide add up."""

    smooth: npt.NDArray[np.int64]
    """Of smooth, nearly colourless pixels: how many, and their summed R, G, B; shape (766, 4)."""
    every: npt.NDArray[np.int64]
    """How many pixels in all, shape (766,), padding left out."""
    padding: int
    """Pixels of pure white (255): no glass, but what an exporter puts where nothing was scanned."""

    def __add__(self, other: Brightness) -> Brightness:
        return Brightness(self.smooth + other.smooth, self.every + other.every, self.padding + other.padding)

    @classmethod
    def nothing(cls) -> Brightness:
        """Start of a sum."""
        return cls(np.zeros((_LEVELS, 4), np.int64), np.zeros(_LEVELS, np.int64), 0)

    def quantile(self, share: float) -> float:
        """Channel sum below which this share of the pixels lies; 0 without pixels."""
        total = np.cumsum(self.every)
        return float(np.searchsorted(total, share * total[-1])) if total[-1] else 0.0


def measure_brightness(rgb: npt.NDArray[np.uint8]) -> Brightness:
    """Count the pixels of a slide, or of a band of it, by brightness.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
        Averaged to about 8 µm per pixel: the noise of a camera is gone then, the structure of tissue
        is not.

    Returns
    -------
    Brightness
    """
    red, green, blue = (np.asarray(channel, np.uint8) for channel in cv2.split(rgb))
    total = red.astype(np.uint16) + green + blue
    lowest, highest = np.minimum(np.minimum(red, green), blue), np.maximum(np.maximum(red, green), blue)
    cross = np.ones((3, 3), np.uint8)
    padding = lowest == 255
    # Beside padding a pixel of 8 µm holds some of it, so it is brighter than what lies there.
    known = cv2.dilate(padding.astype(np.uint8), cross) == 0
    smooth = known & (cv2.dilate(total, cross) - cv2.erode(total, cross) <= _SMOOTH_RANGE)
    smooth &= lowest >= _TINT_MAX * highest
    sums = total[smooth]
    colours = [np.bincount(sums, rgb[..., c][smooth], minlength=_LEVELS) for c in range(3)]
    counted = np.bincount(sums, minlength=_LEVELS)
    return Brightness(
        smooth=np.stack([counted, *(np.rint(colour).astype(np.int64) for colour in colours)], axis=1),
        every=np.bincount(total[known], minlength=_LEVELS),
        padding=int(padding.sum()),
    )


def estimate_white(brightness: Brightness) -> tuple[Rgb, WhiteOrigin]:
    """Take the brightest substantial colour of smooth places for blank glass.

    Parameters
    ----------
    brightness : Brightness
        Of the whole slide.

    Returns
    -------
    white : tuple of three floats
    origin : str
        ``default`` where nothing on the slide is smooth, bright and unsurpassed.

    Examples
    --------
    >>> estimate_white(measure_brightness(np.full((40, 40, 3), (240, 238, 243), np.uint8)))
    ((240.0, 238.0, 243.0), 'estimated')
    """
    counts = np.where(np.arange(_LEVELS) >= _DARKEST_SUM, brightness.smooth[:, 0], 0)
    pixels = int(brightness.every.sum())
    if counts.sum() >= max(_MIN_SMOOTH, _MIN_SMOOTH_FRAC * pixels):
        near = np.convolve(counts, np.ones(5), mode="same")
        top = int(np.flatnonzero(near >= _SUBSTANTIAL * near.max())[-1])
        while top > 0 and near[top - 1] >= near[top]:
            top -= 1
        glass = int(counts[max(top - _BRIGHTER, 0) :].sum())
        if brightness.every[top + _BRIGHTER :].sum() <= _OUTSHONE * glass:
            peak = brightness.smooth[max(top - 3, 0) : top + 4].sum(axis=0)
            red, green, blue = (float(colour) for colour in peak[1:] / peak[0])
            return (red, green, blue), "estimated"
    # A camera that clips its glass gives what padding looks like; tissue beside it is then as bright.
    if brightness.padding > _MIN_SMOOTH_FRAC * pixels and brightness.quantile(0.995) >= 3 * _CLIPPED_LEVEL:
        return (255.0, 255.0, 255.0), "estimated"
    return DEFAULT_WHITE, "default"


def bound_white(samples: Sequence[npt.NDArray[np.uint8]]) -> tuple[Rgb, WhiteOrigin]:
    """Bound the blank field by the lightest places of tissue that fills its image.

    Lumens and clefts are nearly as clear as glass; in solid tissue the lightest cytoplasm still
    absorbs a few per cent, which is added where the result stays below a usual scanner's.

    Parameters
    ----------
    samples : sequence of ndarray of uint8, shape (M, N, 3)
        Pieces of tissue, at most 1 µm per pixel.

    Returns
    -------
    white : tuple of three floats
    origin : str
        ``lightest_tissue``, or ``default`` where even the lightest places are dark or coloured.
    """
    soft = np.concatenate([np.asarray(cv2.blur(sample, (3, 3))).reshape(-1, 3) for sample in samples])
    soft = soft[soft.min(axis=1) < 255]
    if not len(soft):
        return DEFAULT_WHITE, "default"
    total = soft.sum(axis=1, dtype=np.int64)
    low, high = np.quantile(total, _LIGHTEST)
    lightest = soft[(total >= low) & (total <= high)].mean(axis=0, dtype=np.float64)
    if lightest.min() < _TINT_MAX * lightest.max() or lightest.sum() < _DARKEST_SUM:
        return DEFAULT_WHITE, "default"
    level = float(lightest.mean())
    gain = min(10**_CLEAREST_OD, max(1.0, _USUAL_LEVEL / level), 255.0 / float(lightest.max()))
    red, green, blue = (round(float(channel), 2) for channel in lightest * gain)
    return (red, green, blue), "lightest_tissue"
