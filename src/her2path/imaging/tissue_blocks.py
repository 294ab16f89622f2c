"""Blocks in which a slide is measured, cut down to the tissue that they hold."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle on the grid of working pixels."""

    row: int
    col: int
    height: int
    width: int


def around_tissue(block: Block, tissue: npt.NDArray[np.bool_], *, mask_px_per_px: float) -> Block | None:
    """Cut a block down to the rows and columns that hold tissue; None without any.

    What lies beside tissue is not measured in any case, so glass around it need not be looked at.

    Parameters
    ----------
    block : Block
    tissue : ndarray of bool, shape (M, N)
        Mask of the whole slide; what lies beyond it takes its last row and column for its own.
    mask_px_per_px : float
        Pixels of the mask per working pixel, below 1.

    Examples
    --------
    >>> tissue = np.zeros((8, 8), np.bool_)
    >>> tissue[2:4, 1:6] = True
    >>> around_tissue(Block(0, 0, 40, 40), tissue, mask_px_per_px=0.1)
    Block(row=19, col=9, height=21, width=31)
    """
    scale = mask_px_per_px
    top, left = int(block.row * scale), int(block.col * scale)
    bottom = math.ceil((block.row + block.height) * scale)
    right = math.ceil((block.col + block.width) * scale)
    part = tissue[top:bottom, left:right]
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    if not len(rows):
        return None
    row, height = _span(block.row, block.height, top + rows[[0, -1]], tissue.shape[0], scale)
    col, width = _span(block.col, block.width, left + columns[[0, -1]], tissue.shape[1], scale)
    return Block(row, col, height, width)


def _span(
    start: int, length: int, ends: npt.NDArray[np.intp], mask_length: int, scale: float
) -> tuple[int, int]:
    """First and number of the working pixels of a block that lie between two pixels of a mask."""
    first, last = int(ends[0]), int(ends[1])
    # One pixel more on either side: products that fall just short of a whole number count downwards.
    begin = max(start, math.floor(first / scale) - 1)
    end = start + length if last == mask_length - 1 else math.ceil((last + 1) / scale) + 1
    return begin, min(end, start + length) - begin
