"""Chromatic shift: nuclei that shine faintly in a probe's channel tell how far it lies beside DAPI."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from her2path.imaging.fish.shift import Shift, estimate_shift, moved_back
from tests.support.fish_fields import Disc, Dot, draw_field

MPP = 0.16
SIZE = (512, 512)


@pytest.fixture(scope="module")
def planes():
    rng = np.random.default_rng(3)
    discs = [
        Disc(r + rng.normal(0, 8), c + rng.normal(0, 8), rng.uniform(22, 34), rng.uniform(600, 1100))
        for r in range(50, 500, 100)
        for c in range(50, 500, 100)
    ]
    dots = [Dot(1, d.row + rng.normal(0, 9), d.col + rng.normal(0, 9)) for d in discs for _ in range(4)]
    drawn = draw_field(discs, dots, size=SIZE).astype(np.float32)
    return drawn[0], drawn[1] + 0.05 * drawn[0]


@pytest.mark.parametrize(("down_um", "right_um"), [(0.0, 0.0), (0.4, -0.24), (-0.8, 0.56)])
def test_the_place_of_a_channel_is_found_to_a_tenth_of_a_micrometre(planes, down_um, right_um):
    dapi, probe = planes
    beside = ndimage.shift(probe, (down_um / MPP, right_um / MPP), order=1, mode="nearest")
    found = estimate_shift(dapi, beside, mpp=MPP)
    assert (found.down_um, found.right_um) == pytest.approx((down_um, right_um), abs=0.1)


def test_a_channel_in_which_no_nucleus_shows_tells_nothing(planes):
    noise = np.random.default_rng(1).normal(100, 5, SIZE).astype(np.float32)
    assert estimate_shift(planes[0], noise, mpp=MPP) is None


def test_a_channel_is_moved_back_by_whole_pixels():
    plane = np.zeros((32, 32), np.float32)
    plane[20, 13] = 1
    moved = moved_back(plane, Shift(0.5, -0.3), mpp=0.1)
    assert np.argwhere(moved == 1).tolist() == [[15, 16]]
    assert set(np.unique(moved)) == {0.0, 1.0}


def test_an_unknown_shift_leaves_the_channel_as_it_is():
    plane = np.ones((8, 8), np.float32)
    assert moved_back(plane, None, mpp=0.1) is plane
