"""Colours of a slide in the pixels of its mask: the material from which artefacts are told.

One pass over the slide at 2 µm per pixel, in bands of any height: what a block holds does not depend
on how the slide was cut.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.stain import Rgb, density_table
from her2path.imaging.tissue import BLOCK

Plane = npt.NDArray[np.float32]

_OPAQUE_LEVEL = 12
"""Grey level up to which a channel, averaged over 2 µm, shows no light."""


@dataclass(frozen=True, slots=True)
class BlockColours:
    """Colours of every mask pixel (8 µm), each float32, shape (M, N)."""

    red: Plane
    """Mean density in the red channel, over white."""
    green: Plane
    blue: Plane
    floor: Plane
    """Least density (sum of the channels) of the block's 2 µm pixels."""
    peak: Plane
    """Greatest density (sum of the channels) of the block's 2 µm pixels."""
    opaque: Plane
    """Share of the block's pixels in which no channel shows light."""

    @property
    def density(self) -> Plane:
        """Mean density, sum of the channels."""
        return np.asarray(self.red + self.green + self.blue, np.float32)

    def rows(self, start: int, stop: int) -> BlockColours:
        """Cut out rows, in mask pixels."""
        return BlockColours(*(getattr(self, field.name)[start:stop] for field in fields(self)))


def join_colours(bands: list[BlockColours]) -> BlockColours:
    """Stack bands from top to bottom."""
    return BlockColours(
        *(np.concatenate([getattr(band, field.name) for band in bands]) for field in fields(BlockColours))
    )


def measure_block_colours(rgb: npt.NDArray[np.uint8], *, white: Rgb) -> BlockColours:
    """Measure the colours of a slide or of a band of it.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (M, N, 3)
        Image at 2 µm per pixel (`her2path.imaging.tissue.FEATURE_MPP`); pure white (255) is padding.
    white : tuple of three floats
        Blank field.

    Returns
    -------
    BlockColours
        Shape (ceil(M / 4), ceil(N / 4)).
    """
    table = density_table(white)
    table[255] = 0  # padding, and glare that is brighter than the lamp
    down, right = -rgb.shape[0] % BLOCK, -rgb.shape[1] % BLOCK
    padded = cv2.copyMakeBorder(rgb, 0, down, 0, right, cv2.BORDER_REPLICATE)
    od = cv2.LUT(padded, table[None])
    total = cv2.transform(od, np.ones((1, 3), np.float32))
    size = (padded.shape[1] // BLOCK, padded.shape[0] // BLOCK)
    mean = cv2.resize(od, size, interpolation=cv2.INTER_AREA)
    channels = cv2.split(padded)
    dark = np.asarray(cv2.max(cv2.max(channels[0], channels[1]), channels[2]) <= _OPAQUE_LEVEL, np.float32)
    corner = (BLOCK - 1) // 2
    # A morphological filter, sampled at one place per block, is the extreme of that block.
    kernel, anchor = np.ones((BLOCK, BLOCK), np.uint8), (corner, corner)
    sampled = np.s_[corner::BLOCK, corner::BLOCK]
    return BlockColours(
        red=np.ascontiguousarray(mean[..., 0]),
        green=np.ascontiguousarray(mean[..., 1]),
        blue=np.ascontiguousarray(mean[..., 2]),
        floor=cv2.erode(total, kernel, anchor=anchor)[sampled].astype(np.float32),
        peak=cv2.dilate(total, kernel, anchor=anchor)[sampled].astype(np.float32),
        opaque=np.asarray(cv2.resize(dark, size, interpolation=cv2.INTER_AREA), np.float32),
    )
