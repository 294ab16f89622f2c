"""Which spots are signals of a nucleus, which are too weak, and which are no signals at all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from her2path.imaging.fish.spots import Spots, spot_response
from her2path.imaging.fish.territories import Territories

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def single_height(spots: Spots, *, min_share: float) -> float | None:
    """Typical height of a single signal of this image; None without ten spots in nuclei.

    The median of the spots in nuclei, taken again and again without those that reach less than
    `min_share` of it, until texture and noise no longer pull it down.
    """
    values = spots.height[(spots.nucleus > 0) & (spots.snr >= 8)]
    if len(values) < 10:
        return None
    strong = np.sort(values)[len(values) // 4 :]
    level = float(np.median(strong))
    for _ in range(20):
        kept = values[values >= min_share * level]
        following = float(np.median(kept))
        if following == level:
            break
        level = following
    return level


def debris_mask(spots: Spots, dapi: Image, nuclei: Territories, *, sigma_px: float, min_snr: float) -> Mask:
    """Tell spots that are as sharp and significant in DAPI: debris that glows in every colour.

    Parameters
    ----------
    spots : Spots
        Of any channel.
    dapi : ndarray of float32, shape (M, N)
    nuclei : Territories
    sigma_px : float
        Size of a signal.
    min_snr : float
        Least response in DAPI over the noise of the nucleus's own DAPI texture.
    """
    response = spot_response(dapi, sigma_px=sigma_px)
    noise = nuclei.noise(response)
    mask: Mask = response[spots.row.astype(int), spots.col.astype(int)] > min_snr * noise[spots.nucleus]
    return mask
