"""Nuclei of a hematoxylin and DAB image: blobs as seeds, outlines along rays, overlaps resolved.

Brown nuclei and saturated 3+ fields break a threshold on hematoxylin alone, and pale vesicular
nuclei are lighter than their own nucleoli.  So a nucleus is sought as a *region that is bluer and
less brown than what surrounds it*, with an outline that never crosses a brown line, and of
several candidates for one place the one that explains most of it is kept.

Everything has a reach of less than `REACH_UM`, so tiles with that margin give the same nuclei
wherever they are cut.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.ihc.finder import Found, Nuclei, without_overlaps
from her2path.imaging.ihc.rays import (
    ANGLES,
    AT_ONCE,
    Coordinates,
    Floats,
    RayPoints,
    at,
    closed_paths,
    extended,
    highest_so_far,
    is_before,
    is_beyond,
    lowest_so_far,
    parts_of,
    ring_area,
    ring_elongation,
    summed,
    total,
    within,
)
from her2path.imaging.stain import StainAmounts, steadied

REACH_UM = 48.0
"""Farthest that a pixel can influence a nucleus: 18 µm of the widest blob filter, 11 µm of a ray and
the overlaps with neighbours."""

_STEP_UM = 0.5
_LONGEST_UM = 11.0
_SEED_MPP = 1.0
_SEED_SIGMAS = (1.5, 2.1, 3.0, 4.2, 5.9)
"""Blob scales in seed pixels; differences of every second one find radii of 2 to 7 µm."""
_SEED_RADII_UM = (2.4, 3.4, 4.8)
_SEED_RESPONSE = 0.008
_BROWN_WEIGHT = 0.6
"""How much brown that hematoxylin does not explain counts against a nucleus."""
_MAP_LOW, _MAP_HIGH, _MAP_SCALE = -0.15, 0.36, 500.0
"""Range and scale of the nuclear map as 8-bit image; darker nuclei are dark enough."""
_EDGE_MAX = 0.12
_EDGE_CREDIT = 0.08
_PRIOR = 0.015
"""Price of a radius e times off the blob's: breaks ties only."""
_BEND = (0.008, 0.024)
"""Price of a change of the radius by one and two steps from ray to ray."""
_BROWN_WALL = 0.08
"""DAB above the centre's from which a line is a membrane that no nucleus crosses."""
_VALLEY = 0.03
"""Rise after a dip along a ray from which the ray has entered a second nucleus."""
_EDGE_SEEN = 0.012


@dataclass(frozen=True, slots=True)
class NucleusCuts:
    """What a candidate must show to count as a nucleus (decadic OD, µm)."""

    edge: float = 0.016
    """Mean step of the nuclear map across the outline."""
    coverage: float = 0.70
    """Share of the outline where a step is seen."""
    contrast: float = 0.020
    """Inside over a rim 2 µm wide around it."""
    hematoxylin: float = 0.045
    """Hematoxylin in the middle: a lumen within brown cells is pale, but not blue."""
    area_um2: float = 9.0
    """Smallest nucleus; a lymphocyte cut off-centre has about 15."""


@dataclass(frozen=True, slots=True)
class ClassicalFinder:
    """Nuclei by `detect_nuclei`."""

    cuts: NucleusCuts = field(default_factory=NucleusCuts)

    @property
    def margin_um(self) -> float:
        """Reach of everything in this module."""
        return REACH_UM

    @property
    def tells_tumour(self) -> bool:
        """No: outlines alone do not tell."""
        return False

    def __call__(self, stains: StainAmounts, *, mpp: float, origin: tuple[int, int]) -> Found:
        """Find nuclei, see `detect_nuclei`."""
        return Found(detect_nuclei(stains, mpp=mpp, origin=origin, cuts=self.cuts))


def detect_nuclei(
    stains: StainAmounts, *, mpp: float, origin: tuple[int, int] = (0, 0), cuts: NucleusCuts | None = None
) -> Nuclei:
    """Find nuclei.

    Parameters
    ----------
    stains : StainAmounts
        Hematoxylin and DAB of a tile with its margin, shape (M, N).
    mpp : float
        Pixel size in µm, 0.2 to 1.1.
    origin : tuple of two ints
        Row and column of the tile's first pixel on the slide's grid, so that coarser grids used
        within do not depend on the tile.
    cuts : NucleusCuts, optional

    Returns
    -------
    Nuclei
        In reading order of their seeds.

    References
    ----------
    .. [1] Lindeberg, Int J Comput Vis 30:79 (1998) (blobs over scales).
    .. [2] Schmidt et al., MICCAI 2018, p. 265 (star-convex outlines and their suppression).
    """
    cuts = cuts or NucleusCuts()
    full, sharp, brown = _nuclear_maps(stains, mpp)
    x, y, radius_um = _seeds(full, mpp, origin)
    maps = _Maps(sharp, brown, stains.hematoxylin)
    # Row by row, so that seeds looked at together lie in one band of the maps, which the cache holds.
    rows = np.argsort(y, kind="stable")
    seeds = [rows[part] for part in parts_of(max(len(x), 1), AT_ONCE)]
    parts = [_candidates(maps, x[some], y[some], radius_um[some], mpp=mpp, cuts=cuts) for some in seeds]
    seed = np.concatenate([some[part.places] for some, part in zip(seeds, parts, strict=True)])
    order = np.argsort(seed)
    found = Nuclei.joined([part.nuclei for part in parts]).where(order)
    return found.where(without_overlaps(found, np.concatenate([part.score for part in parts])[order]))


@dataclass(frozen=True, slots=True)
class _Maps:
    """What rays read, shape (M, N)."""

    sharp: npt.NDArray[np.uint8]
    brown: Floats
    hematoxylin: Floats


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Seeds that count as nuclei."""

    nuclei: Nuclei
    score: Floats
    """How well each explains its place."""
    places: npt.NDArray[np.intp]
    """Where they stand among the seeds."""


def _candidates(
    maps: _Maps, x: Coordinates, y: Coordinates, radius_um: Floats, *, mpp: float, cuts: NucleusCuts
) -> _Candidates:
    """Outline some seeds."""
    radii_um = np.arange(1, round(_LONGEST_UM / _STEP_UM) + 1, dtype=np.float32) * np.float32(_STEP_UM)
    radii_px = np.asarray(radii_um / mpp, np.float32)
    # What is not blue in its middle is no nucleus, whatever its outline: no need to look for that.
    middle = RayPoints.around(x, y, radii_px[: round(2 / _STEP_UM)]).read(maps.hematoxylin)
    is_blue = np.flatnonzero(total(middle) / (ANGLES * middle.shape[2]) > cuts.hematoxylin)
    x, y, radius_um = x[is_blue], y[is_blue], radius_um[is_blue]
    points = RayPoints.around(x, y, radii_px)
    blue = points.read(maps.sharp)
    blue /= np.float32(_MAP_SCALE)
    wall = _walls(blue, points.read(maps.brown))
    index, edge = _outlines(blue, wall, radii_um, radius_um)
    contrast, score = _contrast_and_score(blue, index, edge, radii_um)
    radii = radii_px[index] + np.float32(_STEP_UM / mpp)  # the step lies beyond the sample, see _outlines
    area_um2 = ring_area(radii) * np.float32(mpp**2)
    coverage = (edge > _EDGE_SEEN).mean(axis=1, dtype=np.float32)
    good = np.flatnonzero(
        (summed(np.minimum(edge, np.float32(_EDGE_CREDIT))) / ANGLES > cuts.edge)
        & (coverage > cuts.coverage)
        & (contrast > cuts.contrast)
        & (area_um2 > cuts.area_um2)
    )
    hematoxylin = points.read(maps.hematoxylin)
    found = Nuclei(
        x=x,
        y=y,
        radii_px=radii,
        area_um2=area_um2,
        elongation=ring_elongation(radii),
        contrast=contrast,
        coverage=coverage,
        hematoxylin=_mean_within(hematoxylin, index, radii_um),
        tumour=np.ones(len(x), np.float32),
    )
    return _Candidates(found.where(good), score[good], is_blue[good])


def _nuclear_maps(
    stains: StainAmounts, mpp: float
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], Floats]:
    """Make the nuclear map, the same without specks but with sharp outlines, and DAB without noise."""
    blue = steadied(cv2.GaussianBlur(stains.hematoxylin, (0, 0), 0.5 / mpp))
    brown = steadied(cv2.GaussianBlur(stains.dab, (0, 0), 0.4 / mpp))
    excess = brown - np.maximum(blue, 0)
    np.maximum(excess, 0, out=excess)
    excess *= np.float32(_BROWN_WEIGHT)
    nuclear = np.subtract(blue, excess, out=excess)
    np.clip(nuclear, _MAP_LOW, _MAP_HIGH, out=nuclear)
    nuclear -= np.float32(_MAP_LOW)
    eight_bit = cv2.convertScaleAbs(nuclear, alpha=_MAP_SCALE)
    sharp = cv2.medianBlur(eight_bit, _odd(2.5 / mpp))
    return np.asarray(eight_bit, np.uint8), np.asarray(sharp, np.uint8), brown


def _odd(size: float) -> int:
    return max(3, 2 * int(size / 2) + 1)


def _seeds(
    full: npt.NDArray[np.uint8], mpp: float, origin: tuple[int, int]
) -> tuple[Coordinates, Coordinates, Floats]:
    """Find blobs over three scales: centres in pixels and expected radii in µm."""
    factor = max(1, round(_SEED_MPP / mpp))
    top, left = -origin[0] % factor, -origin[1] % factor
    cut = full[top:, left:]
    size = (max(1, cut.shape[1] // factor), max(1, cut.shape[0] // factor))
    cut = cut[: size[1] * factor, : size[0] * factor]
    # The median takes nucleoli away, which are blobs of their own.
    small = cv2.medianBlur(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), 5)
    coarse = np.asarray(small, np.float32) / np.float32(_MAP_SCALE)
    scale = _SEED_MPP / (mpp * factor)
    blurred = [_blur(coarse, sigma * scale) for sigma in _SEED_SIGMAS]
    blobs = [blurred[i] - blurred[i + 2] for i in range(len(_SEED_RADII_UM))]
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    places = []
    for i, blob in enumerate(blobs):
        rivals = [cv2.dilate(blob, disc), *(blobs[j] for j in (i - 1, i + 1) if 0 <= j < len(blobs))]
        peak = (blob > _SEED_RESPONSE) & np.logical_and.reduce([blob >= rival for rival in rivals])
        rows, columns = np.nonzero(peak)
        places.append((columns, rows, np.full(len(rows), _SEED_RADII_UM[i], np.float32)))
    columns, rows, radius_um = (np.concatenate(parts) for parts in zip(*places, strict=True))
    middle = (factor - 1) / 2
    x = np.asarray(columns * factor + middle + left, np.float64)
    y = np.asarray(rows * factor + middle + top, np.float64)
    return x, y, np.asarray(radius_um, np.float32)


def _blur(image: Floats, sigma: float) -> Floats:
    # Three standard deviations: a filter that ends has a reach that can be stated.
    size = 2 * round(3 * sigma) + 1
    return steadied(cv2.GaussianBlur(image, (size, size), sigma))


def _walls(blue: Floats, brown: Floats) -> Floats:
    """Price of what no nucleus crosses: a brown line, or a dip before a second nucleus."""
    wall = highest_so_far(brown)
    wall -= (_median_middle(brown) + np.float32(_BROWN_WALL))[:, None, None]
    np.clip(wall, 0, np.float32(0.2), out=wall)
    beyond = blue[:, :, 2:]
    rise = beyond - lowest_so_far(beyond)
    rise -= np.float32(_VALLEY)
    wall[:, :, 2:] += np.clip(rise, 0, np.float32(0.1), out=rise)
    return highest_so_far(wall)


def _median_middle(brown: Floats) -> Floats:
    """Median of the first four samples along all rays; to sort them all is ten times as fast as to part."""
    ordered = np.sort(brown[:, :, :4].reshape(len(brown), 4 * ANGLES), axis=1)
    return np.asarray((ordered[:, 2 * ANGLES - 1] + ordered[:, 2 * ANGLES]) / 2, np.float32)


def _outlines(
    blue: Floats, wall: Floats, radii_um: Floats, radius_um: Floats
) -> tuple[npt.NDArray[np.intp], Floats]:
    """Run each outline along the steepest way out; also give the step across it."""
    length = blue.shape[2]
    padded = extended(blue, 1, 3)
    both = padded[..., 1:] + padded[..., :-1]
    # One sample is skipped: the optics spread every step over about a micrometre.
    edge = both[..., :length] - both[..., 3:]
    edge /= 2
    np.clip(edge, -0.1, _EDGE_MAX, out=edge)
    prior = np.float32(_PRIOR) * np.abs(np.log(radii_um[:, None] / radius_um))
    cost = wall - edge
    cost += prior.T[:, None, :]
    cost[..., :3] += np.float32(0.1)
    index = closed_paths(cost, prices=_BEND)
    return index, at(edge, index)


def _contrast_and_score(
    blue: Floats, index: npt.NDArray[np.intp], edge: Floats, radii_um: Floats
) -> tuple[Floats, Floats]:
    """Contrast over the rim outside, and how well an outline explains its place."""
    place, outline = np.arange(blue.shape[2], dtype=np.int8), index.astype(np.int8)
    rim = (is_beyond(outline + np.int8(1), place) & is_before(outline + np.int8(6), place)).astype(np.float32)
    outside = within(blue, rim) / np.maximum(within(rim, rim), 1)
    weight = is_before(outline, place) * radii_um
    area = np.maximum(total(weight), np.float32(1e-3))
    # A nucleolus must not speak for its nucleus, so what is inside counts up to a bound.
    inside = within(np.minimum(blue, (outside + np.float32(0.12))[:, None, None]), weight) / area
    contrast = np.asarray(inside - outside, np.float32)
    is_dip = blue < (outside + np.float32(0.35) * contrast)[:, None, None]
    dip = within(is_dip.astype(np.float32), weight) / area
    coverage = (edge > _EDGE_SEEN).mean(axis=1)
    radius = summed(radii_um[index]) / ANGLES
    score = np.clip(contrast, 0, 0.06) * coverage**2 * np.clip(1 - 3 * dip, 0.05, 1) * radius**0.9
    return contrast, np.asarray(score, np.float32)


def _mean_within(samples: Floats, index: npt.NDArray[np.intp], radii_um: Floats) -> Floats:
    """Mean within outlines, weighted by area."""
    place, outline = np.arange(samples.shape[2], dtype=np.int8), index.astype(np.int8)
    weight = is_before(outline + np.int8(1), place) * radii_um
    return within(samples, weight) / total(weight)
