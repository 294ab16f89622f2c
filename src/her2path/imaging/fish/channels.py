"""Light of one dye in the channel of another: how much of it there is, and taking it away.

Orange dyes reach the green channel and the reverse; in an RGB capture an orange signal fills
much of the green colour.  The share is measured on the image's own spots: most spots of one dye
have no spot of the other underneath, so a low quantile of what is seen there is bleed-through.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.fish.spots import Spots, height_at, parabola_top, spot_response, top_answer

Image = npt.NDArray[np.float32]

MAX_BLEED = 0.7
"""Larger shares mean that the two channels show the same dye and cannot be told apart."""
_MIN_SPOTS = 8
_BLEED_PERCENTILE = 30
_REACH_PX = 3
"""Bleed-through is looked for this far from the signal that it comes from."""
_LEAST_SHARE = 0.03
"""Less shows as nothing that has a place."""


@dataclass(frozen=True, slots=True)
class Bleed:
    """Light of one dye in the channel of another."""

    share: float
    """Of the dye's light in its own channel, 0 to 1."""
    down_px: float = 0.0
    """How far below and right of its place in its own channel it lies: filters move pictures."""
    right_px: float = 0.0


def measure_bleed(target: Image, source: Image, spots: Spots, *, sigma_px: float) -> Bleed:
    """Measure how much of the source channel's light shows in the target channel, and where.

    Parameters
    ----------
    target, source : ndarray of float32, shape (M, N)
        The two channels.
    spots : Spots
        Spots of the source channel, strongest first.
    sigma_px : float
        Size of a signal.

    Returns
    -------
    bleed : Bleed
        A share of 0 where fewer than eight spots could be measured.

    Notes
    -----
    The 30th percentile, not the median: in amplified cases more than half of the HER2 spots may
    touch a CEP17 signal or its flank, and a share taken too large would erase true signals.
    """
    clear = spots.where(spots.snr >= 10)
    if len(clear) < _MIN_SPOTS:
        return Bleed(0.0)
    response = cv2.copyMakeBorder(
        spot_response(target, sigma_px=sigma_px), *(_REACH_PX,) * 4, borderType=cv2.BORDER_REPLICATE
    )
    strength = height_at(source, clear, sigma_px=sigma_px) * top_answer(sigma_px)
    rows, cols = clear.row.astype(int) + _REACH_PX, clear.col.astype(int) + _REACH_PX
    steps = range(-_REACH_PX, _REACH_PX + 1)
    seen = np.array([[response[rows + down, cols + right] / strength for right in steps] for down in steps])
    shares = np.percentile(seen, _BLEED_PERCENTILE, axis=2)
    down, right = np.unravel_index(int(shares.argmax()), shares.shape)
    at_rim = {int(down), int(right)} & {0, 2 * _REACH_PX}
    if shares[down, right] < _LEAST_SHARE or at_rim:
        # Too little to have a place of its own.
        return Bleed(float(np.clip(shares[_REACH_PX, _REACH_PX], 0.0, 1.0)))
    top = shares[down, right]
    before = np.array([shares[down - 1, right], shares[down, right - 1]])
    after = np.array([shares[down + 1, right], shares[down, right + 1]])
    between = parabola_top(before, np.full(2, top), after, within=0.5)
    down_px, right_px = (np.array([down, right]) - _REACH_PX + between).tolist()
    return Bleed(min(float(top), 1.0), down_px, right_px)


def remove_bleed(target: Image, source: Image, bleed: Bleed) -> Image:
    """Subtract the source's light above its darkest tenth, as far as it shows, from the target channel."""
    if bleed.share <= 0:
        return target
    floor = np.float32(np.percentile(source[::8, ::8], 10))
    if bleed.down_px or bleed.right_px:
        matrix = np.array([[1, 0, bleed.right_px], [0, 1, bleed.down_px]], np.float64)
        source = cv2.warpAffine(
            source,
            matrix,
            source.shape[::-1],
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.float32)
    cleaned: Image = target - np.float32(bleed.share) * (source - floor)
    return cleaned
