"""What a network should answer for a phantom: the truth of a scene on the grids of its outputs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.ihc.rays import ANGLES, COS, SIN
from her2path.imaging.phantoms.ihc import IhcScene
from her2path.imaging.phantoms.ihc_expression import own_plane

UNKNOWN = 255
"""Places that are not taught: what lies under an artefact cannot be known from the picture."""
DEEPEST = 200
RADIUS_STEPS = 16
"""Radii are kept in sixteenths of a µm."""
CELL_RADIUS_STEPS = 12
"""The same for cells, which are larger."""
AMOUNT_STEPS = 200
"""Amounts are kept as square roots (OD x µm), in these parts."""
MEMBRANE_UM = 1.0
"""Width of a phantom's membrane: the area of its profile (a Gaussian of 0.40 µm) over its height."""
LONGEST_UM, LONGEST_CELL_UM = 14.0, 20.0
"""Farthest that outlines of nuclei and of cells are followed."""
_MARCH_UM = 0.125


@dataclass(frozen=True, slots=True)
class Targets:
    """Targets of one scene of (M, N) pixels, all uint8."""

    nucleus: npt.NDArray[np.uint8]
    """Shape (M/2, N/2): depth within the nucleus, `DEEPEST` in its middle, 0 outside, or `UNKNOWN`."""
    amount: npt.NDArray[np.uint8]
    """Shape (M/2, N/2): square root of the DAB (OD x µm, in 1 / `AMOUNT_STEPS`) that the cell at this place
    itself has on the nearest piece of its contour; 0 = unstained, or `UNKNOWN`."""
    tumour: npt.NDArray[np.uint8]
    """Shape (M/4, N/4): 1 tumour cell, 0 another, `UNKNOWN` in between."""
    radii: npt.NDArray[np.uint8]
    """Shape (ANGLES, M/4, N/4), in 1 / `RADIUS_STEPS` µm; 0 outside nuclei."""
    cell_radii: npt.NDArray[np.uint8]
    """Shape (ANGLES, M/4, N/4): outline of the tumour cell around a place in its nucleus, in
    1 / `CELL_RADIUS_STEPS` µm; 0 elsewhere."""


def targets_of(scene: IhcScene) -> Targets:
    """Derive the targets of a scene whose edges are multiples of four pixels.

    A nucleus that another covers is taught by what remains visible of it.

    References
    ----------
    .. [1] Schmidt et al., MICCAI 2018, p. 265 (normalised distance and radii as targets).
    """
    depth, radii = nucleus_targets(scene.nuclei, scene.spec.mpp)
    spoilt = scene.artefacts[::2, ::2] > 0
    coarse = np.s_[2::4, 2::4]
    own_nucleus = scene.nuclei[coarse] > 0
    own_nucleus &= scene.nucleus_cell[scene.nuclei[coarse]] == scene.labels[coarse]
    tumour_nucleus = np.where(own_nucleus, scene.labels[coarse], 0)
    return Targets(
        nucleus=_known(depth, spoilt & (depth > 0)),
        amount=_known(_amount(scene), spoilt | _unclear(scene)),
        tumour=_known(_tumour(scene), spoilt[::2, ::2]),
        radii=radii,
        cell_radii=march_radii(
            scene.labels, tumour_nucleus, scene.spec.mpp, longest_um=LONGEST_CELL_UM, parts=CELL_RADIUS_STEPS
        ),
    )


def _amount(scene: IhcScene) -> npt.NDArray[np.uint8]:
    """Code what cells express, at the middle of two by two pixels."""
    root = np.sqrt(own_plane(scene.labels, scene.contours)[::2, ::2] * np.float32(MEMBRANE_UM))
    return np.asarray(np.clip(np.rint(root * AMOUNT_STEPS), 0, UNKNOWN - 1), np.uint8)


def _unclear(scene: IhcScene) -> npt.NDArray[np.bool_]:
    """Places between two cells, and stained membranes of benign cells, of which nothing is taught."""
    labels = scene.labels
    corners = [labels[row::2, col::2] for row in (0, 1) for col in (0, 1)]
    between = np.logical_or.reduce([corner != corners[0] for corner in corners[1:]])
    benign = (corners[0] == 0) & (shrunk(scene.membrane, 2) > 0.02)
    return np.asarray(between | benign, np.bool_)


def nucleus_targets(
    nuclei: npt.NDArray[np.int32], mpp: float
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Depth and radii of numbered nuclei, see `Targets`; `nuclei` has shape (M, N), 0 = none."""
    depth = np.rint(shrunk(depth_within(nuclei), 2) * DEEPEST)
    radii = march_radii(nuclei, nuclei[2::4, 2::4], mpp, longest_um=LONGEST_UM, parts=RADIUS_STEPS)
    return depth.astype(np.uint8), radii


def _known(values: npt.NDArray[np.generic], spoilt: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    return np.asarray(np.where(spoilt, UNKNOWN, values), np.uint8)


def shrunk(image: npt.NDArray[np.float32], factor: int) -> npt.NDArray[np.float32]:
    """Take the mean of each block of `factor` by `factor` pixels."""
    size = (image.shape[1] // factor, image.shape[0] // factor)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)


def depth_within(nuclei: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    """Distance from the outline over the largest one of the same nucleus, 0 to 1."""
    inside = nuclei > 0
    inner = inside.copy()
    # A gap of a pixel between touching nuclei: else both would be one hill.
    for one, other in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
        edge = nuclei[one] != nuclei[other]
        inner[one] &= ~edge
        inner[other] &= ~edge
    distance = cv2.distanceTransform(inner.astype(np.uint8), cv2.DIST_L2, 5) + np.float32(0.5)
    distance = np.asarray(np.where(inside, distance, 0), np.float32)
    deepest = np.zeros(int(nuclei.max()) + 1, np.float32)
    np.maximum.at(deepest, nuclei.ravel(), distance.ravel())
    deepest[0] = 1
    return np.asarray(distance / np.maximum(deepest, 1e-3)[nuclei], np.float32)


def _tumour(scene: IhcScene) -> npt.NDArray[np.uint8]:
    """Within nuclei by their cell; elsewhere by the cell or tissue, but not close to a nucleus' edge."""
    nuclei, cells = scene.nuclei[2::4, 2::4], scene.labels[2::4, 2::4]
    own = np.where(scene.nucleus_cell[nuclei] > 0, 1, 0)
    around = np.where(cells > 0, 1, 0)
    known = np.where(nuclei > 0, own, around).astype(np.uint8)
    edge = cv2.morphologyEx((nuclei > 0).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return np.where((edge > 0) & (nuclei == 0), UNKNOWN, known).astype(np.uint8)


def march_radii(
    labels: npt.NDArray[np.int32],
    coarse: npt.NDArray[np.int32],
    mpp: float,
    *,
    longest_um: float,
    parts: int,
) -> npt.NDArray[np.uint8]:
    """March along the rays of every fourth pixel's place, if it has a label, until that label ends."""
    rows, columns = np.nonzero(coarse)
    label = coarse[rows, columns]
    y, x = rows * 4 + 1.5, columns * 4 + 1.5
    radii = np.zeros((ANGLES, *coarse.shape), np.uint8)
    steps = np.arange(_MARCH_UM, longest_um, _MARCH_UM) / mpp
    for ray in range(ANGLES):
        inside = np.ones(len(rows), np.bool_)
        reached = np.zeros(len(rows))
        for step in steps:
            there = np.flatnonzero(inside)
            if not len(there):
                break
            i = np.floor(y[there] + step * SIN[ray] + 0.5).astype(np.intp)
            j = np.floor(x[there] + step * COS[ray] + 0.5).astype(np.intp)
            on = (i >= 0) & (j >= 0) & (i < labels.shape[0]) & (j < labels.shape[1])
            same = np.zeros(len(there), np.bool_)
            same[on] = labels[i[on], j[on]] == label[there[on]]
            inside[there[~same]] = False
            reached[there[same]] = step * mpp
        radii[ray, rows, columns] = np.rint((reached + _MARCH_UM / 2) * parts)
    return radii
