"""Where tissue is out of focus, told by how its structure is spread over scales.

Sharp tissue varies about as much within 1 µm as within 2 and 4 µm, whatever its stain and density;
defocus takes the fine variation away first.  The ratio of neighbouring scales therefore measures blur
in absolute terms: on eight real cores a Gaussian blur of 1.5 µm puts it where no sharp place lies.
Ratios of variances need no reference image, and noise is taken off by what bare glass shows.

References
----------
.. [1] Field, J Opt Soc Am A 4:2379 (1987) (natural structure has equal energy in every octave).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.artefacts import Mask
from her2path.imaging.tissue import MASK_MPP, TissueFeatures

Plane = npt.NDArray[np.float32]

FOCUS_MPP = 1.0
"""Pixel size (µm) at which focus is judged; structure of 1 µm is the finest that it shows."""
FOCUS_MARGIN = 24
"""Context (pixels of `FOCUS_MPP`, whole mask pixels) that makes a block independent of the tile."""
FOCUS_BLOCK = round(MASK_MPP / FOCUS_MPP)
"""Edge of a mask pixel in pixels of `FOCUS_MPP`."""

TILE = 128
"""Edge of a tile in mask pixels (1 mm)."""

_SIGMAS = (0.6, 1.2, 2.4, 4.8)
_WINDOW_SIGMA = 2.5
"""Mask pixels over which energies are averaged: some nuclei must lie within."""
_RIM_SIGMA = 1.2
_AROUND_SIGMA = 16.0
"""Mask pixels (130 µm) of the surroundings whose focus a place is compared with."""


@dataclass(frozen=True, slots=True)
class FocusCuts:
    """Which ratios of scales mean defocus, and when they can be told."""

    fine: float = 0.55
    """Standard deviation at 1 µm over that at 2 µm: at least 0.82 on 98 % of sharp tissue of eight cores,
    0.55 to 0.75 with a blur of 1 µm, at most 0.57 with 1.5 µm."""
    coarse: float = 0.62
    """The same of 2 over 4 µm: at least 0.89 when sharp, 0.53 to 0.84 with 2 µm, at most 0.6 with 3 µm."""
    plain: float = 0.045
    """Roughness over density below which dense tissue shows nothing at all, as a blur of 6 µm leaves it:
    99.9 % of sharp tissue is above 0.14."""
    plain_od: float = 0.10
    """Density (sum of the channels) from which roughness over density can be told."""
    least_energy: float = 0.15
    """Variance (grey levels squared) of the coarser scale, noise taken off, from which a ratio means
    something; and at least `least_snr` times the noise that was taken off."""
    least_snr: float = 1.5
    rim: float = 0.80
    """Ratio at 1 over 2 µm up to which places beside a blurred area belong to it: the window mixes the
    sharp surroundings into its rim."""
    rim_um: float = 32.0
    noise_max: tuple[float, float, float] = (0.5, 0.25, 0.1)
    """Most variance that is taken for noise, where no glass shows how much there is."""
    area_um2: float = 10_000.0
    """Smallest area: an object that is plain by nature is smaller."""


@dataclass(frozen=True, slots=True)
class FocusTile:
    """A piece of the slide that is read at once: what it owns, and what it reads with its margin."""

    rows: tuple[int, int]
    """First and last (exclusive) row that is read, in pixels of `FOCUS_MPP`."""
    columns: tuple[int, int]
    place: tuple[int, int]
    """Row and column of its own first mask pixel on the slide."""
    first: tuple[int, int]
    """The same within what is read."""
    own: tuple[int, int] = (TILE, TILE)
    """Rows and columns of mask pixels that it owns."""


def focus_tiles(tissue: Mask, size: tuple[int, int]) -> Iterator[FocusTile]:
    """Cut the tissue into tiles; their grid is the slide's, so that the same slide reads the same.

    Of a tile only the part with tissue is read, and a seam of glass around it, which shows the noise.

    Parameters
    ----------
    tissue : ndarray of bool, shape (M, N)
        Tiles without any are left out.
    size : tuple of two ints
        Rows and columns of the slide in whole pixels of `FOCUS_MPP`.
    """
    for row in range(0, tissue.shape[0], TILE):
        for col in range(0, tissue.shape[1], TILE):
            there = tissue[row : row + TILE, col : col + TILE]
            if not there.any():
                continue
            (first_row, last_row), (first_col, last_col) = (
                _held(np.asarray(there.any(axis=axis))) for axis in (1, 0)
            )
            place = row + first_row, col + first_col
            own = last_row - first_row, last_col - first_col
            starts = [max(at * FOCUS_BLOCK - FOCUS_MARGIN, 0) for at in place]
            stops = [
                min((at + length) * FOCUS_BLOCK + FOCUS_MARGIN, end)
                for at, length, end in zip(place, own, size, strict=True)
            ]
            if starts[0] < stops[0] and starts[1] < stops[1]:
                yield FocusTile(
                    rows=(starts[0], stops[0]),
                    columns=(starts[1], stops[1]),
                    place=place,
                    first=(place[0] - starts[0] // FOCUS_BLOCK, place[1] - starts[1] // FOCUS_BLOCK),
                    own=own,
                )


_SEAM = 8
"""Mask pixels of glass that are read around the tissue."""


def _held(there: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """First and last (exclusive) place of a tile's side that is read."""
    places = np.flatnonzero(there)
    return max(int(places[0]) - _SEAM, 0), min(int(places[-1]) + 1 + _SEAM, len(there))


def measure_scale_energies(rgb: npt.NDArray[np.uint8]) -> Plane:
    """Measure how strongly an image varies at four scales.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
        Image at `FOCUS_MPP`; M and N are whole multiples of `FOCUS_BLOCK`.

    Returns
    -------
    energies : ndarray of float32, shape (M / 8, N / 8, 3)
        Variance (grey levels squared) of the differences of Gaussians of 0.6 and 1.2, 1.2 and 2.4, and
        2.4 and 4.8 µm, averaged over a mask pixel.
    """
    grey = np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), np.float32)
    smooth = [cv2.GaussianBlur(grey, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101) for sigma in _SIGMAS]
    size = (rgb.shape[1] // FOCUS_BLOCK, rgb.shape[0] // FOCUS_BLOCK)
    squares = [cv2.pow(fine - coarse, 2) for fine, coarse in pairwise(smooth)]
    return np.stack([cv2.resize(square, size, interpolation=cv2.INTER_AREA) for square in squares], axis=-1)


def detect_defocus(
    energies: Plane, features: TissueFeatures, tissue: Mask, *, cuts: FocusCuts | None = None
) -> Mask:
    """Find tissue whose fine structure is missing.

    Parameters
    ----------
    energies : ndarray of float32, shape (M, N, 3)
        From `measure_scale_energies`; NaN where the slide was not read.
    features : TissueFeatures
        Of the same shape.
    tissue : ndarray of bool, shape (M, N)
    cuts : FocusCuts, optional

    Returns
    -------
    mask : ndarray of bool, shape (M, N)
        Within the tissue.  A place too plain to tell counts as sharp.
    """
    cuts = cuts or FocusCuts()
    known = np.isfinite(energies[..., 0])
    inside = known & tissue
    if not inside.any():
        return np.zeros(tissue.shape, np.bool_)
    signal, noise = _without_noise(energies, inside, cuts)
    fine, middle, coarse = cv2.split(_averaged(signal, inside, _WINDOW_SIGMA))
    least = np.maximum(cuts.least_energy, cuts.least_snr * noise)
    by_fine = (middle > least[1]) & (fine < cuts.fine**2 * middle)
    by_coarse = (coarse > least[2]) & (middle < cuts.coarse**2 * coarse)
    by_plain = (features.density > cuts.plain_od) & (features.roughness < cuts.plain * features.density)
    core = _without_specks((by_fine | by_coarse | by_plain) & inside, cuts.area_um2)
    near_fine, near_middle, _ = cv2.split(_averaged(signal, inside, _RIM_SIGMA))
    radius = round(cuts.rim_um / MASK_MPP)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    around = cv2.dilate(core.astype(np.uint8), disc) > 0
    rim = around & inside & (near_fine < cuts.rim**2 * near_middle)
    return np.asarray(core | rim, np.bool_)


def measure_softness(energies: Plane, tissue: Mask, *, cuts: FocusCuts | None = None) -> Plane:
    """Measure how sharp a place is beside the tissue within some 200 µm, whatever the slide's own focus.

    Parameters
    ----------
    energies : ndarray of float32, shape (M, N, 3)
        From `measure_scale_energies`; NaN where the slide was not read.
    tissue : ndarray of bool, shape (M, N)
    cuts : FocusCuts, optional

    Returns
    -------
    softness : ndarray of float32, shape (M, N)
        Natural logarithm of the ratio of standard deviations at 1 and 2 µm, less its mean around; negative
        where a place is softer than its surroundings, 0 outside the tissue.
    """
    inside = np.isfinite(energies[..., 0]) & tissue
    if not inside.any():
        return np.zeros(tissue.shape, np.float32)
    signal, _ = _without_noise(energies, inside, cuts or FocusCuts())
    fine, middle, _ = cv2.split(np.maximum(cv2.GaussianBlur(signal, (0, 0), _SOFT_SIGMA), _LEAST_VARIANCE))
    ratio = np.log(np.clip(np.sqrt(fine / middle), *_RATIOS)).astype(np.float32)
    weight = inside.astype(np.float32)
    around = cv2.GaussianBlur(ratio * weight, (0, 0), _AROUND_SIGMA)
    around /= np.maximum(cv2.GaussianBlur(weight, (0, 0), _AROUND_SIGMA), 1e-3)
    return np.asarray((ratio - around) * weight, np.float32)


_SOFT_SIGMA = 1.5
"""Mask pixels over which softness is averaged: less than the width of a fold."""
_LEAST_VARIANCE = 1e-3
_RATIOS = (0.2, 3.0)
"""Ratios beyond these are noise."""


def _without_noise(energies: Plane, inside: Mask, cuts: FocusCuts) -> tuple[Plane, npt.NDArray[np.float32]]:
    """Take the noise, as the plainest places show it, off the tissue's energies; it is given as well."""
    known = np.isfinite(energies[..., 0])
    noise = np.minimum(np.quantile(energies[known], 0.03, axis=0), cuts.noise_max).astype(np.float32)
    signal = np.where(inside[..., None], np.nan_to_num(energies) - noise, 0).astype(np.float32)
    return signal, noise


def _averaged(energies: Plane, inside: Mask, sigma: float) -> Plane:
    """Average within the tissue: glass beside it says nothing of its focus."""
    share = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), sigma)
    total = cv2.GaussianBlur(energies, (0, 0), sigma)
    return np.asarray(total / np.maximum(share, 1e-3)[..., None], np.float32)


def _without_specks(mask: Mask, area_um2: float) -> Mask:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] * MASK_MPP**2 >= area_um2
    keep[0] = False
    return np.asarray(keep[labels], np.bool_)
