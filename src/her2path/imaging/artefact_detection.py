"""All artefacts of a bright-field slide from what was measured on it, as one code mask."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.artefact_folds import detect_folds
from her2path.imaging.artefact_marks import Marks, detect_grains, detect_opaque, measure_grains
from her2path.imaging.artefact_shapes import detect_bubbles, detect_coverslip_edge
from her2path.imaging.artefacts import ArtefactKind, Codes, Mask, join_kinds
from her2path.imaging.block_colours import BlockColours, Plane
from her2path.imaging.focus import (
    FOCUS_BLOCK,
    FocusTile,
    detect_defocus,
    measure_scale_energies,
    measure_softness,
)
from her2path.imaging.stain import StainModel, optical_density
from her2path.imaging.tissue import TissueFeatures


@dataclass(frozen=True, slots=True)
class FineDetail:
    """What is told at 1 µm per pixel, one value per mask pixel; NaN where the slide was not read."""

    energies: Plane
    """Shape (M, N, 3); see `her2path.imaging.focus.measure_scale_energies`."""
    black_grains: Plane
    """Share of pixels that are dark, colourless grains."""

    @classmethod
    def unread(cls, shape: tuple[int, int]) -> FineDetail:
        """Nothing is known yet of a mask of this shape."""
        return cls(np.full((*shape, 3), np.nan, np.float32), np.zeros(shape, np.float32))

    def place(self, part: FineDetail, tile: FocusTile) -> None:
        """Write what a tile owns of what was read for it; in place."""
        (row, col), (first_row, first_col) = tile.place, tile.first
        for whole, read in (
            (self.energies, part.energies),
            (self.black_grains, part.black_grains),
        ):
            own = read[first_row : first_row + tile.own[0], first_col : first_col + tile.own[1]]
            room = whole[row : row + own.shape[0], col : col + own.shape[1]]
            room[:] = own[: room.shape[0], : room.shape[1]]


def measure_fine_detail(rgb: npt.NDArray[np.uint8], stains: StainModel) -> FineDetail:
    """Measure focus and grains of a tile.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
        Image at `her2path.imaging.focus.FOCUS_MPP`; it is continued to whole mask pixels.
    stains : StainModel
        Of the slide.

    Returns
    -------
    FineDetail
        Shape (ceil(M / 8), ceil(N / 8)).
    """
    down, right = -rgb.shape[0] % FOCUS_BLOCK, -rgb.shape[1] % FOCUS_BLOCK
    padded = np.asarray(cv2.copyMakeBorder(rgb, 0, down, 0, right, cv2.BORDER_REPLICATE), np.uint8)
    grains = measure_grains(optical_density(padded, white=stains.white), stains, block=FOCUS_BLOCK)
    return FineDetail(measure_scale_energies(padded), grains)


def detect_artefacts(
    colours: BlockColours,
    features: TissueFeatures,
    detail: FineDetail,
    tissue: Mask,
    marks: Marks,
) -> Codes:
    """Find every kind of artefact.

    Parameters
    ----------
    colours : BlockColours
        Of the whole slide, shape (M, N).
    features : TissueFeatures
        Of the same shape.
    detail : FineDetail
        Of the same shape, read at least wherever there is tissue.
    tissue : ndarray of bool, shape (M, N)
    marks : Marks
        From `her2path.imaging.artefact_marks.detect_marks`, which a slide needs before its stains.

    Returns
    -------
    codes : ndarray of uint8, shape (M, N)
    """
    blurred = detect_defocus(detail.energies, features, tissue)
    clean = tissue & ~marks.pen
    found = {
        ArtefactKind.OUT_OF_FOCUS: blurred,
        ArtefactKind.PEN: marks.pen,
        ArtefactKind.FOLD: detect_folds(colours, measure_softness(detail.energies, clean), clean),
        ArtefactKind.BUBBLE: detect_bubbles(colours),
        ArtefactKind.COVERSLIP_EDGE: detect_coverslip_edge(colours, tissue, blurred),
        ArtefactKind.SATURATED: detect_opaque(colours),
        ArtefactKind.DEBRIS: marks.dirt,
        ArtefactKind.PIGMENT: detect_grains(detail.black_grains, clean),
    }
    return join_kinds(found, shape=(tissue.shape[0], tissue.shape[1]))
