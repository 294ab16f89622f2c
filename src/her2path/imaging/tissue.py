"""Where on a bright-field slide tissue lies, pale immunostained tissue included.

Brightness alone cannot tell pale tissue from glass, and one smudge of dirt moves a global Otsu
threshold.  What tissue has and glass lacks is *fine structure*: at 2 µm per pixel the local
variation of optical density is ten times the noise of the glass even in tissue that barely takes
stain, while smudges, haze and bubbles are smooth.  Smooth matter counts only if it is coloured,
as stained tissue out of focus is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.stain import Rgb, optical_density

FEATURE_MPP = 2.0
"""Pixel size (µm) at which structure is looked for: nuclei and fibres are 2 to 5 pixels wide."""
BLOCK = 4
"""Edge of a mask pixel in feature pixels."""
MASK_MPP = FEATURE_MPP * BLOCK
"""Pixel size (µm) of the mask."""
MARGIN = 32
"""Rows of context (feature pixels, a multiple of `BLOCK`) that make a band's features independent of
where the slide was cut into bands."""

_DETAIL_SIGMA = 2.0
_WINDOW_SIGMA = 5.0
_NOISE_FACTOR = 3.0
"""Tissue is rougher than this many times the glass: on eight real cores glass lies within 1.2 of its
median and the palest tissue above 5."""
_FLOOR_MIN, _FLOOR_MAX = 0.0030, 0.0080
"""Range of OD roughness taken for glass; outside it the slide shows none and a bound is used."""
_SMOOTH_DENSITY = 0.10
"""Sum of densities above which smooth, coloured matter counts as tissue."""
_SMOOTH_TINT = 0.15
"""Hue (red minus blue density over their sum) beyond which matter counts as coloured."""
_ERODE_UM = 48.0
"""The window and the averaging widen the mask by half of this on every side; this takes it back."""
_OPEN_UM = 48.0
"""Threads and specks thinner than this are cut off."""
_CLOSE_UM = 48.0
_HOLE_UM2 = 40_000.0
"""Largest gap that is filled: glands' lumens and vessels belong to the tissue, tears do not."""
_PIECE_UM2 = 6_000.0
"""Smallest piece: a strip of a needle biopsy is larger, dust and floaters are not."""


@dataclass(frozen=True, slots=True)
class TissueFeatures:
    """What tells tissue from glass, one value per mask pixel (float32)."""

    roughness: npt.NDArray[np.float32]
    """Local standard deviation of the OD sum within 10 µm."""
    density: npt.NDArray[np.float32]
    """Local mean of the OD sum."""
    tint: npt.NDArray[np.float32]
    """Local mean of red minus blue density."""

    def rows(self, start: int, stop: int) -> TissueFeatures:
        """Cut out rows, in mask pixels."""
        return TissueFeatures(self.roughness[start:stop], self.density[start:stop], self.tint[start:stop])


def join_features(bands: list[TissueFeatures]) -> TissueFeatures:
    """Stack bands from top to bottom."""
    return TissueFeatures(
        np.concatenate([band.roughness for band in bands]),
        np.concatenate([band.density for band in bands]),
        np.concatenate([band.tint for band in bands]),
    )


def measure_tissue_features(rgb: npt.NDArray[np.uint8], *, white: Rgb) -> TissueFeatures:
    """Measure roughness, density and tint of a slide or of a band of it.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
        Image at `FEATURE_MPP`.  Pure white (255) is padding and counts as glass.
    white : tuple of three floats
        Blank field.

    Returns
    -------
    TissueFeatures
        Shape (ceil(M / 4), ceil(N / 4)).
    """
    od = optical_density(rgb, white=white)
    red, green, blue = cv2.split(rgb)
    od[cv2.min(cv2.min(red, green), blue) == 255] = 0
    total = cv2.transform(od, np.ones((1, 3), np.float32))
    tint = cv2.transform(od, np.array([[1, 0, -1]], np.float32))
    detail = total - cv2.GaussianBlur(total, (0, 0), _DETAIL_SIGMA, borderType=cv2.BORDER_REFLECT_101)
    variance = cv2.GaussianBlur(detail * detail, (0, 0), _WINDOW_SIGMA, borderType=cv2.BORDER_REFLECT_101)
    return TissueFeatures(
        np.sqrt(np.maximum(_blocks(variance), 0)),
        _blocks(cv2.GaussianBlur(total, (0, 0), _WINDOW_SIGMA)),
        _blocks(cv2.GaussianBlur(tint, (0, 0), _WINDOW_SIGMA)),
    )


def detect_tissue(features: TissueFeatures) -> npt.NDArray[np.bool_]:
    """Find tissue.

    Parameters
    ----------
    features : TissueFeatures
        Of the whole slide.

    Returns
    -------
    mask : ndarray of bool, shape (rows, columns) of the features
        True on tissue; small gaps inside belong to it, small pieces outside do not.
    """
    floor = float(np.clip(np.quantile(features.roughness, 0.05), _FLOOR_MIN, _FLOOR_MAX))
    rough = features.roughness > _NOISE_FACTOR * floor
    hue = np.abs(features.tint) / np.maximum(features.density, 1e-3)
    smooth = (features.density > _SMOOTH_DENSITY) & (hue > _SMOOTH_TINT)
    mask = (rough | smooth).astype(np.uint8)
    mask = _morph(mask, cv2.MORPH_CLOSE, _CLOSE_UM)
    mask = _morph(mask, cv2.MORPH_ERODE, _ERODE_UM)
    mask = _morph(mask, cv2.MORPH_OPEN, _OPEN_UM)
    return _drop_small(_fill_holes(mask))


def _blocks(image: npt.NDArray[np.float32] | cv2.typing.MatLike) -> npt.NDArray[np.float32]:
    down, right = -image.shape[0] % BLOCK, -image.shape[1] % BLOCK
    padded = cv2.copyMakeBorder(image, 0, down, 0, right, cv2.BORDER_REPLICATE)
    size = (padded.shape[1] // BLOCK, padded.shape[0] // BLOCK)
    return np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA), np.float32)


def _morph(mask: npt.NDArray[np.uint8], operation: int, diameter_um: float) -> npt.NDArray[np.uint8]:
    radius = max(1, round(diameter_um / 2 / MASK_MPP))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    # Beyond the image there is no glass, only nothing known: the mask goes on as it ends.
    padded = cv2.copyMakeBorder(mask, radius, radius, radius, radius, cv2.BORDER_REPLICATE)
    changed = cv2.morphologyEx(padded, operation, disc)
    return np.asarray(changed[radius:-radius, radius:-radius], np.uint8)


def _fill_holes(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    fill = stats[:, cv2.CC_STAT_AREA] * MASK_MPP**2 <= _HOLE_UM2
    fill[0] = False  # label 0 is the tissue itself
    touches = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    fill[touches] = False
    return np.asarray(mask | fill[labels], np.uint8)


def _drop_small(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] * MASK_MPP**2 >= _PIECE_UM2
    keep[0] = False
    return np.asarray(keep[labels], np.bool_)


def sample_places(
    mask: npt.NDArray[np.bool_], features: TissueFeatures, *, edge: int, count: int
) -> list[tuple[int, int]]:
    """Choose squares of tissue that together show what a slide holds.

    Half of them are the densest, where stains are strongest; half are spread evenly, so that a
    small stained focus does not speak for the slide.

    Parameters
    ----------
    mask : ndarray of bool, shape (M, N)
    features : TissueFeatures
        Of the same shape.
    edge : int
        Edge of a square in mask pixels.
    count : int
        Most squares that are returned.

    Returns
    -------
    places : list of tuples
        Row and column of the top-left corners; at least one if the mask is not empty.
    """
    rows, columns = (max(1, -(-size // edge)) for size in mask.shape)
    share = np.zeros((rows, columns))
    density = np.zeros((rows, columns))
    for row in range(rows):
        for column in range(columns):
            window = np.s_[row * edge : (row + 1) * edge, column * edge : (column + 1) * edge]
            share[row, column] = mask[window].sum() / edge**2
            density[row, column] = features.density[window][mask[window]].sum() / edge**2
    full = np.flatnonzero(share.ravel() >= min(0.8, share.max()))
    by_density = full[np.lexsort((full, -density.ravel()[full]))]
    even = full[np.unique(np.linspace(0, len(full) - 1, count - count // 2).astype(int))]
    chosen = sorted({*by_density[: count // 2].tolist(), *even.tolist()})
    return [(place // columns * edge, place % columns * edge) for place in chosen]


def detect_foreground(
    plane: npt.NDArray[np.float32] | cv2.typing.MatLike, *, cut: float
) -> npt.NDArray[np.bool_]:
    """Find what is brighter than `cut` in a fluorescence plane at `FEATURE_MPP`, shape kept."""
    smooth = cv2.GaussianBlur(np.asarray(plane, np.float32), (0, 0), 1.0)
    return np.asarray(smooth > cut, np.bool_)
