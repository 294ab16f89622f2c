"""Widths of what stands out in a fluorescence channel: spots, edges of nuclei, brightest objects.

They are lengths on the slide, and so tell focus and kind whatever the brightness or the camera.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.fish.quality import estimate_background, robust_sigma
from her2path.imaging.fish.spots import spot_response, spot_width_px

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_SPOT_SIGMA_UM = 0.2
_SPOT_SNR = 8.0
_MOST_SPOTS = 60
_LEAST_SPOTS = 10
_NUCLEUS_UM2 = 100.0
"""One spot per nucleus of this area (its rim included) is measured: every nucleus has one of each probe."""
_SPOT_REACH_UM = 2.0
_MOST_NUCLEI = 40
_NUCLEUS_REACH_UM = 9.0
"""Half the side of the square around a nucleus: its own diameter to each side."""
_MOST_BRIGHT = 20
_NUCLEUS_SNR = 6.0


def strongest_spots(values: Image, nuclei: Mask, mpp: float) -> Iterator[tuple[float, float]]:
    """Width at half height (µm) and highest pixel of the spots that stand out most."""
    response = spot_response(values, sigma_px=spot_width_px(_SPOT_SIGMA_UM, mpp))
    noise = robust_sigma(response[::2, ::2])
    reach = max(round(0.3 / mpp), 1)
    peak = cv2.dilate(response, np.ones((2 * reach + 1,) * 2, np.uint8))
    rows, cols = np.nonzero((response == peak) & (response > max(_SPOT_SNR * noise, 1e-6)) & nuclei)
    half = round(_SPOT_REACH_UM / mpp)
    inside = (
        (rows >= half) & (cols >= half) & (rows < values.shape[0] - half) & (cols < values.shape[1] - half)
    )
    rows, cols = rows[inside], cols[inside]
    most = int(np.clip(nuclei.sum() * mpp**2 / _NUCLEUS_UM2, _LEAST_SPOTS, _MOST_SPOTS))
    strongest = np.argsort(-response[rows, cols], kind="stable")[:most]
    smooth = cv2.GaussianBlur(values, (0, 0), max(0.08 / mpp, 0.5))
    for row, col in zip(rows[strongest].tolist(), cols[strongest].tolist(), strict=True):
        box = slice(row - half, row + half + 1), slice(col - half, col + half + 1)
        crop = smooth[box]
        floor = float(np.median(crop))
        area = _piece_at(crop > floor + 0.5 * (float(crop[half, half]) - floor), half, half).sum()
        nearest = values[row - 1 : row + 2, col - 1 : col + 2]
        yield 2 * float(area * mpp * mpp / np.pi) ** 0.5, float(nearest.max())


def nucleus_edges(values: Image, nuclei: Mask, mpp: float) -> Iterator[float]:
    """Widths of the edges (µm, contrast over steepest slope) of the brightest nuclei."""
    smooth = np.asarray(cv2.GaussianBlur(values, (0, 0), max(0.2 / mpp, 0.7)), np.float32)
    # Nuclei are found on every fourth pixel, which is fine enough for them.
    bright = np.array(cv2.GaussianBlur(values, (0, 0), 1.0 / mpp)[::4, ::4], np.float32)
    background = estimate_background(bright)
    noise = robust_sigma(np.minimum(bright, background))
    half = max(round(_NUCLEUS_REACH_UM / mpp), 8)
    for _ in range(_MOST_NUCLEI):
        row, col = (4 * int(place) for place in divmod(int(bright.argmax()), bright.shape[1]))
        top = float(bright[row // 4, col // 4])
        if top <= background + max(_NUCLEUS_SNR * noise, 1e-6) or not nuclei[row, col]:
            return
        box = (
            slice(max(row - half, 0), min(row + half, values.shape[0])),
            slice(max(col - half, 0), min(col + half, values.shape[1])),
        )
        edge = _edge_of(smooth[box], top, (row - box[0].start, col - box[1].start))
        bright[box[0].start // 4 : -(-box[0].stop // 4), box[1].start // 4 : -(-box[1].stop // 4)] = (
            background
        )
        if edge is not None:
            yield edge * mpp


def brightest_um(values: Image, mpp: float) -> float | None:
    """Width at half height (µm, lower quartile) of the twenty brightest objects."""
    smooth = np.asarray(cv2.GaussianBlur(values, (0, 0), max(0.12 / mpp, 0.7)), np.float32)
    half = max(round(_NUCLEUS_REACH_UM / mpp), 8)
    # Every block by its brightest pixel, so that no spot is missed on the coarser grid.
    rows, cols = smooth.shape[0] // 4, smooth.shape[1] // 4
    blocks = smooth[: rows * 4, : cols * 4].reshape(rows, 4, cols, 4).max(axis=(1, 3))
    background = estimate_background(np.ascontiguousarray(smooth[::4, ::4]))
    widths = []
    for _ in range(_MOST_BRIGHT):
        row, col = (4 * int(place) for place in divmod(int(blocks.argmax()), cols))
        patch = smooth[row : row + 4, col : col + 4]
        down, right = divmod(int(patch.argmax()), patch.shape[1])
        row, col = row + down, col + right
        if smooth[row, col] <= background:
            break
        top, left = max(row - half, 0), max(col - half, 0)
        crop = smooth[top : row + half, left : col + half]
        floor = float(np.percentile(crop, 25))
        mask = crop > floor + 0.5 * (float(smooth[row, col]) - floor)
        area = _piece_at(mask, row - top, col - left).sum()
        widths.append(2 * float(area * mpp * mpp / np.pi) ** 0.5)
        blocks[top // 4 : -(-(row + half) // 4), left // 4 : -(-(col + half) // 4)] = background
    return float(np.percentile(widths, 25)) if widths else None


def _edge_of(crop: Image, top: float, place: tuple[int, int]) -> float | None:
    """Contrast over slope (pixels) at the half-height outline around a place; None if there is none."""
    floor = float(np.percentile(crop, 10))
    inner = crop[crop > floor + 0.5 * (top - floor)]
    if not inner.size:
        return None
    contrast = float(np.median(inner)) - floor
    mask = _piece_at(crop > floor + 0.5 * contrast, *place).astype(np.uint8)
    rim = mask - cv2.erode(mask, np.ones((3, 3), np.uint8))
    rim[0], rim[-1], rim[:, 0], rim[:, -1] = 0, 0, 0, 0
    if rim.sum() <= 10:  # fewer pixels are no outline of a nucleus
        return None
    down = cv2.Sobel(crop, cv2.CV_32F, 0, 1, scale=1 / 8)
    right = cv2.Sobel(crop, cv2.CV_32F, 1, 0, scale=1 / 8)
    slope = float(np.percentile(np.hypot(down, right)[rim > 0], 75))
    return contrast / slope if slope > 0 else None


def _piece_at(mask: npt.NDArray[np.bool_], row: int, col: int) -> npt.NDArray[np.bool_]:
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    piece: npt.NDArray[np.bool_] = (labels == labels[row, col]) & mask
    return piece
