"""The order in which nuclei are taken is that of a careful reader."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from her2path.imaging.fish.nuclei import NucleusParams, measure_levels, segment_nuclei
from her2path.imaging.fish.nucleus_choice import rank_nuclei, suitability_of

MPP = 0.16
SIDE = 420
CENTRE = (100, 210)
OTHER = (310, 210)


def draw(*ellipses, sigma=1.5):
    """Sharp ellipses (centre, axes, level) on black, blurred."""
    dapi = np.zeros((SIDE, SIDE), np.float32)
    for centre, axes, level in ellipses:
        layer = np.zeros_like(dapi)
        cv2.ellipse(layer, centre, axes, 0, 0, 360, level, cv2.FILLED)
        dapi = np.maximum(dapi, layer)
    return cv2.GaussianBlur(dapi, (0, 0), sigma)


def ranks(dapi):
    noise = np.random.default_rng(3).normal(100, 5, dapi.shape).astype(np.float32)
    params = NucleusParams()
    levels = measure_levels(dapi + noise, mpp=MPP, params=params)
    nuclei = segment_nuclei(dapi + noise, mpp=MPP, levels=levels, params=params)
    shapes = nuclei.shapes
    worth = suitability_of(shapes, params.limits, height=SIDE, width=SIDE, mpp=MPP)
    ids = np.arange(1, len(worth) + 1, dtype=np.int32)
    scorable = np.array([reason is None for reason in nuclei.exclusion])
    found = rank_nuclei(ids, worth, shapes.area_um2, scorable)
    return [found[i] for i in np.argsort(shapes.col)]


GOOD = (CENTRE, (30, 28), 900)


@pytest.mark.parametrize(
    "worse",
    [
        pytest.param(draw(GOOD) + draw((OTHER, (30, 28), 900), sigma=5), id="a blurred one"),
        pytest.param(draw(GOOD, (OTHER, (40, 22), 900)), id="a long one"),
        pytest.param(draw(GOOD, ((388, 210), (30, 28), 900)), id="one beside the border"),
        pytest.param(
            draw(GOOD, (OTHER, (28, 25), 900), ((310, 259), (28, 22), 900)), id="one that touches another"
        ),
    ],
)
def test_a_sharp_round_nucleus_that_stands_alone_is_taken_before(worse):
    first, second, *_ = ranks(worse)
    assert first == 1
    assert second is None or second > 1


def test_a_nucleus_of_medium_size_is_taken_before_a_small_and_a_large_one():
    ids = np.array([1, 2, 3], np.int32)
    area = np.array([40.0, 60.0, 300.0])
    assert rank_nuclei(ids, np.ones(3), area, np.ones(3, bool)) == (2, 1, 3)


def test_a_nucleus_whose_focus_cannot_be_judged_is_not_taken_for_sharp():
    params = NucleusParams()
    dapi = draw(GOOD) + np.float32(100)
    levels = measure_levels(dapi, mpp=MPP, params=params)
    sharp = segment_nuclei(dapi, mpp=MPP, levels=levels, params=params).shapes
    walled_in = replace(sharp, edge_um=np.zeros(1))
    worth = [
        suitability_of(shapes, params.limits, height=SIDE, width=SIDE, mpp=MPP)[0]
        for shapes in (sharp, walled_in)
    ]
    assert worth[1] < worth[0]


def test_of_two_equal_nuclei_the_lower_number_is_taken_first():
    ids = np.array([9, 4], np.int32)
    assert rank_nuclei(ids, np.full(2, 0.7), np.full(2, 60.0), np.ones(2, bool)) == (2, 1)


def test_nuclei_that_may_not_be_counted_have_no_rank():
    ids = np.array([1, 2], np.int32)
    assert rank_nuclei(ids, np.ones(2), np.full(2, 60.0), np.zeros(2, bool)) == (None, None)
