"""Brightness of blank glass."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from her2path.imaging.stain import DEFAULT_WHITE
from her2path.imaging.white_point import Brightness, bound_white, estimate_white, measure_brightness

WHITE = (234.0, 233.0, 242.0)


def glass(rows, columns=200, *, white=WHITE, seed=1):
    """At 8 µm a camera's noise is averaged to a fraction of a level."""
    noise = np.random.default_rng(seed).normal(0, 0.4, (rows, columns, 3))
    return np.clip(np.rint(np.asarray(white) + noise), 0, 254).astype(np.uint8)


def tissue(rows, columns=200, *, density=0.1, seed=2):
    """Pale violet matter whose density varies from one pixel of 8 µm to the next."""
    grain = np.random.default_rng(seed).normal(1, 0.4, (rows, columns, 1)).clip(0.3, 2)
    od = density * grain * np.array([0.6, 0.65, 0.35])
    return np.rint(np.asarray(WHITE) * 10**-od).astype(np.uint8)


def white_of(rgb):
    return estimate_white(measure_brightness(rgb))


def test_white_point_is_that_of_the_glass_however_much_pale_stroma_there_is():
    white, origin = white_of(np.concatenate([glass(8), tissue(192, density=0.05)]))
    assert origin == "estimated"
    assert white == pytest.approx(WHITE, abs=0.5)


@pytest.mark.parametrize(
    "white",
    [(213.0, 211.0, 214.0), (246.0, 240.0, 225.0), (226.0, 240.0, 251.0)],
    ids=["dark", "warm", "cool"],
)
def test_a_scanner_may_be_set_dark_or_tinted(white):
    found, origin = white_of(np.concatenate([glass(40, white=white), tissue(160, density=0.3)]))
    assert origin == "estimated"
    assert found == pytest.approx(white, abs=0.5)


def test_smooth_pale_matter_is_no_glass_where_clearer_matter_exists():
    mucus = glass(60, white=(205.0, 200.0, 210.0))
    _, origin = white_of(np.concatenate([mucus, tissue(140, density=0.02)]))
    assert origin == "default"


def test_bright_rims_of_dirt_do_not_hide_the_glass():
    rgb = np.concatenate([glass(100), tissue(100)])
    rgb[10:13, 10:100] = 252
    white, _ = white_of(rgb)
    assert white == pytest.approx(WHITE, abs=0.5)


def test_padding_is_not_taken_for_glass_beside_tissue():
    padding = np.full((100, 200, 3), 255, np.uint8)
    assert white_of(np.concatenate([padding, tissue(100)])) == (DEFAULT_WHITE, "default")


def test_a_scan_whose_glass_clips_has_its_white_point_at_the_top():
    clipped = np.concatenate([np.full((100, 200, 3), 255, np.uint8), tissue(100, density=0.1)])
    clipped[100:] = np.clip(clipped[100:].astype(int) + 20, 0, 254)
    assert white_of(clipped) == ((255.0, 255.0, 255.0), "estimated")


def test_the_brightness_of_bands_adds_up():
    rgb = np.concatenate([glass(64), tissue(64)])
    total = sum((measure_brightness(rgb[row : row + 32]) for row in range(0, 128, 32)), Brightness.nothing())
    assert estimate_white(total)[0] == pytest.approx(estimate_white(measure_brightness(rgb))[0], abs=0.1)


def test_tissue_that_fills_its_image_bounds_the_white_point_by_its_lightest_places():
    sample = cv2.resize(tissue(60, 60, density=0.6), None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    sample[100:130, 100:140] = np.rint(np.asarray(WHITE) * 0.98).astype(np.uint8)
    white, origin = bound_white([sample])
    assert origin == "lightest_tissue"
    assert white == pytest.approx(WHITE, abs=8)


@pytest.mark.parametrize("colour", [(120, 80, 40), (40, 40, 40)], ids=["brown", "dark"])
def test_an_image_without_any_light_place_keeps_a_usual_white_point(colour):
    assert bound_white([np.full((50, 50, 3), colour, np.uint8)]) == (DEFAULT_WHITE, "default")
