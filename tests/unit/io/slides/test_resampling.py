from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2path.io.slides.resampling import area_mean, as_integer, source_span
from tests.support.slides import textured

LEVEL = textured(400, 400)
RATIOS = (1.0, 2.0, 3.0, 4.0, 1.25, 2.19, 0.5 / 0.2281750559028887, 7.03)


def mean_of(row: int, col: int, height: int, width: int, ratio: float) -> np.ndarray:
    rows, cols = source_span(row, height, ratio), source_span(col, width, ratio)
    part = LEVEL[rows.start : rows.stop, cols.start : cols.stop]
    return area_mean(part, origin=(row, col), shape=(height, width), ratio=ratio)


@pytest.mark.parametrize("ratio", RATIOS)
def test_means_are_those_of_brute_force_but_for_rounding(ratio):
    n = int(100 / ratio) - 1
    fine = LEVEL[:100, :100, 0].astype(np.float32).repeat(40, axis=0).repeat(40, axis=1)
    got = mean_of(0, 0, n, n, ratio)[:, :, 0]
    for row, col in ((0, 0), (n // 2, n // 3), (n - 1, n - 1)):
        top, bottom, left, right = (round(k * ratio * 40) for k in (row, row + 1, col, col + 1))
        assert abs(float(got[row, col]) - float(fine[top:bottom, left:right].mean())) < 0.8


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_flat_image_stays_what_it_is(ratio):
    rows, cols = source_span(5, 20, ratio), source_span(9, 30, ratio)
    flat = np.full((rows.stop - rows.start, cols.stop - cols.start, 3), 201, dtype=np.uint8)
    assert (area_mean(flat, origin=(5, 9), shape=(20, 30), ratio=ratio) == 201).all()


@settings(deadline=None, max_examples=60)
@given(
    ratio=st.sampled_from(RATIOS),
    row=st.integers(0, 20),
    col=st.integers(0, 20),
    height=st.integers(1, 30),
    width=st.integers(1, 30),
)
def test_a_pixel_does_not_depend_on_the_box_it_is_read_with(ratio, row, col, height, width):
    whole = mean_of(0, 0, 55, 55, ratio)
    np.testing.assert_array_equal(
        mean_of(row, col, height, width, ratio), whole[row : row + height, col : col + width]
    )


def test_the_mean_brightness_is_kept():
    got = mean_of(0, 0, 180, 180, 2.19)
    kept = LEVEL[: int(180 * 2.19), : int(180 * 2.19)]
    assert abs(float(got.mean()) - float(kept.mean())) < 0.1


def test_magnifying_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        area_mean(LEVEL[:10, :10], origin=(0, 0), shape=(20, 20), ratio=0.5)


@pytest.mark.parametrize(("ratio", "whole"), [(0.5 / 0.25, 2), (0.3 / 0.1, 3), (2.19, None), (0.2, None)])
def test_ratios_that_are_whole_but_for_rounding_are_found(ratio, whole):
    assert as_integer(ratio) == whole
