"""Measuring conditions of one fluorescence channel: background, noise, saturation, focus.

All in the pixel's own units but for the focus, which is a ratio.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

MAD_TO_SIGMA = 1.4826
"""Standard deviation of normal values over their median absolute deviation."""
LEAST_SIDE_PX = 16
"""Shortest side of a plane whose background and noise can be told."""
_FOCUS_SIGMA_PX = 1.0
"""Smoothing before the Laplacian, so that noise alone does not look sharp."""


@dataclass(frozen=True, slots=True)
class ChannelMeasure:
    """Measuring conditions of one channel."""

    background: float
    """Most frequent level, in pixel values."""
    noise: float
    """Standard deviation of the pixel noise, in pixel values, > 0."""
    saturated_frac: float
    """Share of pixels at full scale (0 to 1)."""
    focus: float
    """Spread of the Laplacian over the noise; higher is sharper."""


def measure_channel(plane: npt.NDArray[np.generic], *, full_scale: float) -> ChannelMeasure:
    """Measure background, noise, saturation and focus of a plane.

    Parameters
    ----------
    plane : ndarray, shape (M, N), M and N >= 16
        Pixel values of one channel, uint8, uint16 or float32.
    full_scale : float
        Largest value that the camera can write, > 0.

    Raises
    ------
    ValueError
        The plane is too small or not two-dimensional.

    Examples
    --------
    >>> flat = np.full((32, 32), 100, np.uint8)
    >>> measure_channel(flat, full_scale=255.0).background
    100.0
    """
    if plane.ndim != 2 or min(plane.shape) < LEAST_SIDE_PX:
        raise ValueError(f"need a plane of {LEAST_SIDE_PX} pixels or more each way, got shape {plane.shape}")
    values = plane.astype(np.float32)
    # Files in float may hold counts or shares of 1: their span tells, not their full scale.
    step = 1.0 if np.issubdtype(plane.dtype, np.integer) else max(float(np.ptp(values)), 1e-9) / 65535.0
    noise = estimate_noise(values, step=step)
    smooth = cv2.GaussianBlur(values, (0, 0), _FOCUS_SIGMA_PX)
    return ChannelMeasure(
        background=estimate_background(values),
        noise=noise,
        saturated_frac=float(np.mean(values >= np.float32(full_scale))),
        focus=float(cv2.Laplacian(smooth, cv2.CV_32F).std()) / noise,
    )


def robust_sigma(values: npt.NDArray[np.floating[Any]]) -> float:
    """Estimate the standard deviation of values of which fewer than half are outliers; 0 of none.

    Examples
    --------
    >>> robust_sigma(np.array([1.0, 2.0, 3.0, 4.0, 900.0]))
    1.4826
    """
    return MAD_TO_SIGMA * float(np.median(np.abs(values - np.median(values)))) if values.size else 0.0


def estimate_noise(plane: npt.NDArray[np.float32], *, step: float) -> float:
    """Estimate the pixel noise (standard deviation) from the diagonal differences of 2 x 2 blocks.

    Parameters
    ----------
    plane : ndarray of float32, shape (M, N)
    step : float
        Quantisation step; its own noise, ``step / sqrt(12)``, is the least that is returned.

    References
    ----------
    .. [1] Donoho & Johnstone, Biometrika 81:425 (1994): noise from the finest wavelet band.
    """
    rows, cols = plane.shape[0] // 2 * 2, plane.shape[1] // 2 * 2
    quad = plane[:rows, :cols].reshape(rows // 2, 2, cols // 2, 2)
    diagonal = (quad[:, 0, :, 0] - quad[:, 0, :, 1] - quad[:, 1, :, 0] + quad[:, 1, :, 1]) / 2
    return max(float(np.median(np.abs(diagonal))) * MAD_TO_SIGMA, step / 12**0.5)


def estimate_background(plane: npt.NDArray[np.float32]) -> float:
    """Most frequent level of a plane, its brightest fifth aside (the middle of the shortest quarter)."""
    ordered = np.sort(plane, axis=None)
    dark = ordered[: max(ordered.size * 4 // 5, 2)]
    width = max(ordered.size // 4, 1)
    spans = dark[width:] - dark[:-width]
    start = int(np.argmin(spans))
    return float((dark[start] + dark[start + width]) / 2)


def grey_picture(plane: npt.NDArray[np.float32], *, background: float) -> npt.NDArray[np.uint8]:
    """Show a plane as RGB, shape (M, N, 3), black at its background and white at its brightest pixel."""
    span = max(float(plane.max()) - background, 1.0)
    grey = np.rint(255 * np.clip((plane - background) / span, 0, 1)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
