"""Re-rendering of slides: what another scanner changes, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.rerender import VARIANTS, rerendered
from tests.support.slides import textured


@pytest.fixture(scope="module")
def slide():
    rgb = textured(200, 240)
    rgb[:60] = 240
    return rgb


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_gives_an_image_of_the_same_glass_area(slide, name):
    rgb, mpp = rerendered(slide, 0.25, VARIANTS[name])
    assert rgb.dtype == np.uint8
    assert rgb.shape[0] * mpp == pytest.approx(50, abs=mpp)
    assert rgb.shape[1] * mpp == pytest.approx(60, abs=mpp)


@pytest.mark.parametrize("name", ["warm_colours", "vivid_colours", "dark", "bright"])
def test_glass_takes_the_white_point_of_the_other_scanner(slide, name):
    rgb, _ = rerendered(slide, 0.25, VARIANTS[name], white=(240.0, 240.0, 240.0))
    assert rgb[20, 120].astype(float) == pytest.approx(VARIANTS[name].white, abs=1)


def test_a_tone_curve_multiplies_optical_density(slide):
    rgb, _ = rerendered(slide, 0.25, VARIANTS["steep_tone"], white=(240.0, 240.0, 240.0))
    before, after = (-np.log10(np.maximum(image[100:], 1) / 240.0) for image in (slide, rgb))
    assert float(after.mean()) == pytest.approx(1.1 * float(before.mean()), rel=0.02)


def test_the_same_slide_gives_the_same_bytes_and_stays_as_it_was(slide):
    kept = slide.copy()
    first, _ = rerendered(slide, 0.25, VARIANTS["other_scanner"])
    second, _ = rerendered(slide, 0.25, VARIANTS["other_scanner"])
    assert (first == second).all()
    assert (slide == kept).all()
