"""Damaged nuclei: folds, smearing and full scale are told from texture, poor focus and overlaps."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from her2path.imaging.fish.nuclei import NucleusParams, measure_levels, segment_nuclei
from tests.support.fish_fields import Disc, draw_field

MPP = 0.16
PARAMS = NucleusParams()


def exclusions(dapi, **over):
    plane = np.asarray(dapi, np.float32)
    levels = measure_levels(plane, mpp=MPP, params=PARAMS)
    return segment_nuclei(plane, mpp=MPP, levels=levels, params=PARAMS, **over).exclusion


def nucleus(*, axes=(34, 30), angle=0.0, level=900.0):
    """One nucleus on a dark ground, before optics."""
    dapi = np.zeros((256, 256), np.float32)
    cv2.ellipse(dapi, (128, 128), axes, angle, 0, 360, level, cv2.FILLED)
    return dapi


def seen(light, sigma=1.5):
    """What a camera sees of it: blurred, over a background of 100 with a noise of 5."""
    noise = np.random.default_rng(2).normal(100, 5, light.shape).astype(np.float32)
    return cv2.GaussianBlur(light, (0, 0), sigma) + noise


@pytest.mark.parametrize("angle", [0, 35, 90])
def test_a_band_of_twice_the_brightness_across_a_nucleus_is_a_fold(angle):
    light = nucleus(level=500)
    band = np.zeros_like(light)
    cv2.ellipse(band, (128, 128), (28, 4), angle, 0, 360, 500, cv2.FILLED)
    assert exclusions(seen(light + band)) == ("folded",)


def test_a_round_bright_spot_is_no_fold():
    light = nucleus(level=500)
    cv2.circle(light, (128, 128), 6, 1000, cv2.FILLED)
    assert exclusions(seen(light)) == (None,)


def test_where_two_nuclei_overlap_it_is_no_fold():
    dapi = draw_field([Disc(128, 108), Disc(128, 142)], [])[0]
    assert set(exclusions(dapi)) == {"overlapping"}


@pytest.mark.parametrize("angle", [0, 30, 90])
def test_a_nucleus_drawn_out_with_lost_ends_is_crushed(angle):
    light = nucleus(axes=(34, 26))
    across = cv2.GaussianBlur(light, (0, 0), sigmaX=24, sigmaY=0.1)
    turn = cv2.getRotationMatrix2D((128, 128), angle, 1.0)
    assert exclusions(seen(cv2.warpAffine(across, turn, (256, 256)))) == ("crushed",)


def test_a_sharp_oval_nucleus_is_not_crushed():
    assert exclusions(seen(nucleus(axes=(44, 24), angle=20))) == (None,)


def test_poor_focus_blurs_all_of_an_oval_nucleus_and_is_not_crushing():
    assert exclusions(seen(nucleus(axes=(48, 26), angle=20), sigma=11)) == ("out_of_focus",)


@pytest.mark.parametrize(
    ("full_scale", "expected"),
    [
        pytest.param(4095.0, None, id="nothing at full scale"),
        pytest.param(1000.0, "dapi_saturated", id="the camera clips within the nucleus"),
    ],
)
def test_a_nucleus_at_full_scale_is_not_counted(full_scale, expected):
    dapi = np.minimum(draw_field([Disc(128, 128, level=1200)], [])[0], full_scale)
    assert exclusions(dapi, full_scale=full_scale) == (expected,)


def test_a_few_pixels_at_full_scale_do_no_harm():
    dapi = draw_field([Disc(128, 128, level=900)], [])[0].astype(np.float32)
    dapi[120:126, 120:126] = 1100
    assert exclusions(dapi, full_scale=1100.0) == (None,)
