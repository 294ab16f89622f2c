"""Windows of a slide that show tissue, for slides of which only a score is known."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.tissue import (
    BLOCK,
    FEATURE_MPP,
    MARGIN,
    MASK_MPP,
    detect_tissue,
    join_features,
    measure_tissue_features,
)
from her2path.imaging.white_point import Brightness, estimate_white, measure_brightness
from her2path.io.slides.source import SlideSource, WorkingBox

_BAND_ROWS = 1024
"""Rows of 2 µm that are read at once, a multiple of `BLOCK`."""
_LEAST_TISSUE = 0.3
"""Share of a window that must be tissue."""


def tissue_windows(source: SlideSource, *, mpp: float, window: int, working: float) -> Iterator[WorkingBox]:
    """Find windows of which at least three tenths are tissue, from top left to bottom right.

    Parameters
    ----------
    source : SlideSource
    mpp : float
        Pixel size of level 0 in µm.
    window : int
        Edge in working pixels.
    working : float
        Level-0 pixels per working pixel.
    """
    tissue = tissue_of(source, mpp=mpp)
    width, height = (int(edge / working) for edge in source.size_px0)
    edge = window * working * mpp / MASK_MPP
    share = cv2.blur(tissue.astype(np.float32), (max(round(edge), 1),) * 2, borderType=cv2.BORDER_CONSTANT)
    for row in range(0, height, window):
        for col in range(0, width, window):
            middle = [
                min(int((start + window / 2) * edge / window), length - 1)
                for start, length in zip((row, col), tissue.shape, strict=True)
            ]
            if share[middle[0], middle[1]] >= _LEAST_TISSUE:
                yield WorkingBox(row, col, window, window)


def tissue_of(source: SlideSource, *, mpp: float) -> npt.NDArray[np.bool_]:
    """Find the tissue of a whole slide, in pixels of `MASK_MPP`, as `slide_quality` does before it minds ink.

    The slide is read in bands, so that its size does not matter.
    """
    light = Brightness.nothing()
    rows, columns = _size(source, mpp, MASK_MPP)
    for row in range(0, rows, _BAND_ROWS):
        box = WorkingBox(row, 0, min(_BAND_ROWS, rows - row), columns)
        light += measure_brightness(source.read(box, downsample=MASK_MPP / mpp))
    white, _ = estimate_white(light)
    rows, columns = _size(source, mpp, FEATURE_MPP)
    bands = []
    for row in range(0, rows, _BAND_ROWS):
        top, bottom = max(row - MARGIN, 0), min(row + _BAND_ROWS + MARGIN, rows)
        rgb = source.read(WorkingBox(top, 0, bottom - top, columns), downsample=FEATURE_MPP / mpp)
        first = (row - top) // BLOCK
        last = first + math.ceil((min(row + _BAND_ROWS, rows) - row) / BLOCK)
        bands.append(measure_tissue_features(rgb, white=white).rows(first, last))
    return detect_tissue(join_features(bands))


def _size(source: SlideSource, mpp: float, target: float) -> tuple[int, int]:
    width, height = source.size_px0
    return math.ceil(height * mpp / target), math.ceil(width * mpp / target)
