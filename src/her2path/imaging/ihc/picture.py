"""Cells of a picture that fits into memory: for training and measurement of the methods themselves."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.finder import Finder
from her2path.imaging.ihc.measure import CLASSICAL, Cells, Core, measure_cells
from her2path.imaging.ihc.tumour import CellTraits
from her2path.imaging.stain import StainModel


def measure_picture(
    rgb: npt.NDArray[np.uint8],
    model: StainModel,
    *,
    mpp: float,
    calibration: Calibration,
    finder: Finder = CLASSICAL,
) -> Cells:
    """Measure all cells of a picture as if it lay on empty glass.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
    model : StainModel
    mpp : float
        Pixel size in µm.
    calibration : Calibration
    finder : Finder

    Returns
    -------
    Cells
        Positions in pixels of the picture.
    """
    margin = math.ceil(finder.margin_um / mpp)
    cells = measure_cells(
        np.pad(rgb, ((margin, margin), (margin, margin), (0, 0)), constant_values=255),
        model,
        mpp=mpp,
        core=Core(margin, margin, *rgb.shape[:2]),
        origin=(-margin, -margin),
        calibration=calibration,
        finder=finder,
    )
    return replace(
        cells,
        x=cells.x - margin,
        y=cells.y - margin,
        nuclei=replace(cells.nuclei, x=cells.nuclei.x - margin, y=cells.nuclei.y - margin),
        cell_rings=cells.cell_rings - margin,
        nucleus_rings=cells.nucleus_rings - margin,
    )


def traits_of(cells: Cells, *, mpp: float, tells_tumour: bool) -> CellTraits:
    """Gather what the choice of tumour cells looks at; `tells_tumour` as the finder does."""
    nuclei = cells.nuclei
    return CellTraits(
        x_um=cells.x * mpp,
        y_um=cells.y * mpp,
        nucleus_area_um2=nuclei.area_um2,
        elongation=nuclei.elongation,
        hematoxylin=nuclei.hematoxylin,
        evidence=nuclei.contrast * nuclei.coverage,
        surround_od=cells.surround_od,
        gap_frac=cells.gap_frac,
        greyness=cells.greyness,
        tumour=nuclei.tumour if tells_tumour else None,
    )
