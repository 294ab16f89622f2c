"""Optical density, white point and stain vectors."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.stain import (
    DEFAULT_WHITE,
    RUIFROK_DAB,
    RUIFROK_HEMATOXYLIN,
    StainModel,
    blank_histogram,
    estimate_stains,
    estimate_white,
    optical_density,
    separate,
)

WHITE = (234.0, 233.0, 242.0)
BLUE = (0.72, 0.63, 0.29)
BROWN = (0.30, 0.55, 0.78)


def unit(vector):
    vector = np.asarray(vector, float)
    return vector / np.linalg.norm(vector)


def stained(hematoxylin, dab, *, blue=BLUE, brown=BROWN, white=WHITE):
    """RGB of given amounts by Beer and Lambert."""
    od = np.multiply.outer(hematoxylin, unit(blue)) + np.multiply.outer(dab, unit(brown))
    return np.clip(np.rint(np.asarray(white) * 10**-od), 0, 255).astype(np.uint8)


def field(*, blue_px=3000, brown_px=3000, mixed_px=2000, seed=1, **vectors):
    """Pixels of nuclei, of membranes, of both, and of glass."""
    rng = np.random.default_rng(seed)
    blue = np.r_[rng.uniform(0.2, 0.6, blue_px), np.zeros(brown_px), rng.uniform(0.1, 0.4, mixed_px)]
    brown = np.r_[np.zeros(blue_px), rng.uniform(0.2, 0.9, brown_px), rng.uniform(0.1, 0.4, mixed_px)]
    blue, brown = np.r_[blue, np.zeros(4000)], np.r_[brown, np.zeros(4000)]
    if not blue_px:
        blue = np.minimum(blue, brown)  # what is mixed is grey at most, never bluish
    rgb = stained(blue, brown, **vectors)
    # Same colour over 5 x 5 pixels, so that smoothing meets no edges that slides do not have.
    return np.repeat(np.repeat(rgb[None, : len(rgb) // 100 * 100].reshape(-1, 100, 3), 5, 0), 5, 1)


def angle(a, b):
    return np.degrees(np.arccos(np.clip(unit(a) @ unit(b), -1, 1)))


@pytest.mark.parametrize(
    ("level", "expected_od"),
    [
        pytest.param(245, 0.0, id="blank field"),
        pytest.param(24.5, 1.0, id="a tenth of the light"),
        pytest.param(0, np.log10(245), id="opaque, finite"),
    ],
)
def test_od_is_decadic_in_absolute_terms(level, expected_od):
    pixel = np.full((1, 1, 3), level, dtype=np.uint8)
    assert optical_density(pixel)[0, 0] == pytest.approx([expected_od] * 3, abs=0.012)


def test_od_refuses_what_is_no_8_bit_rgb():
    with pytest.raises(ValueError, match="uint8 RGB"):
        optical_density(np.zeros((4, 4, 3), np.float32))
    with pytest.raises(ValueError, match="uint8 RGB"):
        optical_density(np.zeros((4, 4), np.uint8))


def test_od_leaves_its_input_alone():
    rgb = np.full((3, 3, 3), 100, np.uint8)
    optical_density(rgb)
    assert (rgb == 100).all()


def test_separation_returns_the_amounts_that_were_mixed_in_absolute_terms():
    hematoxylin, dab = np.array([[0.0, 0.4, 0.0, 0.3]]), np.array([[0.0, 0.0, 0.6, 0.5]])
    vectors = {"hematoxylin": tuple(unit(BLUE)), "dab": tuple(unit(BROWN))}
    amounts = separate(stained(hematoxylin, dab), StainModel(white=WHITE, **vectors))
    assert amounts.hematoxylin == pytest.approx(hematoxylin, abs=0.02)
    assert amounts.dab == pytest.approx(dab, abs=0.02)


def test_stain_vectors_are_found_where_both_stains_stand_alone():
    model = estimate_stains(field(), white=WHITE, white_origin="estimated")
    assert (model.hematoxylin_origin, model.dab_origin) == ("estimated", "estimated")
    assert angle(model.hematoxylin, BLUE) < 3
    assert angle(model.dab, BROWN) < 3


def test_a_slide_without_brown_keeps_the_published_dab_vector_and_says_so():
    model = estimate_stains(field(brown_px=0, mixed_px=0), white=WHITE, white_origin="estimated")
    assert (model.dab, model.dab_origin) == (RUIFROK_DAB, "default")
    assert model.hematoxylin_origin == "estimated"


def test_a_brown_field_without_blue_keeps_the_published_hematoxylin_vector():
    # Grey mixtures in a strongly brown field must not be taken for faded hematoxylin.
    model = estimate_stains(field(blue_px=0, brown_px=9000), white=WHITE, white_origin="estimated")
    assert (model.hematoxylin, model.hematoxylin_origin) == (RUIFROK_HEMATOXYLIN, "default")


def test_grey_nuclei_of_a_faded_slide_give_the_hematoxylin_vector():
    grey = (0.59, 0.60, 0.54)
    model = estimate_stains(field(brown_px=300, mixed_px=0, blue=grey), white=WHITE, white_origin="estimated")
    assert model.hematoxylin_origin == "estimated"
    assert angle(model.hematoxylin, grey) < 3


def test_a_colour_that_is_no_stain_is_not_taken_for_one():
    green = (0.9, 0.1, 0.4)
    model = estimate_stains(field(brown_px=0, mixed_px=0, blue=green), white=WHITE, white_origin="estimated")
    assert model.hematoxylin == RUIFROK_HEMATOXYLIN


def test_glass_alone_keeps_both_published_vectors():
    blank = np.full((64, 64, 3), WHITE, np.uint8)
    model = estimate_stains(blank, white=WHITE, white_origin="estimated")
    assert (model.hematoxylin, model.dab) == (RUIFROK_HEMATOXYLIN, RUIFROK_DAB)


def test_white_point_is_that_of_the_glass_however_much_pale_tissue_there_is():
    rng = np.random.default_rng(2)
    glass = rng.normal(WHITE, 1.0, (30, 200, 3))
    pale = rng.normal(np.array(WHITE) - 9, 4.0, (70, 200, 3))
    rgb = np.clip(np.concatenate([glass, pale]), 0, 254).astype(np.uint8)
    white, origin = estimate_white(blank_histogram(rgb), pixels=rgb.shape[0] * rgb.shape[1])
    assert origin == "estimated"
    assert white == pytest.approx(WHITE, abs=1.5)


def test_padding_is_not_taken_for_glass():
    rgb = np.full((50, 50, 3), 255, np.uint8)
    assert estimate_white(blank_histogram(rgb), pixels=2500) == (DEFAULT_WHITE, "default")


def test_white_point_falls_back_where_tissue_fills_the_image():
    rgb = np.full((50, 50, 3), (150, 130, 160), np.uint8)
    assert estimate_white(blank_histogram(rgb), pixels=2500) == (DEFAULT_WHITE, "default")


def test_a_model_that_cannot_separate_is_refused():
    with pytest.raises(ValueError, match="too alike"):
        StainModel(dab=RUIFROK_HEMATOXYLIN)
    with pytest.raises(ValueError, match="white point"):
        StainModel(white=(0.0, 200.0, 200.0))
