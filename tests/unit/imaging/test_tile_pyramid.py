from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from her2path.imaging.tile_pyramid import TILE_PX, cut_tiles, plan_levels
from tests.support.slides import textured


def reader(rgb, seen=None):
    def read(row, column, side):
        if seen is not None:
            seen[row : row + side, column : column + side] += 1
        out = np.full((side, side, 3), 255, np.uint8)
        part = rgb[row : row + side, column : column + side]
        out[: part.shape[0], : part.shape[1]] = part
        return out

    return read


def tiles_of(rgb, **options):
    levels = plan_levels(rgb.shape[1::-1], finest_downsample=1, most_px=10**9)
    found: dict[int, np.ndarray] = {
        n: np.zeros((level.rows * TILE_PX, level.columns * TILE_PX, 3), np.uint8)
        for n, level in enumerate(levels)
    }
    times: dict[int, int] = dict.fromkeys(found, 0)

    def keep(tile):
        top, left = tile.row * TILE_PX, tile.column * TILE_PX
        found[tile.level][top : top + TILE_PX, left : left + TILE_PX] = tile.rgb
        times[tile.level] += 1

    cut_tiles(levels, reader(rgb, **options), keep)
    assert [times[n] for n in times] == [level.rows * level.columns for level in levels]
    return levels, [found[n][: level.height, : level.width] for n, level in enumerate(levels)]


@pytest.mark.parametrize("size", [(1, 1), (256, 256), (257, 100), (1500, 2700), (700, 4200)])
def test_the_finest_level_is_the_slide_itself(size):
    rgb = textured(*size)
    _, pictures = tiles_of(rgb)
    assert np.array_equal(pictures[0], rgb)


def test_each_level_is_half_the_one_before_by_area_means():
    rgb = textured(1024, 2048)
    levels, pictures = tiles_of(rgb)
    assert [level.downsample for level in levels] == [1, 2, 4, 8]
    for fine, coarse in pairwise(pictures):
        means = cv2.resize(fine, coarse.shape[1::-1], interpolation=cv2.INTER_AREA)
        assert np.abs(means.astype(int) - coarse).max() <= 1


def test_no_pixel_is_read_twice():
    rgb = textured(1500, 2700)
    seen = np.zeros((8192, 8192), np.uint8)
    tiles_of(rgb, seen=seen)
    assert seen[:1500, :2700].min() == seen.max() == 1


def test_a_large_slide_is_planned_coarser_and_ends_in_one_tile():
    levels = plan_levels((120_000, 80_000), finest_downsample=1, most_px=9_000_000)
    assert levels[0].width * levels[0].height <= 9_010_000
    assert levels[-1].rows == levels[-1].columns == 1
    assert levels[-2].rows * levels[-2].columns > 1
