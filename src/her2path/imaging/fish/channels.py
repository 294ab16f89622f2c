"""Light of one dye in the channel of another: how much of it there is, and taking it away.

Orange dyes reach the green channel and the reverse; in an RGB capture an orange signal fills
much of the green colour.  The share is measured on the image's own spots: most spots of one dye
have no spot of the other underneath, so a low quantile of what is seen there is bleed-through.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from her2path.imaging.fish.spots import Spots, height_at

Image = npt.NDArray[np.float32]

MAX_BLEED = 0.7
"""Larger shares mean that the two channels show the same dye and cannot be told apart."""
_MIN_SPOTS = 8
_BLEED_PERCENTILE = 30


def bleed_fraction(target: Image, source: Image, spots: Spots, *, sigma_px: float) -> float:
    """Share of the source channel's light that shows in the target channel.

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
    share : float
        0 to 1; 0 where fewer than eight spots could be measured.

    Notes
    -----
    The 30th percentile, not the median: in amplified cases more than half of the HER2 spots may
    touch a CEP17 signal or its flank, and a share taken too large would erase true signals.
    """
    clear = spots.where(spots.snr >= 10)
    if len(clear) < _MIN_SPOTS:
        return 0.0
    seen = height_at(target, clear, sigma_px=sigma_px)
    strength = height_at(source, clear, sigma_px=sigma_px)
    return float(np.clip(np.percentile(seen / strength, _BLEED_PERCENTILE), 0.0, 1.0))


def remove_bleed(target: Image, source: Image, share: float) -> Image:
    """Subtract `share` of the source's light above its darkest tenth from the target channel."""
    if share <= 0:
        return target
    floor = np.float32(np.percentile(source[::8, ::8], 10))
    cleaned: Image = target - np.float32(share) * (source - floor)
    return cleaned
