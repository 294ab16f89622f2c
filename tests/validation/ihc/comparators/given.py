"""What every comparator is given: pixels at the size it asks for, and regions that a person drew."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import shapely

from her2path.imaging.phantoms.ihc import IhcPhantom
from her2path.imaging.phantoms.ihc_regions import tumour_outlines
from her2path.io.slides.opening import open_slide
from her2path.io.slides.source import WorkingBox

Floats = npt.NDArray[np.float64]


def pixels_of(slide: Path, working_mpp: float, mpp: float) -> tuple[npt.NDArray[np.uint8], float]:
    """Read a whole slide; also give the level-0 pixels per pixel."""
    factor = max(1.0, working_mpp / mpp)
    cv2.setNumThreads(1)
    with open_slide(slide, name="slide") as source:
        width, height = source.size_px0
        box = WorkingBox(0, 0, int(height / factor), int(width / factor))
        return source.read(box, downsample=factor), factor


def in_regions(xy_px0: Floats, phantom: IhcPhantom) -> npt.NDArray[np.bool_]:
    """Which places lie in the tumour as a person would outline it, and off the image's border."""
    outlines = tumour_outlines(phantom.labels, phantom.spec.mpp)
    regions = shapely.union_all([shapely.make_valid(shapely.Polygon(line)) for line in outlines])
    return np.asarray(shapely.contains_xy(regions, xy_px0[:, 0], xy_px0[:, 1]), np.bool_)
