"""Nuclei on the DAPI channel: where they are, and which of them may not be counted.

Segmentation works at a pixel size in µm, whatever the camera's.  It looks for blobs brighter
than their surroundings, splits touching ones by shape, and says of every object why its shape
alone rules it out.  It does not tell tumour from other cells: regions drawn by a person do.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.morphology import reconstruction
from skimage.segmentation import watershed

from her2path.imaging.fish.nucleus_damage import saturated_share
from her2path.imaging.fish.nucleus_outline import drop_haze, number_pieces, trim_to_ground
from her2path.imaging.fish.nucleus_shape import (
    ShapeLimits,
    Shapes,
    exclusions_of,
    measure_shapes,
    outline_shape,
)
from her2path.imaging.fish.quality import MAD_TO_SIGMA, estimate_background
from her2path.imaging.fish.windows import Window

Labels = npt.NDArray[np.int32]
Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_SEED_LIGHT = (0.25, 4.0)
"""Least and most that the brightness over the surroundings weighs in the seed map."""
_MIN_CONTRAST = 6.0
"""Nuclei stand out from an empty field by fewer standard deviations than this only by chance."""


@dataclass(frozen=True, slots=True)
class NucleusParams:
    """Sizes and cut-points of the segmentation (lengths in µm, areas in µm²)."""

    working_mpp: float = 0.3
    """Pixel size that shapes are found at; finer images are averaged down to it."""
    smooth_um: float = 0.45
    """Smoothing before the threshold."""
    local_um: float = 5.0
    """Radius of the surroundings that a pixel is compared with."""
    local_level: float = 0.9
    """Least level (square root of intensity) over that of the surroundings.  Within a crowd
    the surroundings are nuclei too, so that it must stay below 1."""
    seed_um: float = 0.8
    """Smoothing of the distance map; shallower necks do not split a nucleus."""
    seed_depth: float = 0.12
    """A seed must rise above the saddle to its neighbour by this share of its own height."""
    edge_level: float = 0.42
    """A nucleus ends where it falls below this share of its height over the ground round it."""
    debris_area_um2: float = 4.0
    """Still smaller objects are not listed at all."""
    limits: ShapeLimits = field(default_factory=ShapeLimits)
    """What rules a nucleus out."""


@dataclass(frozen=True, slots=True)
class DapiLevels:
    """Levels of one image, found once so that every window of it is treated alike."""

    background: float
    spread: float
    """Robust standard deviation of the smoothed background."""
    foreground: float
    """Mean level of what lies above the threshold."""
    threshold: float
    inverted: bool
    """Objects are darker than their surroundings, as in a bright-field image."""

    @property
    def contrast(self) -> float:
        """How far nuclei stand out, in standard deviations of the background."""
        return (self.foreground - self.background) / self.spread

    @property
    def blank(self) -> bool:
        """Nothing stands out from the background but by chance."""
        return self.contrast < _MIN_CONTRAST


@dataclass(frozen=True, slots=True)
class Nuclei:
    """Objects of one field or window."""

    labels: Labels
    """Shape (M, N) of the image given; 0 = background, 1 to n = objects in reading order."""
    shapes: Shapes
    exclusion: tuple[str | None, ...]
    """Per object: why its shape rules it out; None = may be counted."""


def measure_levels(dapi: Image, *, mpp: float, params: NucleusParams) -> DapiLevels:
    """Find background and threshold of a DAPI image.

    Parameters
    ----------
    dapi : ndarray of float32, shape (M, N)
        The image or an even sample of it.
    mpp : float
        Its pixel size in µm.
    params : NucleusParams

    References
    ----------
    .. [1] Otsu, IEEE Trans Syst Man Cybern 9:62 (1979), here on the square root of the
       intensity, which makes shot noise even.
    """
    smooth = _smooth(dapi, params.smooth_um / mpp)
    background = estimate_background(smooth)
    dark = smooth[smooth <= background]
    below = MAD_TO_SIGMA * float(np.median(background - dark)) if dark.size else 0.0
    spread = max(below, 1e-3, background * 1e-3)
    low, middle, high = (float(v) for v in np.percentile(smooth, (0.5, 50, 99.5)))
    inverted = middle - low > 2 * (high - middle) and middle - low > 8 * spread
    root = np.sqrt(np.clip(smooth - background, 0, None))
    level = _otsu(root) ** 2
    above = smooth[smooth > background + level]
    foreground = float(above.mean()) if above.size else background
    threshold = background + max(6 * spread, 0.35 * level)
    return DapiLevels(background, spread, foreground, threshold, inverted)


def segment_nuclei(
    dapi: Image, *, mpp: float, levels: DapiLevels, params: NucleusParams, full_scale: float = float("inf")
) -> Nuclei:
    """Segment nuclei and say of each whether its shape rules it out.

    Parameters
    ----------
    dapi : ndarray of float32, shape (M, N)
        DAPI intensities, projected.
    mpp : float
        Pixel size in µm.
    levels : DapiLevels
        Of the whole image (`measure_levels`).
    params : NucleusParams
    full_scale : float
        Level at which the camera clips; infinity if it does not.

    Returns
    -------
    nuclei : Nuclei
        With objects that touch the border of `dapi` marked ``cut_off``.

    References
    ----------
    .. [1] Malpica et al., Cytometry 28:289 (1997): watershed on the distance map to part
       clustered nuclei.
    """
    shape = dapi.shape
    scale = mpp / max(params.working_mpp, mpp)
    size = (max(round(shape[1] * scale), 1), max(round(shape[0] * scale), 1))
    small: Image = cv2.resize(dapi, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    work_mpp = mpp / scale
    smooth = _smooth(small, params.smooth_um / work_mpp) - np.float32(levels.background)
    mask = _foreground(smooth, levels, work_mpp, params)
    labels = _split(mask, smooth, work_mpp, params)
    labels = _merge_oversplit(labels, work_mpp)
    labels = trim_to_ground(labels, smooth, edge_level=params.edge_level, mpp=work_mpp)
    typical = levels.foreground - levels.background
    labels = drop_haze(labels, smooth, spread=levels.spread, typical=typical, mpp=work_mpp)
    labels = number_pieces(labels, min_px=params.debris_area_um2 / work_mpp**2)
    full: Labels = cv2.resize(labels, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST).astype(np.int32)
    # Averaging to the working pixel size hides single pixels at full scale.
    saturated = saturated_share(full, dapi, full_scale=full_scale)
    shapes = measure_shapes(labels, smooth, mpp=work_mpp, saturated_frac=saturated)
    exclusion = exclusions_of(shapes, params.limits)
    return Nuclei(full, shapes.scaled(shape[0] / labels.shape[0], shape[1] / labels.shape[1]), exclusion)


def number_objects(
    nuclei: Nuclei, window: Window, painted: Labels, *, first: int
) -> tuple[npt.NDArray[np.int32], Labels]:
    """Give numbers to the objects that a window owns and that no window before has painted.

    Parameters
    ----------
    nuclei : Nuclei
        Objects of the window.
    window : Window
    painted : ndarray of int32, shape (window.height, window.width)
        Numbers that windows before have given there; 0 = none.
    first : int
        Number of the first object.

    Returns
    -------
    numbers : ndarray of int32, shape (N,)
        One per object of the window, consecutive from `first`; 0 = not the window's own.
    painted : ndarray of int32
        With the new objects, which never cover those of windows before.
    """
    count = len(nuclei.exclusion)
    rows, cols = nuclei.shapes.row + window.top, nuclei.shapes.col + window.left
    owned = np.array([window.owns(row, col) for row, col in zip(rows, cols, strict=True)], bool)
    taken = np.bincount(nuclei.labels[painted > 0], minlength=count + 1)[1:]
    size = np.bincount(nuclei.labels.ravel(), minlength=count + 1)[1:]
    own = owned & (2 * taken <= size)
    numbers = np.zeros(count, np.int32)
    numbers[own] = np.arange(first, first + own.sum())
    fresh = np.concatenate([[0], numbers])[nuclei.labels]
    return numbers, np.where((painted == 0) & (fresh > 0), fresh, painted).astype(np.int32)


def _smooth(image: Image, sigma_px: float) -> Image:
    smooth: Image = cv2.GaussianBlur(image, (0, 0), max(sigma_px, 0.5)).astype(np.float32)
    return smooth


def _surroundings(image: Image, sigma_px: float) -> Image:
    """Blur widely, on a grid as coarse as a quarter of the blur: the same at a fraction of the cost."""
    step = max(int(sigma_px / 4), 1)
    size = (max(image.shape[1] // step, 1), max(image.shape[0] // step, 1))
    coarse = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(coarse, (0, 0), sigma_px / step)
    wide: Image = cv2.resize(blurred, image.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
    return wide


def _otsu(image: Image) -> float:
    top = float(np.percentile(image, 99.8))
    if top <= 0:
        return 0.0
    eight_bit = (np.clip(image / top, 0, 1) * 255).astype(np.uint8)
    level, _ = cv2.threshold(eight_bit, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return float(level) / 255 * top


def _foreground(smooth: Image, levels: DapiLevels, mpp: float, params: NucleusParams) -> Mask:
    """Pixels above the global threshold and above their own surroundings, holes filled."""
    radius = max(params.local_um / mpp, 3.0)
    root = np.sqrt(np.clip(smooth, 0, None))
    local = _surroundings(root, radius) * np.float32(params.local_level)
    mask = ((smooth > levels.threshold - levels.background) & (root > local)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(round(0.45 / mpp), 1) + 1,) * 2)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(mask)
    cv2.drawContours(filled, contours, -1, 1, cv2.FILLED)
    holes = filled - mask
    count, parts, stats, _ = cv2.connectedComponentsWithStats(holes, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] <= 12.0 / mpp**2  # larger than 12 µm² is a gap between nuclei
    small[0] = False
    return (mask > 0) | small[parts] if count > 1 else mask > 0


def _split(mask: Mask, smooth: Image, mpp: float, params: NucleusParams) -> Labels:
    """Part touching nuclei: a watershed on the distance map, one seed per bulge."""
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    rounded = _smooth(distance.astype(np.float32), params.seed_um / mpp)
    inner = _smooth(np.clip(smooth, 0, None), params.seed_um / mpp)
    around = _surroundings(np.clip(smooth, 0, None), params.local_um / mpp)
    # A dark line between two nuclei parts them too, where the outline has no waist.
    rounded *= np.clip(inner / np.maximum(around, 1e-6), *_SEED_LIGHT)
    rounded[~mask] = 0
    # The map is smooth: its tops are found on a coarser grid in a fraction of the time.
    step = max(int(0.6 / mpp), 1)
    size = (max(mask.shape[1] // step, 1), max(mask.shape[0] // step, 1))
    coarse = cv2.resize(rounded, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    tops = _seeds(coarse, max(round(1.8 / (mpp * step)), 1), params.seed_depth)
    seeds = cv2.resize(tops, mask.shape[::-1], interpolation=cv2.INTER_NEAREST).astype(np.int32)
    seeds = _with_seed_each(np.where(mask, seeds, 0), mask)
    labels: Labels = watershed(-rounded, seeds, mask=mask)  # type: ignore[no-untyped-call]  # scikit-image
    return labels.astype(np.int32)


def _with_seed_each(seeds: Labels, mask: Mask) -> Labels:
    """Give parts of the mask without a seed (thin ones, lost on the coarse grid) one of their own."""
    count, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    bare = np.bincount(parts.ravel(), seeds.ravel() > 0, count) == 0
    bare[0] = False
    return np.where(bare[parts], int(seeds.max(initial=0)) + parts, seeds).astype(np.int32)


def _seeds(height: Image, radius_px: int, depth: float) -> Labels:
    """Tops of a height map that rise above the saddle by a share of their own height."""
    # Reconstruction of h from (1 - depth) h: a top that is joined to a higher one above that level vanishes.
    square = np.ones((3, 3))
    lowered = reconstruction(height * (1 - depth), height, footprint=square)  # type: ignore[no-untyped-call]  # scikit-image
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1,) * 2)
    tops = (height > 0) & (height - lowered >= depth * height * 0.999) & (height >= cv2.dilate(height, disc))
    seeds: Labels = cv2.connectedComponents(tops.astype(np.uint8), connectivity=8)[1].astype(np.int32)
    return seeds


def _merge_oversplit(labels: Labels, mpp: float) -> Labels:
    """Join neighbours whose union is one convex body with a wide shared border."""
    border = _shared_borders(labels)
    boxes = ndimage.find_objects(labels)
    area = np.bincount(labels.ravel())
    parent = np.arange(len(area), dtype=np.int32)
    for (one, other), length in sorted(border.items(), key=lambda item: (-item[1], item[0])):
        first, second = int(parent[one]), int(parent[other])
        if first == second or first != one or second != other:
            continue  # already part of a joined body: a third piece is not convex evidence
        width = 2 * (min(area[one], area[other]) / np.pi) ** 0.5
        if length < 0.62 * width:
            continue
        box = _union(boxes[one - 1], boxes[other - 1])
        body = np.isin(labels[box], (one, other))
        if (area[one] + area[other]) * mpp**2 < 150.0 and outline_shape(body, float(body.sum()))[0] > 0.945:
            parent[parent == second] = first
    return parent[labels].astype(np.int32)


def _shared_borders(labels: Labels) -> dict[tuple[int, int], int]:
    """Extent in pixels of the border between every two touching labels.

    The larger of the number of pixel pairs side by side and of those one above the other, so that a
    slanting border is not counted twice.
    """
    found: dict[tuple[int, int], int] = {}
    for one, other in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        meets = (one != other) & (one > 0) & (other > 0)
        pairs = np.sort(np.stack([one[meets], other[meets]], axis=1), axis=1)
        for pair, length in zip(*np.unique(pairs, axis=0, return_counts=True), strict=True):
            key = (int(pair[0]), int(pair[1]))
            found[key] = max(found.get(key, 0), int(length))
    return found


def _union(one: tuple[slice, ...], other: tuple[slice, ...]) -> tuple[slice, ...]:
    return tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True))
