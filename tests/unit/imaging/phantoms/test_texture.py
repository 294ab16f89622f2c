"""Noise fields of phantoms."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.phantoms.texture import (
    band_noise,
    fibre_noise,
    smooth_noise,
    standardised,
    stream,
    warped,
)


@pytest.mark.parametrize("sigma", [0.2, 2.0, 40.0])
def test_smooth_noise_is_standardised_at_every_scale(sigma):
    field = smooth_noise(stream(1, "x"), (200, 301), sigma)
    assert field.shape == (200, 301)
    assert field.dtype == np.float32
    assert (field.mean(), field.std()) == pytest.approx((0, 1), abs=1e-3)


def test_smooth_noise_is_correlated_over_its_length():
    field = smooth_noise(stream(1, "x"), (400, 400), 8.0)
    near = np.corrcoef(field[:, :-2].ravel(), field[:, 2:].ravel())[0, 1]
    far = np.corrcoef(field[:, :-60].ravel(), field[:, 60:].ravel())[0, 1]
    assert near > 0.95
    assert abs(far) < 0.2


def test_band_noise_lacks_what_is_coarser_than_its_band():
    field = band_noise(stream(1, "x"), (256, 256), 1.0, 4.0)
    blocks = field.reshape(8, 32, 8, 32).mean(axis=(1, 3))
    assert blocks.std() < 0.05


@pytest.mark.parametrize("angle", [0.0, np.pi / 2], ids=["along columns", "along rows"])
def test_fibres_change_less_along_their_direction_than_across(angle):
    field = fibre_noise(stream(2, "x"), np.full((300, 300), angle, np.float32), 2.0, 4)
    along_x, along_y = np.abs(np.diff(field, axis=1)).mean(), np.abs(np.diff(field, axis=0)).mean()
    along, across = (along_x, along_y) if angle == 0 else (along_y, along_x)
    assert along < 0.5 * across


def test_streams_of_other_names_are_independent_and_repeatable():
    first = stream(3, "nuclei").random(4)
    assert np.array_equal(first, stream(3, "nuclei").random(4))
    assert not np.array_equal(first, stream(3, "cells").random(4))
    assert not np.array_equal(first, stream(4, "nuclei").random(4))


def test_a_warp_moves_labels_and_makes_no_new_ones():
    labels = np.arange(36, dtype=np.int32).reshape(6, 6)
    right = np.full((6, 6), 1.0, np.float32)
    moved = warped(labels, right, np.zeros_like(right))
    assert np.array_equal(moved[:, :-1], labels[:, 1:])
    assert np.array_equal(moved[:, -1], labels[:, -1])


def test_a_constant_field_becomes_zero():
    assert not standardised(np.full((3, 3), 7.0)).any()
