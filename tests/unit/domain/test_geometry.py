from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2path.domain.geometry import Tile, tile_grid, working_downsample, working_size


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 120))
def test_tiles_cover_the_grid_once(width, height, tile_px):
    owned = np.zeros((height, width), dtype=int)
    for tile in tile_grid((width, height), tile_px):
        owned[tile.row : tile.row + tile.height, tile.col : tile.col + tile.width] += 1
    assert (owned == 1).all()


@pytest.mark.parametrize(
    ("slide_mpp", "expected"),
    [
        pytest.param(0.25, 2.0, id="exactly half"),
        pytest.param(0.2528, 2.0, id="Aperio 40x, within 2 %"),
        pytest.param(0.499, 1.0, id="Aperio 20x"),
        pytest.param(0.2282, 0.5 / 0.2282, id="Hamamatsu 40x, no whole multiple"),
        pytest.param(0.9, 1.0, id="coarser than the target: never magnified"),
        pytest.param(0.1213, 0.5 / 0.1213, id="3 % off 4"),
    ],
)
def test_the_downsampling_is_whole_where_that_changes_the_pixel_little(slide_mpp, expected):
    assert working_downsample(slide_mpp, 0.5) == pytest.approx(expected)


@given(st.floats(0.05, 5.0), st.floats(0.2, 1.1))
def test_the_working_pixel_is_the_target_within_two_per_cent_or_the_slides_own(slide_mpp, target_mpp):
    working = working_downsample(slide_mpp, target_mpp) * slide_mpp
    assert working == pytest.approx(max(target_mpp, slide_mpp), rel=0.0201)


@pytest.mark.parametrize("mpp", [0.0, -1.0, math.nan, math.inf])
def test_a_pixel_size_that_is_none_is_refused(mpp):
    with pytest.raises(ValueError, match="positive"):
        working_downsample(mpp, 0.5)
    with pytest.raises(ValueError, match="positive"):
        working_downsample(0.5, mpp)


@given(st.integers(1, 10**6), st.floats(1, 40))
def test_the_working_grid_holds_every_pixel(edge, downsample):
    width, _ = working_size((edge, edge), downsample)
    assert (width - 1) * downsample < edge
    assert width * downsample >= edge - 1e-6 * edge


@pytest.mark.parametrize("corner", [(-1, 0, 1, 1), (0, -1, 1, 1), (0, 0, 0, 1), (0, 0, 1, 0)])
def test_an_impossible_tile_cannot_exist(corner):
    with pytest.raises(ValueError, match="not a tile"):
        Tile(*corner)


def test_tiles_without_pixels_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        list(tile_grid((5, 5), 0))
