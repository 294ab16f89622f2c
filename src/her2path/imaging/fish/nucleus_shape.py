"""Shape and brightness of segmented nuclei, and the reasons that rule a nucleus out.

Reasons, in the order in which they are given (the first that holds is stated):
``cut_off`` touches the border of the image; ``too_small`` and ``too_large`` by area;
``dapi_saturated`` lies at full scale, where neither lines between nuclei nor folds can be seen;
``crushed`` is drawn out and has lost the edge at its ends; ``out_of_focus`` has a wide edge all
round; ``folded`` has one outline and a band of twice its brightness across; ``overlapping`` is
concave, not parted by a dark line from a neighbour, or holds a large patch of twice its
brightness; ``elongated`` is spindle-shaped (stroma, endothelium).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from her2path.imaging.fish.nucleus_damage import bright_patches, smearing
from her2path.imaging.fish.nucleus_outline import mean_of

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]
Image = npt.NDArray[np.float32]


_GAP_UM = 0.6
"""Two outlines this close on both sides are looked at as touching: outlines end short of the edge."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """One value per object, in the order of the labels (1 to n)."""

    row: Floats
    """Centroid, pixel-centre convention (the centre of pixel 0 is 0.5)."""
    col: Floats
    area_um2: Floats
    solidity: Floats
    elongation: Floats
    """Length over width of the smallest enclosing rectangle."""
    dapi_mean: Floats
    """Above background."""
    edge_um: Floats
    """Width of the edge: contrast over the steepest slope across it."""
    overlap: Floats
    """Brightness along borders shared with other nuclei over the dimmer nucleus; 0 = shares none."""
    lens_um2: Floats
    """Largest patch much brighter than the nucleus: where two nuclei lie over each other, light adds."""
    folded: npt.NDArray[np.bool_]
    """That patch is a narrow band across the nucleus."""
    smear: Floats
    """Width of the edge at the ends over that at the sides; 1 of a round nucleus."""
    saturated_frac: Floats
    """Share of its pixels at full scale (0 to 1)."""
    at_border: npt.NDArray[np.bool_]

    def scaled(self, row_factor: float, col_factor: float) -> Shapes:
        """Give the same shapes with positions on a finer pixel grid."""
        return replace(self, row=self.row * row_factor, col=self.col * col_factor)


@dataclass(frozen=True, slots=True)
class ShapeLimits:
    """Cut-points that rule a nucleus out by its shape alone."""

    min_area_um2: float = 36.0
    """Smaller objects are fragments, slivers of a section, or lymphocytes, whose nuclei measure 6 to 7 µm;
    those of carcinoma cells measure 8 to 15."""
    max_area_um2: float = 320.0
    """Larger objects are clumps that could not be split."""
    min_solidity: float = 0.935
    """Area over convex hull; below it an object is more than one nucleus."""
    max_elongation: float = 2.0
    """Length over width; above it a nucleus is that of a stromal or endothelial cell."""
    overlap_ratio: float = 0.58
    """Greatest brightness along a shared border over that of the dimmer nucleus; nuclei
    that merely touch have a dark line between them."""
    max_lens_um2: float = 6.0
    """Largest patch of more than 1.55 times the nucleus's own brightness; chromocentres are smaller."""
    max_saturated_frac: float = 0.1
    """Share of a nucleus at full scale; above it lines, folds and overlaps are hidden."""
    max_smear: float = 2.0
    """Width of the edge at the ends over that at the sides; above it chromatin is drawn out."""
    max_edge_um: float = 2.2
    """Width of the edge from nucleus to background; wider is out of focus."""


def measure_shapes(labels: Labels, smooth: Image, *, mpp: float, saturated_frac: Floats) -> Shapes:
    """Measure every object of a label image.

    Parameters
    ----------
    labels : ndarray of int32, shape (M, N)
        Consecutive labels from 1.
    smooth : ndarray of float32, shape (M, N)
        DAPI above background.
    mpp : float
        Pixel size in µm.
    saturated_frac : ndarray of float64, shape (number of labels,)
        Share of each object at full scale, measured on the image as taken.
    """
    count = int(labels.max(initial=0))
    own = np.flatnonzero(labels)
    flat = labels.ravel()[own]
    area_px = np.bincount(flat, minlength=count + 1)[1:].astype(np.float64)
    place = np.divmod(own, labels.shape[1])
    centre = [np.bincount(flat, v, count + 1)[1:] / area_px + 0.5 for v in place]
    mean = np.bincount(flat, smooth.ravel()[own], count + 1)[1:] / area_px
    solidity, elongation = np.ones(count), np.ones(count)
    border = np.zeros(count, bool)
    for index, box in enumerate(ndimage.find_objects(labels, max_label=count)):
        solidity[index], elongation[index] = outline_shape(labels[box] == index + 1, area_px[index])
        border[index] = any(s.start == 0 or s.stop == n for s, n in zip(box, labels.shape, strict=True))
    lens_um2, folded = bright_patches(labels, smooth, mpp=mpp)
    return Shapes(
        row=centre[0],
        col=centre[1],
        area_um2=area_px * mpp**2,
        solidity=solidity,
        elongation=elongation,
        dapi_mean=mean,
        edge_um=_edge_width(labels, smooth, count, mpp),
        overlap=_shared_brightness(_grown(labels, max(round(_GAP_UM / mpp), 1)), smooth, mean),
        lens_um2=lens_um2,
        folded=folded,
        smear=smearing(labels, smooth, elongation),
        saturated_frac=saturated_frac,
        at_border=border,
    )


def exclusions_of(shapes: Shapes, limits: ShapeLimits) -> tuple[str | None, ...]:
    """Say of every object why its shape rules it out; None = may be counted."""
    tests = (
        ("cut_off", shapes.at_border),
        ("too_small", shapes.area_um2 < limits.min_area_um2),
        ("too_large", shapes.area_um2 > limits.max_area_um2),
        ("dapi_saturated", shapes.saturated_frac > limits.max_saturated_frac),
        ("crushed", shapes.smear > limits.max_smear),
        ("out_of_focus", shapes.edge_um > limits.max_edge_um),
        ("folded", shapes.folded & (shapes.solidity >= limits.min_solidity)),
        (
            "overlapping",
            (shapes.solidity < limits.min_solidity)
            | (shapes.overlap > limits.overlap_ratio)
            | (shapes.lens_um2 > limits.max_lens_um2),
        ),
        ("elongated", shapes.elongation > limits.max_elongation),
    )
    return tuple(
        next((reason for reason, holds in tests if holds[index]), None) for index in range(len(shapes.row))
    )


def outline_shape(mask: npt.NDArray[np.bool_], area_px: float) -> tuple[float, float]:
    """Solidity (area over convex hull, 1 at most) and elongation (length over width) of one object.

    Parameters
    ----------
    mask : ndarray of bool, shape (M, N)
        The object, not empty.
    area_px : float
        Its number of pixels.
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate(contours)
    # The hull through pixel centres lacks half a pixel all round.
    hull = cv2.convexHull(points)
    hull_area = cv2.contourArea(hull) + cv2.arcLength(hull, closed=True) / 2 + 1
    width, height = sorted(side + 1 for side in cv2.minAreaRect(points)[1])
    return min(area_px / hull_area, 1.0), height / width


def _edge_width(labels: Labels, smooth: Image, count: int, mpp: float) -> Floats:
    """Contrast over the typical steepest slope along the free edge of each object."""
    slope = np.hypot(
        cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    )
    steepest: Image = cv2.dilate(slope, np.ones((3, 3), np.uint8)).astype(np.float32)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    inside = labels.astype(np.float32)
    rim = (labels > 0) & (cv2.erode(inside, disc) == 0)
    height = mean_of(labels[labels > 0], smooth[labels > 0], count)[1:]
    width = np.full(count, np.inf)
    measured = mean_of(labels[rim], steepest[rim], count)[1:]
    np.divide(height * mpp, measured, out=width, where=measured > 0)
    # An object walled in by others has no free edge to judge by.
    width[np.bincount(labels[rim], minlength=count + 1)[1:] == 0] = 0.0
    return width


def _grown(labels: Labels, steps: int) -> Labels:
    """Let every object grow into the background by a number of pixels."""
    grown = labels.astype(np.float32)
    for _ in range(steps):
        grown = np.where(grown > 0, grown, cv2.dilate(grown, np.ones((3, 3), np.uint8)))
    return grown.astype(np.int32)


def _shared_brightness(labels: Labels, smooth: Image, mean: Floats) -> Floats:
    """Brightness where two objects meet, over the dimmer of the two; 0 without a neighbour."""
    values: list[npt.NDArray[np.float32]] = []
    pairs: list[npt.NDArray[np.int32]] = []
    for one, other, level in (
        (labels[:, :-1], labels[:, 1:], np.minimum(smooth[:, :-1], smooth[:, 1:])),
        (labels[:-1], labels[1:], np.minimum(smooth[:-1], smooth[1:])),
    ):
        meets = (one != other) & (one > 0) & (other > 0)
        pairs.append(np.sort(np.stack([one[meets], other[meets]], axis=1), axis=1))
        values.append(level[meets])
    ratio = np.zeros(len(mean))
    pair, value = np.concatenate(pairs), np.concatenate(values)
    if not len(pair):
        return ratio
    unique, inverse = np.unique(pair, axis=0, return_inverse=True)
    level_of_pair = np.zeros(len(unique))
    np.maximum.at(level_of_pair, inverse.ravel(), value)
    dimmer = np.minimum(mean[unique[:, 0] - 1], mean[unique[:, 1] - 1])
    for side in (0, 1):
        np.maximum.at(ratio, unique[:, side] - 1, level_of_pair / np.maximum(dimmer, 1e-6))
    return ratio
