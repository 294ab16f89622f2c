"""What a user would write in an afternoon: `blob_log`, and maxima of a Laplacian of Gaussian."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.feature import blob_log, peak_local_max
from skimage.filters import threshold_otsu

SIGMA_UM = 0.19
Floats = npt.NDArray[np.float64]


class BlobLog:
    """`blob_log` around the size of a spot, with its own default threshold on an image scaled to 0..1."""

    name = "blob_log"

    def spots(self, plane: npt.NDArray[np.uint16], *, mpp: float) -> tuple[Floats, float]:
        """Places (row, column; pixel edges at integers) and the seconds it took."""
        started = time.perf_counter()
        low, high = np.percentile(plane, (1, 99.95))
        scaled = np.clip((plane - low) / max(high - low, 1.0), 0, 1)
        sigma = SIGMA_UM / mpp
        found = blob_log(scaled, min_sigma=0.8 * sigma, max_sigma=1.6 * sigma, num_sigma=4)
        return found[:, :2].astype(np.float64) + 0.5, time.perf_counter() - started

    def close(self) -> None:
        """Nothing to end."""


class PlainLaplacian:
    """Maxima of a Laplacian of Gaussian above Otsu's threshold of the maxima's heights."""

    name = "plain LoG"

    def spots(self, plane: npt.NDArray[np.uint16], *, mpp: float) -> tuple[Floats, float]:
        """Places (row, column; pixel edges at integers) and the seconds it took."""
        started = time.perf_counter()
        sigma = SIGMA_UM / mpp
        response = -ndimage.gaussian_laplace(plane.astype(np.float32), sigma)
        tops = peak_local_max(response, min_distance=max(1, round(sigma)), threshold_abs=0.0)
        heights = response[tops[:, 0], tops[:, 1]]
        level = threshold_otsu(heights) if len(heights) > 1 else np.inf
        return tops[heights > level].astype(np.float64) + 0.5, time.perf_counter() - started

    def close(self) -> None:
        """Nothing to end."""
