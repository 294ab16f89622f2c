"""Blocks cut down to their tissue."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.tissue_blocks import Block, around_tissue

SCALE = 0.5 / 8


def island(rows, columns, shape=(50, 60)):
    tissue = np.zeros(shape, np.bool_)
    tissue[rows, columns] = True
    return tissue


def test_a_block_of_glass_is_not_measured():
    assert (
        around_tissue(Block(0, 0, 256, 256), island(slice(30, 40), slice(30, 40)), mask_px_per_px=SCALE)
        is None
    )


def test_a_block_full_of_tissue_stays_whole():
    block = Block(128, 64, 256, 200)
    assert around_tissue(block, np.ones((50, 60), np.bool_), mask_px_per_px=SCALE) == block


@pytest.mark.parametrize("scale", [SCALE, 0.0617, 1 / 15])
def test_every_working_pixel_of_tissue_stays_within(scale):
    tissue = island(slice(5, 9), slice(3, 17))
    block = Block(10, 20, 300, 280)
    cut = around_tissue(block, tissue, mask_px_per_px=scale)
    rows = np.arange(block.row, block.row + block.height)
    columns = np.arange(block.col, block.col + block.width)
    rows = rows[tissue.any(axis=1)[(rows * scale).astype(int)]]
    columns = columns[tissue.any(axis=0)[(columns * scale).astype(int)]]
    assert cut.row <= rows.min() <= rows.max() < cut.row + cut.height
    assert cut.col <= columns.min() <= columns.max() < cut.col + cut.width
    assert cut.height * cut.width < 0.5 * block.height * block.width


def test_a_block_that_reaches_beyond_the_mask_keeps_what_takes_its_last_row_for_its_own():
    tissue = island(slice(49, 50), slice(0, 60))
    block = Block(600, 0, 256, 256)
    cut = around_tissue(block, tissue, mask_px_per_px=SCALE)
    assert cut.row + cut.height == 856
