"""What a network should answer for a phantom: the truth of a scene on the grids of its outputs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.ihc.rays import ANGLES, COS, SIN
from her2path.imaging.phantoms.ihc import IhcScene
from her2path.imaging.phantoms.ihc_spec import FAINT_CUT_OD

UNKNOWN = 255
"""Places that are not taught: what lies under an artefact cannot be known from the picture."""
DEEPEST = 200
RADIUS_STEPS = 16
"""Radii are kept in sixteenths of a µm."""
_LONGEST_UM = 14.0
_MARCH_UM = 0.125


@dataclass(frozen=True, slots=True)
class Targets:
    """Targets of one scene of (M, N) pixels, all uint8."""

    nucleus: npt.NDArray[np.uint8]
    """Shape (M/2, N/2): depth within the nucleus, `DEEPEST` in its middle, 0 outside, or `UNKNOWN`."""
    membrane: npt.NDArray[np.uint8]
    """Shape (M/2, N/2): 1 on a stained membrane, 0 elsewhere, or `UNKNOWN`."""
    tumour: npt.NDArray[np.uint8]
    """Shape (M/4, N/4): 1 tumour cell, 0 another, `UNKNOWN` in between."""
    radii: npt.NDArray[np.uint8]
    """Shape (ANGLES, M/4, N/4), in 1 / `RADIUS_STEPS` µm; 0 outside nuclei."""


def targets_of(scene: IhcScene) -> Targets:
    """Derive the targets of a scene whose edges are multiples of four pixels.

    A nucleus that another covers is taught by what remains visible of it.

    References
    ----------
    .. [1] Schmidt et al., MICCAI 2018, p. 265 (normalised distance and radii as targets).
    """
    depth, radii = nucleus_targets(scene.nuclei, scene.spec.mpp)
    stained = _shrunk((scene.membrane >= FAINT_CUT_OD).astype(np.float32), 2) >= 0.5
    spoilt = scene.artefacts[::2, ::2] > 0
    return Targets(
        nucleus=_known(depth, spoilt & (depth > 0)),
        membrane=_known(stained, spoilt & stained),
        tumour=_known(_tumour(scene), spoilt[::2, ::2]),
        radii=radii,
    )


def nucleus_targets(
    nuclei: npt.NDArray[np.int32], mpp: float
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Depth and radii of numbered nuclei, see `Targets`; `nuclei` has shape (M, N), 0 = none."""
    depth = np.rint(_shrunk(_depth(nuclei), 2) * DEEPEST)
    return depth.astype(np.uint8), _radii(nuclei, mpp)


def _known(values: npt.NDArray[np.generic], spoilt: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    return np.asarray(np.where(spoilt, UNKNOWN, values), np.uint8)


def _shrunk(image: npt.NDArray[np.float32], factor: int) -> npt.NDArray[np.float32]:
    size = (image.shape[1] // factor, image.shape[0] // factor)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)


def _depth(nuclei: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
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


def _radii(nuclei: npt.NDArray[np.int32], mpp: float) -> npt.NDArray[np.uint8]:
    """March along the rays of every fourth pixel's place until its nucleus ends."""
    coarse = nuclei[2::4, 2::4]
    rows, columns = np.nonzero(coarse)
    label = coarse[rows, columns]
    y, x = rows * 4 + 1.5, columns * 4 + 1.5
    radii = np.zeros((ANGLES, *coarse.shape), np.uint8)
    steps = np.arange(_MARCH_UM, _LONGEST_UM, _MARCH_UM) / mpp
    for ray in range(ANGLES):
        inside = np.ones(len(rows), np.bool_)
        reached = np.zeros(len(rows))
        for step in steps:
            there = np.flatnonzero(inside)
            if not len(there):
                break
            i = np.floor(y[there] + step * SIN[ray] + 0.5).astype(np.intp)
            j = np.floor(x[there] + step * COS[ray] + 0.5).astype(np.intp)
            on = (i >= 0) & (j >= 0) & (i < nuclei.shape[0]) & (j < nuclei.shape[1])
            same = np.zeros(len(there), np.bool_)
            same[on] = nuclei[i[on], j[on]] == label[there[on]]
            inside[there[~same]] = False
            reached[there[same]] = step * mpp
        radii[ray, rows, columns] = np.rint((reached + _MARCH_UM / 2) * RADIUS_STEPS)
    return radii
