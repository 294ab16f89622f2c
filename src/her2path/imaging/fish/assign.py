"""Which spots are signals of a nucleus, which are too weak, and which are no signals at all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from her2path.imaging.fish.spots import Spots, region_noise, spot_response

Image = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
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


def debris_mask(spots: Spots, dapi: Image, labels: Labels, *, sigma_px: float, min_snr: float) -> Mask:
    """Tell spots that are as sharp and significant in DAPI: debris that glows in every colour.

    Parameters
    ----------
    spots : Spots
        Of any channel.
    dapi : ndarray of float32, shape (M, N)
    labels : ndarray of int32, shape (M, N)
    sigma_px : float
        Size of a signal.
    min_snr : float
        Least height in DAPI over the noise of the nucleus's own DAPI texture.
    """
    response = spot_response(dapi, sigma_px=sigma_px)
    noise = np.asarray(region_noise(response, labels))
    rows, cols = spots.row.astype(int), spots.col.astype(int)
    mask: Mask = response[rows, cols] > min_snr * noise[spots.nucleus]
    return mask
