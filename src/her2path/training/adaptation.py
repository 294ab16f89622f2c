"""Adaptation to real images without labels: the classical method teaches where it is sure.

On a real image the classical method finds most nuclei that stand out, and what it finds is a
nucleus nearly always; what it misses is pale.  So its outlines are taught as nuclei, clear places
as no nuclei, and everything in between is not taught at all: there the network says what it
learnt on phantoms.  No person has marked anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.measure import CLASSICAL, Cells
from her2path.imaging.ihc.picture import measure_picture, traits_of
from her2path.imaging.ihc.tumour import choose_tumour_cells
from her2path.imaging.stain import StainAmounts, separate
from her2path.io.slides.opening import open_slide
from her2path.io.slides.source import WorkingBox
from her2path.training.scenes import WORKING_MPP, Scene, stain_model_of
from her2path.training.targets import UNKNOWN, Targets, nucleus_targets

_SURE = 0.7
"""Evidence of a nucleus over the image's upper quartile, from which it is taught; a distinct one has 0.5."""
_NEIGHBOUR_UM = 25.0
_MOSTLY, _HARDLY = 0.6, 0.2
"""Share of a cell's neighbours that the method scores: from the first a scored cell is taught as tumour, up
to the second one that is not scored as another; its doubtful cases are at the border between both."""
_CLEAR = 0.35
"""Hematoxylin over that of the image's nuclei, below which a place is taught as no nucleus."""
_UNDYED_OD = 0.03
"""DAB that noise and a stain model that is a little off leave on unstained tissue."""
_GRAIN_UM, _CELL_UM = 0.5, 5.0
"""Smoothing of that, and how far from its membrane the middle of a cell may lie."""
_CLEAR_UM = 1.5
"""Smoothing before that: clear spots of a vesicular nucleus are no cytoplasm."""


def read_unlabelled(paths: Sequence[Path]) -> list[Scene]:
    """Read whole images that fit into memory (a core of tissue, a field) and let the baseline teach them."""
    scenes = []
    for path in paths:
        with open_slide(path, name=path.stem) as source:
            if source.pixel_size is None:
                raise ValueError(f"{path.name} states no pixel size")
            downsample = WORKING_MPP / source.pixel_size.mpp
            width, height = (int(edge / downsample) // 8 * 8 for edge in source.size_px0)
            rgb = source.read(WorkingBox(0, 0, height, width), downsample=downsample)
        scenes.append(taught_by_baseline(rgb))
    return scenes


def taught_by_baseline(rgb: npt.NDArray[np.uint8]) -> Scene:
    """Make a scene of a real image whose targets are what the classical method is sure of.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
        At the working pixel size; edges are multiples of eight.

    Returns
    -------
    Scene
        Places that are neither sure nuclei nor clear are not taught, nor what cells express where anything
        is brown; where nothing is, nothing is expressed.
    """
    model = stain_model_of(rgb)
    cells = measure_picture(rgb, model, mpp=WORKING_MPP, calibration=Calibration())
    traits = traits_of(cells, mpp=WORKING_MPP, tells_tumour=CLASSICAL.tells_tumour)
    codes, evidence = choose_tumour_cells(traits).exclusion, traits.evidence
    sure = evidence >= _SURE * np.quantile(evidence, 0.75) if len(cells) else np.zeros(0, np.bool_)
    labels = np.zeros(rgb.shape[:2], np.int32)
    for number in np.flatnonzero(sure).tolist():
        cv2.fillPoly(labels, [np.rint(cells.nucleus_rings[number] - 0.5).astype(np.int32)], number + 1)
    depth, radii = nucleus_targets(labels, WORKING_MPP)
    stains = separate(rgb, model)
    clear = _clear(stains, cells.nuclei.hematoxylin[sure])
    taught = cv2.dilate((labels > 0).astype(np.uint8), np.ones((5, 5), np.uint8))[::2, ::2] > 0
    return Scene(
        rgb[None],
        np.array([[model.white, model.hematoxylin, model.dab]], np.float64),
        Targets(
            nucleus=np.where(taught | clear[::2, ::2], depth, UNKNOWN).astype(np.uint8),
            amount=np.where(_undyed(stains), 0, UNKNOWN).astype(np.uint8),
            tumour=_kinds(cells, codes == 0)[labels[2::4, 2::4]],
            radii=radii,
            cell_radii=np.zeros_like(radii),
        ),
    )


def _kinds(cells: Cells, scored: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Tumour (1) or not (0) of each cell by number, `UNKNOWN` for 0 and where neighbours disagree."""
    kinds = np.full(len(cells) + 1, UNKNOWN, np.uint8)
    if not scored.any():
        return kinds
    points = np.column_stack([cells.x, cells.y])
    reach = _NEIGHBOUR_UM / WORKING_MPP
    every = cKDTree(points).query_ball_point(points, reach, return_length=True)
    share = cKDTree(points[scored]).query_ball_point(points, reach, return_length=True) / every
    kinds[1:][scored & (share >= _MOSTLY)] = 1
    kinds[1:][~scored & (share <= _HARDLY)] = 0
    return kinds


def _undyed(stains: StainAmounts) -> npt.NDArray[np.bool_]:
    """Places without any brown within reach of a cell's membrane, shape (M/2, N/2)."""
    dab = cv2.GaussianBlur(stains.dab, (0, 0), _GRAIN_UM / WORKING_MPP)
    side = 2 * round(_CELL_UM / WORKING_MPP) + 1
    highest = cv2.dilate(dab, np.ones((side, side), np.uint8))
    return np.asarray(highest[::2, ::2] < _UNDYED_OD, np.bool_)


def _clear(stains: StainAmounts, nuclear: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Places too pale for a nucleus of this image, shape (M, N)."""
    if not len(nuclear):
        return np.zeros(stains.dab.shape, np.bool_)
    blue = cv2.GaussianBlur(stains.hematoxylin, (0, 0), _CLEAR_UM / WORKING_MPP)
    return np.asarray(blue < _CLEAR * np.median(nuclear))
