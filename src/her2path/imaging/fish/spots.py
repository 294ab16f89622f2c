"""Spots of one probe channel: where something stands out like a signal does.

A spot is a local maximum of the scale-normalised Laplacian of Gaussian at the size of a signal.
Its significance is judged against the noise of its own nucleus, so that a nucleus with bright
autofluorescence does not fill with false signals and a dark one does not lose its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from her2path.imaging.fish.quality import robust_sigma

Image = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

_SCALES_UM = (0.12, 0.15, 0.19, 0.24, 0.30, 0.38)
"""Candidate sizes of a signal (sigma); probes of 200 to 800 kb through NA 0.75 to 1.4."""


@dataclass(frozen=True, slots=True)
class SpotParams:
    """Cut-points of the detection."""

    first_sigma_um: float = 0.19
    """Size (sigma) that is looked for before the image's own is known."""
    min_snr: float = 6.0
    """Least height over the noise of the nucleus; under Gaussian noise a nucleus of 100 µm² at
    0.1 µm/px (some 2 500 independent places) shows a false spot once in 400 000 nuclei.  Real
    backgrounds have texture, so the share of a single signal below is the working limit."""
    edge_um: float = 0.4
    """A spot this close outside an outline still belongs to the nucleus."""


@dataclass(frozen=True, slots=True)
class Spots:
    """Spots of one channel, by falling response."""

    row: Floats
    """Sub-pixel, pixel-centre convention (centre of pixel 0 = 0.5)."""
    col: Floats
    response: Floats
    """Height of the scale-normalised Laplacian, in pixel values."""
    snr: Floats
    """Response over the noise of the nucleus (or of the background)."""
    nucleus: Ints
    """Label that the spot lies in; 0 = none."""

    def __len__(self) -> int:
        return len(self.row)

    def where(self, keep: npt.NDArray[np.bool_]) -> Spots:
        """Keep some of the spots, in the same order."""
        return Spots(self.row[keep], self.col[keep], self.response[keep], self.snr[keep], self.nucleus[keep])


def spot_response(plane: Image, *, sigma_px: float) -> Image:
    """Scale-normalised negative Laplacian of Gaussian.

    Parameters
    ----------
    plane : ndarray of float32, shape (M, N)
    sigma_px : float
        Size of a spot; a Gaussian spot of that size and height 1 gives 1/2.

    Returns
    -------
    response : ndarray of float32, shape (M, N)
        Large where something is brighter than its surroundings at this size.

    References
    ----------
    .. [1] Lindeberg, Int J Comput Vis 30:79 (1998).
    """
    # A difference of Gaussians whose widths are 1.26 apart approximates the Laplacian within 2 %.
    ratio = 1.26
    inner = cv2.GaussianBlur(plane, (0, 0), sigma_px / ratio**0.5)
    outer = cv2.GaussianBlur(plane, (0, 0), sigma_px * ratio**0.5)
    response: Image = (inner - outer) / np.float32(np.log(ratio))
    return response


def detect_spots(plane: Image, labels: Labels, *, mpp: float, sigma_um: float, params: SpotParams) -> Spots:
    """Find what stands out like a signal in nuclei and beside them.

    Parameters
    ----------
    plane : ndarray of float32, shape (M, N)
        Probe channel, bleed-through removed.
    labels : ndarray of int32, shape (M, N)
        Nuclei, 0 = none.
    mpp, sigma_um : float
        Pixel size and size of a signal in µm.
    params : SpotParams
    """
    sigma_px = max(sigma_um / mpp, 0.7)
    response = spot_response(plane, sigma_px=sigma_px)
    noise = region_noise(response, labels)
    reach = max(round(sigma_px), 1)
    peak = cv2.dilate(response, np.ones((2 * reach + 1,) * 2, np.uint8))
    top = (response == peak) & (response > params.min_snr * min(noise))
    top[:1], top[-1:], top[:, :1], top[:, -1:] = False, False, False, False
    rows, cols = np.nonzero(top)
    nucleus = nearest_labels(labels, rows, cols, reach_px=params.edge_um / mpp)
    height = response[rows, cols].astype(np.float64)
    snr = height / np.asarray(noise)[nucleus]
    d_row, d_col = _subpixel(response, rows, cols)
    keep = snr >= params.min_snr
    order = np.lexsort((cols[keep], rows[keep], -height[keep]))
    spots = Spots(rows + 0.5 + d_row, cols + 0.5 + d_col, height, snr, nucleus).where(keep)
    return spots.where(order)  # type: ignore[arg-type]  # an index array selects as a mask does


def region_noise(response: Image, labels: Labels) -> list[float]:
    """Robust standard deviation of the response in every nucleus; item 0 is the background.

    Each is at least that of the background: in a nucleus of few pixels chance could make it tiny.
    """
    outside = response[labels == 0]
    step = max(outside.size // 200_000, 1)
    background = robust_sigma(outside[::step]) if outside.size else 0.0
    background = max(background, 1e-6)
    noise = [background]
    for index, box in enumerate(ndimage.find_objects(labels)):
        inside = response[box][labels[box] == index + 1] if box is not None else response[:0]
        noise.append(max(robust_sigma(inside), background) if inside.size else background)
    return noise


def nearest_labels(
    labels: Labels, rows: npt.NDArray[np.intp], cols: npt.NDArray[np.intp], *, reach_px: float
) -> Ints:
    """Label at each place or, where there is none, the commonest within `reach_px`; 0 = none."""
    found = labels[rows, cols].astype(np.int32)
    reach = int(np.ceil(reach_px))
    disc = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1]) <= reach_px
    padded = np.pad(labels, reach)
    for index in np.flatnonzero(found == 0):
        row, col = int(rows[index]), int(cols[index])
        around = padded[row : row + 2 * reach + 1, col : col + 2 * reach + 1][disc]
        around = around[around > 0]
        if around.size:
            found[index] = np.bincount(around).argmax()
    return found


def learn_sigma(plane: Image, spots: Spots, *, mpp: float) -> float | None:
    """Size (sigma, µm) of the image's own signals: the scale at which spots respond most.

    Returns
    -------
    sigma_um : float or None
        None where fewer than ten spots could be measured.
    """
    chosen = spots.where(spots.nucleus > 0)
    if len(chosen) < 10:
        return None
    rows, cols = chosen.row.astype(int)[:600], chosen.col.astype(int)[:600]
    scales = np.array([s for s in _SCALES_UM if s / mpp >= 0.7])
    if len(scales) < 2:
        return float(scales[0]) if len(scales) else None
    stack = np.stack([spot_response(plane, sigma_px=s / mpp)[rows, cols] for s in scales])
    # Doublets and clusters respond at larger scales: the lower half of the spots are single signals.
    mean_scale = (stack.clip(0) * np.arange(len(scales))[:, None]).sum(axis=0) / stack.clip(1e-6).sum(axis=0)
    lower = mean_scale <= np.median(mean_scale)
    curve = (stack[:, lower] / stack[:, lower].max(axis=0)).mean(axis=1)
    return float(np.exp(_peak_of(np.log(scales), curve)))


def _peak_of(places: Floats, values: Floats) -> float:
    """Place of the maximum of a curve by a parabola through its highest point and the two beside it."""
    top = int(np.clip(values.argmax(), 1, len(values) - 2)) if len(values) > 2 else 0
    if len(values) < 3 or values.argmax() != top:
        return float(places[values.argmax()])
    bend, slope, _ = np.polyfit(places[top - 1 : top + 2], values[top - 1 : top + 2], 2)
    return float(-slope / (2 * bend)) if bend < 0 else float(places[top])


def _subpixel(
    response: Image, rows: npt.NDArray[np.intp], cols: npt.NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """Offset of the maximum by a parabola through three points along each axis, within half a pixel."""
    here = response[rows, cols].astype(np.float64)
    offsets = []
    for d_row, d_col in ((1, 0), (0, 1)):
        before = response[rows - d_row, cols - d_col].astype(np.float64)
        after = response[rows + d_row, cols + d_col].astype(np.float64)
        bend = before - 2 * here + after
        shift = np.divide(before - after, 2 * bend, out=np.zeros_like(here), where=bend < 0)
        offsets.append(np.clip(shift, -0.5, 0.5))
    return offsets[0], offsets[1]
