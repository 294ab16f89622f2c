"""Matter on a slide that is no stained tissue: ink, opaque places, dirt and grains.

Ink has a hue outside all mixtures of hematoxylin, DAB and grey, or is dense and *smooth*: it lies above
the tissue, which shows through it with less contrast than its own density would give.  Ink is told
before the stains are estimated, with published hues, because ink would be taken for a stain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.artefacts import Mask
from her2path.imaging.block_colours import BlockColours, Plane
from her2path.imaging.stain import StainModel
from her2path.imaging.tissue import MASK_MPP, TissueFeatures

_STAIN_HULL = (
    (0.480, 0.360),
    (0.400, 0.440),
    (0.160, 0.370),
    (0.150, 0.315),
    (0.205, 0.295),
)
"""Shares of the density (red, green; blue is the rest) within which hematoxylin, DAB and grey mix, with
the spread of laboratories and scanners: eight real cores and all published vectors lie inside."""


@dataclass(frozen=True, slots=True)
class MarkCuts:
    """From where matter is no tissue."""

    ink_od: float = 0.30
    """Density (sum of the channels) below which a hue is too faint to be told."""
    ink_hue: float = 0.045
    """Distance from the hull of stains in shares of the density; green, blue and red ink lie at 0.1 to
    0.3, dense places of eight real cores at 0 to 0.01."""
    ink_smooth: float = 0.30
    """Roughness over density of ink above tissue; tissue that a foreign dye stains is rougher."""
    rim_od: float = 0.10
    """Density down to which ink's soft edge goes on, within two mask pixels."""
    smooth: float = 0.22
    """Roughness over density of ink and dirt: 99.9 % of dense sharp tissue has more than 0.35."""
    ink_black_od: float = 0.9
    """Density from which smooth matter is ink whatever its hue; tissue out of focus is paler."""
    dirt_od: float = 0.30
    """Density from which smooth, colourless matter beside the tissue is dirt."""
    grey: float = 0.10
    """Most hue (red minus blue over the sum, either sign) of colourless matter."""
    pen_um: float = 250.0
    """Longest side from which dense, smooth matter is a stroke of a pen and not dirt."""
    area_um2: float = 2500.0
    """Smallest mark."""
    opaque_od: float = 2.0
    """Mean density and ..."""
    opaque_floor_od: float = 1.1
    """... density of the palest 2 µm from which stained tissue is opaque: strong membranes leave paler
    cytoplasm and nuclei within 8 µm."""
    opaque_um2: float = 600.0
    grains_frac: float = 0.010
    """Share of the pixels within some 30 µm that are black grains: in eight real cores at most 0.0045, on red
    cells ..."""
    grains_over: float = 4.0
    """... and how many times that of 75 % of the tissue: what lies all over a slide is no pigment."""
    grains_um2: float = 600.0


class Marks(NamedTuple):
    """Foreign matter, each mask of bool, shape (M, N)."""

    pen: Mask
    dirt: Mask


def detect_marks(
    colours: BlockColours, features: TissueFeatures, tissue: Mask, *, cuts: MarkCuts | None = None
) -> Marks:
    """Find ink, and smooth dirt that is too small for a stroke.

    Parameters
    ----------
    colours : BlockColours
        Of the whole slide, shape (M, N).
    features : TissueFeatures
        Of the same shape.
    tissue : ndarray of bool, shape (M, N)
    cuts : MarkCuts, optional

    Returns
    -------
    Marks
    """
    cuts = cuts or MarkCuts()
    density = colours.density
    foreign = density > cuts.ink_od
    foreign &= features.roughness < cuts.ink_smooth * density
    foreign &= hue_distance(colours) > cuts.ink_hue
    coloured = without_specks(_opened(foreign), cuts.area_um2)
    smooth = features.roughness < cuts.smooth * density
    dense = smooth & (density > cuts.ink_black_od)
    grey = np.abs(features.tint) < cuts.grey * np.maximum(density, 1e-3)
    beside = smooth & grey & ~tissue & (density > cuts.dirt_od)
    solid = without_specks(_opened(dense | beside), cuts.area_um2)
    strokes = _longer_than(solid & cv2.dilate(dense.astype(np.uint8), disc(2)).astype(bool), cuts.pen_um)
    pen = _with_rim(coloured | strokes, density > cuts.rim_od)
    return Marks(pen, np.asarray(solid & ~pen, np.bool_))


def detect_opaque(colours: BlockColours, *, cuts: MarkCuts | None = None) -> Mask:
    """Find places so dense that their densities are only bounds; shape (M, N)."""
    cuts = cuts or MarkCuts()
    opaque = (colours.density > cuts.opaque_od) & (colours.floor > cuts.opaque_floor_od)
    return without_specks(opaque | (colours.opaque > 0.5), cuts.opaque_um2)


def measure_grains(od: npt.NDArray[np.float32], stains: StainModel, *, block: int) -> Plane:
    """Count black grains of 1 to 4 µm: soot, dust.

    Black absorbs red, green and blue alike, and so does what a grain *adds* to the density beside it,
    whatever it lies on; what a membrane or chromatin adds has the hue of a mixture of the two stains.
    Brown grains are left alone: a small focus of strong membranes looks like a crowd of them, and to
    leave out such a focus is the worse fault.

    Parameters
    ----------
    od : ndarray of float32, shape (M, N, 3)
        Densities at 1 µm per pixel; M and N are whole multiples of `block`.
    stains : StainModel
        Of the slide.
    block : int
        Pixels per mask pixel.

    Returns
    -------
    share : ndarray of float32, shape (M / block, N / block)
        Share of the pixels.
    """
    total = np.asarray(cv2.transform(od, np.ones((1, 3), np.float32)), np.float32)
    # Compression blurs the colour of what is this small: a grain is 3 and not 1 pixel wide here.
    grain, square = (cv2.boxFilter(od, -1, (side, side)) for side in (_GRAIN_PX, _AROUND_PX))
    # What 3 pixels have over the ring around them, from what they have over the square with them in it.
    ring = 1 - _GRAIN_PX**2 / _AROUND_PX**2
    added = np.asarray(cv2.addWeighted(grain, 1 / ring, square, -1 / ring, 0), np.float32)
    much = np.asarray(cv2.transform(added, np.ones((1, 3), np.float32)), np.float32)
    rows, columns = np.nonzero((total > _GRAIN_OD) & (much > _GRAIN_ADDS_OD))
    kept = _is_black(added[rows, columns] / much[rows, columns, None], stains)
    rows, columns = rows[kept], columns[kept]
    # A grain is short in every direction.  A fibre's edge is as narrow, but goes on along itself, so that
    # the opening along its direction keeps it.
    black = np.zeros(total.shape, np.float32)
    black[rows, columns] = total[rows, columns] - _opened_at(total, rows, columns) > _GRAIN_RISE_OD
    size = (od.shape[1] // block, od.shape[0] // block)
    return np.asarray(cv2.resize(black, size, interpolation=cv2.INTER_AREA), np.float32)


def _is_black(shares: npt.NDArray[np.floating], stains: StainModel) -> npt.NDArray[np.bool_]:
    """Say which hues, as shares (n, 3) of the density, are grey, and no mixture of the two stains."""
    hematoxylin, dab = (np.array(v) / np.sum(v) for v in (stains.hematoxylin, stains.dab))
    way = dab - hematoxylin
    along = np.clip((shares - hematoxylin) @ way / (way @ way), 0, 1)
    from_stains = np.linalg.norm(shares - hematoxylin - along[:, None] * way, axis=1)
    from_grey = np.linalg.norm(shares - 1 / 3, axis=1)
    return np.asarray((from_grey < _GRAIN_GREY) & (from_grey < _NEARER * from_stains), np.bool_)


def _opened_at(
    plane: Plane, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]
) -> npt.NDArray[np.float32]:
    """Open a plane along segments of 5 to 7 µm in four directions at some places, and take the greatest.

    What is dark and colourless is a thousandth of a slide, so the openings of whole planes are left out.
    """
    reach = 2 * _LINE_REACH
    padded = np.pad(plane, reach, constant_values=np.inf)
    opened = np.full(len(rows), -np.inf, np.float32)
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        steps = np.arange(-reach, reach + 1)[:, None]
        along = padded[rows + reach + steps * down, columns + reach + steps * right]
        for first in range(2 * _LINE_REACH + 1):
            least = along[first : first + 2 * _LINE_REACH + 1].min(axis=0)
            # A segment has its middle within the plane.
            least[np.isinf(along[first + _LINE_REACH])] = -np.inf
            np.maximum(opened, least, out=opened)
    return opened


_LINE_REACH = 2
"""Pixels of a segment on either side of its middle."""
_GRAIN_PX = 3
_AROUND_PX = 9
_GRAIN_RISE_OD = 0.45
"""Least density (sum of the channels) over the darkest segment that holds it."""
_GRAIN_OD = 0.6
_GRAIN_ADDS_OD = 0.4
"""Least density (sum of the channels) of 3 µm over that of 9 µm around."""
_GRAIN_GREY = 0.06
"""Farthest from grey, in shares of the density; Ruifrok's stains lie at 0.2, halfway between them at 0.08."""
_NEARER = 1.2
"""How much farther than from the stains it may be from grey: vectors that are near to grey tell little."""


def detect_grains(share: Plane, tissue: Mask, *, cuts: MarkCuts | None = None) -> Mask:
    """Find where grains crowd as nowhere else on the slide; shape (M, N)."""
    cuts = cuts or MarkCuts()
    if not tissue.any():
        return np.zeros(tissue.shape, np.bool_)
    smooth = np.asarray(cv2.GaussianBlur(share, (0, 0), 2.0), np.float32)
    usual = float(np.quantile(smooth[tissue], 0.75))
    return without_specks(smooth > max(cuts.grains_frac, cuts.grains_over * usual), cuts.grains_um2)


def hue_distance(colours: BlockColours) -> Plane:
    """Measure how far a colour lies outside all mixtures of the two stains and grey.

    Returns
    -------
    distance : ndarray of float32, shape (M, N)
        In shares of the density; 0 inside the hull, meaningless where there is hardly any density.
    """
    total = np.maximum(colours.density, 1e-3)
    x, y = colours.red / total, colours.green / total
    inside = np.ones(total.shape, np.bool_)
    nearest = np.full(total.shape, np.inf, np.float32)
    for start, end in zip(_STAIN_HULL, (*_STAIN_HULL[1:], _STAIN_HULL[0]), strict=True):
        edge_x, edge_y = end[0] - start[0], end[1] - start[1]
        from_x, from_y = x - start[0], y - start[1]
        along = np.clip((from_x * edge_x + from_y * edge_y) / (edge_x**2 + edge_y**2), 0, 1)
        gap = np.hypot(from_x - along * edge_x, from_y - along * edge_y)
        nearest = np.minimum(nearest, gap)
        inside &= edge_x * from_y - edge_y * from_x >= 0  # the hull runs counter-clockwise
    return np.asarray(np.where(inside, 0, nearest), np.float32)


def without_specks(mask: Mask, area_um2: float) -> Mask:
    """Drop connected areas smaller than `area_um2`."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] * MASK_MPP**2 >= area_um2
    keep[0] = False
    return np.asarray(keep[labels], np.bool_)


def _longer_than(mask: Mask, length_um: float) -> Mask:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    sides = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    keep = sides * MASK_MPP >= length_um
    keep[0] = False
    return np.asarray(keep[labels], np.bool_)


def _with_rim(mask: Mask, reachable: Mask) -> Mask:
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc(4))
    wide = cv2.dilate(closed, disc(2)) > 0
    return np.asarray((closed > 0) | (wide & reachable), np.bool_)


def _opened(mask: Mask) -> Mask:
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc(1)), np.bool_)


def disc(radius: int) -> npt.NDArray[np.uint8]:
    """Make a round element of morphology, in pixels."""
    side = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
