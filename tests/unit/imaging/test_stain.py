"""Optical density and the separation of stains."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.stain import RUIFROK_HEMATOXYLIN, StainModel, optical_density, separate

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


def test_a_model_that_cannot_separate_is_refused():
    with pytest.raises(ValueError, match="too alike"):
        StainModel(dab=RUIFROK_HEMATOXYLIN)
    with pytest.raises(ValueError, match="white point"):
        StainModel(white=(0.0, 200.0, 200.0))
