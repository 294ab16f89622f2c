"""Measuring conditions of a fluorescence channel, against images of known noise and blur."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from her2path.imaging.fish.quality import measure_channel


@pytest.fixture
def field():
    rng = np.random.default_rng(0)
    plane = np.full((256, 256), 200.0)
    plane[60:120, 60:160] += 900
    return plane, rng


def test_background_and_noise_are_those_drawn(field):
    plane, rng = field
    noisy = np.rint(plane + rng.normal(0, 12, plane.shape)).astype(np.uint16)
    measure = measure_channel(noisy, full_scale=4095.0)
    assert measure.background == pytest.approx(200, abs=4)
    assert measure.noise == pytest.approx(12, rel=0.05)
    assert measure.saturated_frac == 0.0


def test_saturation_is_the_share_of_pixels_at_full_scale(field):
    plane, _ = field
    plane[:64] = 4095
    assert measure_channel(plane.astype(np.uint16), full_scale=4095.0).saturated_frac == 0.25


def test_a_blurred_image_has_the_lower_focus(field):
    plane, rng = field
    noise = rng.normal(0, 12, plane.shape)
    sharp = measure_channel((plane + noise).astype(np.float32), full_scale=4095.0)
    blurred = measure_channel(
        (cv2.GaussianBlur(plane, (0, 0), 4) + noise).astype(np.float32), full_scale=4095.0
    )
    assert blurred.focus < 0.7 * sharp.focus


def test_a_constant_8_bit_plane_has_the_noise_of_its_quantisation():
    flat = np.full((64, 64), 17, np.uint8)
    assert measure_channel(flat, full_scale=255.0).noise == pytest.approx(12**-0.5)


def test_a_plane_too_small_to_measure_is_refused():
    with pytest.raises(ValueError, match="16 pixels or more"):
        measure_channel(np.zeros((4, 40), np.uint8), full_scale=255.0)
