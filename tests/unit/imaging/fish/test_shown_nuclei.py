"""Pictures for a second reader: one scale for all nuclei of an image, an outline, and nothing else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from her2path.imaging.fish.shown_nuclei import HEADROOM, levels_of, picture_of

SIDE = 64


def crop(height: float, *, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    plane = rng.normal(100, 2, (SIDE, SIDE)).astype(np.float32)
    plane[30:34, 30:34] += height
    return {"dapi": plane + 50, "her2": plane}


def disc() -> np.ndarray:
    rows, cols = np.mgrid[:SIDE, :SIDE]
    return np.hypot(rows - 31.5, cols - 31.5) < 20


def decoded(png: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)


def test_a_brighter_nucleus_of_the_same_image_is_shown_brighter():
    crops = [crop(400), crop(800, seed=1)]
    levels = levels_of(crops)
    low, high = (decoded(picture_of(one, disc(), levels).channels["her2"]) for one in crops)
    assert low.dtype == np.uint8
    assert high[31, 31] == pytest.approx(2 * low[31, 31], abs=4)


def test_light_above_the_brightest_signals_is_kept():
    levels = levels_of([crop(400)])
    picture = decoded(picture_of(crop(400), disc(), levels).channels["her2"])
    assert picture.max() == pytest.approx(255 / HEADROOM, abs=6)


def test_a_field_of_one_level_is_black_and_no_division_by_zero():
    flat = {"her2": np.full((SIDE, SIDE), 7, np.float32)}
    assert decoded(picture_of(flat, disc(), levels_of([flat])).channels["her2"]).max() == 0


def test_the_outline_goes_round_the_nucleus():
    planes = crop(400)
    points = np.array(picture_of(planes, disc(), levels_of([planes])).outline)
    far = np.hypot(*(points - 31.5).T)
    assert len(points) > 8
    assert far.min() > 17
    assert far.max() < 21


def test_a_nucleus_that_is_not_in_the_picture_has_no_outline():
    planes = crop(400)
    assert picture_of(planes, np.zeros((SIDE, SIDE), bool), levels_of([planes])).outline == ()
