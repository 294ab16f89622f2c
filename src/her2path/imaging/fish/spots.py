"""Spots of one probe channel: where something stands out like a signal does.

A spot is a place where the image answers to a difference of Gaussians as a Gaussian spot of the
size of a signal does; spots that lie close are fitted together.  Significance is judged against
the noise of the spot's own nucleus, so that a nucleus with bright autofluorescence does not fill
with false signals and a dark one does not lose its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import spsolve
from scipy.spatial import cKDTree

from her2path.imaging.fish.territories import Territories

Image = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

_ROUNDS = 3
"""Rounds of fitting heights and places; the third moves hardly a spot."""
_LEAST_WIDTH_PX = 0.7
"""Sharpest spot (sigma) that pixels show."""
_RIM = 2
"""Pixels along the border of an image where nothing is looked for."""
_SCALES_UM = (0.12, 0.15, 0.19, 0.24, 0.30, 0.38)
"""Candidate sizes of a signal (sigma); probes of 200 to 800 kb through NA 0.75 to 1.4."""


@dataclass(frozen=True, slots=True)
class SpotParams:
    """Cut-points of the detection."""

    first_sigma_um: float = 0.19
    """Size (sigma) that is looked for before the image's own is known."""
    min_snr: float = 4.5
    """Least response over the noise of the nucleus.  Under Gaussian noise a nucleus of some 500 independent
    places shows a false spot once in 600 nuclei; the texture of autofluorescence is not Gaussian, so that
    the share of a single signal is asked for as well."""


@dataclass(frozen=True, slots=True)
class Spots:
    """Spots of one channel, by falling height."""

    row: Floats
    """Sub-pixel, pixel-centre convention (centre of pixel 0 = 0.5)."""
    col: Floats
    height: Floats
    """Above its surroundings and freed from the light of its neighbours, in pixel values."""
    snr: Floats
    """Its response over the noise of the response in its nucleus (or in the background)."""
    nucleus: Ints
    """Label that the spot lies in; 0 = none."""

    def __len__(self) -> int:
        return len(self.row)

    @property
    def places(self) -> Floats:
        """Row and column of every spot, shape (N, 2)."""
        return np.stack([self.row, self.col], axis=1)

    def where(self, keep: npt.NDArray[np.bool_]) -> Spots:
        """Keep some of the spots, in the same order."""
        return Spots(self.row[keep], self.col[keep], self.height[keep], self.snr[keep], self.nucleus[keep])


def spot_width_px(sigma_um: float, mpp: float) -> float:
    """Width in pixels at which spots of a size are looked for; what is sharper than pixels show has 0.7.

    Examples
    --------
    >>> round(spot_width_px(0.19, 0.1), 3), spot_width_px(0.19, 0.5)
    (1.9, 0.7)
    """
    return max(sigma_um / mpp, _LEAST_WIDTH_PX)


def spot_response(plane: Image, *, sigma_px: float) -> Image:
    """Difference of Gaussians that answers to a spot of one size and not to what is wider.

    Parameters
    ----------
    plane : ndarray of float32, shape (M, N)
    sigma_px : float
        Size of a spot.

    Returns
    -------
    response : ndarray of float32, shape (M, N)
        Large where something is brighter than its surroundings at this size; `answer` says how large.

    Notes
    -----
    A wider outer Gaussian would see spots better through the noise of the camera, but the texture of
    autofluorescent nuclei, which is what hides signals in sections, far worse.
    """
    inner, outer = _widths(sigma_px)
    response: Image = cv2.GaussianBlur(plane, (0, 0), inner) - cv2.GaussianBlur(plane, (0, 0), outer)
    return response


def answer(distance2_px: Floats, *, sigma_px: float) -> Floats:
    """Response to a Gaussian spot of height 1 at given squared distances from its centre."""
    total = np.zeros_like(distance2_px)
    for sign, width in zip((1, -1), _widths(sigma_px), strict=True):
        variance = sigma_px**2 + width**2
        total += sign * sigma_px**2 / variance * np.exp(-distance2_px / (2 * variance))
    return total


def top_answer(sigma_px: float) -> float:
    """Response at the centre of a Gaussian spot of height 1."""
    return float(answer(np.zeros(1), sigma_px=sigma_px)[0])


def parabola_top(before: Floats, here: Floats, after: Floats, *, within: float) -> Floats:
    """Place of the top of a parabola through three neighbouring values each, from the middle one, in steps.

    Parameters
    ----------
    before, here, after : ndarray of float64, shape (N,)
    within : float
        Farthest that it may lie; 0 where the three values have no top.
    """
    bend = before - 2 * here + after
    shift = np.divide(before - after, 2 * bend, out=np.zeros_like(bend), where=bend < 0)
    return np.clip(shift, -within, within)


def height_at(plane: Image, spots: Spots, *, sigma_px: float) -> Floats:
    """Height that a lone spot at each place would have in a channel, in pixel values."""
    response = spot_response(plane, sigma_px=sigma_px)[spots.row.astype(int), spots.col.astype(int)]
    height: Floats = response.astype(np.float64) / top_answer(sigma_px)
    return height


def detect_spots(
    plane: Image, nuclei: Territories, *, mpp: float, sigma_um: float, params: SpotParams
) -> Spots:
    """Find what stands out like a signal in nuclei and beside them.

    Parameters
    ----------
    plane : ndarray of float32, shape (M, N)
        Probe channel, bleed-through removed.
    nuclei : Territories
        Nuclei of the field; a spot close outside an outline belongs to it.
    mpp, sigma_um : float
        Pixel size and size of a signal in µm.
    params : SpotParams

    Notes
    -----
    Maxima of the response are candidates, and so are those of a sharper one, in which two signals of 2.5
    widths apart still have two tops.  Heights and places of all candidates are then fitted together, each
    freed from the light of its neighbours, and what is left without significance is dropped: the light
    of a neighbour's flank is counted once.

    References
    ----------
    .. [1] Högbom, Astron Astrophys Suppl 15:417 (1974): CLEAN, the idea of fitting point sources through
       the response of the instrument instead of counting tops.
    """
    sigma_px = spot_width_px(sigma_um, mpp)
    response = spot_response(plane, sigma_px=sigma_px)
    noise = nuclei.noise(response)
    where = _candidates(plane, response, nuclei, noise, sigma_px=sigma_px, params=params)
    peak = top_answer(sigma_px)
    height = np.zeros(0)
    for _ in range(_ROUNDS):
        where = _without_twins(where, height, within_px=0.9 * sigma_px)
        pixel = np.floor(where).astype(np.intp)
        owner = nuclei.at(pixel[:, 0], pixel[:, 1])
        height, links = _fitted_heights(response, where, sigma_px)
        kept = height * peak >= params.min_snr * noise[owner]
        if not kept.all():
            where = where[kept]
            height, links = _fitted_heights(response, where, sigma_px)
        where = _refined(response, where, height, links, sigma_px)
    pixel = np.floor(where).astype(np.intp)
    nucleus = nuclei.at(pixel[:, 0], pixel[:, 1])
    snr = height * peak / noise[nucleus]
    order = np.lexsort((where[:, 1], where[:, 0], -height))
    found = Spots(where[:, 0], where[:, 1], height, snr, nucleus).where(order)  # type: ignore[arg-type]  # an index array selects as a mask does
    return found.where(found.snr >= params.min_snr)


def _candidates(
    plane: Image, response: Image, nuclei: Territories, noise: Floats, *, sigma_px: float, params: SpotParams
) -> Floats:
    """Places (row, col; centres at .5) of maxima of the response and of a sharper one, each once."""
    fine_width, coarse_width = max(0.5 * sigma_px, 0.5), 1.2 * sigma_px
    sharp: Image = cv2.GaussianBlur(plane, (0, 0), fine_width) - cv2.GaussianBlur(plane, (0, 0), coarse_width)
    found = []
    for picture, spread in ((sharp, nuclei.noise(sharp)), (response, noise)):
        rows, cols = _tops(picture, params.min_snr * float(spread.min()))
        owner = nuclei.at(rows, cols)
        clear = picture[rows, cols] >= params.min_snr * spread[owner]
        # Somewhat less significance in the response does: a flank, whose height the common fit decides.
        clear &= response[rows, cols] >= 0.7 * params.min_snr * noise[owner]
        found.append(np.stack([rows[clear], cols[clear]], axis=1) + 0.5)
    fine, coarse = found
    if len(fine) and len(coarse):
        distance, _ = cKDTree(fine).query(coarse)
        coarse = coarse[distance > 1.3 * sigma_px]
    return np.concatenate([fine, coarse])


def _tops(picture: Image, level: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    top = (picture == cv2.dilate(picture, np.ones((3, 3), np.uint8))) & (picture > level)
    top[:_RIM], top[-_RIM:], top[:, :_RIM], top[:, -_RIM:] = False, False, False, False
    rows, cols = np.nonzero(top)
    return rows, cols


def _without_twins(where: Floats, height: Floats, *, within_px: float) -> Floats:
    """Drop the fainter of two places that have run together."""
    if not len(height) or len(height) != len(where):
        return where
    dropped = np.zeros(len(where), bool)
    for one, other in cKDTree(where).query_pairs(within_px, output_type="ndarray").tolist():
        if not (dropped[one] or dropped[other]):
            dropped[other if height[one] >= height[other] else one] = True
    return where[~dropped]


Links = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
"""Pairs of spots whose light reaches each other, both ways."""


def _fitted_heights(response: Image, where: Floats, sigma_px: float) -> tuple[Floats, Links]:
    """Heights of all spots at once, such that together they give the response at each of their pixels."""
    count = len(where)
    pairs = (
        cKDTree(where).query_pairs(6 * sigma_px, output_type="ndarray")
        if count
        else np.zeros((0, 2), np.intp)
    )
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    here = np.concatenate([pairs[:, 0], pairs[:, 1]])
    there = np.concatenate([pairs[:, 1], pairs[:, 0]])
    pixel = np.floor(where).astype(np.intp)
    itself = np.arange(count)
    rows, cols = np.concatenate([itself, here]), np.concatenate([itself, there])
    light = answer(((pixel[rows] + 0.5 - where[cols]) ** 2).sum(axis=1), sigma_px=sigma_px)
    # A trace on the diagonal keeps two places on one pixel solvable.
    matrix = sparse.csc_matrix((light + 1e-3 * (rows == cols), (rows, cols)), shape=(count, count))
    seen = response[pixel[:, 0], pixel[:, 1]].astype(np.float64)
    height = np.atleast_1d(spsolve(matrix, seen)) if count else seen
    return height, (here, there)


def _refined(response: Image, where: Floats, height: Floats, links: Links, sigma_px: float) -> Floats:
    """Move each spot to the top of its own response, a parabola along each axis, by 0.6 pixels at most."""
    here, there = links
    pixel = np.floor(where).astype(np.intp)
    own = {}
    for step in ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)):
        place = pixel + step
        apart = ((place[here] + 0.5 - where[there]) ** 2).sum(axis=1)
        lent = np.bincount(here, height[there] * answer(apart, sigma_px=sigma_px), len(where))
        own[step] = response[place[:, 0], place[:, 1]] - lent
    moved = pixel + 0.5
    for axis, (before, after) in enumerate((((-1, 0), (1, 0)), ((0, -1), (0, 1)))):
        moved[:, axis] += parabola_top(own[before], own[0, 0], own[after], within=0.6)
    low, high = _RIM, np.array(response.shape) - _RIM - 0.01
    return np.clip(moved, low, high)


def mirrored_rate(
    plane: Image, nuclei: Territories, spots: Spots, *, sigma_px: float, min_snr: float, min_height: float
) -> float | None:
    """Places per nucleus as far below their surroundings as a counted spot is above.

    Noise has no sign, so its depths tell how often its heights pass for a signal, away from all signals.
    Autofluorescent granules have a sign and are not in this figure.

    Parameters
    ----------
    plane : ndarray of float32, shape (M, N)
    nuclei : Territories
    spots : Spots
        Of the channel; around them the response dips by itself.
    sigma_px, min_snr : float
        Size of a signal, and least response over the noise of the nucleus.
    min_height : float
        Least height of a counted spot, in pixel values.

    Returns
    -------
    rate : float or None
        Per nucleus, >= 0; None without a nucleus.
    """
    if not nuclei.count:
        return None
    response = -spot_response(plane, sigma_px=sigma_px)
    noise = nuclei.noise(response)
    least = np.maximum(min_snr * noise, min_height * top_answer(sigma_px))
    rows, cols = _tops(response, float(least.min()))
    owner = nuclei.labels[rows, cols]
    deep = (owner > 0) & (response[rows, cols] >= least[owner])
    places = np.stack([rows[deep], cols[deep]], axis=1) + 0.5
    if len(places) and len(spots):
        distance, _ = cKDTree(spots.places).query(places)
        places = places[distance > 5 * sigma_px]
    return len(places) / nuclei.count


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
    scales = np.array([s for s in _SCALES_UM if s / mpp >= _LEAST_WIDTH_PX])
    if len(scales) < 2:
        return float(scales[0]) if len(scales) else None
    stack = np.stack([_scale_response(plane, s / mpp)[rows, cols] for s in scales])
    # Doublets and clusters respond at larger scales: the lower half of the spots are single signals.
    mean_scale = (stack.clip(0) * np.arange(len(scales))[:, None]).sum(axis=0) / stack.clip(1e-6).sum(axis=0)
    lower = mean_scale <= np.median(mean_scale)
    curve = (stack[:, lower] / stack[:, lower].max(axis=0)).mean(axis=1)
    return float(np.exp(_peak_of(np.log(scales), curve)))


def _scale_response(plane: Image, sigma_px: float) -> Image:
    """Scale-normalised Laplacian of Gaussian [1]_: of a spot it is greatest at the spot's own size.

    .. [1] Lindeberg, Int J Comput Vis 30:79 (1998).
    """
    # A difference of Gaussians whose widths are 1.26 apart approximates the Laplacian within 2 %.
    ratio = 1.26
    inner = cv2.GaussianBlur(plane, (0, 0), sigma_px / ratio**0.5)
    outer = cv2.GaussianBlur(plane, (0, 0), sigma_px * ratio**0.5)
    response: Image = (inner - outer) / np.float32(np.log(ratio))
    return response


def _widths(sigma_px: float) -> tuple[float, float]:
    """Inner and outer width of the difference of Gaussians for spots of one size."""
    return max(0.8 * sigma_px, 0.5), 1.4 * sigma_px


def _peak_of(places: Floats, values: Floats) -> float:
    """Place of the maximum of a curve by a parabola through its highest point and the two beside it."""
    top = int(np.clip(values.argmax(), 1, len(values) - 2)) if len(values) > 2 else 0
    if len(values) < 3 or values.argmax() != top:
        return float(places[values.argmax()])
    bend, slope, _ = np.polyfit(places[top - 1 : top + 2], values[top - 1 : top + 2], 2)
    return float(-slope / (2 * bend)) if bend < 0 else float(places[top])
